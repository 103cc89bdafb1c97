package engine

import (
	"errors"
	"slices"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the fetches and converters that ask what only the engine knows of streams and their connections.
var Domain = config.Domain{
	Name:       "engine",
	Fetches:    slices.Concat(streamFetches, connectionFetches, effortFetches, absentFetches),
	Converters: conditionConverters,
	ServerWords: []config.ServerWord{{
		Doc: keyword.Doc{Name: "pool-conn-name", Ref: "5.2", Summary: "only connections made with the same value are used again", Args: []keyword.Arg{{Name: "expr", Type: keyword.Sample}},
			Examples: []keyword.Example{{Config: "backend b\n  mode http\n  server s1 127.0.0.1:80 pool-conn-name req.hdr(host)\n"}}},
		Parse: parsePoolName}},
	Actions:    []config.Action{attachAction},
	CopyServer: func(dst, src *runtime.Server) { dst.PoolName = src.PoolName },
}

// parsePoolName is "pool-conn-name <expression>".
func parsePoolName(_ *config.Loader, w *config.Words, srv *runtime.Server) error {
	text := w.Take()
	if text == "" {
		return errors.New("'pool-conn-name' expects <value> as argument")
	}
	srv.PoolName.Text = text
	return nil
}

// doc makes the shared part of a row whose only example is the keyword itself, with the value that it has in the
// stream that the tests evaluate rows in; "" where it has none.
func doc(name, ref, summary, want string, args ...keyword.Arg) keyword.Doc {
	return example(name, ref, summary, name, want, args...)
}

// example makes the shared part of a row with an example.
func example(name, ref, summary, expr, want string, args ...keyword.Arg) keyword.Doc {
	return keyword.Doc{Name: name, Ref: ref, Summary: summary, Args: args, Examples: []keyword.Example{{Expr: expr, Want: want}}}
}

// evalFunc is what the Eval of a fetch is.
type evalFunc = func(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool

// of makes an Eval of a function of a stream. Where there is no stream there is no value.
func of(eval func(s *runtime.Stream, out *sample.Value) bool) evalFunc {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		s, ok := ctx.Owner.(*runtime.Stream)
		return ok && ctx.Checkpoint&sample.WithoutStream == 0 && eval(s, out)
	}
}

// number makes an Eval of a number of a stream.
func number(get func(s *runtime.Stream) int64) evalFunc {
	return of(func(s *runtime.Stream, out *sample.Value) bool {
		out.SetInt(get(s))
		return true
	})
}

// truth makes an Eval of a property of a stream.
func truth(get func(s *runtime.Stream) bool) evalFunc {
	return of(func(s *runtime.Stream, out *sample.Value) bool {
		out.SetBool(get(s))
		return true
	})
}

// text makes an Eval of a text of a stream, which has no value when it is empty.
func text(get func(s *runtime.Stream) string) evalFunc {
	return of(func(s *runtime.Stream, out *sample.Value) bool {
		t := get(s)
		out.SetText(t)
		return t != ""
	})
}

// running gives the engine's own part of the stream that an expression is evaluated for, nil where there is none: in
// a health check, or for a connection that never carried a stream.
func running(ctx *sample.Context) *stream {
	if s, ok := ctx.Owner.(*runtime.Stream); ok {
		if st, ok := s.Engine.(*stream); ok && st.c != nil {
			return st
		}
	}
	return nil
}
