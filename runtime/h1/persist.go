package h1

import "hapax/runtime/message"

// Mode is how a proxy wants connections to be kept (manual, 4.2: option http-keep-alive,
// http-server-close, httpclose).
type Mode uint8

const (
	ModeKeepAlive   Mode = iota // keep both sides
	ModeServerClose             // close the server side after each response
	ModeClose                   // close both sides after each response
)

// Want is what becomes of one connection after the current exchange. A connection starts at KeepAlive.
type Want uint8

const (
	KeepAlive Want = iota
	Close
	TunnelMode // the bytes of both directions pass as they are
)

// AfterRequest is what a client connection wants once its request was parsed: the client may close by
// its version or by a Connection header. stopping tells that the frontend is being stopped.
func (w Want) AfterRequest(req message.Flags, stopping bool) Want {
	if req&(message.Version11|message.ConnKeepAlive) == 0 || req&message.ConnClose != 0 {
		w = Close
	}
	return w.unless(stopping)
}

// WithResponse is what a client connection wants once the response to it is about to be written; res
// holds its framing, with what its Connection header says as it goes out.
func (w Want) WithResponse(method message.Method, status uint16, res message.Flags, front Mode, stopping bool) Want {
	if Switches(method, status) {
		return TunnelMode
	}
	if w == KeepAlive {
		if res&message.LengthKnown == 0 || res&message.ConnClose != 0 {
			w = Close
		} else if res&message.ConnKeepAlive == 0 && front == ModeClose {
			w = Close
		}
	}
	return w.unless(stopping)
}

// WithRequest is what a server connection wants once a request is about to be written to it; req holds
// what its Connection header says as it goes out.
func (w Want) WithRequest(req message.Flags, front, back Mode, stopping bool) Want {
	if req&message.ConnClose != 0 {
		w = Close
	} else if req&message.ConnKeepAlive == 0 && (front == ModeServerClose || back != ModeKeepAlive) {
		w = Close
	}
	return w.unless(stopping)
}

// AfterResponse is what a server connection wants once its response was parsed.
func (w Want) AfterResponse(method message.Method, status uint16, res message.Flags, stopping bool) Want {
	if Switches(method, status) {
		return TunnelMode
	}
	if w == KeepAlive {
		if res&message.LengthKnown == 0 || res&message.ConnClose != 0 ||
			res&(message.Version11|message.ConnKeepAlive) == 0 {
			w = Close
		}
	}
	return w.unless(stopping)
}

// unless turns KeepAlive into Close when the proxy is being stopped.
func (w Want) unless(stopping bool) Want {
	if stopping && w == KeepAlive {
		return Close
	}
	return w
}

// Informational tells whether a response is followed by another one to the same request.
func Informational(status uint16) bool { return status >= 100 && status < 200 && status != 101 }

// Agreed tells whether a 101 response is an answer to what the request asked for; other responses are.
// One that is not is a bad response.
func Agreed(status uint16, req, res message.Flags) bool {
	return status != 101 || req&res&message.ConnUpgrade != 0
}

// Switches tells whether the response makes the connection carry another protocol.
func Switches(method message.Method, status uint16) bool {
	return status == 101 || method == message.CONNECT && status >= 200 && status < 300
}

// requestConnection is the Connection value to add to a request, "" for none.
func requestConnection(w Want, out message.Flags, pretend bool) string {
	switch {
	case w == TunnelMode || out&message.ConnUpgrade != 0:
		return ""
	case w == KeepAlive || pretend:
		if out&message.Version11 == 0 {
			return "keep-alive"
		}
	case out&message.Version11 != 0:
		return "close"
	}
	return ""
}

// responseConnection is the Connection value to add to a response, "" for none. The client must be told
// when it, or the server whose version the response has, did not speak HTTP/1.1.
func responseConnection(w Want, out message.Flags, request11 bool) string {
	switch {
	case w == TunnelMode || out&message.ConnUpgrade != 0:
		return ""
	case w == KeepAlive:
		if out&message.Version11 == 0 || !request11 {
			return "keep-alive"
		}
	case out&message.Version11 != 0:
		return "close"
	}
	return ""
}
