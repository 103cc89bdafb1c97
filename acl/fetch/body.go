package fetch

import "hapax/acl/sample"

const (
	bodyRequest  = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
	bodyResponse = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
)

var bodyRows = []sample.Fetch{
	{Doc: doc("req.body", "7.3.6", "what is buffered of the request body", nil, "req.body", bodyRequest, "hello"),
		Dir: sample.Request, Out: sample.Bin, From: sample.ReqHeaders, Eval: bodyBytes},
	{Doc: doc("req.body_len", "7.3.6", "how many bytes of the request body are buffered", nil, "req.body_len", bodyRequest, "5"),
		Dir: sample.Request, Out: sample.Int, From: sample.ReqHeaders, Eval: bodyLength},
	{Doc: doc("req.body_size", "7.3.6", "the announced length of the request body", nil, "req.body_size", bodyRequest, "5"),
		Dir: sample.Request, Out: sample.Int, From: sample.ReqHeaders, Eval: bodySize},
	{Doc: doc("res.body", "7.3.6", "what is buffered of the response body", nil, "res.body", bodyResponse, "hello"),
		Dir: sample.Response, Out: sample.Bin, From: sample.ResHeaders, Eval: bodyBytes},
	{Doc: doc("res.body_len", "7.3.6", "how many bytes of the response body are buffered", nil, "res.body_len", bodyResponse, "5"),
		Dir: sample.Response, Out: sample.Int, From: sample.ResHeaders, Eval: bodyLength},
	{Doc: doc("res.body_size", "7.3.6", "the announced length of the response body", nil, "res.body_size", bodyResponse, "5"),
		Dir: sample.Response, Out: sample.Int, From: sample.ResHeaders, Eval: bodySize},
}

// body gives what is buffered in the direction of the evaluation.
func body(ctx *sample.Context) *sample.Body {
	if ctx.Dir == sample.Response {
		return &ctx.ResBody
	}
	return &ctx.ReqBody
}

// bodyData is what is there of a body, decoded.
func bodyData(ctx *sample.Context, b *sample.Body) []byte {
	if len(b.Chunks) == 0 {
		return b.Data
	}
	return ctx.Scratch.Take(b.Decode(ctx.Scratch.Room(), b.Chunks))
}

func bodyBytes(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	if _, ok := head(ctx, out); !ok {
		return false
	}
	b := body(ctx)
	out.SetConstBin(bodyData(ctx, b))
	if !b.Complete {
		out.Flags |= sample.MayChange
	}
	return true
}

func bodyLength(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	_, ok := head(ctx, out)
	out.SetInt(int64(len(bodyData(ctx, body(ctx)))))
	return ok
}

func bodySize(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	_, ok := head(ctx, out)
	b := body(ctx)
	n := b.Size
	if !b.Own {
		n = max(n, int64(len(bodyData(ctx, b))))
	}
	out.SetInt(n)
	return ok
}
