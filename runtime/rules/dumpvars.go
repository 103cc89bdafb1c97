package rules

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
)

var variableFetches = []sample.Fetch{{
	Doc: keyword.Doc{Name: "dump_all_vars", Ref: "7.3.2", Summary: "the names and values of all variables, or of those of a scope",
		Args:     []keyword.Arg{opt(arg("scope", keyword.Str)), opt(arg("prefix", keyword.Str)), opt(keyword.Arg{Name: "delimiter", Type: keyword.Str, Default: ", "})},
		Examples: []keyword.Example{{Expr: "dump_all_vars(txn)", Want: ""}}},
	Check: checkDumpVars, Out: sample.Str, From: sample.Constant, Eval: dumpVars,
}}

// dumpedScopes are the scopes that can be named, in the order in which all of them are shown; -1 is all but the last.
var dumpedScopes = []sample.Scope{sample.SessScope, sample.TxnScope, sample.ReqScope, sample.ResScope, sample.ProcScope, sample.CheckScope}

func checkDumpVars(_ *sample.Compiler, a []sample.Arg) error {
	if a[0].Int = -1; a[0].Str == "" {
		return nil
	}
	for i, scope := range dumpedScopes {
		if scope.String() == a[0].Str {
			a[0].Int = int64(i)
			return nil
		}
	}
	return fmt.Errorf("invalid scope '%s', must be one of: sess, txn, req, res, proc", a[0].Str)
}

func dumpVars(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	scopes := dumpedScopes[:len(dumpedScopes)-1]
	switch {
	case !a[0].Present:
		scopes = dumpedScopes[1:2] // the transaction
	case a[0].Int >= 0:
		scopes = dumpedScopes[a[0].Int : a[0].Int+1]
	}
	delimiter := ", "
	if a[2].Present {
		delimiter = a[2].Str
	}
	names := ctx.Owner.(*runtime.Stream).Config.Vars
	b := ctx.Scratch.Room()
	for _, scope := range scopes {
		vars := ctx.Vars[scope]
		if vars == nil {
			continue
		}
		vars.Each(func(id uint32, v *sample.Value) bool {
			name := names.Name(id)
			if !strings.HasPrefix(name, a[1].Str) {
				return true
			}
			if len(b) > 0 {
				b = append(b, delimiter...)
			}
			b = append(append(append(append(b, scope.String()...), '.'), name...), '=')
			b = appendVar(b, v)
			return len(b) < ctx.Scratch.Most()
		})
	}
	if len(b) >= ctx.Scratch.Most() {
		return false
	}
	out.SetStr(ctx.Scratch.Take(b))
	return true
}

// appendVar writes a value so that its type can be seen.
func appendVar(b []byte, v *sample.Value) []byte {
	switch v.Type {
	case sample.Str, sample.Meth:
		return appendQuoted(b, v.Bytes)
	case sample.Bin:
		return append(b, strings.ToUpper(hex.EncodeToString(v.Bytes))...)
	case sample.Bool:
		return strconv.AppendBool(b, v.Int != 0)
	case sample.IPv4, sample.IPv6:
		return v.IP.AppendTo(b)
	case sample.Any:
		return append(b, "(type:0)"...)
	}
	return strconv.AppendInt(b, v.Int, 10)
}

// appendQuoted writes a text between double quotes.
func appendQuoted(b, text []byte) []byte {
	b = append(b, '"')
	for _, c := range text {
		if i := strings.IndexByte("\"\\\r\n\b\x00", c); i >= 0 {
			b = append(b, '\\', `"\rnb0`[i])
		} else {
			b = append(b, c)
		}
	}
	return append(b, '"')
}
