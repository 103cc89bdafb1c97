// Package exchange is the protocol by which processes tell each other what their stick tables hold: version 2.1 of
// HAProxy's peers. It does no I/O: sessions take bytes and give bytes, a group says when it wants to run again.
//
//	Group     the peers of one section, which of them teaches this process, and when
//	Peer      what is known of a peer over all its sessions: how far it was told of each table
//	Session   one connection with a peer: greeting, messages in, messages out
//
// A session begins with three lines of who has connected and one line of who has accepted:
//
//	HAProxyS 2.1
//	<name of the peer that is connected to>
//	<name of the peer that connects> <process> 1
//	                                                 200
//
// Messages follow both ways. The first byte is a class, the second a type; with the uppermost bit of the type set, a
// length and so many bytes are behind it. Numbers have one to ten bytes, see package varint.
//
//	0 0  teach me all            10 130  table: number, name, type and size of keys, stored data, expire, elements and periods
//	0 1  that was all            10 128  entry: number of the change (4 bytes), key, data
//	0 2  that was all I know     10 129  the same, its number is one more than that of the last
//	0 3  understood              10 133  entry with what it has left to live (4 bytes, ms) behind the number
//	0 4  still there             10 134  the same, its number is one more than that of the last
//	1 0  protocol error          10 131  the entries that follow are of the table of that number
//	1 1  message too large       10 132  changes of a table (its receiver's number) are known up to that number (4 bytes)
//
// Changes that were made here are told to all peers in their order, and those that a peer does not acknowledge again in
// the next session. A process that has just started wants to be taught: by the process that it replaces, if there is
// one, which connects to it; else it asks some other peer.
//
// All of it belongs to one goroutine.
package exchange
