package fetch

import (
	"bytes"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/message"
)

var slotArg = keyword.Arg{Name: "slot", Type: keyword.Int, Doc: "counted from 0 in the order of the \"capture\" lines"}

var captureRows = []sample.Fetch{
	{Doc: doc("capture.req.hdr", "7.3.6", "what was captured of the request in a slot", args(slotArg), "capture.req.hdr(0)", "", "captured"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqLine,
		Eval: slot(func(ctx *sample.Context) [][]byte { return ctx.ReqCaptures })},
	{Doc: doc("capture.res.hdr", "7.3.6", "what was captured of the response in a slot", args(slotArg), "capture.res.hdr(9)", "", ""),
		Dir: sample.Response, Out: sample.Str, From: sample.ResLine,
		Eval: slot(func(ctx *sample.Context) [][]byte { return ctx.ResCaptures })},
	{Doc: doc("capture.req.method", "7.3.6", "the method of the request as it was received", nil, "capture.req.method", getExample, "GET"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqLine, Eval: capturedMethod},
	{Doc: doc("capture.req.uri", "7.3.6", "the path and query of the request as they were received", nil, "capture.req.uri", getExample, "/a/b.html?x=1&y=2"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqLine, Eval: capturedURI},
	{Doc: doc("capture.req.ver", "7.3.6", "the version of the request", nil, "capture.req.ver", getExample, "HTTP/1.1"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqLine, Eval: capturedRequestVersion},
	{Doc: doc("capture.res.ver", "7.3.6", "the version of the response", nil, "capture.res.ver", okResponse, "HTTP/1.1"),
		Dir: sample.Response, Out: sample.Str, From: sample.ReqLine, Eval: capturedResponseVersion},
}

func slot(of func(*sample.Context) [][]byte) eval {
	return func(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
		slots, i := of(ctx), a[0].Int
		if i < 0 || i >= int64(len(slots)) || slots[i] == nil {
			return false
		}
		out.SetConst(slots[i])
		return true
	}
}

func capturedMethod(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	if len(ctx.Line) == 0 {
		return false
	}
	word, _, _ := bytes.Cut(ctx.Line, []byte{' '})
	out.SetConst(word)
	return true
}

func capturedURI(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	_, rest, ok := bytes.Cut(ctx.Line, []byte{' '})
	if !ok {
		return false
	}
	uri, _, _ := bytes.Cut(rest, []byte{' '})
	p := message.SplitURI(uri).Path
	out.SetConst(p)
	return p != nil
}

func capturedRequestVersion(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	return ctx.Req != nil && setVersion(ctx, ctx.Req.VersionNumber(), "HTTP/", out)
}

func capturedResponseVersion(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	return ctx.Res != nil && setVersion(ctx, responseNumber(ctx), "HTTP/", out)
}
