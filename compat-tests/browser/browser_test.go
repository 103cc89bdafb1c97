// Package browser looks at the page of the statistics as operators do: a real Chromium without a screen loads it,
// clicks what can be clicked and tells what its console and its network say. It is a module of its own for what it
// depends on; it wants Debian's chromium-headless-shell (or chromium), and tidy.
//
//	go test ./...                 hapax, built from this tree
//	go test ./... -shots=FOLDER   keeps pictures of the page, light and dark, wide and as on a phone
package browser

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

var shots = flag.String("shots", "", "folder for pictures of the page")

// patience is how long anything on the page may take; it only ends tests that fail.
const patience = 20 * time.Second

var client = &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}

// What is hostile in the configuration must be text on the page: it would set the title otherwise.
const configuration = `
global
    node here
    description "<img src=x onerror=document.title='global'>"
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 10s
frontend web
    description "</td><script>document.title='frontend'</script>"
    bind fd@3
    option socket-stats
    stats enable
    stats uri /stats
    stats admin if TRUE
    stats show-node
    stats show-desc
    stats show-legends
    stats show-modules
    http-request return status 200 if { path /traffic }
    http-request set-path / if { path /one }
    http-request use-service prometheus-exporter if { path /metrics }
    default_backend app
backend app
    description "a & b"
    balance roundrobin
    cookie SRV insert
    option httpchk
    http-check expect status 418
    server one %[1]s cookie "a'b<i>" check inter 1h fastinter 1h downinter 1h agent-check agent-addr 127.0.0.1 agent-port %[2]d agent-inter 1h
    server two %[1]s
    server spare %[1]s backup
    server follows %[1]s track app/one
    server off %[1]s disabled
backend down
    server none %[1]s disabled
listen tunnel
    mode tcp
    bind fd@4
    server x %[1]s
`

// site is the program and a browser that has its page open.
type site struct {
	*testing.T
	tab     context.Context
	address string

	mu       sync.Mutex
	said     []string // errors and warnings of the console, exceptions
	outside  []string // requests that went elsewhere
	requests int
}

func newSite(t *testing.T) *site {
	dir := t.TempDir()
	program := filepath.Join(dir, "haproxy")
	build := exec.Command("go", "build", "-o", program, "./cmd/hapax")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	origin, agent := listen(t), listen(t)
	go http.Serve(origin, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<script>document.title='check'</script>", http.StatusTeapot)
	}))
	go func() {
		for {
			c, err := agent.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "up <b>agent</b>\n")
			c.Close()
		}
	}()
	config := filepath.Join(dir, "haproxy.cfg")
	text := fmt.Sprintf(configuration, origin.Addr(), agent.Addr().(*net.TCPAddr).Port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	web, tunnel := listen(t), listen(t)
	cmd := exec.Command(program, "-db", "-f", config)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	for _, l := range []net.Listener{web, tunnel} { // descriptors 3 and 4 there
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Log(complaints.String())
		}
	})
	s := &site{T: t, address: "http://" + web.Addr().String()}
	s.browse()
	return s
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// browse starts the browser.
func (s *site) browse() {
	path := ""
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		s.Fatal("no browser: apt-get install chromium-headless-shell")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(patience), chromedp.UserDataDir(s.TempDir()), chromedp.Env("TMPDIR="+s.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(s.Context(), options...)
	s.Cleanup(cancel)
	s.tab, cancel = chromedp.NewContext(ctx)
	s.Cleanup(cancel)
	chromedp.ListenTarget(s.tab, func(event any) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			for _, a := range e.Args {
				s.said = append(s.said, string(e.Type)+": "+string(a.Value))
			}
		case *runtime.EventExceptionThrown:
			s.said = append(s.said, e.ExceptionDetails.Error())
		case *network.EventRequestWillBeSent:
			s.requests++
			if u := e.Request.URL; !strings.HasPrefix(u, s.address+"/") && !strings.HasPrefix(u, "data:") {
				s.outside = append(s.outside, u)
			}
		}
	})
	s.do(network.Enable(), runtime.Enable())
}

// do does some actions, within patience.
func (s *site) do(actions ...chromedp.Action) {
	s.Helper()
	for _, a := range actions {
		done := make(chan error, 1)
		go func() { done <- chromedp.Run(s.tab, a) }()
		select {
		case err := <-done:
			if err != nil {
				s.Fatalf("%T: %v", a, err)
			}
		case <-time.After(patience):
			s.Fatalf("%T takes too long", a)
		}
	}
}

// eval is the value of an expression in the page.
func eval[T any](s *site, expression string) (v T) {
	s.Helper()
	s.do(chromedp.Evaluate(expression, &v))
	return v
}

// until waits for an expression to hold. A page that is being replaced by the next one holds nothing.
func (s *site) until(expression string) {
	s.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(s.tab, patience)
		var holds bool
		err := chromedp.Run(ctx, chromedp.Evaluate("!!("+expression+")", &holds))
		cancel()
		if err == nil && holds {
			return
		}
	}
	s.Fatalf("never: %s", expression)
}

func (s *site) open(words string) {
	s.Helper()
	s.do(chromedp.Navigate(s.address+"/stats"+words), chromedp.WaitReady("body", chromedp.ByQuery))
}

func (s *site) get(path string) string {
	s.Helper()
	res, err := client.Get(s.address + path)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	return string(body)
}

// TestPage does with one page what an operator may do.
func TestPage(t *testing.T) {
	s := newSite(t)
	for _, part := range []struct {
		name string
		run  func(*site)
	}{
		{"valid", (*site).valid},
		{"actions", (*site).actions},
		{"links", (*site).links},
		{"filter", (*site).filter},
		{"check all", (*site).checkAll},
		{"live", (*site).live},
		{"theme", (*site).theme},
		{"details", (*site).details},
		{"sizes", (*site).sizes},
		{"metrics", (*site).metrics},
	} {
		t.Run(part.name, func(t *testing.T) {
			s.T = t
			part.run(s)
		})
		if t.Failed() {
			break // the page may be stuck
		}
	}
	s.T = t
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.said) > 0 || len(s.outside) > 0 || s.requests == 0 {
		t.Errorf("the console said %q; requests to others: %q; %d requests", s.said, s.outside, s.requests)
	}
}

// valid has tidy read the pages, and a browser that would run what is in names and descriptions.
func (s *site) valid() {
	for _, words := range []string{"", ";up;norefresh;st=ERRP?scope=a", ";st=PART"} {
		tidy := exec.Command("tidy", "-quiet", "-errors", "--mute", "PROPRIETARY_ATTRIBUTE")
		tidy.Stdin = strings.NewReader(s.get("/stats" + words))
		var out bytes.Buffer
		tidy.Stderr = &out
		if err := tidy.Run(); err != nil || out.Len() > 0 {
			s.Errorf("tidy on %q: %v\n%s", words, err, out.String())
		}
		s.open(words)
		if got := eval[string](s, "document.title"); !strings.HasPrefix(got, "Statistics Report for HAProxy") {
			s.Errorf("the title is %q: something of the configuration ran", got)
		}
	}
}

// actions chooses each action of the form for two servers, one that is checked and one that is not.
func (s *site) actions() {
	const done, nothing = "Action processed successfully.", "Nothing has changed."
	s.open("")
	for _, a := range []struct {
		action, servers string // names with a blank between them
		notice, first   string // what the page says then, and the state of the first server
	}{
		{"arunn", "one", done, "UP"},
		{"maint", "one two", done, "MAINT"},
		{"ready", "one two", done, "UP"},
		{"drain", "two", done, "DRAIN"},
		{"ready", "two", done, "no check"},
		{"dhlth", "one", done, "no check"},
		{"ehlth", "one", done, "UP"},
		{"dhlth", "two", nothing, "no check"},
		{"hdown", "one", done, "DOWN"},
		{"hnolb", "one", done, "NOLB"},
		{"hrunn", "one follows", done, "UP"},
		{"adown", "one", done, "DOWN (agent)"},
		{"arunn", "one", done, "UP"},
		{"dagent", "one", done, "UP"},
		{"eagent", "one two", done, "UP"},
		{"shutdown", "one", done, "UP"},
		{"", "one", nothing, "UP"},
		{"maint", "", nothing, "UP"},
	} {
		eval[bool](s, "window.old = true")
		for _, name := range strings.Fields(a.servers) {
			s.do(chromedp.Click(row(name)+" input[name=s]", chromedp.ByQuery))
		}
		form := `form:has(input[name=s][value=one]) `
		s.do(chromedp.SetValue(form+"select", a.action, chromedp.ByQuery), chromedp.Click(form+"input[type=submit]", chromedp.ByQuery))
		s.until(`!window.old && document.readyState === "complete" && location.href.includes(";st=")`)
		if got := eval[string](s, `document.querySelector(".notice").textContent`); !strings.Contains(got, a.notice) {
			s.Errorf("%s %s: %q", a.action, a.servers, got)
		}
		name, _, _ := strings.Cut(a.servers, " ")
		if name == "" {
			name = "one"
		}
		if got := eval[string](s, `document.querySelector('`+row(name)+`').querySelector(".name").dataset.s`); got != a.first && !strings.HasPrefix(got, a.first+" ") {
			s.Errorf("%s %s: the state is %q", a.action, a.servers, got)
		}
		if n := eval[int](s, `document.querySelectorAll("select[name=action]")[0].options.length`); n != 14 {
			s.Errorf("%d actions", n)
		}
	}
	s.do(chromedp.Click(".notice a", chromedp.ByQuery))
	s.until(`!document.querySelector(".notice")`)
}

// row selects the line of a server of the backend app.
func row(server string) string { return `tr[data-k="app/` + server + `"]` }

// links follows the links to other views.
func (s *site) links() {
	s.open("")
	s.do(chromedp.Click(`//a[contains(text(), "Hide 'DOWN'")]`))
	s.until(`location.href.endsWith(";up") && document.readyState === "complete"`)
	if eval[bool](s, `!!document.querySelector('`+row("off")+`')`) {
		s.Error("a server in maintenance is shown")
	}
	s.do(chromedp.Click(`//a[contains(text(), "Show all")]`))
	s.until(`location.href.endsWith("/stats") && document.readyState === "complete"`)
	s.do(chromedp.SendKeys("input[name=scope]", "tun\r", chromedp.ByQuery))
	s.until(`location.href.endsWith("?scope=tun") && document.readyState === "complete"`)
	if n := eval[int](s, `document.querySelectorAll(".proxy").length`); n != 1 {
		s.Errorf("%d proxies in the scope", n)
	}
	for _, text := range []string{"CSV export", "JSON export"} {
		s.open("")
		s.do(chromedp.Click(`//a[contains(text(), "` + text + `")]`))
		s.until(`document.readyState === "complete" && document.body.textContent.includes("BACKEND")`)
	}
}

// filter types into the filter box, and finds it filled on the next page.
func (s *site) filter() {
	shown := `[...document.querySelectorAll("tr[data-k]")].filter(r => r.getClientRects().length).map(r => r.dataset.k).join(" ")`
	s.open("")
	s.do(chromedp.SendKeys("#filter", "app t", chromedp.ByQuery))
	for range 2 {
		if got := eval[string](s, shown); got != "app/two app/off" {
			s.Errorf("the filter shows %q", got)
		}
		s.open("")
	}
	s.filterBy("maint")
	if got := eval[string](s, shown); got != "app/off down/none" {
		s.Errorf("the filter for a state shows %q", got)
	}
	s.filterBy("")
}

// filterBy replaces what stands in the filter box.
func (s *site) filterBy(text string) {
	s.Helper()
	eval[bool](s, `(box => { box.value = "`+text+`"; return box.dispatchEvent(new Event("input")); })(document.querySelector("#filter"))`)
}

// checkAll has the box in the head check what the filter shows.
func (s *site) checkAll() {
	checked := `[...document.querySelectorAll("input[name=s]:checked")].map(b => b.value).join(" ")`
	s.open("")
	s.do(chromedp.Click(`form:has(input[value=one]) input.all`, chromedp.ByQuery))
	if got := eval[string](s, checked); got != "one two spare follows off" {
		s.Errorf("checked: %q", got)
	}
}

// live lets the numbers move without a reload, and draws them.
func (s *site) live() {
	total := `document.querySelector('tr[data-k="web/FRONTEND"]').cells[11].querySelector(".over > span").textContent`
	s.open("")
	before := eval[string](s, total)
	s.do(chromedp.Click("#live", chromedp.ByQuery))
	for range 50 {
		s.get("/traffic")
		s.get("/one")
	}
	s.until(total + ` !== "` + before + `"`)
	s.until(`!!document.querySelector('tr[data-k="web/FRONTEND"] .spark canvas')`)
	s.until(`!!document.querySelector('tr[data-k="app/BACKEND"] .spark canvas')`)
	s.get("/stats;csv") // what a program makes of the page while it is open
	form := "s=two&action=maint&b=app"
	res, err := client.Post(s.address+"/stats", "application/x-www-form-urlencoded", strings.NewReader(form))
	if err != nil {
		s.Fatal(err)
	}
	res.Body.Close()
	s.until(`document.querySelector('` + row("two") + `').classList.contains("stale")`)
	s.do(chromedp.Click("#live", chromedp.ByQuery))
}

// theme goes through the themes; the choice stays.
func (s *site) theme() {
	s.open("")
	back := `getComputedStyle(document.body).backgroundColor`
	for _, want := range []string{"rgb(255, 255, 255)", "rgb(19, 21, 22)"} {
		s.do(chromedp.Click("#theme", chromedp.ByQuery))
		if got := eval[string](s, back); got != want {
			s.Errorf("background %s, not %s", got, want)
		}
	}
	s.open("")
	if got := eval[string](s, back); got != "rgb(19, 21, 22)" {
		s.Errorf("the theme is forgotten: %s", got)
	}
	s.do(chromedp.Click("#theme", chromedp.ByQuery))
}

// details opens a box by the mouse and by the keyboard.
func (s *site) details() {
	s.open("")
	over := `document.querySelector('` + row("one") + `').cells[12].querySelector(".over")`
	open := `getComputedStyle(` + over + `.querySelector(".tips")).display`
	if got := eval[string](s, open); got != "none" {
		s.Errorf("the box is open: %s", got)
	}
	eval[any](s, over+`.focus()`)
	if got := eval[string](s, open); got != "block" {
		s.Errorf("the box is not open: %s", got)
	}
}

// sizes looks at the page as it is on a desk and on a phone, in both themes: nothing lies outside the window.
func (s *site) sizes() {
	for _, look := range []struct {
		name          string
		width, height int64
		scheme        string
	}{{"desk-light", 1600, 1000, "light"}, {"desk-dark", 1600, 1000, "dark"}, {"phone-light", 390, 844, "light"}, {"phone-dark", 390, 844, "dark"}} {
		s.do(chromedp.EmulateViewport(look.width, look.height),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}))
		s.open(";st=DONE")
		if wide := eval[int64](s, "document.documentElement.scrollWidth"); wide > look.width && look.width < 1000 {
			s.Errorf("%s: the page is %d wide", look.name, wide)
		}
		if *shots == "" {
			continue
		}
		var picture []byte
		s.do(chromedp.FullScreenshot(&picture, 100))
		if err := os.WriteFile(filepath.Join(*shots, look.name+".png"), picture, 0o600); err != nil {
			s.Fatal(err)
		}
	}
}

// metrics has the parser of Prometheus itself read what it is told.
func (s *site) metrics() {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(s.get("/metrics?extra-counters&desc-labels")))
	if err != nil {
		s.Fatal(err)
	}
	if f := families["haproxy_server_status"]; f == nil || f.GetHelp() == "" || len(f.GetMetric()) != 35 {
		s.Errorf("%d families; states of servers: %v", len(families), f)
	}
}
