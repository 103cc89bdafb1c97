package compat

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Steps of a script on a connection to a FastCGI application:
//
//	record C N             the next N records
//	request C              those up to the end of a request, its body in one piece
//	fcgi C ID WHAT + ...   sends records at once, each of them one of
//	                           out TEXT, err TEXT    a part of the response, a complaint
//	                           end [STATUS]          the end of the request
//	                           values NAME=VALUE...  what the application can do
//	                           raw HEX               bytes
func (s *script) stepFCGI(c *peer, verb, line string, args []string, rest string) error {
	c.SetDeadline(time.Now().Add(patience))
	switch verb {
	case "record":
		var text strings.Builder
		n, err := strconv.Atoi(rest)
		for range n {
			r, err := c.record()
			if err != nil {
				text.WriteString(ending(err))
				break
			}
			text.WriteString(r.String())
		}
		s.say(line, s.masked(text.String()))
		return err
	case "request":
		s.say(line, s.masked(c.request()))
		return nil
	}
	id, err := strconv.Atoi(args[0])
	if err != nil {
		return errScript
	}
	var out []byte
	for _, what := range strings.Split(strings.TrimSpace(strings.TrimPrefix(rest, args[0])), " + ") {
		if out, err = appendRecord(out, uint16(id), what); err != nil {
			return err
		}
	}
	c.Write(out) // what became of it shows in what is received
	return nil
}

// The types of records.
const (
	fcgiBegin = iota + 1
	fcgiAbort
	fcgiEnd
	fcgiParams
	fcgiIn
	fcgiOut
	fcgiErr
	_
	fcgiAsk
	fcgiValues
)

// record is one that the program has sent.
type record struct {
	kind byte
	id   uint16
	body []byte
}

// record reads one.
func (c *peer) record() (r record, err error) {
	var head [8]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return r, err
	}
	r.kind, r.id = head[1], binary.BigEndian.Uint16(head[2:])
	b := make([]byte, int(binary.BigEndian.Uint16(head[4:]))+int(head[6]))
	_, err = io.ReadFull(c.r, b)
	r.body = b[:len(b)-int(head[6])]
	return r, err
}

// request reads the records of one request.
func (c *peer) request() string {
	var text strings.Builder
	var body []byte
	for {
		r, err := c.record()
		if err != nil {
			return text.String() + ending(err)
		}
		if r.kind != fcgiIn {
			text.WriteString(r.String())
			if r.kind == fcgiAbort {
				return text.String()
			}
			continue
		}
		if body = append(body, r.body...); len(r.body) == 0 {
			r.body = body
			return text.String() + r.String()
		}
	}
}

// varying are parameters whose values are others each time.
var varying = regexp.MustCompile(`(?m)^(REMOTE_PORT|SERVER_PORT|SERVER_SOFTWARE)=(?:[1-9]|HAProxy ).*$`)

// String tells what a record says.
func (r record) String() string {
	switch r.kind {
	case fcgiBegin:
		return fmt.Sprintf("begin %d %x\n", r.id, r.body)
	case fcgiAbort:
		return fmt.Sprintf("abort %d\n", r.id)
	case fcgiAsk:
		return fmt.Sprintf("ask %d\n%s", r.id, pairs(r.body))
	case fcgiParams:
		return fmt.Sprintf("params %d\n%s", r.id, varying.ReplaceAllString(pairs(r.body), "$1=..."))
	case fcgiIn:
		return fmt.Sprintf("body %d: %s\n", r.id, escaped(r.body))
	}
	return fmt.Sprintf("type %d, %d: %x\n", r.kind, r.id, r.body)
}

// escaped is bytes on one line.
func escaped(b []byte) string { return shortened(strings.Trim(strconv.Quote(string(b)), `"`)) }

// pairs lists names and values, a line each.
func pairs(b []byte) string {
	var text strings.Builder
	length := func() (n int) {
		if n = int(b[0]); n < 0x80 {
			b = b[1:]
			return n
		}
		n = int(binary.BigEndian.Uint32(b) &^ (1 << 31))
		b = b[4:]
		return n
	}
	for len(b) > 0 {
		n, v := length(), length()
		fmt.Fprintf(&text, "%s=%s\n", b[:n], escaped(b[n:n+v]))
		b = b[n+v:]
	}
	return text.String()
}

// appendRecord appends what a word of "fcgi" stands for.
func appendRecord(out []byte, id uint16, what string) ([]byte, error) {
	word, rest, _ := strings.Cut(what, " ")
	var body []byte
	var err error
	kind := byte(0)
	switch word {
	case "out", "err":
		kind = map[string]byte{"out": fcgiOut, "err": fcgiErr}[word]
		body, err = text(rest)
	case "end":
		kind = fcgiEnd
		body = make([]byte, 8)
		if rest != "" {
			var status int
			status, err = strconv.Atoi(rest)
			body[4] = byte(status)
		}
	case "values":
		kind = fcgiValues
		for _, pair := range strings.Fields(rest) {
			name, value, _ := strings.Cut(pair, "=")
			body = append(append(append(body, byte(len(name)), byte(len(value))), name...), value...)
		}
	case "raw":
		raw, err := hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
		return append(out, raw...), err
	default:
		return nil, errScript
	}
	padding := (8 - len(body)%8) % 8
	out = append(out, 1, kind, byte(id>>8), byte(id), byte(len(body)>>8), byte(len(body)), byte(padding), 0)
	return append(append(out, body...), bytes.Repeat([]byte{0}, padding)...), err
}
