package ssl

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
)

// pemReader reads a PEM text as OpenSSL does: block by block, and nothing behind one that is
// broken. encoding/pem passes over those.
type pemReader struct{ text []byte }

// Reasons of OpenSSL for the end of a PEM text.
const (
	noStartLine = "no start line" // nothing more is there
	badEndLine  = "bad end line"
	badBase64   = "bad base64 decode"
	notProcType = "not proc type" // a header that does not begin with how the block is encrypted
)

const (
	pemLine  = 254 // a longer line is read in parts
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
	pemTail  = "-----"
)

// next is the next block, or the reason why there is none.
func (r *pemReader) next() (b *pem.Block, reason string) {
	name := ""
	r.text = withoutMark(r.text)
	for name == "" {
		line, _, ok := r.line()
		if !ok {
			return nil, noStartLine
		}
		if rest, begins := bytes.CutPrefix(line, []byte(pemBegin)); begins {
			if text, whole := bytes.CutSuffix(rest, []byte(pemTail)); whole {
				name = string(text)
			}
		}
	}
	body, odd, reason := r.body(name)
	if reason != "" {
		return nil, reason
	}
	if end := bytes.IndexByte(body, '-'); end >= 0 {
		body = body[:end] // as OpenSSL has it
	}
	data := make([]byte, base64.StdEncoding.DecodedLen(len(body)))
	n, err := base64.StdEncoding.Decode(data, body)
	if err != nil {
		return nil, badBase64
	}
	if odd {
		return nil, notProcType
	}
	return &pem.Block{Type: name, Bytes: data[:n]}, ""
}

// withoutMark is a text without the byte order mark of UTF-8 that some editors put in front of it: one
// may stand before each block of files that were put together.
func withoutMark(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF")) }

// body is what stands up to the end line, without a header and blanks. odd tells that the header does not
// begin with how the block is encrypted.
func (r *pemReader) body(name string) (body []byte, odd bool, reason string) {
	blank, short, partial := false, false, false
	for {
		line, cut, ok := r.line()
		wasPartial := partial
		partial = cut
		switch {
		case !ok:
			return nil, false, badEndLine
		case len(line) == 0 && wasPartial:
		case len(line) == 0 && blank:
			return nil, false, badEndLine
		case len(line) == 0: // a header is over
			blank, odd, body = true, len(body) > 0 && !bytes.HasPrefix(body, []byte("Proc-Type:")), body[:0]
		case bytes.HasPrefix(line, []byte(pemEnd)):
			if !bytes.HasPrefix(line[len(pemEnd):], []byte(name+pemTail)) {
				return nil, false, badEndLine
			}
			return body, odd, ""
		case short, blank && len(line) > 64:
			return nil, false, badEndLine
		default:
			short = blank && len(line) < 64
			body = append(body, bytes.ReplaceAll(line, []byte(" "), nil)...)
		}
	}
}

// line is the next line without what blanks and control characters it ends in. cut tells that it
// goes on.
func (r *pemReader) line() (line []byte, cut, ok bool) {
	if len(r.text) == 0 {
		return nil, false, false
	}
	n := bytes.IndexByte(r.text, '\n') + 1
	if n == 0 {
		n = len(r.text)
	}
	if n > pemLine {
		n, cut = pemLine, r.text[pemLine-1] != '\n'
	}
	line, r.text = r.text[:n], r.text[n:]
	end := bytes.LastIndexFunc(line, func(c rune) bool { return c > ' ' && c < 0x80 })
	return line[:end+1], cut, true
}
