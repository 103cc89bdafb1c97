package pattern

import (
	"errors"
	"fmt"
	"unsafe"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

// Loader is what the map converters ask of Compiler.LookUp: the collections of the configuration that is
// being read.
type Loader interface{ Patterns() *Refs }

// mapping is a map as a converter holds it, in the Data of its first argument.
type mapping struct {
	set      *Set
	fallback sample.Value // what a missing key gives
	defined  bool         // there is a fallback
}

// product declares the converters of maps: each method times each type of value, and the keys themselves.
// The first three of Str have shorter names too.
var product = []struct {
	name   string
	method Method
	in     sample.Type
	all    bool // with values of all types
	what   string
}{
	{"map", Str, sample.Str, false, "equal to the input"},
	{"map_str", Str, sample.Str, true, "equal to the input"},
	{"map_beg", Beg, sample.Str, true, "that the input begins with, the longest one,"},
	{"map_sub", Sub, sample.Str, true, "that the input contains"},
	{"map_dir", Dir, sample.Str, true, "that the input contains as words between slashes"},
	{"map_dom", Dom, sample.Str, true, "that the input contains as words between dots"},
	{"map_end", End, sample.Str, true, "that the input ends with"},
	{"map_reg", Reg, sample.Str, true, "that is a regular expression and matches the input"},
	{"map_regm", RegM, sample.Str, false, "that is a regular expression and matches the input; \\1 to \\9 in the value stand for its groups;"},
	{"map_int", Int, sample.Int, true, "that is a range of integers around the input"},
	{"map_ip", IP, sample.Addr, true, "that is the smallest network around the input"},
}

// Converters are the rows of all map converters.
var Converters = converters()

func converters() []sample.Converter {
	type variant struct {
		suffix string
		out    sample.Type
		what   string
	}
	values := []variant{
		{"", sample.Str, "the string of the key %s in a map file"},
		{"_int", sample.Int, "the integer of the key %s in a map file"},
		{"_ip", sample.Addr, "the address of the key %s in a map file"},
		{"_key", sample.Any, "the key %s in a map file"},
	}
	var rows []sample.Converter
	for _, v := range values {
		for _, p := range product {
			if v.suffix != "" && !p.all {
				continue
			}
			rows = append(rows, row(p.name+v.suffix, p.method, p.in, v.out, fmt.Sprintf(v.what, p.what)))
		}
	}
	return rows
}

// row makes the converter of one method; out Any stands for the key itself.
func row(name string, method Method, in, out sample.Type, summary string) sample.Converter {
	args := []keyword.Arg{{Name: "file", Type: keyword.File, Doc: "\"virt@\", \"opt@\" and \"file@\" before it as in section 2.7"}}
	c := sample.Converter{In: in, Out: out, Eval: mapValue}
	switch {
	case out == sample.Any:
		c.Out, c.Eval = sample.Str, mapKey
	case out == sample.Int:
		args = append(args, keyword.Arg{Name: "default", Type: keyword.Int, Opt: true, Doc: "what a missing key gives"})
	default:
		args = append(args, keyword.Arg{Name: "default", Type: keyword.Str, Opt: true, Doc: "what a missing key gives"})
	}
	if method == RegM {
		c.Eval = mapGroups
	}
	c.Doc = keyword.Doc{Name: name, Ref: "7.3.1", Summary: summary, Args: args, Examples: example(method, out, name)}
	valueType := out
	if out == sample.Any {
		valueType = sample.Str
	}
	c.Check = func(c *sample.Compiler, args []sample.Arg) error { return loadMap(c, args, method, valueType) }
	return c
}

// example shows a row on a map that does not exist, so that its default answers.
func example(method Method, out sample.Type, name string) []keyword.Example {
	input := "str(a)"
	switch method {
	case Int:
		input = "int(5)"
	case IP:
		input = "ipv4(192.0.2.1)"
	}
	switch out {
	case sample.Any:
		return []keyword.Example{{Expr: input + "," + name + "(virt@none)", Want: ""}}
	case sample.Addr:
		return []keyword.Example{{Expr: input + "," + name + "(virt@none,192.0.2.7)", Want: "192.0.2.7"}}
	}
	return []keyword.Example{{Expr: input + "," + name + "(virt@none,7)", Want: "7"}}
}

// loadMap reads the file of a map converter, or shares it.
func loadMap(c *sample.Compiler, args []sample.Arg, method Method, out sample.Type) error {
	loader, ok := c.LookUp.(Loader)
	if !ok {
		return errors.New("map: cannot load map at runtime")
	}
	where := fmt.Sprintf("file '%s' line %d", c.Pos.File, c.Pos.Line)
	ref, err := loader.Patterns().File(args[0].Str, Map, true, where)
	if err != nil {
		return err
	}
	m := new(mapping)
	if m.set, err = ref.Set(method, NoDNS, out); err != nil {
		return err
	}
	if len(args) > 1 && args[1].Present {
		m.defined = true
		switch out {
		case sample.Int:
			m.fallback.SetInt(args[1].Int)
		case sample.Addr:
			if !setAddr(&m.fallback, args[1].Str) {
				return fmt.Errorf("map: cannot parse default ip <%s>.", args[1].Str)
			}
		default:
			m.fallback.SetConst([]byte(args[1].Str))
		}
	}
	args[0].Data = m
	return nil
}

// mapValue gives the value of the key that v matches.
func mapValue(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
	m := args[0].Data.(*mapping)
	e := m.set.Lookup(ctx, v)
	if e == nil {
		return m.missing(v)
	}
	text, _ := e.Value()
	return setValue(v, text, m.set.out)
}

// mapGroups is mapValue for map_regm.
func mapGroups(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
	m := args[0].Data.(*mapping)
	var g sample.Groups
	e := m.set.LookupGroups(ctx, v, &g)
	if e == nil {
		return m.missing(v)
	}
	text, _ := e.Value()
	out, ok := sample.AppendReplacement(ctx.Scratch.Room(), text, v.Bytes, &g)
	if !ok {
		return false
	}
	if out = ctx.Scratch.Take(out); out == nil {
		return false
	}
	v.SetStr(out)
	return true
}

// mapKey gives the key that v matches.
func mapKey(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
	e := args[0].Data.(*mapping).set.Lookup(ctx, v)
	if e == nil {
		return false
	}
	v.SetConst(viewBytes(e.Key))
	return true
}

// missing gives what stands for a key that is not there.
func (m *mapping) missing(v *sample.Value) bool {
	if !m.defined {
		return false
	}
	flags := v.Flags &^ sample.Const
	*v = m.fallback
	v.Flags |= flags
	return true
}

// viewBytes gives the bytes of a string, which must not be changed.
func viewBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// checkValue tells whether text can be the value of a map of type out.
func checkValue(text string, out sample.Type) error {
	var v sample.Value
	if !setValue(&v, text, out) {
		return fmt.Errorf("unable to parse '%s'", text)
	}
	return nil
}

// setValue reads the value of an entry.
func setValue(v *sample.Value, text string, out sample.Type) bool {
	switch out {
	case sample.Int:
		n, taken := sample.ReadInt(text)
		v.SetInt(n)
		return taken == len(text)
	case sample.Addr:
		return setAddr(v, text)
	}
	v.SetConst(viewBytes(text))
	return true
}

func setAddr(v *sample.Value, text string) bool {
	a, ok := sample.ParseIPv4(text)
	if !ok {
		a, ok = sample.ParseIPv6(text)
	}
	return ok && v.SetAddr(a)
}
