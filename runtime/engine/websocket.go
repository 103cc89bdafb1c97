package engine

import (
	"slices"

	"hapax/runtime"
	"hapax/runtime/message"
)

// isWebSocket tells whether the request is a WebSocket handshake.
func (s *stream) isWebSocket() bool {
	const handshake = message.ConnUpgrade | message.UpgradeWebSocket
	return s.http && s.Req.Flags&handshake == handshake
}

// reusesForWebSocket tells whether what is spoken on the server's connections is what
// WebSocket handshakes are relayed by. Section 5.2 "ws".
func reusesForWebSocket(srv *runtime.Server) bool {
	want := [...]string{runtime.WebSocketH1: "http/1.1", runtime.WebSocketH2: "h2"}[srv.WebSocket]
	switch {
	case srv.WebSocket == runtime.WebSocketAuto:
		return true
	case srv.Proto == runtime.ProtoAny && srv.Encrypted() && len(srv.ALPN) > 0:
		return len(srv.ALPN) == 1 && srv.ALPN[0] == want
	case srv.WebSocket == runtime.WebSocketH2:
		return srv.Proto == runtime.ProtoH2
	}
	return srv.Proto != runtime.ProtoH2
}

// protoFor is what is spoken on a new connection for the stream, as far as TLS does not decide.
func (s *stream) protoFor(srv *runtime.Server) runtime.Proto {
	if !s.isWebSocket() {
		return srv.Proto
	}
	switch srv.WebSocket {
	case runtime.WebSocketH1:
		return runtime.ProtoH1
	case runtime.WebSocketH2:
		return runtime.ProtoH2
	}
	return srv.Proto
}

// offerFor is what TLS offers on it, "" for what the server line says.
func (s *stream) offerFor(srv *runtime.Server) string {
	if len(srv.ALPN) == 0 || !s.isWebSocket() {
		return ""
	}
	switch srv.WebSocket {
	case runtime.WebSocketH1:
		return "http/1.1"
	case runtime.WebSocketH2:
		return "h2"
	}
	if slices.Contains(srv.ALPN, "http/1.1") {
		return "http/1.1"
	}
	return ""
}
