// Package compat holds hapax to what HAProxy does: golden cases that were recorded
// from it, tests of the architecture and of the tables, benchmarks and a soak test
// that run both programs.
//
// The cases under testdata/wire and testdata/process are scripts whose transcript was
// recorded from the reference. Each one runs on both engines of the loop: once as the
// system is, once with io_uring refused by a seccomp filter.
//
//	go test ./compat-tests                                   hapax against the transcripts
//	go test ./compat-tests -run Golden -oracle=PATH          another program, say haproxy, against them
//	go test ./compat-tests -run Golden -oracle=PATH -update  write the transcripts anew from it
//	go test ./compat-tests -run Golden/NAME -update          what hapax does in a case that is known to diverge
package compat
