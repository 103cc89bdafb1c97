// Package engine drives the object model of package runtime: it listens,
// accepts, runs the steps of each stream, connects to servers, keeps their idle
// connections and ends everything in order.
//
// One worker runs on each loop. A client connection, its streams and their
// server connections live on the worker that accepted it, so nothing on the
// request path is locked. What loops share (the numbers of a server, its queue,
// its weight) is atomic or guarded by the type that owns it.
//
// A stream is two lanes of steps, request and response (see lane.go): whoever
// wakes a stream only runs a lane, and a step is safe to enter again.
package engine
