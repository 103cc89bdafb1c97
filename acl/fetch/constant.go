package fetch

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/message"
)

var constantRows = []sample.Fetch{
	{Doc: doc("always_false", "7.3.2", "false", nil, "always_false", "", "0"),
		Out: sample.Bool, From: sample.Constant, Eval: constantBool(false)},
	{Doc: doc("always_true", "7.3.2", "true", nil, "always_true", "", "1"),
		Out: sample.Bool, From: sample.Constant, Eval: constantBool(true)},
	{Doc: doc("bool", "7.3.2", "a boolean", args(keyword.Arg{Name: "value", Type: keyword.Str, Doc: "true, false, 1 or 0"}),
		"bool(true)", "", "1", "bool(0)", "", "0"),
		Check: checkBool, Out: sample.Bool, From: sample.Constant, Eval: argBool},
	{Doc: doc("int", "7.3.2", "an integer", args(number("value")), "int(-5)", "", "-5"),
		Out: sample.Int, From: sample.Constant, Eval: argInt},
	{Doc: doc("ipv4", "7.3.2", "an IPv4 address", args(keyword.Arg{Name: "address", Type: keyword.IPv4}), "ipv4(192.0.2.1)", "", "192.0.2.1"),
		Out: sample.IPv4, From: sample.Constant, Eval: argAddr},
	{Doc: doc("ipv6", "7.3.2", "an IPv6 address", args(keyword.Arg{Name: "address", Type: keyword.IPv6}), "ipv6(2001:db8::1)", "", "2001:db8::1"),
		Out: sample.IPv6, From: sample.Constant, Eval: argAddr},
	{Doc: doc("meth", "7.3.2", "an HTTP method", args(text("name")), "meth(GET)", "", "GET"),
		Check: checkMethod, Out: sample.Meth, From: sample.Constant, Eval: argMethod},
	{Doc: doc("str", "7.3.2", "a string", args(text("value")), "str(hello)", "", "hello"),
		Check: keepBytes, Out: sample.Str, From: sample.Constant, Eval: argStr},
	{Doc: doc("bin", "7.3.2", "a binary block", args(keyword.Arg{Name: "hex", Type: keyword.Str, Doc: "pairs of hexadecimal digits"}),
		"bin(616263)", "", "abc"),
		Check: checkBin, Out: sample.Bin, From: sample.Constant, Eval: argBin},
	{Doc: doc("env", "7.3.2", "the value of an environment variable", args(text("name")), "env(NO_SUCH_VARIABLE)", "", ""),
		Out: sample.Str, From: sample.Constant, Eval: environment},
	{Doc: doc("var", "7.3.2", "the value of a variable, or a default", args(
		keyword.Arg{Name: "name", Type: keyword.Var}, opt(text("default"))), "var(txn.none,5)", "", "5"),
		Check: checkVarDefault, Out: sample.Any, From: sample.Constant, Eval: variable},
}

func constantBool(b bool) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(_ *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		out.SetBool(b)
		return true
	}
}

func checkBool(_ *sample.Compiler, a []sample.Arg) error {
	switch strings.ToLower(a[0].Str) {
	case "true", "1":
		a[0].Int = 1
	case "false", "0":
		a[0].Int = 0
	default:
		return errors.New("Expects 'true', 'false', '0' or '1'")
	}
	return nil
}

func argBool(_ *sample.Context, a []sample.Arg, out *sample.Value) bool {
	out.SetBool(a[0].Int != 0)
	return true
}

func argInt(_ *sample.Context, a []sample.Arg, out *sample.Value) bool {
	out.SetInt(a[0].Int)
	return true
}

func argAddr(_ *sample.Context, a []sample.Arg, out *sample.Value) bool {
	return out.SetAddr(a[0].IP)
}

// keepBytes leaves the bytes of the first argument in its Data.
func keepBytes(_ *sample.Compiler, a []sample.Arg) error {
	a[0].Data = []byte(a[0].Str)
	return nil
}

func argStr(_ *sample.Context, a []sample.Arg, out *sample.Value) bool {
	out.SetConst(a[0].Data.([]byte))
	return true
}

func checkBin(_ *sample.Compiler, a []sample.Arg) error {
	if a[0].Str == "" {
		return errors.New("(null)") // Quirk: refused without a reason
	}
	if len(a[0].Str)%2 != 0 {
		return errors.New("an even number of hex digit is expected")
	}
	b, err := hex.DecodeString(a[0].Str)
	var bad hex.InvalidByteError
	if errors.As(err, &bad) {
		return fmt.Errorf("an hex digit is expected (found '%c')", byte(bad))
	}
	a[0].Data = b
	return err
}

func argBin(_ *sample.Context, a []sample.Arg, out *sample.Value) bool {
	out.SetConstBin(a[0].Data.([]byte))
	return true
}

func checkMethod(_ *sample.Compiler, a []sample.Arg) error {
	name := []byte(a[0].Str)
	for _, c := range name {
		if !isToken(c) {
			return errors.New("expects valid method.")
		}
	}
	a[0].Data = name
	a[0].Int = int64(message.MethodOf(name))
	return nil
}

func argMethod(_ *sample.Context, a []sample.Arg, out *sample.Value) bool {
	out.SetMethod(a[0].Data.([]byte))
	return true
}

// isToken tells whether a byte may stand in a token (RFC 9110, 5.6.2).
func isToken(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c != 0 && strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func environment(_ *sample.Context, a []sample.Arg, out *sample.Value) bool {
	v, ok := os.LookupEnv(a[0].Str)
	if ok {
		out.SetConst([]byte(v))
	}
	return ok
}

func checkVarDefault(_ *sample.Compiler, a []sample.Arg) error {
	if a[1].Present {
		a[1].Data = []byte(a[1].Str)
	}
	return nil
}

func variable(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	if ctx.GetVar(a[0].Var, out) {
		return true
	}
	if !a[1].Present {
		return false
	}
	out.SetConst(a[1].Data.([]byte))
	return true
}
