package lua

import (
	"strings"
	"time"

	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/lua/lua54"
	"hapax/stats/cli"
)

// mostWords is how many words a command may have.
const mostWords = 5

// registerCommand is `register_cli(words, usage, function)`.
func registerCommand(c call) int {
	c.wants(3, "register_cli")
	c.inBody("register_cli")
	if c.Type(1) != lua54.TypeTable {
		return c.ArgError(1, "1st argument must be a table")
	}
	usage := c.CheckString(2)
	ref := c.checkFunction(3)
	var words []string
	for c.PushNil(); c.Next(1); c.Pop(1) {
		switch {
		case len(words) == mostWords:
			return c.ArgError(1, "1st argument must be a table with a maximum of 5 entries")
		case c.Type(-1) != lua54.TypeString:
			return c.ArgError(1, "1st argument must be a table filled with strings")
		}
		words = append(words, c.Str(-1))
	}
	c.st.register(function{kind: command, name: strings.Join(words, " "), words: words, usage: usage}, ref)
	return 0
}

// Commands are those that scripts have registered for the runtime API.
func Commands(cfg *runtime.Config) []cli.Command {
	m := of(cfg)
	if m == nil {
		return nil
	}
	var all []cli.Command
	for _, f := range m.functions {
		if f.kind == command {
			all = append(all, cli.Command{
				Doc:   keyword.Doc{Name: f.name, Ref: "9.3", Summary: "a command of a script"},
				Words: f.words, Usage: f.usage, Run: m.command(f),
			})
		}
	}
	return all
}

// command runs a command on the goroutine of the connection that has asked for it.
func (m *machine) command(f *function) func(*cli.Conn, []string) cli.Step {
	return func(conn *cli.Conn, args []string) cli.Step {
		name := "<lua.cli." + strings.Join(f.words, ".") + ">"
		a := &applet{served: &served{m: m, f: f, name: name}, st: m.stateOf(f, 0), io: &console{conn: conn}, begun: true}
		a.st.lock(0)
		defer a.st.unlock()
		if !a.begin() {
			return nil
		}
		for _, word := range args {
			a.t.co.PushString(word)
			a.t.args++
		}
		conn.OnRelease(a.release)
		waits := false
		return func(*cli.Conn) bool {
			if waits {
				a.t.pause.pass()
			}
			waits = a.goOn()
			if waits {
				conn.Pause(time.Millisecond) // what was written is sent meanwhile
			}
			return !waits
		}
	}
}

// goOn runs a command on; true: it waits.
func (a *applet) goOn() bool {
	a.st.lock(0)
	defer a.st.unlock()
	e, fault := a.t.run(true)
	switch e {
	case again:
		if a.t.forced || a.t.pause.until == 0 && a.t.pause.begin == nil {
			a.t.pause = pause{begin: atOnce}
		}
		return true
	case done:
	case failed:
		a.complain(fault)
	default:
		a.complain(e.String())
	}
	return false
}

// release gives back what a command holds.
func (a *applet) release() {
	a.st.lock(0)
	defer a.st.unlock()
	a.end()
}

// console is what a command says to who has asked for it. Nothing more is heard from there.
type console struct{ conn *cli.Conn }

func (o *console) In() ([]byte, bool) { return nil, false }
func (o *console) Take(int)           {}
func (o *console) Write(p []byte)     { o.conn.Write(p) }
func (o *console) Room() bool         { return !o.conn.Full() }
func (o *console) Gone() bool         { return false }
