// Package fetch holds the sample fetches that a message, the addresses of a connection, the content of a buffer
// or a constant can answer (configuration manual, sections 7.3.2 to 7.3.6), split by subject. Those that need an
// object of another domain (a stream's timers, a proxy, a stick table) stand with that domain.
package fetch

import (
	"slices"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/message"
)

// Rows are the fetches of this package.
var Rows = slices.Concat(constantRows, internalRows, addressRows, tlsRows, payloadRows, helloRows, distccRows, requestRows, headerRows,
	cookieRows, parameterRows, bodyRows, blockRows, authRows, responseRows, captureRows)

// doc makes the shared part of a row. Examples are triples: an expression, what it is evaluated on, its value.
func doc(name, ref, summary string, args []keyword.Arg, examples ...string) keyword.Doc {
	d := keyword.Doc{Name: name, Ref: ref, Summary: summary, Args: args}
	for i := 0; i+2 < len(examples); i += 3 {
		d.Examples = append(d.Examples, keyword.Example{Expr: examples[i], Req: examples[i+1], Want: examples[i+2]})
	}
	return d
}

func args(a ...keyword.Arg) []keyword.Arg { return a }

func text(name string) keyword.Arg   { return keyword.Arg{Name: name, Type: keyword.Str} }
func number(name string) keyword.Arg { return keyword.Arg{Name: name, Type: keyword.Int} }

func opt(a keyword.Arg) keyword.Arg {
	a.Opt = true
	return a
}

// request gives the request while its head is there. Without one it asks for a wait, if that can help: once the
// response is being worked on, the request is gone.
func request(ctx *sample.Context, out *sample.Value) (*message.Message, bool) {
	if at := ctx.Checkpoint; ctx.Req == nil || at != 0 && at&sample.AnyRequest == 0 {
		if !ctx.NotHTTP && at&sample.AnyResponse&^sample.CheckRule == 0 {
			out.Flags |= sample.MayChange
		}
		return nil, false
	}
	return ctx.Req, true
}

// response gives the response while its head is there.
func response(ctx *sample.Context, out *sample.Value) (*message.Message, bool) {
	if ctx.Res == nil {
		if at := ctx.Checkpoint; at == 0 || at&sample.AnyResponse != 0 {
			out.Flags |= sample.MayChange
		}
		return nil, false
	}
	return ctx.Res, true
}

// head gives the message in the direction of the evaluation.
func head(ctx *sample.Context, out *sample.Value) (*message.Message, bool) {
	if ctx.Dir == sample.Response {
		return response(ctx, out)
	}
	return request(ctx, out)
}
