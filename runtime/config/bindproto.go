package config

import (
	"errors"
	"fmt"

	"hapax/parser/keyword"
	"hapax/runtime"
)

// protoNames are the protocols that "proto" may name.
var protoNames = []string{"h1", "h2", "none", "fcgi", "spop", "quic"}

// bindProtoWord is "proto <name>".
func bindProtoWord() BindWord {
	d := doc("proto", "5.1", "what is spoken on connections, whatever TLS settles on")
	d.Args = []keyword.Arg{{Name: "value", Type: keyword.Enum, Enum: protoNames, Missing: []string{"fcgi", "spop", "quic"}}}
	return BindWord{Doc: d, Parse: func(l *Loader, w *Words, b *runtime.Bind) error {
		pos := w.Pos()
		switch value := w.Take(); value {
		case "h1":
			b.Proto = runtime.ProtoH1
		case "h2":
			b.Proto = runtime.ProtoH2
		case "none":
			b.Proto = runtime.ProtoNone
		case "fcgi", "spop", "quic":
			l.Missing(pos, "bind proto "+value)
		case "":
			return errors.New("'proto' : missing value")
		default:
			return fmt.Errorf("'proto' :  unknown MUX protocol '%s'", value)
		}
		return nil
	}}
}

// checkBindProtos refuses what cannot be spoken in the mode of the proxy.
func (l *Loader) checkBindProtos(px *runtime.Proxy) {
	for _, b := range px.Binds {
		name := [...]string{runtime.ProtoH1: "h1", runtime.ProtoH2: "h2", runtime.ProtoNone: "none"}[b.Proto]
		if name == "" || (b.Proto == runtime.ProtoNone) == (px.Mode == runtime.ModeTCP) {
			continue
		}
		l.List.Alertf(b.Pos, "%s '%s' : MUX protocol '%s' is not usable for 'bind %s' at [%s:%d].", px.Kind, px.Name, name, b.Text, b.Pos.File, b.Pos.Line)
	}
}
