package fcgi

import (
	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
)

var fetches = []sample.Fetch{
	{Doc: doc("fcgi.docroot", "the document root of the FastCGI application"), Out: sample.Str, From: sample.ReqHeaders,
		Eval: of(func(a *App) []byte { return a.docroot })},
	{Doc: doc("fcgi.index", "the index of the FastCGI application"), Out: sample.Str, From: sample.ReqHeaders,
		Eval: of(func(a *App) []byte { return a.index })},
}

func doc(name, summary string) keyword.Doc {
	return keyword.Doc{Name: name, Ref: "7.3.6", Summary: summary, Examples: []keyword.Example{{Expr: name, Want: ""}}}
}

// of makes an Eval for a setting of the application of the stream's backend.
func of(setting func(*App) []byte) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		s, ok := ctx.Owner.(*runtime.Stream)
		if !ok || s.Back == nil {
			return false
		}
		u := Of(s.Back)
		if u == nil {
			return false
		}
		value := setting(u.App)
		if len(value) == 0 {
			return false
		}
		out.SetConst(value)
		return true
	}
}
