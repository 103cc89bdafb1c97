package ssl

import (
	"crypto/tls"
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// hello is what a client offers ("tune.ssl.capture-buffer-size"): parts of its first message.
type hello struct {
	version  uint16 // that it names first, which no longer is the newest
	xxh      uint64 // of all its suites, whatever fits
	suites   []byte
	types    []byte // of extensions
	groups   []byte
	formats  []byte // of points on curves
	versions []byte
	schemes  []byte // of signatures
}

// pieces is a message that parts are taken off. One that is missing leaves it broken.
type pieces struct {
	b      []byte
	broken bool
}

func (r *pieces) take(n int) []byte {
	if r.broken || n > len(r.b) {
		r.broken = true
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

// list takes a list that begins with its length, a number of so many bytes.
func (r *pieces) list(bytes int) []byte {
	n := 0
	for _, b := range r.take(bytes) {
		n = n<<8 | int(b)
	}
	return r.take(n)
}

// readHello keeps what fits into size bytes of a client's hello: the suites, the types of
// the extensions, and behind them lists of the extensions.
func readHello(body []byte, size int) *hello {
	r := pieces{b: body}
	version := r.take(2)
	r.take(32)
	r.list(1)
	suites := r.list(2)
	if r.broken {
		return nil
	}
	h := &hello{version: binary.BigEndian.Uint16(version), xxh: xxhash.Sum64(suites)}
	room := make([]byte, 0, size)
	keep := func(p []byte) []byte {
		p = p[:min(len(p), size-len(room))]
		at := len(room)
		room = append(room, p...)
		return room[at:len(room):len(room)]
	}
	h.suites = keep(suites)
	r.list(1) // compression
	extensions := pieces{b: r.list(2)}
	if r.broken {
		return h
	}
	from := len(room)
	var lists [4][]byte
	for len(extensions.b) > 4 && size-len(room) >= 2 {
		kind := extensions.take(2)
		room = append(room, kind...)
		h.types = room[from:]
		one := pieces{b: extensions.list(2)}
		if extensions.broken {
			return h
		}
		switch binary.BigEndian.Uint16(kind) {
		case extGroups:
			lists[0] = one.list(2)
		case extFormats:
			lists[1] = one.list(1)
		case extVersions:
			lists[2] = one.list(1)
		case extSchemes:
			lists[3] = one.list(2)
		}
		if one.broken {
			return h
		}
	}
	for i, to := range [...]*[]byte{&h.groups, &h.formats, &h.versions, &h.schemes} {
		*to = keep(lists[i])
	}
	return h
}

// keyShares are the groups that the keys in a client's hello are of; nil: there are none, or they
// cannot be read.
func keyShares(body []byte) (groups []tls.CurveID) {
	r := pieces{b: body}
	r.take(2 + 32)
	r.list(1) // the session
	r.list(2) // suites
	r.list(1) // compression
	for extensions := (pieces{b: r.list(2)}); len(extensions.b) > 0 && !extensions.broken; {
		kind := extensions.take(2)
		one := pieces{b: extensions.list(2)}
		if extensions.broken || binary.BigEndian.Uint16(kind) != extKeyShare {
			continue
		}
		for shares := (pieces{b: one.list(2)}); len(shares.b) > 0; {
			group := shares.take(2)
			if shares.list(2); shares.broken {
				return nil
			}
			groups = append(groups, tls.CurveID(binary.BigEndian.Uint16(group)))
		}
	}
	return groups
}

// appendPlain appends a list of numbers of 16 bits without those that clients mix in at
// random, to keep servers from choking on what they do not know (GREASE, RFC 8701).
func appendPlain(dst, list []byte) []byte {
	for ; len(list) >= 2; list = list[2:] {
		if list[0] == list[1] && list[0]&0x0F == 0x0A {
			continue
		}
		dst = append(dst, list[0], list[1])
	}
	return append(dst, list...)
}
