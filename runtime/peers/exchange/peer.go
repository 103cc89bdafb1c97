package exchange

import (
	"hapax/runtime/sticktable/table"
)

// Peer is another process, or the one that this process replaces or is replaced by, which has its name: the local peer.
type Peer struct {
	Name  string
	Local bool
	Shard int // the kind of entries that it is told of; 0: all

	Tables []*Shared // the table that was declared last first

	session   *Session
	app       App
	learn     Learn
	status    int   // of the last greeting
	flags     flags //
	reconnect int64 // when to connect again, or to give the session up; 0: never
	heartbeat int64 // when to tell that this process is there; 0: never
	handshake int64 // when the last greeting ended or began; 0: never
	confirm   int   // lessons whose end is not acknowledged yet

	Counts Counts
}

// Session is the one with the peer; nil: there is none.
func (p *Peer) Session() *Session { return p.session }

// Counts is what happened with a peer since the start.
type Counts struct{ SentBeats, Beats, NoBeats, Connects, Errors, Collisions uint32 }

// App is what the session of a peer does.
type App uint8

// States of sessions.
const (
	Stopped App = iota
	Starting
	Running
	Stopping
)

func (a App) String() string { return [...]string{"STOPPED", "STARTING", "RUNNING", "STOPPING"}[a] }

// Learn is what this process learns from a peer.
type Learn uint8

// States of a lesson.
const (
	NotAssigned Learn = iota
	Assigned          // it is to be asked for
	Processing
	Finished
)

func (l Learn) String() string {
	return [...]string{"NOTASSIGNED", "ASSIGNED", "PROCESSING", "FINISHED"}[l]
}

// flags of a peer, as "show peers" prints them.
type flags uint32

const (
	teaching     flags = 1 << iota // it is being taught
	taught                         // and has been told that this was all
	handedOver                     // the new process knows all
	notUpToDate                    // it has taught, without knowing all itself
	_                              //
	alive                          // it has said something lately
	beating                        // it is to be told that this process is there
	downgraded                     // it wants version 2.0
	wantedResync flags = 1 << 20   // it has asked to be taught once

	lesson = teaching | taught
)

// Shared is a table as it is exchanged with one peer.
type Shared struct {
	Table    *table.Table
	LocalID  int
	RemoteID int

	data     uint64              // what the peer's entries store: a bit for each type
	elements [table.Types]uint32 // of its arrays

	got, acked uint32 // numbers of its changes: the last one, and the last that was acknowledged
	pushed     uint64 // the last change that it was told of in this session
	origin     uint64 // where its lesson has begun
	update     uint64 // the last change that it has acknowledged
	place      table.Place
	walked     bool // the lesson is over
}

// begin prepares for a session, or a lesson.
func (st *Shared) begin() {
	st.origin, st.pushed = st.update, st.update
	st.place, st.walked = table.Place{}, false
}

// acknowledged notes the number that a peer has acknowledged, of which it has the lower half only.
func (st *Shared) acknowledged(number uint32) {
	last := st.Table.LastChange()
	update := last&^(1<<32-1) | uint64(number)
	if update > last {
		update -= min(update, 1<<32) // of the numbers before, or none that was ever given
	}
	st.update = update
}

// Status codes of the greeting, and what stands for it before.
const (
	connecting     = 100
	greeted        = 110
	accepted       = 200
	tryAgain       = 300
	noProtocol     = 501
	wrongVersion   = 502
	wrongLocalName = 503
	unknownPeer    = 504
)

// StatusText is what "show peers" prints for a status.
func StatusText(status int) string {
	switch status {
	case connecting:
		return "CONN"
	case greeted:
		return "HSHK"
	case accepted:
		return "ESTA"
	case tryAgain:
		return "RETR"
	case noProtocol:
		return "PROT"
	case wrongVersion:
		return "VERS"
	case wrongLocalName:
		return "NAME"
	case unknownPeer:
		return "UNKN"
	}
	return "NONE"
}
