package lua

import (
	"hapax/acl/pattern"
	"hapax/runtime/lua/lua54"
)

// patref is what scripts know as a Patref: the entries of a map or of an ACL's file.
type patref struct {
	ref      *pattern.Ref
	prepared uint32 // the generation that is being made
	pending  bool   // there is one
}

// generation is the one that is changed and read. Another one that was committed meanwhile takes the place of one that was prepared.
func (p *patref) generation() uint32 {
	now := current(p.ref)
	if p.pending && int32(p.prepared-now) > 0 {
		return p.prepared
	}
	return now
}

// getPatref is `core.get_patref(name)`.
func getPatref(c call) int {
	c.wants(1, "get_patref")
	name := c.CheckString(1)
	r := c.st.m.cfg.Patterns.Lookup(name)
	if r == nil {
		return c.Errorf("'get_patref': unknown pattern reference '%s'", name)
	}
	c.object("Patref", &patref{ref: r})
	return 1
}

func checkPatref(c call) *patref { return self[*patref](c, 1, "Patref") }

// declarePatref makes the class Patref: what is no method is a key of the entries.
func (st *state) declarePatref() {
	st.class("Patref", patrefMethods())
	s := st.main
	s.PushRef(st.classes["Patref"])
	s.Field(-1, "__index")
	methods := s.Ref()
	st.push(s, func(c call) int {
		c.PushRef(methods)
		c.Copy(2)
		if c.RawGet(-2) != lua54.TypeNil {
			return 1
		}
		p := checkPatref(c)
		e := p.ref.Find(p.generation(), c.CheckString(2))
		switch {
		case e == nil:
			c.PushNil()
		case !pushEntryValue(c, e):
			c.PushBool(true)
		}
		return 1
	})
	s.SetField(-2, "__index")
	st.push(s, nothing) // nothing can be put there
	s.SetField(-2, "__newindex")
	st.push(s, patrefPairs)
	s.SetField(-2, "__pairs")
	s.Pop(1)
}

// patrefPairs walks through the entries of the generation.
func patrefPairs(c call) int {
	p := checkPatref(c)
	entries, at := p.ref.Entries(p.generation()), 0
	c.st.push(c.State, func(c call) int {
		for at < len(entries) && entries[at].Gone() {
			at++
		}
		if at == len(entries) {
			c.PushNil()
			return 1
		}
		e := entries[at]
		at++
		c.PushString(e.Key)
		if !pushEntryValue(c, e) {
			return 1
		}
		return 2
	})
	return 1
}

// pushEntryValue pushes the value of an entry, if it has one.
func pushEntryValue(c call, e *pattern.Entry) bool {
	value, ok := e.Value()
	if ok {
		c.PushString(value)
	}
	return ok
}

func patrefMethods() []method {
	return []method{
		{"get_name", func(c call) int { c.PushString(checkPatref(c).ref.Name()); return 1 }},
		{"is_map", func(c call) int { c.PushBool(checkPatref(c).ref.UsedBy()&pattern.Map != 0); return 1 }},
		{"prepare", func(c call) int {
			p := checkPatref(c)
			p.prepared, p.pending = p.ref.Prepare(), true
			return 0
		}},
		{"commit", func(c call) int {
			p := checkPatref(c)
			if !p.pending {
				return c.refuse("Nothing to do")
			}
			p.pending = false
			if !p.ref.Commit(p.prepared) {
				return c.refuse("Commit failed")
			}
			c.PushBool(true)
			return 1
		}},
		{"giveup", func(c call) int {
			if p := checkPatref(c); p.pending {
				p.pending = false
				p.ref.Clear(p.prepared)
			}
			return 0
		}},
		{"purge", func(c call) int {
			r := checkPatref(c).ref
			r.Clear(current(r))
			c.PushBool(true)
			return 1
		}},
		{"add", func(c call) int {
			p := checkPatref(c)
			key := c.CheckString(2)
			var value *string
			if c.Top() == 3 {
				text := c.CheckString(3)
				value = &text
			}
			return c.outcome(p.ref.Add(p.generation(), key, value))
		}},
		{"add_bulk", addBulk},
		{"del", func(c call) int {
			p := checkPatref(c)
			key := c.CheckString(2)
			e := p.ref.Find(p.generation(), key)
			c.PushBool(e != nil && p.ref.DeleteEntry(e))
			return 1
		}},
		{"set", func(c call) int {
			p := checkPatref(c)
			key, value := c.CheckString(2), c.CheckString(3)
			return c.outcome(p.set(key, value, c.Top() == 4 && c.Bool(4)))
		}},
		{"event_sub", func(c call) int {
			p := checkPatref(c)
			c.Remove(1)
			return c.subscribe(func(h *handler) (leave func()) {
				return p.ref.Events.Subscribe(func(e pattern.Event) { h.happened(e.String(), nil) })
			})
		}},
	}
}

// set gives the newest entry of a key another value; add: one is made where there is none.
func (p *patref) set(key, value string, add bool) error {
	generation := p.generation()
	if add && p.ref.Find(generation, key) == nil {
		return p.ref.Add(generation, key, &value)
	}
	return p.ref.Change(generation, key, value)
}

// addBulk adds the entries of a table: keys with values for a map, else its values are keys.
func addBulk(c call) int {
	p := checkPatref(c)
	if c.Type(2) != lua54.TypeTable {
		return c.ArgError(2, "argument is expected to be a table")
	}
	generation := p.generation()
	for c.PushNil(); c.Next(2); c.Pop(1) {
		c.wantsText(-1)
		key, value := c.Str(-1), (*string)(nil)
		if p.ref.Valued() {
			c.wantsText(-2)
			text := key
			key, value = c.Str(-2), &text
		}
		if err := p.ref.Add(generation, key, value); err != nil {
			return c.refuse(err.Error())
		}
	}
	c.PushBool(true)
	return 1
}

// wantsText refuses what is no string.
func (c call) wantsText(i int) {
	if c.Type(i) != lua54.TypeString {
		c.ArgError(i, "string expected, got "+c.typeName(i))
	}
}

// refuse gives nil and what is wrong.
func (c call) refuse(text string) int {
	c.PushNil()
	c.PushString(text)
	return 2
}

// outcome gives true, or nil and what was wrong.
func (c call) outcome(err error) int {
	if err != nil {
		return c.refuse(err.Error())
	}
	c.PushBool(true)
	return 1
}
