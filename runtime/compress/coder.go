package compress

import (
	"encoding/binary"
	"hash/adler32"
	"hash/crc32"

	"github.com/klauspost/compress/flate"

	"hapax/runtime"
)

// Coder compresses one message. It keeps no history: each piece is compressed by itself, and what it is given leaves
// at once, so that a stream needs no memory between two pieces. It is used by one stream after the other; Start begins a message.
type Coder struct {
	form    runtime.Form
	plain   bool // the data is only framed: the process compresses enough already
	begun   bool
	ended   bool
	checked uint32 // checksum of what came so far
	size    uint32 // and how many bytes it had, modulo 2^32
	out     appender

	cfg    *runtime.Config
	counts [2]*runtime.CodedBytes // of the frontend and the backend; nil: not counted there
}

// Start begins a message of a stream of cfg.
func (c *Coder) Start(a *runtime.Algorithm, cfg *runtime.Config) {
	*c = Coder{form: a.Form, cfg: cfg, out: c.out[:0]}
	if c.form == runtime.ZlibForm {
		c.checked = 1 // RFC 1950, section 8.2
	}
}

// CountIn names where the message is counted.
func (c *Coder) CountIn(fe, be *runtime.CodedBytes) { c.counts = [2]*runtime.CodedBytes{fe, be} }

// Ended tells whether all of the message was coded.
func (c *Coder) Ended() bool { return c.ended }

// Code gives what p becomes: the receiver can read all of it. last ends the message. What it returns is valid until the next call.
func (c *Coder) Code(p []byte, last bool) []byte {
	c.ended = last
	c.out = c.code(c.out[:0], p, last)
	c.count(len(p), len(c.out))
	if last {
		for _, n := range c.counts {
			if n != nil {
				n.Responses.Inc()
			}
		}
	}
	return c.out
}

// count adds a piece to the counters, and looks whether the next one may be compressed.
func (c *Coder) count(in, out int) {
	if c.form == runtime.Identity || c.plain {
		for _, n := range c.counts {
			if n != nil {
				n.Bypassed.Add(uint64(in))
			}
		}
	} else {
		stats := &c.cfg.Stats
		now := stats.Clock()
		stats.CompIn.Add(now, uint32(in))
		stats.CompOut.Add(now, uint32(out))
		for _, n := range c.counts {
			if n != nil {
				n.In.Add(uint64(in))
				n.Out.Add(uint64(out))
			}
		}
	}
	c.plain = limited(c.cfg, &c.cfg.Stats.CompOut)
}

// Pass counts bytes of the message beside its payload.
func (c *Coder) Pass(n int) { c.count(n, n) }

func (c *Coder) code(dst, p []byte, last bool) []byte {
	if c.form == runtime.Identity {
		return append(dst, p...)
	}
	if !c.begun {
		c.begun = true
		dst = append(dst, heads[c.form]...)
	}
	switch c.form {
	case runtime.GzipForm:
		c.checked = crc32.Update(c.checked, crc32.IEEETable, p)
	case runtime.ZlibForm:
		c.checked = adler(c.checked, p)
	}
	c.size += uint32(len(p))
	dst = c.deflate(dst, p, last)
	if !last {
		return dst
	}
	switch c.form {
	case runtime.GzipForm:
		dst = binary.LittleEndian.AppendUint32(dst, c.checked)
		dst = binary.LittleEndian.AppendUint32(dst, c.size)
	case runtime.ZlibForm:
		dst = binary.BigEndian.AppendUint32(dst, c.checked)
	}
	return dst
}

// heads stand before the data. That of gzip names no file and no time, the fastest method and Unix; that of zlib
// the fastest method and a window of 32 kB.
var heads = [...]string{
	runtime.ZlibForm: "\x78\x01",
	runtime.GzipForm: "\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\x03",
}

// deflate appends blocks of RFC 1951 that end on a byte.
func (c *Coder) deflate(dst, p []byte, last bool) []byte {
	if c.plain || len(p) == 0 {
		return store(dst, p, last)
	}
	c.out = dst
	flate.StatelessDeflate(&c.out, p, last, nil) // its errors are those of the writer, which has none
	return c.out
}

// longestStored is what a block that is not compressed can hold.
const longestStored = 1<<16 - 1

// store appends p in blocks that are not compressed.
func store(dst, p []byte, last bool) []byte {
	for len(p) > 0 || last {
		n := min(len(p), longestStored)
		kind := byte(0)
		if last && n == len(p) {
			kind, last = 1, false
		}
		dst = append(dst, kind, byte(n), byte(n>>8), ^byte(n), ^byte(n>>8))
		dst = append(dst, p[:n]...)
		p = p[n:]
	}
	return dst
}

// appender is a writer at the end of a slice.
type appender []byte

func (a *appender) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}

// adler goes on with a checksum, which hash/adler32 only computes of a whole.
func adler(sum uint32, p []byte) uint32 {
	const base = 65521
	n := uint32(len(p) % base)
	of := adler32.Checksum(p)
	a1, b1, a2, b2 := sum&0xffff, sum>>16, of&0xffff, of>>16
	a := (a1 + a2 + base - 1) % base
	b := (b1 + b2 + uint32(uint64(n)*uint64((a1+base-1)%base)%base)) % base
	return b<<16 | a
}
