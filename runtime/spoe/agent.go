// Package spoe is what the engines of stream processing offload ("filter spoe", doc/SPOE.txt) do with a stream: they make
// messages of it for an agent, and do what the agent answers. Package engine has the connections, runtime/filter reads the
// files.
package spoe

import (
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"time"

	"hapax/acl"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Event is when messages are sent of their own.
type Event uint8

const (
	OnClientSession Event = iota
	OnFrontTCPRequest
	OnBackTCPRequest
	OnFrontHTTPRequest
	OnBackHTTPRequest
	OnServerSession
	OnTCPResponse
	OnHTTPResponse
	Events
)

// EventNames are those of files and logs.
var EventNames = [Events]string{"on-client-session", "on-frontend-tcp-request", "on-backend-tcp-request",
	"on-frontend-http-request", "on-backend-http-request", "on-server-session", "on-tcp-response", "on-http-response"}

func (e Event) String() string { return EventNames[e] }

// Dir is the side of the stream that the event is about.
func (e Event) Dir() sample.Dir {
	if e >= OnServerSession {
		return sample.Response
	}
	return sample.Request
}

// At is where its messages are evaluated.
func (e Event) At() sample.Checkpoint {
	return [Events]sample.Checkpoint{sample.FrontConnection, sample.FrontReqContent, sample.BackReqContent,
		sample.FrontReqHeaders, sample.BackReqHeaders, sample.ServerConnect, sample.BackResContent, sample.BackResHeaders}[e]
}

// Agent is who is asked: a "spoe-agent" section of the file of one filter. Section 2.2.
type Agent struct {
	Name       string
	Engine     string         // the unique name by which agents know the filter
	Front      *runtime.Proxy // the exchanges come from: streams of its own, which it does not log. The log of what is done is its
	MaxFrame   int            // bytes of a frame at most
	Processing time.Duration  // how long a stream waits; 0: forever
	Events     [Events][]*Message
	Pipelining bool

	ContinueOnError, ForceSetVar, DontLogNormal bool

	OnError, ProcessTime, TotalTime *sample.Var // set behind each event; nil: none

	Prefix []byte // of its variables: between the scope and the name, with a dot behind it

	errors, processed atomic.Uint64
}

// Message is a "spoe-message" section.
type Message struct {
	Name string
	Args []Arg
	Cond *acl.Cond // nil: it is sent always
}

// Arg is one argument of a message.
type Arg struct {
	Name string // may be empty
	Expr *sample.Expr
}

// Group is a "spoe-group" section: messages that a rule sends.
type Group struct {
	Name     string
	Messages []*Message
}

// Asker is what the engine does for rules: it is runtime.Stream.Engine.
type Asker interface {
	// SendGroup sends the messages of a group, and waits for the answer.
	SendGroup(a *Agent, g *Group) runtime.Verdict
}

// ext is where the agents of a proxy stand in Proxy.Ext.
const ext = "spoe"

// Of are the agents of a proxy, in the order of its filters.
func Of(px *runtime.Proxy) []*Agent {
	all, _ := px.Ext[ext].([]*Agent)
	return all
}

// Join adds an agent to those of a proxy, and gives it what it needs at run time. Its exchanges go to the backend.
func Join(l *config.Loader, px *runtime.Proxy, a *Agent, backend *runtime.Proxy) {
	var id [16]byte
	rand.Read(id[:])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // version 4
	a.Engine = fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	a.Front.DefaultBack = backend
	l.Extend(px, ext, append(Of(px), a))
	l.Config.Agents = append(l.Config.Agents, a.Front)
}
