package runtime

// Channels are the two directions of a stream in the hands of a rule that looks at bytes: those that have come wait until the
// rules are over, and the rule may change them, or let some go on before. The engine's part of a stream (Stream.Engine)
// is one. In HTTP mode nothing can be done with the bytes.
type Channels interface {
	// Raw tells whether the stream is one of bytes: it carries no HTTP.
	Raw() bool
	// Arrived are the bytes that wait.
	Arrived(side int) []byte
	// Input is how many bytes wait: in HTTP mode those of the message, as logs count them.
	Input(side int) int
	// Output is how many bytes go on already and have not left.
	Output(side int) int
	// Room is how many more bytes may wait.
	Room(side int) int
	// Replace puts text in the place of n waiting bytes from at on; false: there is no room for it.
	Replace(side, at, n int, text []byte) bool
	// Forward lets the first n waiting bytes go on.
	Forward(side, n int)
	// Send sends text in front of the bytes that wait; false: nobody takes it any more, or there is no room.
	Send(side int, text []byte) bool
	// Complete tells that all of a message of HTTP came.
	Complete(side int) bool
	// Ended tells that no more bytes come.
	Ended(side int) bool
}
