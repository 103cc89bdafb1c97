package engine

import (
	"errors"
	"time"

	"hapax/runtime"
)

// Section 5.2 "strict-maxconn": all connections to the server count, idle ones too.

// errFull tells that a server has as many connections as it may have.
var errFull = errors.New("as many connections to the server as there may be")

// roomSoon is when to look again after another loop was asked to close an idle connection.
const roomSoon = time.Millisecond

// claimPlace holds a place among the connections to the server, before one is made: newLink takes another one then, and
// dial gives this one back. It tells whether there was one.
func claimPlace(srv *runtime.Server) bool {
	if srv.Conns.Add(1) <= int64(srv.MaxConn.Load()) {
		return true
	}
	srv.Conns.Add(-1)
	return false
}

// crowdedOut ends the attempt of a stream that finds no place; an idle connection makes room for the next one.
func (s *stream) crowdedOut(srv *runtime.Server) outcome {
	if s.w.makeRoom(srv) {
		s.waits = forRetry
		s.timer.After(roomSoon)
		return wait
	}
	return s.dialFailed(errFull)
}
