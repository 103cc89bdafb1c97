package convert

import (
	"math"

	"hapax/acl/sample"
)

var mathRows = []sample.Converter{
	arithmetic("add", "the sum, at most and at least what 64 bits hold", add, "int(5),add(-7)", "-2"),
	arithmetic("sub", "the difference, at most and at least what 64 bits hold", sub, "int(5),sub(7)", "-2"),
	arithmetic("mul", "the product, at most and at least what 64 bits hold", mul, "int(5),mul(-7)", "-35"),
	arithmetic("div", "the quotient; the largest number when divided by zero", div, "int(17),div(5)", "3", "int(1),div(0)", "9223372036854775807"),
	arithmetic("mod", "the rest of the division; 0 when divided by zero", mod, "int(-17),mod(5)", "-2"),
	arithmetic("and", "the bits set in both", func(a, b int64) int64 { return a & b }, "int(12),and(10)", "8"),
	arithmetic("or", "the bits set in either", func(a, b int64) int64 { return a | b }, "int(12),or(10)", "14"),
	arithmetic("xor", "the bits set in one only", func(a, b int64) int64 { return a ^ b }, "int(12),xor(10)", "6"),
	{Doc: doc("cpl", "all bits inverted", nil, "int(0),cpl", "-1"), In: sample.Int, Out: sample.Int,
		Eval: func(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool { v.Int = ^v.Int; return true }},
	{Doc: doc("neg", "the opposite number", nil, "int(5),neg", "-5"), In: sample.Int, Out: sample.Int,
		Eval: func(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
			v.Int = sub(0, v.Int)
			return true
		}},
	predicate("bool", "true unless the number is 0", func(n int64) bool { return n != 0 }, "int(3),bool", "1"),
	predicate("not", "true if the number is 0", func(n int64) bool { return n == 0 }, "int(3),not", "0"),
	predicate("odd", "true if the number is odd", func(n int64) bool { return n&1 != 0 }, "int(3),odd", "1"),
	predicate("even", "true if the number is even", func(n int64) bool { return n&1 == 0 }, "int(3),even", "0"),
}

func arithmetic(name, summary string, op func(a, b int64) int64, examples ...string) sample.Converter {
	return sample.Converter{
		Doc:   doc(name, summary, args(operand("value")), examples...),
		Check: func(c *sample.Compiler, a []sample.Arg) error { return checkOperand(c, &a[0]) },
		In:    sample.Int, Out: sample.Int,
		Eval: func(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
			n, ok := operandValue(ctx, &a[0])
			v.Int = op(v.Int, n)
			return ok
		},
	}
}

func predicate(name, summary string, op func(int64) bool, examples ...string) sample.Converter {
	return sample.Converter{
		Doc: doc(name, summary, nil, examples...),
		In:  sample.Int, Out: sample.Bool,
		Eval: func(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
			v.SetBool(op(v.Int))
			return true
		},
	}
}

func add(a, b int64) int64 {
	switch c := a + b; {
	case a > 0 && b > 0 && c < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && c >= 0:
		return math.MinInt64
	default:
		return c
	}
}

func sub(a, b int64) int64 {
	switch c := a - b; {
	case a >= 0 && b < 0 && c < 0:
		return math.MaxInt64
	case a < 0 && b > 0 && c >= 0:
		return math.MinInt64
	default:
		return c
	}
}

func mul(a, b int64) int64 {
	if a == 0 || b == 0 {
		return 0
	}
	c := a * b
	if c/b == a && !(a == -1 && b == math.MinInt64) && !(b == -1 && a == math.MinInt64) {
		return c
	}
	if (a < 0) == (b < 0) {
		return math.MaxInt64
	}
	return math.MinInt64
}

func div(a, b int64) int64 {
	if b == 0 || a == math.MinInt64 && b == -1 {
		return math.MaxInt64
	}
	return a / b
}

func mod(a, b int64) int64 {
	if b == 0 || b == -1 {
		return 0
	}
	return a % b
}
