package lua

import (
	"strings"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/lua/lua54"
	"hapax/runtime/message"
	"hapax/runtime/queue"
	"hapax/runtime/transport"
)

// txn is what scripts know as the transaction.
type txn struct {
	t     *thread
	s     *runtime.Stream
	px    *runtime.Proxy
	dir   sample.Dir
	bound bool // the script may not end the stream

	filter *filtering // whose callback was given it; nil: none
}

// pushTxn pushes the object that stands for a transaction.
func (st *state) pushTxn(s lua54.State, x *txn) { call{s, st}.object("TXN", x) }

// samples is what "txn.f" and its kin are: fetches and converters of a stream.
type samples struct {
	*txn
	text    bool // results are strings
	service bool // of a service, which has no messages to look at
}

// txnFields are made when they are first asked for.
var txnFields = map[string]func(c call){
	"f":    func(c call) { c.object("Fetches", &samples{self[*txn](c, 1, "TXN"), false, false}) },
	"sf":   func(c call) { c.object("Fetches", &samples{self[*txn](c, 1, "TXN"), true, false}) },
	"c":    func(c call) { c.object("Converters", &samples{self[*txn](c, 1, "TXN"), false, false}) },
	"sc":   func(c call) { c.object("Converters", &samples{self[*txn](c, 1, "TXN"), true, false}) },
	"http": pushHTTP,

	"req": pushChannel(runtime.Upload), "res": pushChannel(runtime.Download),
	"http_req": pushHTTPMessage(runtime.Upload), "http_res": pushHTTPMessage(runtime.Download),
}

func pushHTTP(c call) {
	x := self[*txn](c, 1, "TXN")
	if x.s.Ctx.Req == nil {
		c.PushNil()
		return
	}
	c.object("HTTP", x)
}

// checkTxn gives the transaction that a method is called on. One whose stream is over is none any more.
func (c call) checkTxn() *txn {
	x := self[*txn](c, 1, "TXN")
	if x.t.s != x.s {
		c.Errorf("this transaction is over")
	}
	return x
}

func txnMethods() []method {
	all := []method{
		{"set_priv", func(c call) int {
			c.wants(2, "set_priv")
			p := scriptOf(c.checkTxn().s).priv(c.st)
			c.Unref(p.ref)
			c.Copy(2)
			p.ref = c.Ref()
			return 0
		}},
		{"get_priv", func(c call) int {
			c.wants(1, "get_priv")
			c.PushRef(scriptOf(c.checkTxn().s).priv(c.st).ref)
			return 1
		}},
		{"set_var", func(c call) int {
			c.between(3, 4, "set_var")
			x := c.checkTxn()
			return c.setVar(&x.s.Ctx, c.CheckString(2), 3, c.Top() == 4 && c.Bool(4))
		}},
		{"unset_var", func(c call) int {
			c.wants(2, "unset_var")
			x := c.checkTxn()
			return c.unsetVar(&x.s.Ctx, c.CheckString(2))
		}},
		{"get_var", func(c call) int {
			c.wants(2, "get_var")
			x := c.checkTxn()
			return c.getVar(&x.s.Ctx, c.CheckString(2))
		}},
		{"done", txnDone},
		{"reply", newReply},
		{"set_loglevel", func(c call) int {
			c.wants(2, "set_loglevel")
			x := c.checkTxn()
			level := c.CheckInt(2)
			if level < -1 || level > 8 {
				return c.ArgError(2, "Bad log level. It must be one of the following value: core.silent(-1), core.emerg(0), core.alert(1), core.crit(2), "+
					"core.error(3), core.warning(4), core.notice(5), core.info(6) or core.debug(7)")
			}
			x.s.LogLevel = int8(level)
			if level == -1 {
				x.s.LogLevel = silent
			}
			return 0
		}},
		{"set_priority_class", func(c call) int {
			c.wants(2, "set_priority_class")
			x := c.checkTxn()
			x.s.PrioClass = queue.LimitClass(c.CheckInt(2))
			return 0
		}},
		{"set_priority_offset", func(c call) int {
			c.wants(2, "set_priority_offset")
			x := c.checkTxn()
			x.s.PrioOffset = queue.LimitOffset(c.CheckInt(2))
			return 0
		}},
		{"deflog", func(c call) int {
			c.wants(2, "deflog")
			x := c.checkTxn()
			c.st.m.log(x.s.Back, x.level(), c.CheckString(2))
			return 0
		}},
		{"log", func(c call) int {
			c.wants(3, "log")
			x := c.checkTxn()
			level := c.CheckInt(2)
			text := c.CheckString(3)
			if level < 0 || int(level) >= len(levels) {
				return c.ArgError(1, "Invalid loglevel.")
			}
			c.st.m.log(x.s.Back, int(level), text)
			return 0
		}},
	}
	for _, name := range []string{"set_fc_mark", "set_mark"} {
		all = append(all, method{name, func(c call) int {
			return c.mark(func(n int) transport.Marks { return transport.Marks{Mark: n, HasMark: true} })
		}})
	}
	for _, name := range []string{"set_fc_tos", "set_tos"} {
		all = append(all, method{name, func(c call) int {
			return c.mark(func(n int) transport.Marks { return transport.Marks{TOS: n, HasTOS: true} })
		}})
	}
	for _, named := range namedLevels {
		all = append(all, method{named.name, func(c call) int {
			c.wants(2, named.name)
			x := c.checkTxn()
			c.st.m.log(x.s.Back, named.level, c.CheckString(2))
			return 0
		}})
	}
	return all
}

// mark gives the client's connection a mark for the network.
func (c call) mark(of func(n int) transport.Marks) int {
	x := c.checkTxn()
	m := of(int(int32(c.CheckInt(2))))
	if sess := x.s.Session; !sess.Unix {
		addr := sess.Src.Addr()
		m.Apply(int(sess.Fd), addr.Is6() && !addr.Is4In6())
	}
	return 0
}

// silent is the level of a stream that is not logged.
const silent = 8

// level is that of the stream's log line.
func (x *txn) level() int {
	if x.s.LogLevel < 0 {
		return 6
	}
	return int(x.s.LogLevel)
}

// setVar sets a variable to the value at i; known: only one that exists already.
func (c call) setVar(ctx *sample.Context, name string, i int, known bool) int {
	mark := ctx.Scratch.Mark()
	defer ctx.Scratch.Rewind(mark)
	v := ctx.Scratch.Borrow()
	defer ctx.Scratch.Return()
	id, err := c.st.m.cfg.Vars.Parse(name)
	ok := err == nil && readValue(c.State, i, ctx, v)
	if ok {
		cond := sample.SetCond(0)
		if known && id.Scope == sample.ProcScope {
			cond = sample.IfExists
		}
		ok = ctx.SetVar(id, v, cond)
	}
	c.PushBool(ok)
	return 1
}

func (c call) unsetVar(ctx *sample.Context, name string) int {
	id, err := c.st.m.cfg.Vars.Parse(name)
	c.PushBool(err == nil && ctx.UnsetVar(id))
	return 1
}

func (c call) getVar(ctx *sample.Context, name string) int {
	mark := ctx.Scratch.Mark()
	defer ctx.Scratch.Rewind(mark)
	v := ctx.Scratch.Borrow()
	defer ctx.Scratch.Return()
	id, err := c.st.m.cfg.Vars.Parse(name)
	if err != nil || !ctx.GetVar(id, v) {
		c.PushNil()
		return 1
	}
	c.st.pushValue(c.State, ctx, v)
	return 1
}

// txnDone ends the stream, with a reply if there is one.
func txnDone(c call) int {
	x := c.checkTxn()
	if x.bound {
		return c.exit(nil)
	}
	s := x.s
	s.Reply = nil
	if s.Ctx.Req == nil || c.Type(2) != lua54.TypeTable {
		if s.End.Cause == runtime.EndNone {
			s.End = runtime.Termination{Cause: runtime.EndLocal, State: runtime.InRequest}
		}
		return c.exit(runtime.Abort)
	}
	s.Reply = c.reply(2)
	return c.exit(runtime.Done)
}

// reply makes the answer that a table describes.
func (c call) reply(at int) *runtime.Reply {
	r := &runtime.Reply{Status: 200, Kind: runtime.ReplyLocal}
	if c.Field(at, "status") == lua54.TypeNumber {
		n, _ := c.Int(-1)
		r.Status = int(n)
	}
	if c.Field(at, "reason") == lua54.TypeString {
		r.Reason = c.Str(-1)
	}
	if c.Field(at, "body") == lua54.TypeString {
		r.Body = []byte(c.Str(-1))
	}
	c.Pop(3)
	if c.Field(at, "headers") == lua54.TypeTable {
		r.Lines = c.headerLines(c.Top())
	}
	c.Pop(1)
	return r
}

// headerLines are the headers of a table of names and lists of values.
func (c call) headerLines(at int) (lines [][2]string) {
	for c.PushNil(); c.Next(at); c.Pop(1) {
		if c.Type(-2) != lua54.TypeString || c.Type(-1) != lua54.TypeTable {
			continue
		}
		name := strings.ToLower(c.Str(-2))
		if name == "content-length" {
			continue
		}
		values := c.Top()
		for c.PushNil(); c.Next(values); c.Pop(1) {
			if t := c.Type(-1); t == lua54.TypeString || t == lua54.TypeNumber {
				lines = append(lines, [2]string{name, c.Display(-1)})
			}
		}
	}
	return lines
}

// newReply makes a reply that scripts may change: a table.
func newReply(c call) int {
	if x := c.checkTxn(); x.s.Ctx.Req == nil {
		return c.Errorf("txn object is not an HTTP transaction.")
	}
	status := int64(200)
	reason := ""
	given := c.Type(2) == lua54.TypeTable
	if given {
		t := c.Field(2, "status")
		if t == lua54.TypeNumber {
			status, _ = c.Int(-1)
		}
		if (t == lua54.TypeNil || t == lua54.TypeNumber) && c.Field(2, "reason") == lua54.TypeString {
			reason = c.Str(-1)
		}
	}
	reason = message.ReasonOf(int(status)) // the reference looks at the one that is given, and forgets it
	c.NewTable()
	to := c.Top()
	c.PushInt(status)
	c.SetField(to, "status")
	c.PushString(reason)
	c.SetField(to, "reason")
	c.NewTable()
	headers := c.Top()
	if given {
		if c.Field(2, "body") == lua54.TypeString {
			c.SetField(to, "body")
		}
		if c.Field(2, "headers") == lua54.TypeTable {
			c.copyHeaders(c.Top(), headers)
		}
	}
	c.SetTop(headers)
	c.SetField(to, "headers")
	c.PushRef(c.st.classes["TXN Reply"])
	c.SetMetatable(-2)
	return 1
}

// copyHeaders copies names with one value or a list of them.
func (c call) copyHeaders(from, to int) {
	for c.PushNil(); c.Next(from); c.Pop(1) {
		value := c.Top()
		t := c.Type(value)
		if t != lua54.TypeString && t != lua54.TypeNumber && t != lua54.TypeTable {
			continue
		}
		c.Copy(value - 1)
		c.NewTable()
		inner := c.Top()
		if t != lua54.TypeTable {
			c.Copy(value)
			c.RawSetInt(inner, 1)
		} else {
			for c.PushNil(); c.Next(value); {
				if t := c.Type(-1); t == lua54.TypeString || t == lua54.TypeNumber {
					c.RawSetInt(inner, c.RawLen(inner)+1)
				} else {
					c.Pop(1)
				}
			}
		}
		c.RawSet(to)
	}
}

func replyMethods() []method {
	return []method{
		{"set_status", func(c call) int {
			status := c.CheckInt(2)
			if status < 100 || status > 599 {
				c.PushBool(false)
				return 1
			}
			reason := message.ReasonOf(int(status))
			if c.Type(3) == lua54.TypeString {
				reason = c.Str(3)
			}
			c.PushInt(status)
			c.SetField(1, "status")
			c.PushString(reason)
			c.SetField(1, "reason")
			c.PushBool(true)
			return 1
		}},
		{"add_header", func(c call) int {
			name := c.CheckString(2)
			c.CheckString(3)
			if t := c.Field(1, "headers"); t != lua54.TypeTable {
				return c.Errorf("Reply['headers'] is expected to a an array. %s found", t)
			}
			return c.addValue(name, "Reply['headers']['%s'] is expected to be an array. %s found")
		}},
		{"del_header", func(c call) int {
			name := c.CheckString(2)
			if t := c.Field(1, "headers"); t != lua54.TypeTable {
				return c.Errorf("Reply['headers'] is expected to be an array. %s found", t)
			}
			c.PushNil()
			c.SetField(-2, name)
			c.PushBool(true)
			return 1
		}},
		{"set_body", func(c call) int {
			c.CheckString(2)
			c.Copy(2)
			c.SetField(1, "body")
			c.PushBool(true)
			return 1
		}},
	}
}

// addValue adds the value at 3 to the list of a name in the table on the top of the stack. odd words that there is something else.
func (c call) addValue(name, odd string) int {
	switch t := c.Field(-1, name); t {
	case lua54.TypeNil:
		c.Pop(1)
		c.NewTable()
		c.Copy(-1)
		c.SetField(-3, name)
	case lua54.TypeTable:
	default:
		return c.Errorf(odd, name, t)
	}
	c.Copy(3)
	c.RawSetInt(-2, c.RawLen(-2)+1)
	c.PushBool(true)
	return 1
}
