package sticktable

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/sticktable/table"
	"hapax/stats/cli"
)

// owner is what the owner of a connection to a stats socket answers.
type owner interface {
	RunningConfig() *runtime.Config
}

// verb is what a command does with entries.
type verb struct {
	usage string
	doing string // as messages call it
}

var (
	showing = verb{`Optional argument only supports "data.<store_data_type>" <operator> <value> or key <key> or ptr <ptr>`, "Showing keys from"}
	removal = verb{`Required arguments: <table> "data.<store_data_type>" <operator> <value> or <table> key <key> or <table> ptr <ptr>`, "Removing keys from"}
	setting = verb{"Required arguments: <table> key <key> [data.<store_data_type> <value>]* or <table> ptr <ptr> [data.<store_data_type> <value>]*", "Inserting keys into"}
)

func commands() []cli.Command {
	row := func(name, summary string, v *verb) cli.Command {
		return cli.Command{Doc: keyword.Doc{Name: name, Ref: "9.3", Summary: summary}, Run: v.run}
	}
	return []cli.Command{
		row("show table", "stick tables, or the entries of one", &showing),
		row("clear table", "remove entries of a stick table", &removal),
		row("set table", "make or change an entry of a stick table", &setting),
	}
}

// run takes `<table> [data.<type> <operator> <value> ...|key <key> ...|ptr <id> ...]`.
func (v *verb) run(c *cli.Conn, args []string) cli.Step {
	all := c.Owner.(owner).RunningConfig().Tables
	name := cli.Arg(args, 2)
	if name == "" {
		if v != &showing {
			return c.Fail(v.usage)
		}
		for _, t := range all {
			head(c, t)
		}
		return nil
	}
	var t *table.Table
	for _, known := range all {
		if known.Name == name {
			t = known
		}
	}
	if t == nil {
		return c.Fail("No such table")
	}
	if v != &showing && !c.Allow(cli.Operator) {
		return nil
	}
	switch how := cli.Arg(args, 3); {
	case how == "key":
		return v.byKey(c, t, args)
	case how == "ptr":
		return v.byID(c, t, args)
	case strings.HasPrefix(how, "data."):
		return v.byData(c, t, args)
	case how != "":
		return c.Fail(v.usage)
	}
	return v.each(c, t, nil)
}

// head tells of a table as a whole.
func head(c *cli.Conn, t *table.Table) {
	c.Printf("# table: %s, type: %s, size:%d, used:%d\n", t.Name, TypeName(t), t.Size, t.Count())
}

// byKey is about the entry of a key. "set table" makes it.
func (v *verb) byKey(c *cli.Conn, t *table.Table, args []string) cli.Step {
	text := cli.Arg(args, 4)
	if text == "" {
		return c.Fail("Key value expected")
	}
	k, ok := keyOfText(t, text)
	if !ok {
		return c.Fail("Invalid key")
	}
	find := t.Find
	if v == &setting {
		find = t.Make
	}
	e, ok := find(k)
	if !ok && v == &setting {
		return c.Fail("Unable to allocate a new entry")
	}
	return v.one(c, t, e, ok, args)
}

// keyOfText makes a key of what was written. Addresses are read in their own form first.
func keyOfText(t *table.Table, text string) ([]byte, bool) {
	ctx := &sample.Context{Scratch: sample.NewScratch(0)}
	var value sample.Value
	value.SetText(text)
	if t.Type == sample.IPv4 || t.Type == sample.IPv6 {
		if !sample.Cast(ctx, &value, sample.Addr) {
			return nil, false
		}
	}
	return t.KeyOf(ctx, &value, new([16]byte))
}

// byID is about the entry of an ID, as "show table" tells them.
func (v *verb) byID(c *cli.Conn, t *table.Table, args []string) cli.Step {
	digits, found := strings.CutPrefix(cli.Arg(args, 4), "0x")
	if !found {
		return c.Fail("Pointer expected (0xffff notation)")
	}
	id, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		return c.Fail("Malformed ptr.")
	}
	e, ok := t.ByID(id)
	if !ok {
		return c.Fail("No entry can be found matching ptr.")
	}
	return v.one(c, t, e, true, args)
}

// one does it with one entry, which is locked if it exists.
func (v *verb) one(c *cli.Conn, t *table.Table, e table.Entry, exists bool, args []string) cli.Step {
	if exists {
		defer e.Unlock()
	}
	switch {
	case t.Type == sample.Bin:
		return c.Failf("%s tables of type other than ip, ipv6, string and integer is not supported", v.doing)
	case !c.Allow(cli.Operator), !exists:
		return nil
	case v == &showing:
		return v.show(c, t, &e)
	case v == &removal:
		if !e.Remove() {
			return c.Fail("Entry currently in use, cannot remove")
		}
		return nil
	}
	e.Touch()
	for i := 5; cli.Arg(args, i) != ""; i += 2 {
		if fault := setData(&e, args[i], cli.Arg(args, i+1)); fault != "" {
			return c.Fail(fault)
		}
	}
	return nil
}

// show tells of one entry.
func (v *verb) show(c *cli.Conn, t *table.Table, e *table.Entry) cli.Step {
	c.Printf("# table: %s, type: %s, size:%d, used:%d\n", t.Name, TypeName(t), t.Size, t.Used())
	c.SetBuffer(appendEntry(c.Buffer(), t, e))
	return nil
}

// setData sets what an entry stores. It returns what is wrong.
func setData(e *table.Entry, word, value string) string {
	word, found := strings.CutPrefix(word, "data.")
	if !found {
		return `"data.<type>" followed by a value expected`
	}
	d, i, known := table.DataElement(word)
	n, valid := integer(value)
	switch {
	case !known:
		return "Unknown data type"
	case !e.Stores(d):
		return "Data type not stored in this table"
	case !valid:
		return "Require a valid integer value to store"
	case !e.Set(d, i, n):
		return "index out of range in this data array"
	}
	return ""
}

// integer reads a number; a sign alone is 0.
func integer(text string) (int64, bool) {
	if text == "-" {
		return 0, true
	}
	if text == "" || text[0] == '+' {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// filter is a condition on what entries store.
type filter struct {
	data    table.Data
	element uint
	op      string
	value   int64
}

const mostFilters = 4

// byData is about the entries whose data meet all conditions.
func (v *verb) byData(c *cli.Conn, t *table.Table, args []string) cli.Step {
	if v == &setting {
		return c.Fail(`content-based lookup is only supported with the "show" and "clear" actions`)
	}
	var filters []filter
	at := 3
	for ; len(filters) < mostFilters && cli.Arg(args, at) != ""; at += 3 {
		f, fault := readFilter(t, args[at], cli.Arg(args, at+1), cli.Arg(args, at+2))
		if fault != "" {
			return c.Failf("Filter entry #%d: %s", len(filters)+1, fault)
		}
		filters = append(filters, f)
	}
	if cli.Arg(args, at) != "" {
		return c.Failf("Detected extra data in filter, %dth word of input, after '%s'", at+1, args[at-1])
	}
	return v.each(c, t, filters)
}

func readFilter(t *table.Table, word, op, value string) (f filter, fault string) {
	d, i, known := table.DataElement(word[min(len(word), len("data.")):])
	n, valid := integer(value)
	switch {
	case !known:
		return f, "Unknown data type"
	case !t.Stores(d):
		return f, "Data type not stored in this table"
	case !slices.Contains([]string{"eq", "ne", "le", "ge", "lt", "gt"}, op):
		return f, `Require and operator among "eq", "ne", "le", "ge", "lt", "gt"`
	case !valid:
		return f, "Require a valid integer value to compare against"
	}
	return filter{d, i, op, n}, ""
}

// meets tells whether an entry meets the condition.
func (f *filter) meets(e *table.Entry) bool {
	v, ok := e.Get(f.data, f.element)
	if !ok {
		return false
	}
	if f.data == table.ServerKey {
		v = 0
	}
	switch f.op {
	case "eq":
		return v == f.value
	case "ne":
		return v != f.value
	case "le":
		return v <= f.value
	case "ge":
		return v >= f.value
	case "lt":
		return v < f.value
	}
	return v > f.value
}

// each does it with all entries that meet the conditions, part by part. "set table" without a key removes them.
func (v *verb) each(c *cli.Conn, t *table.Table, filters []filter) cli.Step {
	if v == &showing {
		head(c, t)
		if c.SocketLevel < cli.Operator {
			c.WriteString("# contents not dumped due to insufficient privileges\n")
		}
	}
	if c.SocketLevel < cli.Operator {
		return nil
	}
	part := 0
	var keys [][]byte
	return func(c *cli.Conn) (done bool) {
		for !c.Full() {
			if len(keys) == 0 {
				if part == table.Parts {
					return true
				}
				keys = t.Keys(part)
				part++
				continue
			}
			v.visit(c, t, keys[0], filters)
			keys = keys[1:]
		}
		return false
	}
}

// visit does it with one of all entries, if it is still there.
func (v *verb) visit(c *cli.Conn, t *table.Table, key []byte, filters []filter) {
	e, ok := t.Find(key)
	if !ok {
		return
	}
	defer e.Unlock()
	for i := range filters {
		if !filters[i].meets(&e) {
			return
		}
	}
	if v == &showing {
		c.SetBuffer(appendEntry(c.Buffer(), t, &e))
	} else {
		e.Remove()
	}
}

// appendEntry writes an entry as "show table" does.
func appendEntry(b []byte, t *table.Table, e *table.Entry) []byte {
	b = fmt.Appendf(b, "0x%x: key=", e.ID())
	b = appendKey(b, t, e.Key())
	b = fmt.Appendf(b, " use=%d exp=%d shard=%d", e.Holders(), e.Left(), e.Shard())
	for d := range table.Types {
		name, suffix, _ := strings.Cut(d.String(), "_")
		if !d.Array() {
			name, suffix = d.String(), ""
		} else if suffix != "" {
			suffix = "_" + suffix
		}
		for i := uint(0); ; i++ {
			v, ok := e.Get(d, i)
			if !ok {
				break
			}
			b = append(append(b, ' '), name...)
			if d.Array() {
				b = strconv.AppendUint(b, uint64(i), 10)
			}
			b = append(b, suffix...)
			if d.Rate() {
				b = fmt.Appendf(b, "(%d)", t.Period(d))
			}
			b = append(b, '=')
			switch {
			case d != table.ServerKey:
				b = strconv.AppendInt(b, v, 10)
			case v == 0:
				b = append(b, '-')
			default:
				b = append(b, e.ServerKey()...)
			}
		}
	}
	return append(b, '\n')
}

// appendKey writes a key by its type.
func appendKey(b []byte, t *table.Table, key []byte) []byte {
	switch t.Type {
	case sample.IPv4, sample.IPv6:
		a, _ := netip.AddrFromSlice(key)
		return sample.AppendAddr(b, a)
	case sample.Int:
		return strconv.AppendUint(b, uint64(binary.LittleEndian.Uint32(key)), 10)
	case sample.Bin:
		return fmt.Appendf(b, "%X", key)
	}
	for _, c := range key {
		switch {
		case strings.IndexByte("\\ =", c) >= 0:
			b = append(b, '\\', c)
		case c > ' ' && c < 0x7f:
			b = append(b, c)
		case c == '\t':
			b = append(b, `\t`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == 0x1b:
			b = append(b, `\e`...)
		default:
			b = fmt.Appendf(b, `\x%02X`, c)
		}
	}
	return b
}
