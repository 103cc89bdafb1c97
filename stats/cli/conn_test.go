package cli

import (
	"fmt"
	"net"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	goruntime "runtime"

	"hapax/parser/keyword"
)

func testTable(t testing.TB, names ...string) *Table {
	rows := []Command{
		{Doc: keyword.Doc{Name: "echo"}, Usage: "echo <text> : print", Run: func(c *Conn, args []string) Step {
			return c.Say(Info, strings.Join(args[1:], "|"))
		}},
		{Doc: keyword.Doc{Name: "payload"}, Usage: "payload : show it", Run: func(c *Conn, _ []string) Step {
			return c.Say(Info, fmt.Sprintf("%q", c.Payload))
		}},
		{Doc: keyword.Doc{Name: "many rows"}, Usage: "many rows : a long answer", Run: func(*Conn, []string) Step {
			n := 0
			return func(c *Conn) bool {
				for ; n < 1<<20 && !c.Full(); n++ {
					c.Printf("row %d of an answer that is long\n", n)
				}
				return n == 1<<20
			}
		}},
		{Doc: keyword.Doc{Name: "mode"}, Run: func(c *Conn, args []string) Step {
			c.SetMode((Arg(args, 1) + "n")[0])
			return nil
		}},
		{Doc: keyword.Doc{Name: "admin only"}, Level: Admin, Run: func(c *Conn, _ []string) Step { return c.Say(Info, "done") }},
		{Doc: keyword.Doc{Name: "not there", Status: keyword.Missing}},
		{Doc: keyword.Doc{Name: "sleep"}, Run: func(c *Conn, _ []string) Step {
			calls := 0
			return func(c *Conn) bool {
				calls++
				if calls < 3 {
					c.Pause(time.Millisecond)
					return false
				}
				c.WriteString("woke\n")
				return true
			}
		}},
	}
	if names != nil {
		rows = slices.DeleteFunc(rows, func(r Command) bool { return !slices.Contains(names, r.Name) })
	}
	table, err := NewTable(rows)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// talk feeds the input in pieces of the given size, half-closes, and gives the whole answer.
func talk(c *Conn, input string, size int) string {
	var out strings.Builder
	take := func() {
		c.Advance()
		for len(c.Output()) > 0 || c.Waiting() > 0 {
			out.Write(c.Output())
			c.Sent(len(c.Output()))
			c.Advance()
		}
	}
	for len(input) > 0 && !c.Over() {
		n := min(size, len(input))
		c.Feed([]byte(input[:n]))
		input = input[n:]
		take()
	}
	c.EndInput()
	take()
	c.Close()
	return out.String()
}

func TestDialog(t *testing.T) {
	table := testTable(t)
	tests := []struct {
		name, in, want string
	}{
		{"one line, then the end", "echo a\necho b\n", "a\n\n"},
		{"no answer without a line feed", "echo a", ""},
		{"chained", "echo a;echo b\n", "a\n\nb\n\n"},
		{"escaped", `echo a\;b \\ c\ d` + "\n", `a;b|\|c d` + "\n\n"},
		{"interactive", "mode i\necho a\necho b\n", "\na\n\nb\n\n"},
		{"a prompt", "mode p\necho a\n", "\n> a\n\n> "},
		{"a payload", "payload <<\nx\ny\n\n", "\"x\\ny\"\n\n"},
		{"a payload with a pattern", "payload <<EOF\nx\n\nEOF\n", "\"x\\n\"\n\n"},
		{"an empty payload", "payload <<\n\n", "\"\"\n\n"},
		{"the last command has the payload", "payload;payload <<\nx\n\n", "\"\"\n\n\"x\"\n\n"},
		{"level", "admin only\n", "Permission denied\n\n"},
		{"missing", "not there at all\n", "'not there' is known to HAProxy but not supported by hapax yet\n\n"},
		{"a pause", "sleep\n", "woke\n\n"},
		{"too many words", "echo " + strings.Repeat("x ", 64) + "\n", "Too many arguments. Commands must have at most 64 arguments.\n\n"},
		{"too long", "echo " + strings.Repeat("x", 17000) + "\n", "The command line is too big for the buffer size." +
			" Please change 'tune.bufsize' in the configuration to use a bigger command.\n"},
		{"too long a payload", "payload <<\n" + strings.Repeat(strings.Repeat("x", 1000)+"\n", 132), "The payload is too big." +
			" Please change 'tune.cli.max-payload-size' in the configuration to use a bigger payload.\n"},
		{"as much payload as may come", "payload <<\n" + strings.Repeat("x", 131069) + "\n\n", fmt.Sprintf("%q\n\n", strings.Repeat("x", 131069))},
		{"a byte more", "payload <<\n" + strings.Repeat("x", 131070) + "\n\n", "The payload is too big." +
			" Please change 'tune.cli.max-payload-size' in the configuration to use a bigger payload.\n"},
		{"NUL in a payload", "payload <<\nx\x00y\nz\n\n", "\"x\"\n\n"},
		{"NUL", "echo a\x00echo b\n", "a\n\nb\n\n"},
	}
	for _, tt := range tests {
		for _, size := range []int{1 << 20, 100, 1} {
			c := &Conn{Table: table, MaxPayload: 128 << 10}
			got := talk(c, tt.in, size)
			got = strings.ReplaceAll(got, "+ ", "")
			if got != tt.want {
				t.Errorf("%s, in pieces of %d: got %q, want %q", tt.name, size, got, tt.want)
			}
		}
	}
}

func TestPayloadPrompt(t *testing.T) {
	c := &Conn{Table: testTable(t)}
	if got, want := talk(c, "mode p\npayload <<\nx\n\n", 10), "\n> + \"x\"\n\n> "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A master knows the rows that are its own or everybody's.
func TestMaster(t *testing.T) {
	answer := func(text string) func(*Conn, []string) Step {
		return func(c *Conn, _ []string) Step { return c.Say(Info, text) }
	}
	table, err := NewTable([]Command{
		{Doc: keyword.Doc{Name: "show version"}, Usage: "show version : v", Master: true, Run: answer("3.4.0")},
		{Doc: keyword.Doc{Name: "show stat"}, Usage: "show stat : s", Run: answer("stat")},
		{Doc: keyword.Doc{Name: "reload"}, Usage: "reload : r", MasterOnly: true, Run: answer("Success=1")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"show version\n": "3.4.0\n\n",
		"reload\n":       "Success=1\n\n",
		"show stat\n":    "Unknown command: 'show', but maybe one of the following ones is a better match:\n  show version : v\n" + always + "\n",
	} {
		if got := talk(&Conn{Table: table, Master: true}, in, 5); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := talk(&Conn{Table: table}, "reload\n", 100); !strings.HasPrefix(got, "Unknown command: 'reload'") {
		t.Errorf("a worker knows reload: %q", got)
	}
}

// A reader that takes its time must not make the answer pile up.
func TestSlowReader(t *testing.T) {
	c := &Conn{Table: testTable(t)}
	c.Feed([]byte("many rows\n"))
	goruntime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	total, most := 0, 0
	for {
		c.Advance()
		if len(c.Output()) == 0 {
			break
		}
		most = max(most, cap(c.out))
		n := min(100, len(c.Output()))
		total += n
		if total > 1<<20 {
			break
		}
		c.Sent(n)
	}
	if most > 4*highWater {
		t.Errorf("the output grew to %d bytes", most)
	}
}

func TestServe(t *testing.T) {
	table := testTable(t)
	l, err := net.Listen("unix", t.TempDir()+"/sock")
	if err != nil {
		t.Fatal(err)
	}
	timeout := 100 * time.Millisecond // of the first connection, which says nothing
	s := &Server{New: func(net.Conn, net.Listener) *Conn {
		defer func() { timeout = time.Minute }()
		return &Conn{Table: table, Timeout: timeout}
	}, Max: 1}
	go s.Serve(l)
	defer s.Close()

	idle, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := idle.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("an idle connection was not ended: %d bytes, %v", n, err)
	}
	idle.Close()

	busy, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	fmt.Fprintf(busy, "many rows\n")
	buf, total := make([]byte, 1<<16), 0
	for {
		n, err := busy.Read(buf)
		total += n
		if err != nil {
			break
		}
	}
	if total < 30<<20 {
		t.Errorf("got %d bytes of a long answer", total)
	}
}

// The answer must not depend on how the bytes came, and nothing that a client sends may break the reader.
func FuzzConn(f *testing.F) {
	table := testTable(f, "echo", "payload", "admin only", "not there", "sleep")
	for _, s := range []string{"echo a;echo b\n", "payload <<\nx\n\n", "mode i\necho \\", "payload <<EOF\r\nEOF\n", ";;\n", "\r\n", "echo a <<x;echo\n",
		"mode p\npayload <<\n", "admin only\nnot there\n", "\x00\n", "echo \\\nb\n", "nonsense\n"} {
		f.Add([]byte(s), byte(1))
	}
	f.Fuzz(func(t *testing.T, input []byte, size byte) {
		whole := talk(&Conn{Table: table, MaxLine: 200, MaxPayload: 300}, string(input), len(input)+1)
		cut := talk(&Conn{Table: table, MaxLine: 200, MaxPayload: 300}, string(input), int(size)+1)
		if whole != cut {
			t.Errorf("%q: %q at once, %q in pieces of %d", input, whole, cut, size+1)
		}
	})
}
