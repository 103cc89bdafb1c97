// Package runtime is the object model of the load balancer: what a loaded
// configuration is made of and what a connection and a request carry. It holds
// types only; behaviour lives in the packages above it (one per domain), and
// runtime/engine drives it.
//
// A Config is immutable once the engine has started, but for the fields marked
// "live", which say who may change them and how.
package runtime
