package engine_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// blocks encodes the same fields twice for one connection: the first block puts them into the peer's table, the second
// one, which is good for all that follow, names their places there.
func blocks(fields ...string) (first, again []byte) {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := range 2 {
		for at := 0; at < len(fields); at += 2 {
			e.WriteField(hpack.HeaderField{Name: fields[at], Value: fields[at+1]})
		}
		if i == 0 {
			first = bytes.Clone(b.Bytes())
			b.Reset()
		}
	}
	return first, b.Bytes()
}

const (
	frameHead = 9
	endStream = 1
	endHeads  = 4
)

func appendFrame(dst []byte, typ http2.FrameType, flags byte, id uint32, payload []byte) []byte {
	n := len(payload)
	dst = append(dst, byte(n>>16), byte(n>>8), byte(n), byte(typ), flags)
	return append(binary.BigEndian.AppendUint32(dst, id), payload...)
}

// readFrame reads a frame into buf without allocating.
func readFrame(c net.Conn, buf []byte) (typ http2.FrameType, flags byte, id uint32, err error) {
	if _, err := io.ReadFull(c, buf[:frameHead]); err != nil {
		return 0, 0, 0, err
	}
	n := int(buf[0])<<16 | int(buf[1])<<8 | int(buf[2])
	typ, flags, id = http2.FrameType(buf[3]), buf[4], binary.BigEndian.Uint32(buf[5:])
	_, err = io.ReadFull(c, buf[:n])
	return typ, flags, id, err
}

// askH2 is a client that makes the same request again and again on one connection; see TestNoAllocation.
func askH2(t *testing.T, c net.Conn) (ask func() bool) {
	first, again := blocks(":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/static/x", "user-agent", "the tester")
	c.Write(appendFrame([]byte(http2.ClientPreface), http2.FrameSettings, 0, 0, nil))
	block, id := first, uint32(1)
	req, buf := make([]byte, 0, 256), make([]byte, 1<<15)
	return func() bool {
		req = appendFrame(req[:0], http2.FrameHeaders, endHeads|endStream, id, block)
		if _, err := c.Write(req); err != nil {
			t.Error(err)
			return false
		}
		for {
			typ, flags, on, err := readFrame(c, buf)
			if err != nil || typ == http2.FrameHeaders && buf[0] != 0x88 || typ == http2.FrameRSTStream || typ == http2.FrameGoAway {
				t.Errorf("%s %d %v", typ, on, err)
				return false
			}
			if typ == http2.FrameData && flags&endStream != 0 {
				break
			}
		}
		block, id = again, id+2
		return true
	}
}

// answerAllH2 answers every request on every connection in HTTP/2 with the same bytes, without allocating.
func answerAllH2(ln net.Listener) {
	first, again := blocks(":status", "200", "content-length", "5")
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			block := first
			out, buf := make([]byte, 0, 256), make([]byte, 1<<15)
			if _, err := io.ReadFull(c, buf[:len(http2.ClientPreface)]); err != nil {
				return
			}
			out = appendFrame(out, http2.FrameSettings, 0, 0, nil)
			for {
				if _, err := c.Write(out); err != nil {
					return
				}
				out = out[:0]
				typ, _, id, err := readFrame(c, buf)
				if err != nil {
					return
				}
				if typ == http2.FrameHeaders {
					out = appendFrame(out, http2.FrameHeaders, endHeads, id, block)
					out = appendFrame(out, http2.FrameData, endStream, id, []byte("hello"))
					block = again
				}
			}
		}()
	}
}
