// Package table is the memory of stick tables: entries by key, what they store, how long they stay.
//
// A table is 64 parts, chosen by the hash of the key (the 32-bit xxHash, seeded by the table's name), so that "show
// table" lists entries in the order of HAProxy: part by part, by key within each. Each part has a mutex. A lock that
// nobody holds costs as little as the two or three atomic operations that a lock-free reader would need to keep the
// entry in place, holders only count and never wait, and with parts by hash two loops meet rarely; so reading takes the
// lock too, and everything below is plain code.
//
// Entries are records of fixed size in blocks of bytes, named by their number: no pointers, so the garbage collector
// never looks at them, and one costs 24 bytes beside its key and data (HAProxy: 160). A part has
//
//	heads   the first record of each chain of equal hashes; as many as there are records, by doubling
//	blocks  the records: chain, list, time of expiry, holders, data, key
//	list    all records in use, the one that was touched longest ago first
//	free    records that were used once
//
// All entries of a table live equally long, so the list is in the order of expiry too: what is overdue is at its
// head, and so is what has to leave when the table is full. Nothing runs at the time of expiry. Whoever takes a part's
// lock first removes what is overdue there, as HAProxy's task would have at that time: an entry that somebody holds
// gets another life instead. Whoever counts entries does that to all parts.
//
// When a table is full, a new entry takes the place of the oldest one without a holder in the first part that has one,
// from an arbitrary part on (HAProxy does the same); with "nopurge", or when all are held, there is no new entry.
//
// What refreshes the life of an entry is up to the callers, see Touch: tracking it, counting in it, setting a tag,
// matching it by a "stick" rule and "set table" do; looking at it does not.
package table
