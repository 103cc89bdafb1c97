package fetch

import "hapax/acl/sample"

// helloFrom are the sources of what a ClientHello lists for fingerprints.
const helloFrom = sample.ReqBuffer | sample.ClientAddr | sample.ClientConn | sample.Frontend

var helloRows = []sample.Fetch{
	helloType("req.ssl_hello_type", sample.Request, sample.ReqBuffer),
	helloType("req_ssl_hello_type", sample.Request, sample.ReqBuffer),
	helloType("res.ssl_hello_type", sample.Response, sample.ResBuffer),
	helloType("rep_ssl_hello_type", sample.Response, sample.ResBuffer),
	helloRow("req.ssl_ver", sample.Int, sample.ReqBuffer, "the version that the TLS client asks for, as major*65536 + minor", helloVersion, "196611"),
	helloRow("req_ssl_ver", sample.Int, sample.ReqBuffer, "the version that the TLS client asks for, as major*65536 + minor", helloVersion, "196611"),
	helloRow("req.ssl_sni", sample.Str, sample.ReqBuffer, "the server name that the TLS client asks for", serverName, "example.com"),
	helloRow("req_ssl_sni", sample.Str, sample.ReqBuffer, "the server name that the TLS client asks for", serverName, "example.com"),
	helloRow("req.ssl_alpn", sample.Str, sample.ReqBuffer, "the protocols that the TLS client offers", protocols, "h2"),
	helloRow("req.ssl_ec_ext", sample.Bool, sample.ReqBuffer, "whether the TLS client names elliptic curves", hasCurves, "1"),
	helloRow("req.ssl_st_ext", sample.Int, sample.ReqBuffer, "0 without session ticket extension, 1 with an empty, 2 with a filled one", sessionTicket, "0"),
	helloRow("req.ssl_cipherlist", sample.Bin, helloFrom, "the cipher suites that the TLS client offers", cipherSuites, "\x13\x01"),
	helloRow("req.ssl_supported_groups", sample.Bin, helloFrom, "the groups that the TLS client supports", list(supportedGroups), ""),
	helloRow("req.ssl_sigalgs", sample.Bin, helloFrom, "the signature algorithms that the TLS client supports", list(signatureAlgorithms), ""),
	helloRow("req.ssl_keyshare_groups", sample.Bin, helloFrom, "the groups of the TLS client's key shares", keyShares, ""),
}

// helloExample is a ClientHello with one cipher suite, a server name, one group and ALPN h2.
const helloExample = "\x16\x03\x01\x00\x5b\x01\x00\x00\x57\x03\x03" +
	"01234567890123456789012345678901" + "\x00" + "\x00\x02\x13\x01" + "\x01\x00" + "\x00\x2c" +
	"\x00\x00\x00\x10\x00\x0e\x00\x00\x0bexample.com" +
	"\x00\x0a\x00\x04\x00\x02\x00\x1d" +
	"\x00\x10\x00\x05\x00\x03\x02h2" +
	"\xff\x01\x00\x03\x02ab"

func helloRow(name string, out sample.Type, from sample.Source, summary string,
	eval func(*sample.Context, []sample.Arg, *sample.Value) bool, want string) sample.Fetch {
	return sample.Fetch{Doc: doc(name, "7.3.5", summary, nil, name, helloExample, want),
		Dir: sample.Request, Out: out, From: from, Eval: eval}
}

func helloType(name string, dir sample.Dir, from sample.Source) sample.Fetch {
	want, on := "1", helloExample
	if dir == sample.Response {
		want, on = "", ""
	}
	return sample.Fetch{Doc: doc(name, "7.3.5", "the type of the TLS handshake message", nil, name, on, want),
		Dir: dir, Out: sample.Int, From: from, Eval: handshakeType}
}

// verdict tells what became of reading a message.
type verdict uint8

const (
	complete verdict = iota
	short            // more bytes are needed
	foreign          // it is something else
)

// Types of extensions of a ClientHello.
const (
	serverNameExt       = 0
	supportedGroups     = 10
	signatureAlgorithms = 13
	alpnExt             = 16
	sessionTicketExt    = 35
	keyShareExt         = 51
)

func uint16At(b []byte, at int) int { return int(b[at])<<8 | int(b[at+1]) }

// shortestHello is the least that follows the header of a handshake message in a ClientHello with extensions:
// version, random, session, one cipher suite, one compression method, and the two lengths of extensions.
const shortestHello = 2 + 32 + 1 + 2 + 2 + 1 + 1 + 2 + 2

// clientHello finds the cipher suites and the extensions of a ClientHello at the start of b (RFC 8446, 4.1.2).
// With whole the record must be there to its end as well. ext is nil when there is no valid list of extensions.
func clientHello(b []byte, whole bool) (ciphers, ext []byte, v verdict) {
	switch {
	case len(b) == 0:
		return nil, nil, short
	case b[0] != 0x16:
		return nil, nil, foreign
	case len(b) < 3:
		return nil, nil, short
	case b[1] < 3:
		return nil, nil, foreign
	case len(b) < 5:
		return nil, nil, short
	}
	record := uint16At(b, 3)
	if record < 4+shortestHello {
		return nil, nil, foreign
	}
	b = b[5:]
	if whole && len(b) < record || len(b) < 1 {
		return nil, nil, short
	}
	if b[0] != 1 {
		return nil, nil, foreign
	}
	if len(b) < 4 {
		return nil, nil, short
	}
	n := int(b[1])<<16 | uint16At(b, 2)
	if n < shortestHello {
		return nil, nil, foreign
	}
	if b = b[4:]; len(b) < n {
		return nil, nil, short
	}
	b = b[:n]
	if b[0] < 3 || b[1] < 1 {
		return nil, nil, foreign
	}
	session := int(b[34])
	if session > 32 || 35+session > len(b) {
		return nil, nil, foreign
	}
	b = b[35+session:]
	if len(b) < 4 {
		return nil, nil, foreign
	}
	n = uint16At(b, 0)
	if n < 2 || 2+n > len(b) {
		return nil, nil, foreign
	}
	ciphers, b = b[2:2+n], b[2+n:]
	if len(b) < 2 || b[0] < 1 || 1+int(b[0]) > len(b) {
		return ciphers, nil, complete
	}
	b = b[1+int(b[0]):]
	if len(b) < 2 || uint16At(b, 0) > len(b)-2 {
		return ciphers, nil, complete
	}
	return ciphers, b[2 : 2+uint16At(b, 0)], complete
}

// extension finds the first extension of a type. rest is the list from its content on, which the reference
// reads lists of the extension from.
func extension(ctx *sample.Context, out *sample.Value, typ int, whole bool) (content, rest []byte, found, valid bool) {
	r, ok := raw(ctx)
	if !ok {
		return nil, nil, false, false
	}
	_, ext, v := clientHello(r.Data, whole)
	if v == short {
		out.Flags |= sample.MayChange
	}
	if v != complete || ext == nil {
		return nil, nil, false, false
	}
	for len(ext) >= 4 {
		n := uint16At(ext, 2)
		if n > len(ext)-4 {
			return nil, nil, false, false
		}
		if uint16At(ext, 0) == typ {
			return ext[4 : 4+n], ext[4:], true, true
		}
		ext = ext[4+n:]
	}
	return nil, nil, false, true
}

func serverName(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	content, rest, found, _ := extension(ctx, out, serverNameExt, false)
	if !found || len(content) < 2 || len(rest) < 5 {
		return false
	}
	names := uint16At(rest, 0)
	if names < 4 || names > len(rest)-2 {
		return false
	}
	n := uint16At(rest, 3)
	if n+3 > names || rest[2] != 0 {
		return false
	}
	out.SetConst(rest[5 : 5+n])
	return true
}

// protocols gives the offered protocols, one occurrence after the other.
func protocols(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	content, _, found, _ := extension(ctx, out, alpnExt, false)
	if !found || len(content) < 3 {
		return false
	}
	at := max(2, int(ctx.Iter.At))
	if at >= len(content) || at+1+int(content[at]) > len(content) {
		return false
	}
	end := at + 1 + int(content[at])
	out.SetConst(content[at+1 : end])
	if end < len(content) {
		ctx.Iter.At = int32(end)
		out.Flags |= sample.NotLast
	}
	return true
}

func hasCurves(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	_, _, found, _ := extension(ctx, out, supportedGroups, true)
	out.SetBool(true)
	return found
}

func sessionTicket(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	content, _, found, valid := extension(ctx, out, sessionTicketExt, true)
	out.SetInt(0)
	switch {
	case found && len(content) > 0:
		out.SetInt(2)
	case found:
		out.SetInt(1)
	}
	return valid
}

func cipherSuites(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	r, ok := raw(ctx)
	if !ok {
		return false
	}
	ciphers, _, v := clientHello(r.Data, true)
	if v == short {
		out.Flags |= sample.MayChange
	}
	if v != complete {
		return false
	}
	out.SetConstBin(ciphers)
	return true
}

// list gives the content of an extension that is one list behind its length.
func list(typ int) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		content, rest, found, _ := extension(ctx, out, typ, true)
		if !found || len(content) < 2 {
			return false
		}
		n := uint16At(rest, 0)
		if n < 2 || n > len(rest)-2 {
			return false
		}
		out.SetConstBin(rest[2 : 2+n])
		return true
	}
}

// keyShares gives the groups of the key shares, two bytes each.
func keyShares(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	content, rest, found, _ := extension(ctx, out, keyShareExt, true)
	if !found || len(content) < 2 {
		return false
	}
	n := uint16At(rest, 0)
	if n < 4 || n > len(rest)-2 {
		return false
	}
	shares, groups := rest[2:2+n], ctx.Scratch.Room()
	for len(shares) >= 4 {
		groups = append(groups, shares[0], shares[1])
		size := 4 + uint16At(shares, 2)
		shares = shares[min(size, len(shares)):]
	}
	if groups = ctx.Scratch.Take(groups); groups == nil {
		return false
	}
	out.SetBin(groups)
	return true
}

// isRecord tells whether a byte is the type of a TLS record; 0xFF is that of old alerts.
func isRecord(c byte) bool { return c >= 0x14 && c <= 0x17 || c == 0xff }

func handshakeType(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	r, ok := raw(ctx)
	if !ok {
		return false
	}
	b := r.Data
	if len(b) > 0 && !isRecord(b[0]) {
		return false
	}
	if len(b) >= 9 {
		if b[1] < 3 || uint16At(b, 3) < 4 {
			return false
		}
		if n := int(b[6])<<16 | uint16At(b, 7); len(b) >= 9+n {
			out.SetInt(int64(b[5]))
			return true
		}
	}
	out.Flags |= sample.MayChange
	return false
}

func helloVersion(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	r, ok := raw(ctx)
	if !ok {
		return false
	}
	version, v := requestedVersion(r.Data, r.Full)
	if v == short {
		out.Flags |= sample.MayChange
	}
	out.SetInt(int64(version))
	return v == complete
}

// requestedVersion reads the version that a client asks for: from a record of SSLv3 and later, or from a hello
// of SSLv2 (draft-hickman-netscape-ssl). full says that no more bytes fit into the buffer.
func requestedVersion(b []byte, full bool) (version int, v verdict) {
	if len(b) == 0 {
		return 0, short
	}
	need := 0
	if isRecord(b[0]) {
		if len(b) < 11 {
			return 0, short
		}
		n := uint16At(b, 3)
		if b[1] < 3 || n < 6 || n > 1<<14+2048 {
			return 0, foreign
		}
		version, need = int(b[9])<<16|int(b[10]), 5+n
	} else {
		header, padding := 2, 0
		record := int(b[0]&0x7f)<<8 | int(b[min(1, len(b)-1)])
		if b[0]&0x80 == 0 {
			header = 3
		}
		if len(b) < header+1 {
			return 0, short
		}
		if header == 3 {
			record = int(b[0]&0x3f)<<8 | int(b[1])
			padding = int(b[2])
		}
		if b[header] != 1 {
			return 0, foreign
		}
		h := b[header+1:]
		if len(h) < 8 {
			return 0, short
		}
		ciphers, session, challenge := uint16At(h, 2), uint16At(h, 4), uint16At(h, 6)
		switch {
		case ciphers%3 != 0, session != 0 && session != 16, challenge < 16 || challenge > 32,
			record != 9+ciphers+session+challenge:
			return 0, foreign
		}
		version = int(h[0])<<16 | int(h[1])
		need = header + 9 + ciphers + session + challenge + padding
	}
	if len(b) < need && !full {
		return 0, short
	}
	return version, complete
}
