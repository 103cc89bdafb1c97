package sticktable

import (
	"cmp"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/sticktable/table"
)

// converters are the rows of all converters: they look an entry up by the value as its key.
func converters() (rows []sample.Converter) {
	for i := range operations {
		op := &operations[i]
		args, example := []keyword.Arg{tableArg}, "(seen)"
		if op.indexed {
			args, example = []keyword.Arg{elementArg, tableArg}, "(1,seen)"
		}
		rows = append(rows, converter("table_"+cmp.Or(op.at, op.name), op.summary+", of the entry of a key", example, args, op.ofKey))
	}
	instead := keyword.Arg{Name: "default", Type: keyword.Int, Opt: true, Doc: "the value when there is no such entry"}
	in := converter("in_table", "whether there is an entry of a key", "(seen)", []keyword.Arg{tableArg}, inTable)
	in.Out = sample.Bool
	return append(rows, in,
		converter("table_expire", "how long the entry of a key has to live, in ms", "(seen)", []keyword.Arg{tableArg, instead}, timeOf(func(e table.Entry) uint32 { return e.Left() })),
		converter("table_idle", "how long nothing touched the entry of a key, in ms", "(seen)", []keyword.Arg{tableArg, instead}, timeOf(func(e table.Entry) uint32 { return e.Idle() })),
		converter("table_server_id", "the number of the server that the entry of a key remembers", "(seen)", []keyword.Arg{tableArg}, serverID),
		converter("table_trackers", "how many track the entry of a key", "(seen)", []keyword.Arg{tableArg}, keyTrackers))
}

func converter(name, summary, example string, args []keyword.Arg, eval evalFunc) sample.Converter {
	return sample.Converter{
		Doc: keyword.Doc{Name: name, Ref: "7.3.1", Summary: summary, Args: args, Examples: []keyword.Example{{Expr: "src," + name + example}}},
		In:  sample.Any, Out: sample.Int, Eval: eval,
	}
}

// ofKey is the Eval of table_X.
func (op *operation) ofKey(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
	i, args := op.element(args)
	e, ok := ofValue(ctx, args[0].Ref.(*table.Table), v, op.makes)
	return op.finish(e, ok, i, v)
}

func inTable(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
	e, ok := ofValue(ctx, args[0].Ref.(*table.Table), v, false)
	if ok {
		e.Unlock()
	}
	v.SetBool(ok)
	return true
}

func timeOf(get func(table.Entry) uint32) evalFunc {
	return func(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
		e, ok := ofValue(ctx, args[0].Ref.(*table.Table), v, false)
		if !ok {
			v.SetInt(args[1].Int)
			return args[1].Present
		}
		v.SetInt(int64(get(e)))
		e.Unlock()
		return true
	}
}

func serverID(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
	e, ok := ofValue(ctx, args[0].Ref.(*table.Table), v, false)
	v.SetInt(0)
	if !ok {
		return true
	}
	id, stored := e.Get(table.ServerID, 0)
	e.Unlock()
	v.SetInt(id)
	return stored
}

// keyTrackers counts who looks at the entry as one of them, as HAProxy does.
func keyTrackers(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
	e, ok := ofValue(ctx, args[0].Ref.(*table.Table), v, false)
	v.SetInt(0)
	if ok {
		v.SetInt(int64(e.Holders()) + 1)
		e.Unlock()
	}
	return true
}
