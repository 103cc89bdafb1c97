package check

import (
	"encoding/binary"

	"hapax/runtime"
)

// mysqlPacket looks at one packet of a MySQL server, which begins at offset: whether
// it is complete, and an error. Section "MySQL Packets" of that protocol's manual.
type mysqlPacket struct {
	whole   bool
	failed  bool
	code    int
	message string
	end     int
}

func readMySQL(b []byte, offset int) (p mysqlPacket) {
	const headerLen = 4 // 3 bytes of length, 1 of sequence
	if len(b) < offset+headerLen {
		return p
	}
	n := int(b[offset]) | int(b[offset+1])<<8 | int(b[offset+2])<<16
	p.end = offset + headerLen + n
	if len(b) < p.end {
		return p
	}
	p.whole = true
	body := b[offset+headerLen:]
	if len(body) > 0 && body[0] == 0xff {
		p.failed = true
		if len(body) >= 3 {
			p.code = int(binary.LittleEndian.Uint16(body[1:]))
			p.message = cString(body[3:])
		}
	}
	return p
}

// cString is what stands before the first zero.
func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// mysqlGreeting expects the first packet of a server, mysqlAnswer the one behind it.
func mysqlGreeting(ck *Check, r *rule, last bool) verdict { return ck.mysql(r, 0, last) }

func mysqlAnswer(ck *Check, r *rule, last bool) verdict {
	greeting := readMySQL(ck.in, 0)
	if !greeting.whole {
		return ck.mysql(r, 0, last)
	}
	return ck.mysql(r, greeting.end, last)
}

func (ck *Check) mysql(r *rule, offset int, last bool) verdict {
	e := r.do.(*expect)
	p := readMySQL(ck.in, offset)
	switch {
	case !p.whole && !last:
		return await
	case !p.whole:
		return e.failed(ck, r, runtime.CheckL7Response, false, "")
	case p.failed:
		ck.answer = p.code
		return e.failed(ck, r, runtime.CheckL7Status, false, p.message)
	}
	if ck.rules.first(r.at+1) == nil {
		version := ""
		if len(ck.in) > 5 {
			version = cString(ck.in[5:])
		}
		ck.note(or(e.ok, runtime.CheckL7OK), version)
	}
	return proceed
}

// bindResponse is what an LDAP server answers to a bind request, as far as a check
// looks at it. RFC 4511, sections 4.1.9 and 4.2.2.
type bindResponse struct {
	whole bool
	valid bool
	code  int
}

// readBindResponse reads the message; its first byte was matched already.
func readBindResponse(b []byte) (p bindResponse) {
	rest, n, ok, whole := berLength(b[1:])
	switch {
	case !whole:
		return p
	case !ok:
		p.whole = true
		return p
	case len(rest) < n:
		return p
	}
	// messageID 1, then the tag of a bind response.
	const start = "\x02\x01\x01\x61"
	if len(rest) < len(start) || string(rest[:len(start)]) != start {
		p.whole = true
		return p
	}
	rest = rest[len(start):]
	skip := 1
	if len(rest) > 0 && rest[0]&0x80 != 0 {
		skip += int(rest[0] & 0x7f)
	}
	const enumerated = "\x0a\x01"
	if len(rest) < skip+len(enumerated)+1 {
		return p
	}
	p.whole = true
	rest = rest[skip:]
	if string(rest[:len(enumerated)]) == enumerated {
		p.valid, p.code = true, int(rest[len(enumerated)])
	}
	return p
}

// berLength reads a length of BER in the forms that servers use for a message: one
// byte, or two or four behind their number.
func berLength(b []byte) (rest []byte, n int, ok, whole bool) {
	if len(b) == 0 {
		return b, 0, false, false
	}
	if b[0]&0x80 == 0 {
		return b[1:], int(b[0]), true, true
	}
	bytes := int(b[0] & 0x7f)
	if len(b) < 1+bytes {
		return b, 0, false, false
	}
	switch bytes {
	case 2:
		n = int(binary.BigEndian.Uint16(b[1:]))
	case 4:
		n = int(binary.BigEndian.Uint32(b[1:]))
	default:
		return b, 0, false, true
	}
	return b[1+bytes:], n, true, true
}

func ldapAnswer(ck *Check, r *rule, last bool) verdict {
	e := r.do.(*expect)
	p := readBindResponse(ck.in)
	switch {
	case !p.whole && !last:
		return await
	case !p.whole:
		return e.failed(ck, r, runtime.CheckL7Response, false, "")
	case !p.valid:
		return e.failed(ck, r, runtime.CheckL7Response, false, "Not LDAPv3 protocol")
	case p.code != 0:
		ck.answer = p.code
		return e.failed(ck, r, runtime.CheckL7Status, false, "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9")
	}
	ck.note(or(e.ok, runtime.CheckL7OK), "Success")
	return proceed
}
