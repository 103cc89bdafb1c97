package lua

import (
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/config"
)

// mangle makes the name of a method out of that of a fetch or converter.
var mangle = strings.NewReplacer(".", "_", "-", "_", "+", "_").Replace

// declareSamples makes the classes of fetches and converters: each is a method.
func (st *state) declareSamples(l *config.Loader) {
	var fetches, converters []method
	for i := range l.Tables.Fetches.Len() {
		row := l.Tables.Fetches.Row(i)
		if row.Status == keyword.Missing {
			fetches = append(fetches, missing(mangle(row.Name)))
			continue
		}
		fetches = append(fetches, method{mangle(row.Name), func(c call) int { return c.fetch(row) }})
	}
	for i := range l.Tables.Converters.Len() {
		row := l.Tables.Converters.Row(i)
		if row.Status == keyword.Missing {
			converters = append(converters, missing(mangle(row.Name)))
			continue
		}
		converters = append(converters, method{mangle(row.Name), func(c call) int { return c.convert(row) }})
	}
	st.class("Fetches", fetches)
	st.class("Converters", converters)
}

// text is the name of a fetch or converter with the arguments from i on.
func (c call) text(name string, i int) string {
	if c.Top() < i {
		return name
	}
	var b strings.Builder
	b.WriteString(name)
	for sep := byte('('); i <= c.Top(); i++ {
		b.WriteByte(sep)
		b.WriteString(argument(c.State, i))
		sep = ','
	}
	b.WriteByte(')')
	return b.String()
}

// mostExprs is how many expressions a state remembers.
const mostExprs = 4096

// compile reads an expression, once.
func (c call) compile(text string, read func(l *config.Loader) (*sample.Expr, error)) *sample.Expr {
	if e := c.st.exprs[text]; e != nil {
		return e
	}
	l := config.Aside(c.st.m.cfg, sample.InConfig, "lua")
	e, err := read(l)
	if err == nil {
		err = l.ResolveAside("lua")
	}
	if err != nil {
		c.Errorf("error in arguments: %s", err)
	}
	if len(c.st.exprs) >= mostExprs {
		clear(c.st.exprs)
	}
	c.st.exprs[text] = e
	return e
}

// fetch calls a fetch.
func (c call) fetch(row *sample.Fetch) int {
	x := self[*samples](c, 1, "Fetches")
	if x.t.s != x.s {
		return c.Errorf("this transaction is over")
	}
	if x.service && row.From&(httpMessages|sample.ReqBuffer|sample.ResBuffer) != 0 {
		c.PushString(sprintf("the sample-fetch '%s' needs to access data from channel's buffer which is not available in Lua services", row.Name))
		return c.Raise()
	}
	text := c.text(row.Name, 2)
	e := c.compile(text, func(l *config.Loader) (*sample.Expr, error) { return l.Samples.ParseWord(text) })
	return c.evaluate(x, func(ctx *sample.Context, v *sample.Value) bool { return e.Eval(ctx, v) })
}

// convert calls a converter.
func (c call) convert(row *sample.Converter) int {
	x := self[*samples](c, 1, "Converters")
	if x.t.s != x.s {
		return c.Errorf("this transaction is over")
	}
	text := c.text(row.Name, 3)
	e := c.compile(","+text, func(l *config.Loader) (*sample.Expr, error) { return l.Samples.ParseConverters(text) })
	return c.evaluate(x, func(ctx *sample.Context, v *sample.Value) bool {
		if !readValue(c.State, 2, ctx, v) {
			return false
		}
		if !sample.Castable(v.Type, row.In) {
			c.Errorf("invalid input argument: cannot cast '%s' to '%s'", v.Type, row.In)
		}
		if !sample.Cast(ctx, v, row.In) {
			c.Errorf("error during the input argument casting")
		}
		return e.Convert(ctx, v)
	})
}

// evaluate pushes a sample of the stream.
func (c call) evaluate(x *samples, eval func(ctx *sample.Context, v *sample.Value) bool) int {
	ctx := &x.s.Ctx
	mark, dir := ctx.Scratch.Mark(), ctx.Dir
	v := ctx.Scratch.Borrow()
	ctx.Dir = x.dir
	defer func() {
		ctx.Dir = dir
		ctx.Scratch.Return()
		ctx.Scratch.Rewind(mark)
	}()
	ok := eval(ctx, v)
	switch {
	case ok && x.text:
		pushText(c.State, ctx, v)
	case ok:
		c.st.pushValue(c.State, ctx, v)
	case x.text:
		c.PushString("")
	default:
		c.PushNil()
	}
	return 1
}
