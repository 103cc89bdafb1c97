package runtime

import "hapax/runtime/event"

// ServerEventKind is what can happen to a server. Its words are those by which scripts in Lua subscribe.
type ServerEventKind uint8

const (
	ServerAdded      ServerEventKind = iota // by "add server"
	ServerRemoved                           // by "del server"
	ServerUp                                // it left ServerStopped
	ServerDown                              // it is ServerStopped now
	ServerChanged                           // its operational state did: ServerEvent.State
	ServerAdminister                        // its administrative state did: ServerEvent.Admin
	ServerChecked                           // a check found something new: ServerEvent.Check
	ServerMoved                             // it has another address or port
)

func (k ServerEventKind) String() string {
	return [...]string{"SERVER_ADD", "SERVER_DEL", "SERVER_UP", "SERVER_DOWN", "SERVER_STATE", "SERVER_ADMIN", "SERVER_CHECK", "SERVER_INETADDR"}[k]
}

// ServerEvent is something that has happened to a server.
type ServerEvent struct {
	Kind   ServerEventKind
	Server *Server
	State  StateChange // of ServerChanged
	Admin  AdminChange // of ServerAdminister
	Check  CheckReport // of ServerChecked
}

// StateChange is another operational state of a server.
type StateChange struct {
	Old, New ServerState
	ByAdmin  bool         // it follows from another administrative state
	Cause    string       // in words; "" where Check tells it, or nothing does
	Check    *CheckReport // that found it; nil: none did
	Requeued int          // requests that left the queue of the server, or could come to it
}

// AdminChange is another administrative state of a server.
type AdminChange struct {
	Old, New Admin
	Cause    string
	Requeued int
}

// CheckReport is the result of a check, with the health that it left.
type CheckReport struct {
	CheckResult
	Agent              bool
	Health, Rise, Fall int
}

// ServerEvents is who is told of what happens to one server, or to all.
type ServerEvents = event.List[ServerEvent]

// Publish tells those who follow this server, and those who follow all.
func (s *Server) Publish(all *ServerEvents, e ServerEvent) {
	e.Server = s
	s.Events.Publish(e)
	all.Publish(e)
}
