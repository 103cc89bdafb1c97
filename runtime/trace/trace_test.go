package trace

import (
	"strings"
	"testing"

	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/logger"
	"hapax/stats/cli"
)

// The bits of constants are those of the names that they stand for.
func TestEventNames(t *testing.T) {
	for e, want := range map[Event]string{
		SSLNew: "ssl sslc_new", SSLError: "ssl sslc_err", SSLHandshake: "ssl sslc_hndshk",
		H2ConnNew: "h2 h2c_new", H2ConnEnd: "h2 h2c_end", H2ConnError: "h2 h2c_err", H2RxHeaders: "h2 rx_frame+rx_hdr", H2TxHeaders: "h2 tx_frame+tx_hdr",
		H2StreamNew: "h2 h2s_new", H2StreamEnd: "h2 h2s_end", H2StreamErr: "h2 h2s_err",
		H1ConnNew: "h1 h1c_new", H1ConnRecv: "h1 h1c_recv", H1ConnEnd: "h1 h1c_end",
		H1RxHeaders: "h1 rx_data+rx_headers", H1RxEnd: "h1 rx_data+rx_eoi", H1TxHeaders: "h1 tx_data+tx_headers", H1TxEnd: "h1 tx_data+tx_eoi",
		H1StreamNew: "h1 h1s_new", H1StreamEnd: "h1 h1s_end", H1StreamErr: "h1 h1s_err",
		StreamNew: "stream strm_new", StreamFree: "stream strm_free", StreamErr: "stream strm_err", StreamStep: "stream strm_ana",
		StreamState: "stream sc_state", StreamHTTP: "stream http_ana",
		CheckStart: "check hchck_start", CheckEnd: "check hchck_end", CheckSuccess: "check hchck_succ", CheckError: "check hchck_err",
		CheckRule: "check tcp_check_eval", CheckRecv: "check rx_data", AppletNew: "applet app_new", AppletRelease: "applet app_release",
		PTConnNew: "pt pt_conn_new", PTConnEnd: "pt pt_conn_end", PTRxData: "pt pt_rx_data",
		SessionNew: "session sess_new", SessionEnd: "session sess_end", SessionErr: "session sess_err",
	} {
		if got := e.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// watch makes traces that write to a ring, and gives what was written since it was last asked.
func watch(t *testing.T, statements ...string) (*Set, func() string) {
	t.Helper()
	cfg := &runtime.Config{}
	if err := logger.Start(cfg, 0, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { logger.Stop(cfg) })
	set := Of(cfg)
	for _, text := range statements {
		do(t, set, text)
	}
	from := logger.SinkNamed(cfg, "buf0").Attach(true)
	return set, func() string {
		var lines []string
		for {
			line, ok := from.Next(nil)
			if !ok {
				return strings.Join(lines, ", ")
			}
			_, text, _ := strings.Cut(string(line), "] ")
			lines = append(lines, text)
		}
	}
}

func do(t *testing.T, set *Set, text string) {
	t.Helper()
	a := set.execute(strings.Fields(text), statement{sink: func(name string) (*logger.Sink, *answer) {
		return logger.SinkToBe(set.cfg, name, "", ast.Pos{}), nil
	}})
	if a != nil && a.severity != cli.Notice {
		t.Fatalf("%s: %s", text, a.text)
	}
}

func TestStartPauseStop(t *testing.T) {
	set, written := watch(t, "trace session sink buf0 level state start sess_new pause sess_end")
	emit := func(e Event, text string) { set.Emit(e, State, text, &About{}) }
	emit(SessionErr, "early")
	emit(SessionNew, "begins")
	emit(SessionErr, "in between")
	emit(SessionEnd, "ends")
	emit(SessionErr, "late")
	if got := written(); got != "begins, in between, ends" {
		t.Errorf("started by an event, paused by another one: %s", got)
	}
	do(t, set, "trace session stop sess_err")
	emit(SessionNew, "again")
	emit(SessionErr, "the last")
	emit(SessionNew, "never")
	if got := written(); got != "again, the last" || set.Any() {
		t.Errorf("stopped by an event: %s", got)
	}
	do(t, set, "trace session stop none start now event none event sess_new level error")
	emit(SessionNew, "too detailed")
	set.Emit(SessionErr, Error, "not chosen", &About{})
	set.Emit(SessionNew, Error, "right", &About{})
	if got := written(); got != "right" {
		t.Errorf("by event and level: %s", got)
	}
	do(t, set, "trace 0")
	if emit(SessionNew, "off"); written() != "" || set.Any() {
		t.Error("traced behind `trace 0`")
	}
}

func TestLockAndFollow(t *testing.T) {
	set, written := watch(t, "trace session lock session start sess_new pause sess_end", "trace h1 sink buf0 follow session")
	one, other := &About{Session: &runtime.Session{}}, &About{Session: &runtime.Session{Fd: 1}}
	emit := func(e Event, text string, a *About) { set.Emit(e, User, text, a) }
	emit(H1RxHeaders, "before", one)
	emit(SessionNew, "", one)
	emit(SessionNew, "", other)
	emit(H1RxHeaders, "followed", one)
	emit(H1RxHeaders, "of another session", other)
	emit(SessionEnd, "", other)
	emit(H1RxEnd, "still", one)
	emit(SessionEnd, "", one)
	emit(H1RxHeaders, "after", one)
	if got := written(); !strings.HasPrefix(got, "followed") || !strings.Contains(got, "still") || strings.Contains(got, "another") || strings.Contains(got, "after") {
		t.Errorf("h1 follows the session that is locked: %s", got)
	}
}

// TestActivate is -dt.
func TestActivate(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"h1,h2:data:advanced":    "",
		"all:user:quiet":         "",
		"zz":                     "unknown trace source 'zz'",
		"h1:zz":                  "no such trace level 'zz', available levels are 'error', 'user', 'proto', 'state', 'data', and 'developer'",
		":user:clean":            "trace source must be specified for verbosity other than 'quiet'",
		"h1:user:clean:x":        "too many colon separators in trace definition",
		"ssl:user:zz":            "no such trace verbosity 'zz' for source 'ssl', available verbosities for this source are: 'quiet', 'clean', 'minimal', 'simple', 'advanced', and 'complete'",
		"session:developer:none": "no such trace verbosity 'none' for source 'session', available verbosities for this source are: 'quiet', and 'default'",
	} {
		cfg := &runtime.Config{}
		got := ""
		if err := Activate(cfg, text); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	cfg := &runtime.Config{}
	if Activate(cfg, "h1"); !Of(cfg).On(H1ConnNew) || Of(cfg).On(H2ConnNew) {
		t.Error("h1 is traced, and h1 alone")
	}
}

func FuzzStatement(f *testing.F) {
	f.Add("trace h1 sink buf0 level user verbosity simple start now lock h1s")
	f.Add("trace all follow session sink none level +data")
	f.Add("trace session event !-+sess_new pause any stop now start -sess_end")
	f.Fuzz(func(t *testing.T, text string) {
		set := Of(&runtime.Config{})
		set.execute(strings.Fields(text), statement{sink: func(string) (*logger.Sink, *answer) { return nil, nil }})
		set.Emit(H1RxHeaders, User, "", &About{})
		set.list()
		set.describe(H2)
	})
}
