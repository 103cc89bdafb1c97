package compat

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// TestH2Attacks sends what no honest client does in HTTP/2 and compares with what the reference did: the frames that
// come back, the end of the connection, what the server saw of it, the lines of the log and what was counted. All that
// a case sends leaves at once, or in two parts, with a PING behind it: its answer tells that all was looked at.
//
//	go test ./compat-tests -run H2Attacks -oracle=PATH -update   records testdata/h2-attacks.txt
func TestH2Attacks(t *testing.T) {
	const file = "testdata/h2-attacks.txt"
	recorded, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	if *oracle != "" {
		got := attackAll(t, hapax, false, nil)
		if *update {
			if err := os.WriteFile(file, []byte("HAProxy 3.4.0\n"+got), 0o666); err != nil {
				t.Fatal(err)
			}
			return
		}
		compareAttacks(t, recorded, got)
		return
	}
	for _, engine := range []string{"io_uring", "epoll"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			compareAttacks(t, recorded, attackAll(t, hapax, engine == "epoll", transcripts(recorded)))
		})
	}
}

// transcripts are the parts of a record by the names of their cases.
func transcripts(record []byte) map[string]string {
	all := map[string]string{}
	for part := range strings.SplitSeq("\n"+string(record), "\n-- ") {
		name, text, _ := strings.Cut(part, "\n")
		all[name] = strings.TrimSuffix(text, "\n")
	}
	return all
}

func compareAttacks(t *testing.T, recorded []byte, got string) {
	want, now := transcripts(recorded), transcripts([]byte(got))
	for _, a := range attacks() {
		if better := a.better; better != "" && *oracle == "" {
			if now[a.name] == want[a.name] {
				t.Errorf("%s: what was better than the reference (%s) is no more", a.name, better)
			}
			continue
		}
		if want[a.name] != now[a.name] {
			t.Errorf("%s: recorded\n%s\nnow\n%s", a.name, want[a.name], now[a.name])
		}
	}
}

const attackConfig = `
global
    nbthread 1
    stats socket "${DIR}/cli.sock" level admin
    log "${LOG}" local0
    tune.h2.fe.glitches-threshold 100
defaults
    mode http
    log global
    log-format "%ft %s %ST %ts %{+Q}r"
    timeout client 20s
    timeout server 20s
    timeout connect 10s
frontend f
    bind "fd@${f}" proto h2
    default_backend b
backend b
    server s "${s}"
frontend g
    bind "fd@${g}" proto h2
    http-request return status 200 content-type text/plain string "ok"
`

// attacker runs the cases against one program.
type attacker struct {
	*program
	seen chan string // what the server saw
}

func attackAll(t *testing.T, path string, noRing bool, want map[string]string) string {
	p := newProgram(t, path, noRing)
	a := &attacker{program: p, seen: make(chan string, 1000)}
	p.listen("f")
	p.listen("g")
	p.serve("s")
	if err := os.WriteFile(p.dir+"/haproxy.cfg", []byte(attackConfig), 0o666); err != nil {
		t.Fatal(err)
	}
	go a.answer()
	p.start("-f", "haproxy.cfg", "-db")
	var out strings.Builder
	for _, c := range attacks() {
		fmt.Fprintf(&out, "-- %s\n", c.name)
		lines, err := a.run(&c, want[c.name], want == nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			break
		}
		for _, line := range lines {
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}

// answer is the server: it tells what it saw of each request that it could answer.
func (a *attacker) answer() {
	for {
		c, err := a.servers["s"].Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			var raw bytes.Buffer
			r := bufio.NewReader(io.TeeReader(c, &raw))
			for {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				head, _, _ := strings.Cut(raw.String(), "\r\n\r\n")
				body, err := io.ReadAll(req.Body)
				if err != nil {
					return
				}
				raw.Reset()
				line := "server: " + strings.ReplaceAll(head, "\r\n", " | ")
				if len(body) > 0 {
					line += " || " + string(body)
				}
				for name, v := range req.Trailer {
					line += fmt.Sprintf(" | %s: %s", name, v[0])
				}
				a.seen <- fmt.Sprintf("%.300s", line)
				io.WriteString(c, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
			}
		}()
	}
}

// attackCounters are what is compared of the counters.
var attackCounters = []string{"h2_headers_rcvd", "h2_data_rcvd", "h2_settings_rcvd", "h2_rst_stream_rcvd", "h2_goaway_rcvd",
	"h2_detected_conn_protocol_errors", "h2_detected_strm_protocol_errors", "h2_rst_stream_resp", "h2_goaway_resp"}

func (a *attacker) counters(front string) ([]string, error) {
	var values []string
	for _, field := range attackCounters {
		v, err := a.cell(front, "FRONTEND", field)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// run plays a case and tells what came of it. recording: what comes is waited for a while, else as much as want tells.
func (a *attacker) run(c *attack, want string, recording bool) ([]string, error) {
	front := "f"
	if c.alone {
		front = "g"
	}
	before, err := a.counters(front)
	if err != nil {
		return nil, err
	}
	conn, err := a.dial(front)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	out := append([]byte(http2.ClientPreface), frameOf(http2.FrameSettings, 0, 0, c.settings)...)
	out = append(out, frameOf(http2.FrameSettings, 1, 0, nil)...)
	ping := frameOf(http2.FramePing, 0, 0, []byte("the last"))
	out = append(out, c.frames...)
	if c.later == nil {
		out = append(out, ping...)
	}
	go conn.Write(out)
	var frames, logs, seen int // that are to come
	for line := range strings.Lines(want) {
		switch {
		case strings.HasPrefix(line, "log "):
			var n int
			fmt.Sscanf(line, "log x%d:", &n)
			logs += n
		case strings.HasPrefix(line, "server: "):
			seen++
		case !strings.HasPrefix(line, "counted: "):
			frames++
		}
	}
	r := &attackReader{Framer: http2.NewFramer(io.Discard, conn)}
	r.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	r.SetMaxReadFrameSize(1 << 24)
	conn.SetReadDeadline(time.Now().Add(patience))
	for c.later != nil && !r.answered {
		if err := r.next(); err != nil || r.ended {
			return nil, fmt.Errorf("no answer: %w, %q", err, r.lines)
		}
	}
	if c.later != nil {
		conn.Write(append(c.later, ping...))
	}
	for !r.ended && !(r.pong && (recording || len(r.lines) >= frames)) {
		if err := r.next(); err != nil {
			return nil, fmt.Errorf("%w after %q", err, r.lines)
		}
	}
	if recording {
		for !r.ended {
			conn.SetReadDeadline(time.Now().Add(quiet))
			if r.next() != nil {
				break
			}
		}
	}
	conn.Close() // what is not over is now, and logged
	lines := r.lines
	var said []string
	for recording || len(said) < logs {
		wait := patience
		if recording {
			wait = quiet
		}
		a.logs.SetReadDeadline(time.Now().Add(wait))
		buf := make([]byte, 4096)
		n, err := a.logs.Read(buf)
		if err != nil {
			break
		}
		_, text, _ := strings.Cut(string(buf[:n]), "]: ")
		said = append(said, strings.TrimSpace(text))
	}
	slices.Sort(said)
	for len(said) > 0 {
		n := 1
		for n < len(said) && said[n] == said[0] {
			n++
		}
		lines = append(lines, fmt.Sprintf("log x%d: %s", n, said[0]))
		said = said[n:]
	}
	for recording || seen > 0 {
		wait := patience
		if recording {
			wait = time.Millisecond
		}
		select {
		case line := <-a.seen:
			lines = append(lines, line)
			seen--
			continue
		case <-time.After(wait):
		}
		break
	}
	after, err := a.counters(front)
	if err != nil {
		return nil, err
	}
	var counted []string
	for i, v := range after {
		var was, is int
		fmt.Sscan(before[i], &was)
		fmt.Sscan(v, &is)
		if n := is - was; n != 0 {
			counted = append(counted, fmt.Sprintf("%s %d", strings.TrimPrefix(attackCounters[i], "h2_"), n))
		}
	}
	return append(lines, "counted: "+strings.Join(counted, ", ")), nil
}

// quiet is how long nothing comes before a record is complete.
const quiet = 250 * time.Millisecond

// attackReader collects frames.
type attackReader struct {
	*http2.Framer
	lines    []string
	answered bool // a stream was
	pong     bool
	ended    bool
}

func (r *attackReader) next() error {
	f, err := r.ReadFrame()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if err != nil {
		r.ended = true
		r.add("END")
		return nil
	}
	switch f := f.(type) {
	case *http2.PingFrame:
		r.pong = r.pong || string(f.Data[:]) == "the last"
	case *http2.MetaHeadersFrame:
		r.add(fmt.Sprintf("HEADERS %d %s%s", f.StreamID, f.PseudoValue("status"), endMark(f.StreamEnded())))
	case *http2.DataFrame:
		r.answered = r.answered || f.StreamEnded()
		r.add(fmt.Sprintf("DATA %d %q%s", f.StreamID, f.Data(), endMark(f.StreamEnded())))
	case *http2.RSTStreamFrame:
		r.add(fmt.Sprintf("RST_STREAM %d %s", f.StreamID, f.ErrCode))
	case *http2.GoAwayFrame:
		r.add(fmt.Sprintf("GOAWAY %d %s", f.LastStreamID, f.ErrCode))
	}
	return nil
}

func (r *attackReader) add(line string) { r.lines = append(r.lines, line) }

// frameOf is a frame.
func frameOf(typ http2.FrameType, flags byte, id uint32, payload []byte) []byte {
	n := len(payload)
	head := []byte{byte(n >> 16), byte(n >> 8), byte(n), byte(typ), flags}
	return append(binary.BigEndian.AppendUint32(head, id), payload...)
}

// block encodes fields, given as names and values, as literals that nobody keeps.
func block(fields ...string) []byte {
	var b []byte
	for i := 0; i < len(fields); i += 2 {
		b = append(b, 0)
		for _, s := range fields[i : i+2] {
			b = hpackLength(b, len(s))
			b = append(b, s...)
		}
	}
	return b
}

func hpackLength(b []byte, n int) []byte {
	if n < 127 {
		return append(b, byte(n))
	}
	b = append(b, 127)
	for n -= 127; n >= 128; n >>= 7 {
		b = append(b, byte(n)|128)
	}
	return append(b, byte(n))
}

// indexed encodes fields, the same ones again and again by their place in the table.
func indexed(times int, big hpack.HeaderField) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for range times {
		e.WriteField(big)
	}
	return b.Bytes()
}
