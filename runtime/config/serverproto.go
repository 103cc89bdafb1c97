package config

import (
	"errors"
	"fmt"
	"slices"

	"hapax/parser/keyword"
	"hapax/runtime"
)

// serverProtoWords are the options that tell what is spoken on the connections to a server.
func serverProtoWords() []ServerWord {
	proto := func(name, summary string, target func(*runtime.Server) *runtime.Proto) ServerWord {
		w := serverFrom(name, summary, []string{"h1", "h2", "none", "fcgi", "spop", "quic"}, serverProto(name, target))
		w.Args[0].Missing = []string{"fcgi", "spop", "quic"}
		return w
	}
	return []ServerWord{
		proto("proto", "what is spoken on connections, whatever TLS settles on", func(srv *runtime.Server) *runtime.Proto { return &srv.Proto }),
		proto("check-proto", "what health checks speak", func(srv *runtime.Server) *runtime.Proto { return &srv.CheckProto }),
		serverFrom("init-state", "how the server starts, and leaves maintenance", initStates(), initState),
		serverFrom("ws", "what WebSocket handshakes are relayed by", []string{"auto", "h1", "h2"}, serverWebSocket),
	}
}

// serverFrom is the row of an option whose argument is one of some words.
func serverFrom(name, summary string, words []string, parse func(l *Loader, w *Words, srv *runtime.Server) error) ServerWord {
	d := doc(name, "5.2", summary)
	d.Args = []keyword.Arg{{Name: "value", Type: keyword.Enum, Enum: words}}
	return ServerWord{Doc: d, Parse: parse}
}

func serverProto(word string, target func(*runtime.Server) *runtime.Proto) func(*Loader, *Words, *runtime.Server) error {
	return func(l *Loader, w *Words, srv *runtime.Server) error {
		pos := w.Pos()
		switch value := w.Take(); value {
		case "h1":
			*target(srv) = runtime.ProtoH1
		case "h2":
			*target(srv) = runtime.ProtoH2
		case "none":
			*target(srv) = runtime.ProtoNone
		case "fcgi", "spop", "quic":
			l.Missing(pos, "server "+word+" "+value)
		case "":
			return fmt.Errorf("'%s' : missing value", word)
		default:
			return fmt.Errorf("'%s' :  unknown MUX protocol '%s'", word, value)
		}
		return nil
	}
}

func serverWebSocket(l *Loader, w *Words, srv *runtime.Server) error {
	switch w.Take() {
	case "auto":
		srv.WebSocket = runtime.WebSocketAuto
	case "h1":
		srv.WebSocket = runtime.WebSocketH1
	case "h2":
		srv.WebSocket = runtime.WebSocketH2
	default:
		return errors.New("'ws' has to be 'auto', 'h1' or 'h2'")
	}
	return nil
}

// checkProto refuses what cannot be spoken in the mode of the proxy.
func (l *Loader) checkProto(px *runtime.Proxy, srv *runtime.Server) {
	name := [...]string{runtime.ProtoH1: "h1", runtime.ProtoH2: "h2", runtime.ProtoNone: "none"}[srv.Proto]
	if name == "" || (srv.Proto == runtime.ProtoNone) == (px.Mode == runtime.ModeTCP) {
		return
	}
	if srv.Dynamic {
		l.List.Alertf(srv.Pos, "MUX protocol is not usable for server.")
		return
	}
	l.List.Alertf(srv.Pos, "%s '%s' : MUX protocol '%s' is not usable for server '%s' at [%s:%d].", px.Kind, px.Name, name, srv.Name, srv.Pos.File, srv.Pos.Line)
}

// initStates are the values of "init-state" by runtime.InitState.
func initStates() []string { return []string{"none", "fully-up", "up", "down", "fully-down"} }

func initState(l *Loader, w *Words, srv *runtime.Server) error {
	value := w.Take()
	i := slices.Index(initStates(), value)
	if i < 0 {
		return fmt.Errorf("'init-state' expects one of 'none', 'fully-up', 'up', 'down', or 'fully-down' but got '%s'", value)
	}
	srv.InitState = runtime.InitState(i)
	return nil
}
