package lua

import (
	"fmt"
	"os"
	"slices"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/logger"
	"hapax/runtime/lua/lua54"
	"hapax/runtime/mailer"
)

// levels are the names of log levels as scripts know them, and as the terminal shows them.
var (
	levels = [...]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
	acts   = [...]string{"CONTINUE", "STOP", "YIELD", "ERROR", "DONE", "DENY", "ABORT", "INVALID"}
)

// declare makes all that scripts find in a state.
func (st *state) declare(l *config.Loader) {
	s := st.main
	s.NewTable()
	s.PushInt(int64(st.id))
	s.SetField(-2, "thread")
	s.PushInt(-1)
	s.SetField(-2, "silent")
	for i, name := range levels {
		s.PushInt(int64(i))
		s.SetField(-2, name)
	}
	st.fill(s, registering())
	st.fill(s, coreFunctions())
	st.fill(s, dataFunctions())
	st.fill(s, patternFunctions())
	st.declareObjects()
	s.SetGlobal("core")

	s.NewTable()
	for i, name := range acts {
		s.PushInt(int64(i))
		s.SetField(-2, name)
	}
	st.fill(s, []method{{"wake_time", wakeTime}})
	s.SetGlobal("act")

	st.class("TXN", txnMethods())
	st.lazy("TXN", txnFields)
	st.class("TXN Reply", replyMethods())
	st.class("HTTP", httpMethods())
	st.class("Channel", channelMethods())
	st.class("HTTPMessage", messageMethods())
	st.declareFilters()
	st.class("AppletTCP", tcpMethods())
	st.lazy("AppletTCP", appletFields("AppletTCP"))
	st.class("AppletHTTP", httpAppletMethods())
	st.lazy("AppletHTTP", requestFields())
	st.class("Concat", concatMethods())
	st.class("Queue", queueMethods())
	st.class("EventSub", subscriptionMethods())
	st.class("Socket", socketMethods())
	st.class("HTTPClient", clientMethods())
	st.declareCertCache()
	st.declarePatref()
	st.declareRegex()
	st.declareMap()
	st.declareSamples(l)
}

// lazy makes fields of objects of a class when they are first asked for.
func (st *state) lazy(class string, fields map[string]func(c call)) {
	s := st.main
	s.PushRef(st.classes[class])
	s.Field(-1, "__index")
	methods := s.Ref()
	st.push(s, func(c call) int {
		c.PushRef(methods)
		c.Copy(2)
		if c.RawGet(-2) != lua54.TypeNil {
			return 1
		}
		field := fields[c.Str(2)]
		if c.Type(2) != lua54.TypeString || field == nil {
			return 1
		}
		field(c)
		c.Copy(2)
		c.Copy(-2)
		c.RawSet(1)
		return 1
	})
	s.SetField(-2, "__index")
	s.Pop(1)
}

// coreFunctions are those of "core" that register nothing.
func coreFunctions() []method {
	all := []method{
		{"log", func(c call) int {
			c.wants(2, "log")
			level := c.CheckInt(1)
			text := c.CheckString(2)
			if level < 0 || int(level) >= len(levels) {
				return c.ArgError(1, "Invalid loglevel.")
			}
			c.st.m.log(nil, int(level), text)
			return 0
		}},
		{"yield", func(c call) int {
			return c.wait(pause{begin: atOnce}, nothing)
		}},
		{"wait", func(c call) int {
			p := pause{}
			if c.Top() >= 1 {
				p.until = time.Duration(uint32(c.CheckInt(1))) * time.Millisecond
			}
			if t := c.thread(); t != nil && t.alarm != nil {
				p.begin = t.alarm.begin
			}
			return c.wait(p, nothing)
		}},
		{"sleep", func(c call) int {
			c.wants(1, "sleep")
			return c.sleep(time.Duration(uint32(c.CheckInt(1)*1000)) * time.Millisecond)
		}},
		{"msleep", func(c call) int {
			c.wants(1, "msleep")
			return c.sleep(time.Duration(uint32(c.CheckInt(1))) * time.Millisecond)
		}},
		{"set_nice", func(c call) int {
			c.wants(1, "set_nice")
			c.CheckInt(1) // all that waits is served in its turn
			return 0
		}},
		{"event_sub", func(c call) int { return c.subscribe(followServers(&c.st.m.cfg.ServerEvents)) }},
		{"use_native_mailers_config", func(c call) int {
			c.inBody("use_native_mailers_config")
			mailer.ServeScripts(c.st.loader)
			return 0
		}},
		{"done", func(c call) int { return c.exit(nil) }},
		{"tcp", newSocket},
		{"httpclient", newClient},
		{"get_var", func(c call) int {
			c.wants(1, "get_var")
			name := c.CheckString(1)
			if len(name) < 5 || name[:5] != "proc." {
				return c.Errorf("'get_var': Only 'proc.' scope allowed to be retrieved in 'core.get_var()'.")
			}
			ctx := &sample.Context{Scratch: sample.NewScratch(0)}
			ctx.Vars[sample.ProcScope] = c.st.m.cfg.ProcVars
			return c.getVar(ctx, name)
		}},
	}
	for _, named := range namedLevels {
		all = append(all, method{named.name, func(c call) int {
			c.wants(1, named.name)
			c.st.m.log(nil, named.level, c.CheckString(1))
			return 0
		}})
	}
	return all
}

// namedLevels are functions that log at a level.
var namedLevels = []struct {
	name  string
	level int
}{{"Debug", logger.Debug}, {"Info", logger.Info}, {"Warning", logger.Warning}, {"Alert", logger.Alert}}

// sleep waits for so long, whatever happens.
func (c call) sleep(d time.Duration) int {
	end := time.Now().Add(d)
	var again func(c call) int
	again = func(c call) int {
		left := time.Until(end)
		if left <= 0 {
			return 0
		}
		return c.wait(pause{until: left}, again)
	}
	return c.wait(pause{until: max(d, 1)}, again)
}

// exit ends the coroutine, which leaves v. It does not return there.
func (c call) exit(v any) int {
	t := c.thread()
	if t == nil {
		return 0
	}
	t.exit, t.next = true, v
	c.PushNil()
	return c.Raise()
}

func wakeTime(c call) int {
	t := c.thread()
	if t == nil {
		return 0
	}
	c.wants(1, "wake_time")
	t.wakeTime = time.Duration(uint32(c.CheckInt(1))) * time.Millisecond
	return 0
}

// log sends what a script logs to the log targets of the proxy, or of the global section, and to the terminal.
func (m *machine) log(px *runtime.Proxy, level int, text string) {
	clean := []byte(text)
	for i, b := range clean {
		if b < ' ' || b > '~' {
			clean[i] = '.'
		}
	}
	if m.loggers {
		logger.Server(level, px, "%s", clean)
	}
	if m.out == nil || m.out.Quiet && !m.out.Verbose || m.stderr == "off" {
		return
	}
	if m.stderr == "auto" && m.loggers {
		if px == nil && len(m.cfg.Global.Logs) > 0 || px != nil && logger.Writes(px) {
			return
		}
	}
	if level == logger.Debug && !m.cfg.Global.Debug {
		return
	}
	now := time.Now()
	line := fmt.Sprintf("[%s] %03d/%02d%02d%02d (%d) : %s\n", levels[level], now.YearDay()-1, now.Hour(), now.Minute(), now.Second(), os.Getpid(), clean)
	if m.out.W != nil {
		m.out.W.Write([]byte(line))
	}
}

// priv gives what scripts of the state have kept with the stream.
func (own *script) priv(st *state) *priv {
	i := slices.IndexFunc(own.privs, func(p priv) bool { return p.st == st })
	if i < 0 {
		own.privs = append(own.privs, priv{st: st, ref: lua54.NoRef})
		i = len(own.privs) - 1
	}
	return &own.privs[i]
}
