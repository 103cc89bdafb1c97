package objects

import (
	"time"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
)

type dur = time.Duration

// evalStream fills a value from a stream and reports whether there is one.
type evalStream = func(ctx *sample.Context, s *runtime.Stream, out *sample.Value) bool

// ofStream is a fetch that wants a stream.
func ofStream(name, ref, summary string, out sample.Type, from sample.Source, eval evalStream) sample.Fetch {
	return ofStreamBut(sample.WithoutStream, name, ref, summary, out, from, eval)
}

// ofCheckToo is a fetch that health checks can answer too: they have a backend and a server.
func ofCheckToo(name, ref, summary string, out sample.Type, from sample.Source, eval evalStream) sample.Fetch {
	return ofStreamBut(sample.WithoutStream&^sample.CheckRule, name, ref, summary, out, from, eval)
}

// ofStreamBut has no value at the checkpoints of the first argument.
func ofStreamBut(without sample.Checkpoint, name, ref, summary string, out sample.Type, from sample.Source, eval evalStream) sample.Fetch {
	doc := keyword.Doc{Name: name, Ref: ref, Summary: summary}
	doc.Examples = []keyword.Example{{Config: "frontend f\n  mode http\n  bind :8080\n  log stderr local0\n  log-format %[" + name + "]\n"}}
	return sample.Fetch{Doc: doc, Out: out, From: from,
		Eval: func(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
			s, ok := ctx.Owner.(*runtime.Stream)
			return ok && ctx.Checkpoint&without == 0 && eval(ctx, s, v)
		}}
}

func number(get func(*runtime.Stream) int64) evalStream {
	return func(_ *sample.Context, s *runtime.Stream, out *sample.Value) bool {
		out.SetInt(get(s))
		return true
	}
}

func text(get func(*runtime.Stream) string) evalStream {
	return func(ctx *sample.Context, s *runtime.Stream, out *sample.Value) bool {
		return setText(ctx, out, get(s))
	}
}

// setText gives a string as a value, by a copy into the scratch buffer.
func setText(ctx *sample.Context, out *sample.Value, s string) bool {
	b := ctx.Scratch.Alloc(len(s))
	if b == nil && s != "" {
		return false
	}
	copy(b, s)
	out.SetStr(b)
	return true
}

// duration gives a time in ms, rounded up as timeouts are.
func duration(get func(*runtime.Stream) dur) evalStream {
	return number(func(s *runtime.Stream) int64 { return get(s).Milliseconds() })
}

func first(own, proxy dur) dur {
	if own > 0 {
		return own
	}
	return proxy
}

// The timeouts of a server's connection are the backend's only from the moment when it stands.
func serverTimeout(s *runtime.Stream) dur {
	if s.Time.Connect == 0 {
		return s.Timeouts.Server
	}
	return first(s.Timeouts.Server, s.Back.Timeout.Server)
}

func tunnelTimeout(s *runtime.Stream) dur {
	if s.Time.Connect == 0 {
		return s.Timeouts.Tunnel
	}
	return first(s.Timeouts.Tunnel, s.Back.Timeout.Tunnel)
}

func serverID(_ *sample.Context, s *runtime.Stream, out *sample.Value) bool {
	srv := s.Chosen()
	if srv == nil {
		return false
	}
	out.SetInt(int64(srv.ID))
	return true
}

func serverName(ctx *sample.Context, s *runtime.Stream, out *sample.Value) bool {
	srv := s.Chosen()
	return srv != nil && setText(ctx, out, srv.Name)
}

func reused(_ *sample.Context, s *runtime.Stream, out *sample.Value) bool {
	out.SetBool(s.Reused)
	return true
}

func firstRequest(ctx *sample.Context, s *runtime.Stream, out *sample.Value) bool {
	if s.Front.Mode != runtime.ModeHTTP || ctx.Req == nil {
		return false
	}
	out.SetBool(s.FirstRequest)
	return true
}

func redispatched(_ *sample.Context, s *runtime.Stream, out *sample.Value) bool {
	out.SetBool(s.Redispatched)
	return true
}

func termination(ctx *sample.Context, s *runtime.Stream, out *sample.Value) bool {
	b := ctx.Scratch.Alloc(2)
	if b == nil {
		return false
	}
	b[0], b[1] = s.End.Cause, s.End.State
	out.SetStr(b)
	return true
}

// status is that of the response as it stands, rules that changed it included.
func status(ctx *sample.Context, s *runtime.Stream, out *sample.Value) bool {
	n := int64(s.Status)
	if ctx.Res != nil && ctx.Res.Status != 0 {
		n = int64(ctx.Res.Status)
	}
	if n <= 0 {
		return false
	}
	out.SetInt(n)
	return true
}

// uniqueID makes the stream's unique id when nothing has asked for it yet.
func uniqueID(ctx *sample.Context, s *runtime.Stream, out *sample.Value) bool {
	f := s.Front.UniqueIDFormat.Format
	if f == nil || f.Empty() {
		return false
	}
	if len(s.UniqueID) == 0 {
		s.UniqueID = f.Append(s.UniqueID[:0], ctx)
	}
	out.SetConst(s.UniqueID)
	return true
}

// ofSession makes the row of what a client connection tells, with or without a stream.
func ofSession(name, summary string, out sample.Type, eval func(*sample.Context, *runtime.Session, *sample.Value) bool) sample.Fetch {
	return sample.Fetch{
		Doc: keyword.Doc{Name: name, Ref: "7.3.3", Summary: summary, Examples: example(name)},
		Out: out, From: sample.Frontend,
		Eval: func(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
			switch owner := ctx.Owner.(type) {
			case *runtime.Stream:
				return owner.Session != nil && eval(ctx, owner.Session, v)
			case *runtime.Session:
				return eval(ctx, owner, v)
			}
			return false
		}}
}

func defaultBackend(ctx *sample.Context, sess *runtime.Session, out *sample.Value) bool {
	if sess.Front.DefaultBack == nil {
		return false
	}
	return setText(ctx, out, sess.Front.DefaultBack.Name)
}

func listenerConns(_ *sample.Context, sess *runtime.Session, out *sample.Value) bool {
	if sess.Listener == nil {
		return false
	}
	out.SetInt(sess.Listener.Conns.Load())
	return true
}

func listenerID(_ *sample.Context, sess *runtime.Session, out *sample.Value) bool {
	if sess.Listener == nil {
		return false
	}
	out.SetInt(int64(sess.Listener.ID))
	return true
}

func listenerName(ctx *sample.Context, sess *runtime.Session, out *sample.Value) bool {
	return sess.Listener != nil && sess.Listener.Name != "" && setText(ctx, out, sess.Listener.Name)
}

// ofProcess makes the row of a number of the process. Without a stream (while the
// configuration is read) it is 0.
func ofProcess(name, summary string, out sample.Type, from sample.Source, get func(*runtime.Stream) int64) sample.Fetch {
	return sample.Fetch{
		Doc: keyword.Doc{Name: name, Ref: "7.3.2", Summary: summary, Examples: example(name)},
		Out: out, From: from,
		Eval: func(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
			var n int64
			if s, ok := ctx.Owner.(*runtime.Stream); ok && s.Config != nil {
				n = get(s)
			}
			set(v, out, n)
			return true
		}}
}

func stopping(s *runtime.Stream) int64 {
	if s.Config.Stats.Stopping.Load() {
		return 1
	}
	return 0
}

func uptime(s *runtime.Stream) int64 { return int64(time.Since(s.Config.Stats.Started) / time.Second) }
