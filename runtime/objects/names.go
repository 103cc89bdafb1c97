package objects

import (
	"bytes"
	"strconv"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// ofName makes the row of a converter that takes the name of a proxy or a server.
func ofName(name, summary string, out sample.Type, expr string, eval func(s *runtime.Stream, name []byte) (int64, bool)) sample.Converter {
	return sample.Converter{
		Doc: keyword.Doc{Name: name, Ref: "7.3.1", Summary: summary, Examples: example(expr)},
		In:  sample.Str, Out: out,
		Eval: func(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
			s, ok := ctx.Owner.(*runtime.Stream)
			if !ok || s.Config == nil {
				return false
			}
			n, ok := eval(s, v.Bytes)
			set(v, out, n)
			return ok
		},
	}
}

// find looks up a proxy of one side by its name, or by its id behind a number sign.
func find(cfg *runtime.Config, name []byte, caps runtime.Cap) *runtime.Proxy {
	id := -1
	if len(name) > 1 && name[0] == '#' {
		id, _ = strconv.Atoi(string(name[1:]))
	}
	for _, px := range cfg.AllProxies() {
		if px.Caps&caps != 0 && (px.Name == string(name) || px.ID == id) {
			return px
		}
	}
	return nil
}

func feExists(s *runtime.Stream, name []byte) (int64, bool) {
	if find(s.Config, name, runtime.CapFront) == nil {
		return 0, true
	}
	return 1, true
}

func nbsrv(s *runtime.Stream, name []byte) (int64, bool) {
	px := find(s.Config, name, runtime.CapBack)
	if px == nil {
		return 0, false
	}
	return usable(px), true
}

// server looks up "backend/server", or a server of the current backend.
func server(s *runtime.Stream, name []byte) *runtime.Server {
	px := s.Back
	if i := bytes.IndexByte(name, '/'); i >= 0 {
		px = find(s.Config, name[:i], runtime.CapBack)
		name = name[i+1:]
	}
	if px == nil || px.Caps&runtime.CapBack == 0 {
		return nil
	}
	for _, srv := range px.AllServers() {
		if srv.Name == string(name) {
			return srv
		}
	}
	return nil
}

func srvIsUp(s *runtime.Stream, name []byte) (int64, bool) {
	srv := server(s, name)
	if srv == nil {
		return 0, false
	}
	return isUp(srv), true
}

func srvQueue(s *runtime.Stream, name []byte) (int64, bool) {
	srv := server(s, name)
	if srv == nil {
		return 0, false
	}
	return srv.Queued.Load(), true
}
