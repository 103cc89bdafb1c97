// Package convert holds the converters that a value and the variables alone can answer (configuration
// manual, section 7.3.1), split by subject. Those that need an object of another domain (a stick
// table, a map, a certificate, a stream) stand with that domain.
package convert

import (
	"errors"
	"fmt"
	"slices"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

// Rows are the converters of this package.
var Rows = slices.Concat(stringRows, partRows, binaryRows, mathRows, hashRows, cryptoRows, jsonRows, jwtRows,
	timeRows, urlRows, addressRows, frameRows, forwardedRows, protobufRows, fixRows, mqttRows, varRows, debugRows)

// ref is the section of the manual for all of them.
const ref = "7.3.1"

// doc makes the shared part of a row. Examples are pairs of an expression and the value it gives.
func doc(name, summary string, args []keyword.Arg, examples ...string) keyword.Doc {
	d := keyword.Doc{Name: name, Summary: summary, Ref: ref, Args: args}
	for i := 0; i+1 < len(examples); i += 2 {
		d.Examples = append(d.Examples, keyword.Example{Expr: examples[i], Want: examples[i+1]})
	}
	return d
}

func args(a ...keyword.Arg) []keyword.Arg { return a }

func text(name string) keyword.Arg   { return keyword.Arg{Name: name, Type: keyword.Str} }
func number(name string) keyword.Arg { return keyword.Arg{Name: name, Type: keyword.Int} }

func variable(name string) keyword.Arg {
	return keyword.Arg{Name: name, Type: keyword.Str, Doc: "name of a variable with its scope"}
}

// operand is an argument that is a number or the name of a variable.
func operand(name string) keyword.Arg {
	return keyword.Arg{Name: name, Type: keyword.Str, Doc: "integer or variable"}
}

func opt(a keyword.Arg) keyword.Arg {
	a.Opt = true
	return a
}

// checkOperand turns an operand's text into a number (Type Int) or a variable (Type Var).
func checkOperand(c *sample.Compiler, a *sample.Arg) error {
	if v, err := c.Variable(a.Str); err == nil {
		a.Type, a.Var = keyword.Var, v
		return nil
	}
	n, taken := sample.ReadInt(a.Str)
	if taken != len(a.Str) {
		return errors.New("expects an integer or a variable name")
	}
	a.Type, a.Int = keyword.Int, n
	return nil
}

// operandValue is the number that an operand stands for now.
func operandValue(ctx *sample.Context, a *sample.Arg) (int64, bool) {
	if a.Type == keyword.Var {
		return ctx.GetVarInt(a.Var)
	}
	return a.Int, true
}

// checkVariable turns the text of an argument that must name a variable into one.
func checkVariable(c *sample.Compiler, a *sample.Arg) error {
	v, err := c.Variable(a.Str)
	if err != nil {
		return fmt.Errorf("failed to register variable name '%s'", a.Str)
	}
	a.Type, a.Var = keyword.Var, v
	return nil
}

// varText is a variable's value as text.
func varText(ctx *sample.Context, v sample.Var) ([]byte, bool) {
	var val sample.Value
	if !ctx.GetVar(v, &val) || !sample.Cast(ctx, &val, sample.Str) {
		return nil, false
	}
	return val.Bytes, true
}
