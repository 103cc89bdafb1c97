package cookie

import (
	"bytes"
	"math"
	"math/bits"
	"strings"

	"hapax/acl/fetch"
	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
)

// defaultRDPCookie is the cookie in which a terminal server tells where a session runs.
const defaultRDPCookie = "msts"

// parsePersistence reads `persist rdp-cookie[(<name>)]`.
func parsePersistence(l *config.Loader, line *ast.Line) {
	rest, found := strings.CutPrefix(line.Arg(1), "rdp-cookie")
	inner, named := strings.CutPrefix(rest, "(")
	switch {
	case line.Arg(1) == "":
		l.Alert(line.Pos, "missing persist method.")
	case !found:
		l.Alert(line.Pos, "unknown persist method.")
	case rest == "":
		l.Proxy.RDPCookie = defaultRDPCookie
	case named && l.TooMany(line, 1, 1):
	case strings.IndexByte(inner, ')') > 0: // what follows is not looked at
		l.Proxy.RDPCookie = inner[:strings.IndexByte(inner, ')')]
	default:
		l.Alert(line.Pos, "persist rdp-cookie(name)' requires an rdp cookie name.")
	}
}

// RDP gives the stream the server whose address a cookie at the start of what the client has sent tells, unless it has
// a server.
func RDP(s *runtime.Stream, sent []byte) {
	if s.Server != nil {
		return
	}
	value, found, _ := fetch.RDPCookie(sent, s.Back.RDPCookie)
	if !found {
		return
	}
	ip, port, ok := rdpAddress(value)
	if !ok {
		return
	}
	for _, srv := range s.Back.AllServers() {
		a := srv.Addr.Load()
		if a.Family != runtime.FamilyIPv4 || a.IP.Port() != port || a.IP.Addr().As4() != ip {
			continue
		}
		if runtime.ServerState(srv.State.Load()) != runtime.ServerStopped || s.Back.Options&runtime.OptPersist != 0 {
			s.Server, s.Direct = srv, true
			return
		}
	}
}

// rdpAddress reads "<address>.<port>.<rest>": decimal numbers whose bytes are in the order of the network, as a
// little-endian machine writes them.
func rdpAddress(value []byte) (ip [4]byte, port uint16, ok bool) {
	first, rest, ok := bytes.Cut(value, []byte{'.'})
	second, _, more := bytes.Cut(rest, []byte{'.'})
	if !ok || !more {
		return ip, 0, false
	}
	host, ok := decimal(first)
	service, good := decimal(second)
	if !ok || !good {
		return ip, 0, false
	}
	ip = [4]byte{byte(host), byte(host >> 8), byte(host >> 16), byte(host >> 24)}
	return ip, uint16(service)<<8 | uint16(service)>>8, true
}

// decimal reads a number as strtoul does, blanks and a sign before it included; no digit at all is 0, and the low 32 bits
// count.
func decimal(text []byte) (n uint32, ok bool) {
	text = bytes.TrimLeft(text, " \t\n\v\f\r")
	minus := len(text) > 0 && text[0] == '-'
	if minus || len(text) > 0 && text[0] == '+' {
		text = text[1:]
	}
	var long uint64
	for i, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		high, low := bits.Mul64(long, 10)
		sum, carry := bits.Add64(low, uint64(c-'0'), 0)
		if high|carry != 0 {
			return math.MaxUint32, strings.Trim(string(text[i:]), "0123456789") == ""
		}
		long = sum
	}
	if minus {
		long = -long
	}
	return uint32(long), true
}
