package message

import "encoding/binary"

// HeaderID names a well-known header field, so that the hot path compares numbers instead of names.
type HeaderID uint8

const (
	Other HeaderID = iota // any name that is not listed below
	Accept
	AcceptEncoding
	AcceptLanguage
	Authorization
	CacheControl
	Connection
	ContentEncoding
	ContentLengthHeader
	ContentType
	Cookie
	Date
	ETag
	Expect
	Expires
	Host
	KeepAlive
	LastModified
	Location
	Origin
	Pragma
	ProxyConnection
	Referer
	SecWebSocketAccept
	SecWebSocketKey
	Server
	SetCookie
	TE
	Trailer
	TransferEncodingHeader
	Upgrade
	UserAgent
	Vary
	Via
	XForwardedFor
	XForwardedProto
	headerIDs // how many there are
)

var headerNames = [headerIDs]string{
	Accept:                 "accept",
	AcceptEncoding:         "accept-encoding",
	AcceptLanguage:         "accept-language",
	Authorization:          "authorization",
	CacheControl:           "cache-control",
	Connection:             "connection",
	ContentEncoding:        "content-encoding",
	ContentLengthHeader:    "content-length",
	ContentType:            "content-type",
	Cookie:                 "cookie",
	Date:                   "date",
	ETag:                   "etag",
	Expect:                 "expect",
	Expires:                "expires",
	Host:                   "host",
	KeepAlive:              "keep-alive",
	LastModified:           "last-modified",
	Location:               "location",
	Origin:                 "origin",
	Pragma:                 "pragma",
	ProxyConnection:        "proxy-connection",
	Referer:                "referer",
	SecWebSocketAccept:     "sec-websocket-accept",
	SecWebSocketKey:        "sec-websocket-key",
	Server:                 "server",
	SetCookie:              "set-cookie",
	TE:                     "te",
	Trailer:                "trailer",
	TransferEncodingHeader: "transfer-encoding",
	Upgrade:                "upgrade",
	UserAgent:              "user-agent",
	Vary:                   "vary",
	Via:                    "via",
	XForwardedFor:          "x-forwarded-for",
	XForwardedProto:        "x-forwarded-proto",
}

// String is the header's name in lower case, empty for Other.
func (id HeaderID) String() string {
	if id < headerIDs {
		return headerNames[id]
	}
	return ""
}

// headerSlots is a perfect hash of the well-known names: no two of them share a slot.
var headerSlots = func() (slots [256]HeaderID) {
	for id := Other + 1; id < headerIDs; id++ {
		slots[headerSlot(headerNames[id])] = id
	}
	return slots
}()

// headerMultiplier was found by search; a test fails when two names collide.
const headerMultiplier = 1427053829

// headerSlot hashes a name of at least two bytes by its length and three of its bytes, without regard
// to case.
func headerSlot[T ~string | ~[]byte](name T) uint8 {
	n := len(name)
	h := uint32(n)<<24 | uint32(name[0]|0x20)<<16 | uint32(name[n-1]|0x20)<<8 | uint32(name[n/2]|0x20)
	return uint8(h * headerMultiplier >> 24)
}

// HeaderIDOf finds the well-known header of that name, in any case.
func HeaderIDOf[T ~string | ~[]byte](name T) HeaderID {
	if len(name) < 2 {
		return Other
	}
	id := headerSlots[headerSlot(name)]
	if !EqualFold(name, headerNames[id]) {
		return Other
	}
	return id
}

// headerBytes holds the names for comparison by words.
var headerBytes = func() (t [headerIDs][24]byte) {
	for id, name := range headerNames {
		copy(t[id][:], name)
	}
	return t
}()

// FieldID is HeaderIDOf for the parser, whose names hold no byte that is not allowed in a name. Setting
// the bit of lower case makes no other such byte equal to one of a known name.
func FieldID(name []byte) HeaderID {
	n := len(name)
	if n < 2 {
		return Other
	}
	id := headerSlots[headerSlot(name)]
	if len(headerNames[id]) != n {
		return Other
	}
	known := headerBytes[id][:n]
	switch {
	case n >= 8:
		const lower = 0x2020202020202020
		for i := 0; i+8 <= n; i += 8 {
			if binary.LittleEndian.Uint64(name[i:])|lower != binary.LittleEndian.Uint64(known[i:]) {
				return Other
			}
		}
		if binary.LittleEndian.Uint64(name[n-8:])|lower != binary.LittleEndian.Uint64(known[n-8:]) {
			return Other
		}
	case n >= 4:
		const lower = 0x20202020
		if binary.LittleEndian.Uint32(name)|lower != binary.LittleEndian.Uint32(known) ||
			binary.LittleEndian.Uint32(name[n-4:])|lower != binary.LittleEndian.Uint32(known[n-4:]) {
			return Other
		}
	default:
		for i := range known {
			if name[i]|0x20 != known[i] {
				return Other
			}
		}
	}
	return id
}
