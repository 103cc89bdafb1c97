package convert

import (
	"bytes"
	"errors"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var partRows = []sample.Converter{
	{Doc: doc("field", "a field of a string that is cut at each delimiter, counted from the end if negative", pieceArgs,
		"str(f1_f2_f3__f5),field(4,_)", "", "str(f1_f2_f3__f5),field(5,_)", "f5", "str(f1_f2_f3__f5),field(2,_,0)", "f2_f3__f5",
		"str(f1_f2_f3__f5),field(-2,_,3)", "f2_f3_", "str(f1_f2_f3__f5),field(-3,_,0)", "f1_f2_f3"),
		Check: checkPiece, In: sample.Str, Out: sample.Str, Eval: field},
	{Doc: doc("word", "a word of a string that is cut at runs of delimiters, counted from the end if negative", pieceArgs,
		"str(f1_f2_f3__f5),word(4,_)", "f5", "str(f1_f2_f3__f5),word(2,_,0)", "f2_f3__f5",
		"str(f1_f2_f3__f5),word(3,_,2)", "f3__f5", "str(f1_f2_f3__f5),word(-2,_,3)", "f1_f2_f3", "str(/a/b),word(1,/)", "a"),
		Check: checkPiece, In: sample.Str, Out: sample.Str, Eval: word},
	{Doc: doc("param", "the value of a parameter of a query string", args(text("name"), opt(text("delim"))),
		"str(a=b&c=d&a=r),param(a)", "b", "str(a&b=c),param(a)", "", "str(a;b=c),param(b,;)", "c"),
		Check: checkParam, In: sample.Str, Out: sample.Str, Eval: param},
	{Doc: doc("bytes", "a part of a block by offset and length", args(operand("offset"), opt(operand("length"))),
		"str(abcdef),bytes(2)", "cdef", "str(abcdef),bytes(1,2)", "bc"),
		Check: checkBytes, In: sample.Bin, Out: sample.Bin, Eval: bytesOf},
}

var pieceArgs = args(number("index"), text("delimiters"),
	opt(keyword.Arg{Name: "count", Type: keyword.Int, Default: "1", Doc: "0: all that follow"}))

func checkPiece(_ *sample.Compiler, a []sample.Arg) error {
	switch {
	case a[0].Int == 0:
		return errors.New("Unexpected value 0 for index")
	case a[1].Str == "":
		return errors.New("Empty separators list")
	}
	return nil
}

// pieceCount is how many pieces are wanted: 1 by default, 0 or less for all.
func pieceCount(a *sample.Arg) int64 {
	if !a.Present {
		return 1
	}
	return a.Int
}

func field(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
	want, count := a[0].Int, pieceCount(&a[2])
	b := v.Bytes
	start, end := 0, len(b)
	at := int64(1)
	if want > 0 {
		for i, c := range b {
			if !contains(a[1].Str, c) {
				continue
			}
			if at != want {
				start = i + 1
				at++
				continue
			}
			if count == 1 {
				end = i
				break
			}
			count = max(count-1, 0)
		}
	} else {
		at = -1
		for i := len(b) - 1; i >= 0; i-- {
			if !contains(a[1].Str, b[i]) {
				continue
			}
			if at != want {
				end = i
				at--
				continue
			}
			if count == 1 {
				start = i + 1
				break
			}
			count = max(count-1, 0)
		}
	}
	if at != want {
		v.Bytes = nil
		return false
	}
	v.Bytes = b[start:end]
	return true
}

func word(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
	want, count := a[0].Int, pieceCount(&a[2])
	b := v.Bytes
	start, end := 0, len(b)
	at := int64(0)
	inside := false // a word, not a run of delimiters
	step, i := 1, 0
	if want < 0 {
		step, i = -1, len(b)-1
	}
	for ; i >= 0 && i < len(b); i += step {
		delim := contains(a[1].Str, b[i])
		switch {
		case !inside && !delim:
			inside = true
			if at != want {
				at += int64(step)
				if step > 0 {
					start = i
				} else {
					end = i + 1
				}
			}
		case inside && delim:
			inside = false
			if at != want {
				continue
			}
			if count == 1 {
				if step > 0 {
					end = i
				} else {
					start = i + 1
				}
				v.Bytes = b[start:end]
				return true
			}
			count = max(count-1, 0)
		}
	}
	if at != want {
		v.Bytes = nil
		return false
	}
	v.Bytes = b[start:end]
	return true
}

func checkParam(_ *sample.Compiler, a []sample.Arg) error {
	if a[1].Present && len(a[1].Str) != 1 {
		return errors.New("Delimiter must be exactly 1 character.")
	}
	return nil
}

func param(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
	name, delim := a[0].Str, byte('&')
	if a[1].Present {
		delim = a[1].Str[0]
	}
	rest := v.Bytes
	for len(rest) > 0 && len(name) <= len(rest) {
		n := len(name)
		// a parameter of the name's length without a value ends here, whatever it is called
		if n == len(rest) || rest[n] == delim {
			if string(rest[:n]) == name {
				v.Bytes = nil
				return true
			}
			rest = rest[min(n+1, len(rest)):]
			continue
		}
		if rest[n] == '=' && string(rest[:n]) == name {
			rest = rest[n+1:]
			if i := bytes.IndexByte(rest, delim); i >= 0 {
				rest = rest[:i]
			}
			v.Bytes = rest
			return true
		}
		i := bytes.IndexByte(rest, delim)
		if i < 0 {
			break
		}
		rest = rest[i+1:]
	}
	v.Bytes = nil
	return false
}

func checkBytes(c *sample.Compiler, a []sample.Arg) error {
	if err := checkOperand(c, &a[0]); err != nil {
		return err
	}
	if a[0].Type == keyword.Int && a[0].Int < 0 {
		return errors.New("expects a non-negative integer")
	}
	if !a[1].Present {
		return nil
	}
	if err := checkOperand(c, &a[1]); err != nil {
		return err
	}
	if a[1].Type == keyword.Int && a[1].Int <= 0 {
		return errors.New("expects a positive integer")
	}
	return nil
}

// bytesOf waits for data that has not come yet when the fetch says that more may come.
func bytesOf(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	from, ok := operandValue(ctx, &a[0])
	if !ok || from < 0 {
		v.Flags &^= sample.MayChange
		v.Bytes = nil
		return false
	}
	have := int64(len(v.Bytes))
	if from >= have {
		v.Bytes = nil
		return ctx.Final
	}
	n := have - from
	if a[1].Present {
		want, ok := operandValue(ctx, &a[1])
		switch {
		case !ok || want < 0:
			v.Flags &^= sample.MayChange
			v.Bytes = nil
			return false
		case want <= n:
			n = want
		case !ctx.Final:
			v.Bytes = nil
			return false
		default:
			// Quirk: a length beyond the end keeps the whole block, offset included.
			return true
		}
	}
	v.Bytes = v.Bytes[from : from+n]
	return true
}
