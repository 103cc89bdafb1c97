package lua

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"hapax/acl/sample"
	"hapax/runtime/lua/lua54"
	"hapax/runtime/sticktable/table"
)

// keyTypes are the types of keys as configurations name them.
var keyTypes = map[sample.Type]string{sample.IPv4: "ip", sample.IPv6: "ipv6", sample.Int: "integer", sample.Str: "string", sample.Bin: "binary"}

func tableMethods() []method {
	return []method{
		on("StickTable", "info", pushTableInfo),
		on("StickTable", "lookup", lookUpEntry),
		{"dump", func(c call) int { return dumpTable(c, self[*table.Table](c, 1, "StickTable")) }},
	}
}

func pushTableInfo(c call, t *table.Table) {
	c.pushFields([]Field{
		{"type", keyTypes[t.Type]}, {"length", int64(t.KeySize)}, {"size", int64(t.Size)}, {"used", int64(t.Used())}, {"expire", int64(t.Expire)},
	})
	c.PushBool(t.NoPurge)
	c.SetField(-2, "nopurge")
	c.NewTable()
	for d := range table.Types {
		switch {
		case !t.Stores(d):
			continue
		case d.Rate():
			c.PushInt(int64(t.Period(d)))
		default:
			c.PushInt(-1)
		}
		c.SetField(-2, d.String())
	}
	c.SetField(-2, "data")
}

// stored is what an entry stores. It is pushed when the entry is unlocked: an error in Lua leaves the function.
func stored(e *table.Entry) (all []Field) {
	for d := range table.Types {
		v, ok := e.Get(d, 0)
		switch {
		case !ok:
		case d != table.ServerKey:
			all = append(all, Field{d.String(), v})
		case v == 0:
			all = append(all, Field{d.String(), "-"})
		default:
			all = append(all, Field{d.String(), e.ServerKey()})
		}
	}
	return all
}

func lookUpEntry(c call, t *table.Table) {
	ctx := c.context()
	mark := ctx.Scratch.Mark()
	defer ctx.Scratch.Rewind(mark)
	v := ctx.Scratch.Borrow()
	defer ctx.Scratch.Return()
	v.SetStr([]byte(c.Str(2)))
	var room [16]byte
	key, ok := t.KeyOf(ctx, v, &room)
	if !ok {
		c.PushNil()
		return
	}
	e, ok := t.Find(key)
	if !ok {
		c.PushNil()
		return
	}
	fields := append(stored(&e), Field{"use", int64(e.Holders())}, Field{"expire", int64(e.Left())})
	e.Unlock()
	c.pushFields(fields)
}

// tableFilter is a condition on what entries store.
type tableFilter struct {
	data table.Data
	op   string
	than int64
}

// mostTableFilters is how many conditions a dump may have.
const mostTableFilters = 4

// meets tells whether an entry meets the condition.
func (f *tableFilter) meets(e *table.Entry) bool {
	v, ok := e.Get(f.data, 0)
	if !ok || f.data == table.ServerKey {
		return true
	}
	switch f.op {
	case "eq":
		return v == f.than
	case "ne":
		return v != f.than
	case "le":
		return v <= f.than
	case "ge":
		return v >= f.than
	case "lt":
		return v < f.than
	}
	return v > f.than
}

// tableFilters reads the conditions of a dump: a list of {data, operator, value}.
func (c call) tableFilters(t *table.Table) (all []tableFilter, fault string) {
	switch c.Type(2) {
	case lua54.TypeNone, lua54.TypeNil:
		return nil, ""
	case lua54.TypeTable:
	default:
		return nil, "filter table expected"
	}
	for c.PushNil(); c.Next(2); c.Pop(1) {
		if len(all) == mostTableFilters {
			return nil, sprintf("Filter table too large (len > %d)", mostTableFilters)
		}
		f, fault := c.tableFilter(t)
		if fault != "" {
			return nil, sprintf("%s (entry #%d)", fault, len(all)+1)
		}
		all = append(all, f)
	}
	return all, ""
}

// tableFilter reads one condition.
func (c call) tableFilter(t *table.Table) (f tableFilter, fault string) {
	if c.Type(-1) != lua54.TypeTable || c.RawLen(-1) != 3 {
		return f, `Filter table entry must be a triplet: {"data_col", "op", val}`
	}
	c.RawGetInt(-1, 1)
	c.RawGetInt(-2, 2)
	c.RawGetInt(-3, 3)
	f.than, _ = c.Int(-1)
	column, known := "", false
	if c.Type(-3) == lua54.TypeString {
		column = c.Str(-3)
	}
	if c.Type(-2) == lua54.TypeString {
		f.op = c.Str(-2)
	}
	for d := range table.Types {
		if d.String() == column && t.Stores(d) {
			f.data, known = d, true
		}
	}
	switch {
	case column == "":
		fault = "Filter table data column must be string"
	case !known:
		fault = "Filter table data column not present in stick table"
	case f.op == "":
		fault = "Filter table operator must be string"
	case !slices.Contains([]string{"eq", "ne", "le", "ge", "lt", "gt"}, f.op):
		fault = "Unknown operator in filter table"
	}
	c.Pop(3)
	return f, fault
}

// dumpTable pushes what all entries store that meet the conditions, by key.
func dumpTable(c call, t *table.Table) int {
	filters, fault := c.tableFilters(t)
	if fault != "" {
		c.PushNil()
		c.PushString(fault)
		return 2
	}
	c.NewTable()
	for part := range table.Parts {
		for _, key := range t.Keys(part) {
			e, ok := t.Find(key)
			if !ok {
				continue
			}
			fails := slices.ContainsFunc(filters, func(f tableFilter) bool { return !f.meets(&e) })
			fields := stored(&e)
			e.Unlock()
			if fails {
				continue
			}
			if !pushKey(c, t, key) {
				c.PushNil()
				c.PushString("Unsupported stick table key type")
				return 2
			}
			c.pushFields(fields)
			c.RawSet(-3)
		}
	}
	return 1
}

func pushKey(c call, t *table.Table, key []byte) bool {
	switch t.Type {
	case sample.IPv4, sample.IPv6:
		a, _ := netip.AddrFromSlice(key)
		c.PushString(a.String())
	case sample.Int:
		c.PushInt(int64(binary.LittleEndian.Uint32(key)))
	case sample.Str:
		c.PushBytes(key)
	default:
		return false
	}
	return true
}
