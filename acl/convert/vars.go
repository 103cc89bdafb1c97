package convert

import (
	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var varRows = []sample.Converter{
	{Doc: doc("set-var", "the value itself, stored in a variable if all conditions hold; none if it was not stored",
		args(keyword.Arg{Name: "var", Type: keyword.Var}, opt(setCond), opt(setCond), opt(setCond), opt(setCond)),
		"str(a),set-var(txn.x)", "a", "int(5),set-var(txn.x,ifnotexists,ifnotset)", "5"),
		Check: checkSetVar, In: sample.Any, Out: sample.Any, Eval: setVar},
	{Doc: doc("unset-var", "the value itself, after a variable lost its own", args(keyword.Arg{Name: "var", Type: keyword.Var}),
		"str(a),unset-var(txn.x)", "a"),
		In: sample.Any, Out: sample.Any, Eval: unsetVar},
}

var setCond = keyword.Arg{Name: "cond", Type: keyword.Str,
	Doc: "ifexists, ifnotexists, ifempty, ifnotempty, ifset, ifnotset, ifgt or iflt"}

// checkSetVar gathers the conditions in Int of the first one.
func checkSetVar(_ *sample.Compiler, a []sample.Arg) error {
	for i := 1; i < len(a) && a[i].Present; i++ {
		cond, err := sample.ParseSetCond(a[i].Str)
		if err != nil {
			return err
		}
		a[1].Int |= int64(cond)
	}
	return nil
}

func setVar(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	return ctx.SetVar(a[0].Var, v, sample.SetCond(a[1].Int))
}

func unsetVar(ctx *sample.Context, a []sample.Arg, _ *sample.Value) bool {
	return ctx.UnsetVar(a[0].Var)
}
