package cache

import (
	"bytes"

	"github.com/zeebo/xxh3"

	"hapax/runtime/message"
)

// signature names the headers that a response varies by.
type signature uint8

const (
	byEncoding signature = 1 << iota
	byReferer
	byOrigin
	byAll = byEncoding | byReferer | byOrigin
)

// variant is what the headers of a request have that responses vary by.
type variant struct {
	of              signature
	encodings       encodings // of a request: that it takes; of a response: that it has
	referer, origin uint64    // hashes; 0: there is no such header
}

// suits tells whether a stored variant answers a request.
func (v *variant) suits(wanted *variant) bool {
	return v.encodings&otherEncoding == 0 && v.encodings&wanted.encodings == v.encodings && v.referer == wanted.referer && v.origin == wanted.origin
}

// reduce keeps what a response varies by.
func (v *variant) reduce(of signature) {
	v.of = of
	if of&byEncoding == 0 {
		v.encodings = 0
	}
	if of&byReferer == 0 {
		v.referer = 0
	}
	if of&byOrigin == 0 {
		v.origin = 0
	}
}

// variantOf reads a request; false: its Accept-Encoding is too long to be true.
func variantOf(m *message.Message, of signature) (v variant, ok bool) {
	v.of = of
	if of&byEncoding != 0 {
		if v.encodings, ok = accepted(m); !ok {
			return v, false
		}
	}
	if of&byReferer != 0 {
		v.referer = hashOf(m, m.FindID(message.Referer, 0))
	}
	if of&byOrigin != 0 {
		v.origin = hashOf(m, m.FindID(message.Origin, 0))
	}
	return v, true
}

func hashOf(m *message.Message, at int) uint64 {
	if at < 0 {
		return 0
	}
	return max(xxh3.Hash(m.Value(at)), 1)
}

// varies reads the Vary of a response; false: it names what is not looked at.
func varies(m *message.Message) (of signature, ok bool) {
	for v := m.Values("vary"); v.Next(); {
		switch b := v.Bytes(); {
		case message.EqualFold(b, "accept-encoding"):
			of |= byEncoding
		case message.EqualFold(b, "referer"):
			of |= byReferer
		case message.EqualFold(b, "origin"):
			of |= byOrigin
		default:
			return 0, false
		}
	}
	return of, true
}

// encodings is a set of content codings, those of IANA's list.
type encodings uint32

const (
	identity encodings = 1 << iota
	gzip
	deflate
	br
	zstd
	compress
	aes128gcm
	exi
	pack200
	anyEncoding
	otherEncoding
)

var encodingNames = []struct {
	name string
	bit  encodings
}{
	{"gzip", gzip}, {"x-gzip", gzip}, {"deflate", deflate}, {"br", br}, {"zstd", zstd}, {"identity", identity}, {"*", anyEncoding},
	{"compress", compress}, {"x-compress", compress}, {"aes128gcm", aes128gcm}, {"exi", exi}, {"pack200-gzip", pack200},
}

// encoding reads one value of Accept-Encoding or Content-Encoding; 0: it is unknown. refused: its weight is 0.
func encoding(value []byte) (bit encodings, refused bool) {
	name, weight, weighed := bytes.Cut(value, []byte(";"))
	name = bytes.TrimRight(name, " \t")
	for _, e := range encodingNames {
		if message.EqualFold(name, e.name) {
			return e.bit, weighed && message.EqualFold(bytes.TrimLeft(weight, " \t"), "q=0")
		}
	}
	return 0, false
}

// accepted is what the client takes. mostEncodings values are no request of a browser.
func accepted(m *message.Message) (set encodings, ok bool) {
	const mostEncodings = 16
	set = identity
	refusals := encodings(0)
	n := 0
	for v := m.Values("accept-encoding"); n < mostEncodings && v.Next(); n++ {
		if len(v.Bytes()) == 0 {
			continue
		}
		bit, refused := encoding(v.Bytes())
		switch {
		case bit == 0:
			set |= otherEncoding
		case refused:
			refusals |= bit
		default:
			set |= bit
		}
	}
	if set&anyEncoding != 0 || n == 0 {
		set = ^encodings(0)
	}
	return set &^ refusals, n < mostEncodings
}

// encodingOf is what a response is encoded with; false: something that is not known.
func encodingOf(m *message.Message) (set encodings, ok bool) {
	for v := m.Values("content-encoding"); v.Next(); {
		bit, _ := encoding(v.Bytes())
		if bit == 0 {
			return 0, false
		}
		set |= bit
	}
	if set == 0 {
		set = identity
	}
	return set, true
}
