package lua

import (
	"hapax/acl/pattern"
	"hapax/acl/sample"
	"hapax/runtime/lua/lua54"
)

// patternFunctions are those of "core" that change maps and pattern files.
func patternFunctions() []method {
	change := func(name, kind string, args int, run func(c call, r *pattern.Ref)) method {
		return method{name, func(c call) int {
			c.wants(args, name)
			file := c.CheckString(1)
			for i := 2; i <= args; i++ {
				c.CheckString(i)
			}
			r := c.st.m.cfg.Patterns.Lookup(file)
			if r == nil {
				return c.Errorf("'%s': unknown %s file '%s'", name, kind, file)
			}
			run(c, r)
			return 0
		}}
	}
	return []method{
		change("add_acl", "acl", 2, func(c call, r *pattern.Ref) {
			if r.Find(current(r), c.Str(2)) == nil {
				r.Put(c.Str(2), nil)
			}
		}),
		change("del_acl", "acl", 2, func(c call, r *pattern.Ref) { r.Delete(c.Str(2)) }),
		change("set_map", "map", 3, func(c call, r *pattern.Ref) {
			value := c.Str(3)
			r.Put(c.Str(2), &value)
		}),
		change("del_map", "map", 2, func(c call, r *pattern.Ref) { r.Delete(c.Str(2)) }),
		{"get_patref", getPatref},
	}
}

// current is the version of a collection that look-ups see.
func current(r *pattern.Ref) uint32 {
	version, _ := r.Versions()
	return version
}

// methods are the ways to look something up in a map, in the order of their numbers.
var methods = [...]string{"found", "bool", "int", "ip", "bin", "len", "str", "beg", "sub", "dir", "dom", "end", "reg"}

// mapping is what scripts know as a Map: a converter that looks up.
type mapping struct{ expr *sample.Expr }

// declareMap makes the class Map.
func (st *state) declareMap() {
	s := st.main
	s.NewTable()
	for i, name := range methods {
		s.PushInt(int64(i))
		s.SetField(-2, name)
		s.PushInt(int64(i))
		s.SetField(-2, "_"+name)
	}
	st.push(s, newMap)
	s.SetField(-2, "new")
	st.class("Map", []method{
		{"lookup", func(c call) int { return lookup(c, "lookup", c.PushNil) }},
		{"slookup", func(c call) int { return lookup(c, "slookup", func() { c.PushString("") }) }},
	})
	s.PushRef(st.classes["Map"])
	s.SetMetatable(-2)
	s.SetGlobal("Map")
}

// newMap reads a map file while the script is loaded.
func newMap(c call) int {
	if n := c.Top(); n < 1 || n > 2 {
		return c.Errorf("'new' needs at least 1 argument.")
	}
	file := c.CheckString(1)
	how := int64(6) // str
	if c.Top() == 2 {
		how = c.CheckInt(2)
		if how < 0 || int(how) >= len(methods) {
			return c.Errorf("'new' needs a valid match method.")
		}
	}
	c.inBody("Map.new")
	l := c.st.loader
	l.Samples.Pos = l.Pos()
	e, err := l.Samples.ParseConverters("map_" + methods[how] + "(" + quoted(file) + ")")
	if err != nil {
		return c.Errorf("'new': %s.", err)
	}
	c.object("Map", &mapping{e})
	return 1
}

func lookup(c call, name string, none func()) int {
	c.wants(2, name)
	m := self[*mapping](c, 1, "Map")
	if t := c.Type(2); t != lua54.TypeString && t != lua54.TypeNumber {
		c.CheckString(2)
	}
	ctx := c.context()
	mark := ctx.Scratch.Mark()
	defer ctx.Scratch.Rewind(mark)
	v := ctx.Scratch.Borrow()
	defer ctx.Scratch.Return()
	if !readValue(c.State, 2, ctx, v) || !m.expr.Convert(ctx, v) {
		none()
		return 1
	}
	pushText(c.State, ctx, v)
	return 1
}

// context is what samples are evaluated with: that of the stream, if the script runs for one.
func (c call) context() *sample.Context {
	if t := c.thread(); t != nil && t.s != nil {
		return &t.s.Ctx
	}
	ctx := &sample.Context{Scratch: sample.NewScratch(c.st.m.cfg.Global.Tune.BufSize)}
	ctx.Vars[sample.ProcScope] = c.st.m.cfg.ProcVars
	return ctx
}
