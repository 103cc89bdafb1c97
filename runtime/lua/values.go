package lua

import (
	"fmt"

	"hapax/acl/sample"
	"hapax/runtime/lua/lua54"
)

var sprintf = fmt.Sprintf

// pushValue pushes a sample.
func (st *state) pushValue(s lua54.State, ctx *sample.Context, v *sample.Value) {
	switch v.Type {
	case sample.Int:
		s.PushInt(v.Int)
	case sample.Bool:
		if st.m.booleans == "normal" {
			s.PushBool(v.Int != 0)
		} else {
			s.PushInt(v.Int)
		}
	case sample.Str, sample.Bin, sample.Meth:
		s.PushBytes(v.Bytes)
	case sample.IPv4, sample.IPv6:
		if !sample.Cast(ctx, v, sample.Str) {
			s.PushNil()
			return
		}
		s.PushBytes(v.Bytes)
	default:
		s.PushNil()
	}
}

// pushText pushes a sample as a string, "" when it cannot be one.
func pushText(s lua54.State, ctx *sample.Context, v *sample.Value) {
	switch v.Type {
	case sample.Str, sample.Bin, sample.Meth:
		s.PushBytes(v.Bytes)
		return
	}
	if !sample.Cast(ctx, v, sample.Str) {
		s.PushString("")
		return
	}
	s.PushBytes(v.Bytes)
}

// readValue makes a sample of the value at i. Its bytes are copied to the scratch buffer; false: they do not fit.
func readValue(s lua54.State, i int, ctx *sample.Context, v *sample.Value) bool {
	v.Flags = 0
	switch s.Type(i) {
	case lua54.TypeNumber:
		n, _ := s.Int(i)
		v.SetInt(n)
	case lua54.TypeString:
		text := s.Bytes(i)
		b := ctx.Scratch.Alloc(len(text))
		if b == nil {
			return false
		}
		copy(b, text)
		v.SetStr(b)
	default:
		v.SetBool(s.Type(i) == lua54.TypeBool && s.Bool(i))
	}
	return true
}

// argument is the text by which an expression has the value at i as an argument.
func argument(s lua54.State, i int) string {
	switch s.Type(i) {
	case lua54.TypeBool:
		if s.Bool(i) {
			return "1"
		}
		return "0"
	case lua54.TypeNumber:
		n, _ := s.Int(i)
		return sprintf("%d", n)
	case lua54.TypeString:
		return quoted(s.Str(i))
	}
	return ""
}

// quoted writes a text as an argument in an expression.
func quoted(text string) string {
	b := make([]byte, 0, len(text)+2)
	b = append(b, '\'')
	for i := range len(text) {
		if text[i] == '\'' {
			b = append(b, `'\''`...)
			continue
		}
		b = append(b, text[i])
	}
	return string(append(b, '\''))
}
