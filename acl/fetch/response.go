package fetch

import "hapax/acl/sample"

const okResponse = "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"

var responseRows = []sample.Fetch{
	{Doc: doc("status", "7.3.6", "the status of the response", nil, "status", okResponse, "200"),
		Dir: sample.Response, Out: sample.Int, From: sample.ResLine, Eval: status},
	{Doc: doc("res.ver", "7.3.6", "the HTTP version of the response", nil, "res.ver", okResponse, "1.1"),
		Dir: sample.Response, Out: sample.Str, From: sample.ResLine, Eval: responseVersion},
	{Doc: doc("resp_ver", "7.3.6", "the HTTP version of the response", nil, "resp_ver", okResponse, "1.1"),
		Dir: sample.Response, Out: sample.Str, From: sample.ResLine, Eval: responseVersion},
}

// status has a value as long as the status line is there.
func status(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	m, ok := response(ctx, out)
	if !ok || m.Status == 0 {
		return false
	}
	out.SetInt(int64(m.Status))
	return true
}

func responseVersion(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	_, ok := response(ctx, out)
	return ok && setVersion(ctx, responseNumber(ctx), "", out)
}

// responseNumber is the version of the response: what the context says, else that of its first line.
func responseNumber(ctx *sample.Context) string {
	if ctx.ResVersion != "" {
		return ctx.ResVersion
	}
	return ctx.Res.VersionNumber()
}
