package runtime

import (
	"hapax/runtime/loop"
	"hapax/runtime/transport"
)

// Applet is a service of the program that takes the place of a server: it is Stream.Applet with the verdict Serve.
type Applet interface {
	// Name as logs tell it: "<lua.hello>".
	Name() string
	// Open begins to serve the stream. What comes over the pipe is the body of its request, or what the client says
	// in TCP mode; what goes back is a response of HTTP/1, or bytes.
	Open(s *Stream, l *loop.Loop) *transport.Pipe
}
