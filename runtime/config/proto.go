package config

import (
	"errors"
	"fmt"
	"slices"

	"hapax/parser/keyword"
	"hapax/runtime"
)

// protoNames are what is spoken on connections, by runtime.Proto behind the words that are
// Missing.
var (
	protoNames    = []string{"h1", "h2", "none", "fcgi", "spop", "quic"}
	missingProtos = protoNames[4:]
)

func protoArgs() []keyword.Arg {
	return []keyword.Arg{{Name: "value", Type: keyword.Enum, Enum: protoNames, Missing: missingProtos}}
}

// protocol reads the argument of word on a "bind" or "server" line, which kind names.
func (l *Loader) protocol(w *Words, kind, word string) (runtime.Proto, error) {
	pos := w.Pos()
	switch value := w.Take(); value {
	case "h1":
		return runtime.ProtoH1, nil
	case "h2":
		return runtime.ProtoH2, nil
	case "none":
		return runtime.ProtoNone, nil
	case "fcgi":
		return runtime.ProtoFCGI, nil
	case "spop", "quic":
		l.Missing(pos, kind+" "+word+" "+value)
		return runtime.ProtoAny, nil
	case "":
		return runtime.ProtoAny, fmt.Errorf("'%s' : missing value", word)
	default:
		return runtime.ProtoAny, fmt.Errorf("'%s' :  unknown MUX protocol '%s'", word, value)
	}
}

// protoName is the word for a protocol; "" when none was named.
func protoName(p runtime.Proto) string {
	return [...]string{runtime.ProtoH1: "h1", runtime.ProtoH2: "h2", runtime.ProtoNone: "none", runtime.ProtoFCGI: "fcgi"}[p]
}

// speaks tells whether a protocol goes with the mode of a proxy.
func speaks(p runtime.Proto, mode runtime.Mode) bool {
	return protoName(p) == "" || (p == runtime.ProtoNone) == (mode == runtime.ModeTCP)
}

// bindProtoWord is "proto <name>".
func bindProtoWord() BindWord {
	d := doc("proto", "5.1", "what is spoken on connections, whatever TLS settles on")
	d.Args = protoArgs()
	return BindWord{Doc: d, Parse: func(l *Loader, w *Words, b *runtime.Bind) (err error) {
		b.Proto, err = l.protocol(w, "bind", "proto")
		return err
	}}
}

// checkBindProtos refuses what cannot be spoken in the mode of the proxy.
func (l *Loader) checkBindProtos(px *runtime.Proxy) {
	for _, b := range px.Binds {
		if b.Proto == runtime.ProtoFCGI || !speaks(b.Proto, px.Mode) {
			l.List.Alertf(b.Pos, "%s '%s' : MUX protocol '%s' is not usable for 'bind %s' at [%s:%d].", px.Kind, px.Name, protoName(b.Proto), b.Text, b.Pos.File, b.Pos.Line)
		}
	}
}

// serverProtoWords are the options that tell what is spoken on the connections to a server.
func serverProtoWords() []ServerWord {
	proto := func(name, summary string, target func(*runtime.Server) *runtime.Proto) ServerWord {
		d := doc(name, "5.2", summary)
		d.Args = protoArgs()
		return ServerWord{Doc: d, Parse: func(l *Loader, w *Words, srv *runtime.Server) (err error) {
			*target(srv), err = l.protocol(w, "server", name)
			return err
		}}
	}
	return []ServerWord{
		proto("proto", "what is spoken on connections, whatever TLS settles on", func(srv *runtime.Server) *runtime.Proto { return &srv.Proto }),
		proto("check-proto", "what health checks speak", func(srv *runtime.Server) *runtime.Proto { return &srv.CheckProto }),
		serverIdlePing(),
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
	if speaks(srv.Proto, px.Mode) {
		return
	}
	if srv.Dynamic {
		l.List.Alertf(srv.Pos, "MUX protocol is not usable for server.")
		return
	}
	l.List.Alertf(srv.Pos, "%s '%s' : MUX protocol '%s' is not usable for server '%s' at [%s:%d].", px.Kind, px.Name, protoName(srv.Proto), srv.Name, srv.Pos.File, srv.Pos.Line)
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
