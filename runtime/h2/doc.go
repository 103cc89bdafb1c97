// Package h2 is HTTP/2 (RFC 9113) as a protocol engine without I/O, for both ends of a connection: bytes in, events and
// message.Messages out; messages and the heads of DATA frames in, bytes out.
//
// A Conn is one connection. Its owner gives Next the bytes that the peer sent and gets events: the head of a message, a
// slice of a body, the end of a stream. All that the Conn has to say, its own answers (SETTINGS, PING, WINDOW_UPDATE,
// RST_STREAM, GOAWAY) and what the owner asks for, is appended to Conn.Out, which the owner sends and empties.
//
// A Stream is embedded in what the owner has per stream. It is the Conn's from Open, or from the ReadHead of its first
// head, until Closed.
package h2
