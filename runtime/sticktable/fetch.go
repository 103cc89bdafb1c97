package sticktable

import (
	"fmt"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/sticktable/table"
)

// Arguments of fetches and converters.
var (
	elementArg = keyword.Arg{Name: "element", Type: keyword.Int, Doc: "number of the tag or the counter"}
	numberArg  = keyword.Arg{Name: "counter", Type: keyword.Int, Doc: "number of the tracked entry"}
	tableArg   = keyword.Arg{Name: "table", Type: keyword.StickTable}
	elsewhere  = keyword.Arg{Name: "table", Type: keyword.StickTable, Opt: true, Doc: "where the same key is looked for, if not where it is tracked"}
)

// fixed are the numbers that fetches may have in their names.
const fixed = 3

// fetches are the rows of all fetches.
func fetches() (rows []sample.Fetch) {
	for i := range operations {
		op := &operations[i]
		args := []keyword.Arg{numberArg, elsewhere}
		of := []keyword.Arg{tableArg}
		example := "(0)"
		if op.indexed {
			args, of, example = append([]keyword.Arg{elementArg}, args...), append([]keyword.Arg{elementArg}, of...), "(1,0)"
		}
		what := op.summary + ", of a tracked entry"
		rows = append(rows, row("sc_"+op.name, what, example, args, op.from, op.ofTracked(-1)))
		if !op.indexed {
			for n := range fixed {
				rows = append(rows, row(fmt.Sprintf("sc%d_%s", n, op.name), what, "", args[1:], op.from, op.ofTracked(n)))
			}
			example = "(seen)"
		} else {
			example = "(1,seen)"
		}
		if op.name == "clr_gpc" { // the only one on an array that has a number in its name
			rows = append(rows, row("sc1_clr_gpc", what, "(1)", []keyword.Arg{elementArg, elsewhere}, op.from, op.ofTracked(1)))
		}
		rows = append(rows, row("src_"+op.name, op.summary+", of the client's address", example, of, sample.ClientAddr, op.ofSource))
	}
	for n := -1; n < fixed; n++ {
		name, example, args := "sc_", "(0)", []keyword.Arg{numberArg, elsewhere}
		if n >= 0 {
			name, example, args = fmt.Sprintf("sc%d_", n), "", args[1:]
		}
		key := row(name+"key", "the key of a tracked entry", example, args[:max(-n, 0)], sample.Internal, trackedKey(n))
		key.Out = sample.Any
		is := row(name+"tracked", "whether an entry is tracked", example, args, sample.Internal, isTracked(n))
		is.Out = sample.Bool
		rows = append(rows, key, is,
			row(name+"trackers", "how many connections and requests track the same entry", example, args, sample.Internal, trackers(n)))
	}
	size := func(name, summary string, get func(t *table.Table) int64) sample.Fetch {
		r := row(name, summary, "(seen)", []keyword.Arg{tableArg}, sample.Internal, func(_ *sample.Context, a []sample.Arg, out *sample.Value) bool {
			out.SetInt(get(a[0].Ref.(*table.Table)))
			return true
		})
		r.Ref = "7.3.2"
		return r
	}
	return append(rows,
		row("src_updt_conn_cnt", "count a connection of the client's address, and tell how many there were", "(seen)", []keyword.Arg{tableArg}, sample.ClientAddr, updateConnections),
		size("table_avl", "entries that there is room for", func(t *table.Table) int64 { return int64(t.Size) - int64(t.Count()) }),
		size("table_cnt", "entries of a table", func(t *table.Table) int64 { return int64(t.Count()) }))
}

type evalFunc = func(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool

func row(name, summary, example string, args []keyword.Arg, from sample.Source, eval evalFunc) sample.Fetch {
	return sample.Fetch{
		Doc: keyword.Doc{Name: name, Ref: "7.3.3", Summary: summary, Args: args, Examples: []keyword.Example{{Expr: name + example}}},
		Out: sample.Int, From: from, Eval: eval,
	}
}

// follow finds what a fetch asks for: the tracked entry, locked, or that of the same key in the table of the last
// argument. known is false when there is nothing of that kind; a known entry need not exist.
func follow(ctx *sample.Context, n int, other *sample.Arg) (e table.Entry, ok, known bool) {
	s, stream := ctx.Owner.(*runtime.Stream)
	if !stream || s.Session == nil || n < 0 {
		return e, false, false
	}
	r := tracked(s, n)
	if r.Table() == nil {
		return e, false, false
	}
	e = r.Lock()
	if other == nil || !other.Present {
		return e, true, true
	}
	return e.Elsewhere(other.Ref.(*table.Table))
}

// ofNumber reads the arguments behind the element: the number, unless the fetch's name has it, and the table.
func ofNumber(ctx *sample.Context, n int, args []sample.Arg) (e table.Entry, ok, known bool) {
	if n < 0 {
		n, args = int(min(max(args[0].Int, -1), 1<<16)), args[1:]
	}
	if len(args) == 0 {
		return follow(ctx, n, nil)
	}
	return follow(ctx, n, &args[0])
}

// element cuts the number of the element off the arguments.
func (op *operation) element(args []sample.Arg) (uint, []sample.Arg) {
	if !op.indexed {
		return 0, args
	}
	return uint(uint32(args[0].Int)), args[1:]
}

// ofTracked is the Eval of sc<n>_X; of sc_X for -1.
func (op *operation) ofTracked(n int) evalFunc {
	return func(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
		i, args := op.element(args)
		e, ok, known := ofNumber(ctx, n, args)
		return known && op.finish(e, ok, i, out)
	}
}

// ofSource is the Eval of src_X.
func (op *operation) ofSource(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
	i, args := op.element(args)
	e, ok, known := ofSource(ctx, args[0].Ref.(*table.Table), op.makes)
	return known && op.finish(e, ok, i, out)
}

// finish runs the operation on an entry that is locked, or not there.
func (op *operation) finish(e table.Entry, exists bool, i uint, out *sample.Value) bool {
	out.SetInt(0)
	if !exists {
		return true
	}
	v, ok := op.run(e, i)
	e.Unlock()
	out.SetInt(v)
	return ok
}

// ofSource finds the entry of the client's address; known is false when it has none.
func ofSource(ctx *sample.Context, t *table.Table, makes bool) (e table.Entry, ok, known bool) {
	s, stream := ctx.Owner.(*runtime.Stream)
	if !stream || s.Session == nil || !ctx.Src.Addr().IsValid() {
		return e, false, false
	}
	v := ctx.Scratch.Borrow()
	v.SetAddr(ctx.Src.Addr())
	e, ok = ofValue(ctx, t, v, makes)
	ctx.Scratch.Return()
	return e, ok, true
}

// ofValue finds the entry of a value.
func ofValue(ctx *sample.Context, t *table.Table, v *sample.Value, makes bool) (table.Entry, bool) {
	var room [16]byte
	k, ok := t.KeyOf(ctx, v, &room)
	switch {
	case !ok:
		return table.Entry{}, false
	case makes:
		return t.Make(k)
	}
	return t.Find(k)
}

func trackedKey(n int) evalFunc {
	return func(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
		e, ok, _ := ofNumber(ctx, n, args)
		if !ok {
			return false
		}
		ok = e.Value(ctx, out)
		e.Unlock()
		return ok
	}
}

func isTracked(n int) evalFunc {
	return func(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
		e, ok, known := ofNumber(ctx, n, args)
		if ok {
			e.Unlock()
		}
		out.SetBool(known)
		return true
	}
}

func trackers(n int) evalFunc {
	return func(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
		e, ok, known := ofNumber(ctx, n, args)
		out.SetInt(0)
		if ok {
			out.SetInt(int64(e.Holders()))
			e.Unlock()
		}
		return known
	}
}

func updateConnections(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
	e, ok, _ := ofSource(ctx, args[0].Ref.(*table.Table), true)
	if !ok {
		return false
	}
	v, ok := e.Add(table.ConnCnt, 0, 1)
	if ok {
		e.Touch()
	}
	e.Unlock()
	out.SetInt(v)
	return ok
}
