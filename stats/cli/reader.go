package cli

import "bytes"

// Limits of what a client may send when Conn does not say otherwise.
const (
	defaultMaxLine = 16383
	maxPattern     = 64 // bytes of a payload's end pattern; a longer one is an ordinary word
	maxArgs        = 64
)

const (
	lineTooBig    = "The command line is too big for the buffer size. Please change 'tune.bufsize' in the configuration to use a bigger command."
	payloadTooBig = "The payload is too big. Please change 'tune.cli.max-payload-size' in the configuration to use a bigger payload."
)

// reader cuts the client's bytes into command lines. A line is one or more commands separated by semicolons; its last
// command may take a payload: "<<" with an optional pattern as the last word, then lines up to one that is the pattern
// alone (an empty line without a pattern).
type reader struct {
	in        []byte // bytes not consumed yet
	at        int    // consumed bytes of in
	seen      int    // bytes of in that were searched for the end of the line
	escaped   bool   // the byte before seen was a backslash that escapes
	ended     bool   // the client closed its side
	inPayload bool
	pattern   []byte
	size      int      // bytes of the current line that were read
	line      []byte   // its commands, without separators
	cuts      []int    // end of each command in line
	payload   []byte   // of the last command
	asked     bool     // a prompt for more payload is due
	err       string   // the line or the payload is too long: what to answer
	next      int      // command of the line that runs next
	words     []string // of the current command: reused
}

// pending is how many bytes of the client wait.
func (r *reader) pending() int { return len(r.in) - r.at }

// feed takes bytes from the client.
func (r *reader) feed(p []byte) {
	if r.at > 0 {
		n := copy(r.in, r.in[r.at:])
		r.in, r.seen, r.at = r.in[:n], r.seen-r.at, 0
	}
	r.in = append(r.in, p...)
	r.asked = r.inPayload
}

// readLine goes on reading and tells whether a whole line, with its payload, is there or an error is to be reported.
func (r *reader) readLine(maxLine, maxPayload int) bool {
	for !r.inPayload {
		end := r.delimiter()
		if end < 0 {
			if r.size+r.pending() > maxLine {
				r.err = lineTooBig
				return true
			}
			return false
		}
		if r.size += end - r.at; r.size > maxLine {
			r.err = lineTooBig
			return true
		}
		r.size++
		separator := r.in[end]
		part := r.in[r.at:end]
		r.at, r.seen = end+1, end+1
		if separator == ';' {
			r.command(part)
			continue
		}
		// The carriage return of a CRLF ends the command as a separator does: an empty command follows it.
		part, returned := bytes.CutSuffix(part, []byte{'\r'})
		if body, pattern, ok := payloadStart(part); ok {
			r.command(body)
			r.pattern = append(r.pattern[:0], pattern...)
			r.inPayload, r.payload, r.asked = true, r.payload[:0], true
			continue
		}
		r.command(part)
		if returned {
			r.command(nil)
		}
		return true
	}
	// What fits into the room of a line, behind the command, may always come. A zero byte ends either.
	return r.readPayload(max(maxPayload-1, maxLine-r.size))
}

// readPayload collects lines up to the pattern, at most limit bytes with that.
func (r *reader) readPayload(limit int) bool {
	for {
		n := bytes.IndexByte(r.in[r.at:], '\n')
		size := n + 1
		if n < 0 {
			size = r.pending()
		}
		if len(r.payload)+size > limit {
			r.err = payloadTooBig
			return true
		}
		if n >= 0 && bytes.Equal(r.in[r.at:r.at+n], r.pattern) {
			r.at += n + 1
			r.seen, r.inPayload, r.asked = r.at, false, false
			r.payload = bytes.TrimSuffix(r.payload, []byte{'\n'})
			return true
		}
		if n < 0 {
			return false
		}
		r.payload = append(r.payload, r.in[r.at:r.at+n+1]...)
		r.at += n + 1
	}
}

// delimiter finds the next line feed or semicolon that no backslash precedes; -1: not there yet.
func (r *reader) delimiter() int {
	for i := max(r.seen, r.at); i < len(r.in); i++ {
		b := r.in[i]
		switch {
		case r.escaped:
			r.escaped = false
		case b == '\\':
			r.escaped = true
		case b == '\n', b == ';':
			return i
		}
	}
	r.seen = len(r.in)
	return -1
}

// command adds one command to the line; a NUL ends it, and another one follows.
func (r *reader) command(text []byte) {
	for part := range bytes.SplitSeq(text, []byte{0}) {
		r.line = append(r.line, part...)
		r.cuts = append(r.cuts, len(r.line))
	}
}

// payloadStart splits a last word "<<pattern" off.
func payloadStart(part []byte) (body, pattern []byte, ok bool) {
	start := bytes.LastIndexAny(part, " \t") + 1
	pattern, ok = bytes.CutPrefix(part[start:], []byte("<<"))
	if !ok || len(pattern) > maxPattern {
		return nil, nil, false
	}
	return part[:start], pattern, true
}

// last tells whether the command that runs next is the last of its line.
func (r *reader) last() bool { return r.next == len(r.cuts)-1 }

// args splits the next command of the line into words. tooMany: the line has more words than are allowed.
func (r *reader) args() (words []string, tooMany bool) {
	start := 0
	if r.next > 0 {
		start = r.cuts[r.next-1]
	}
	text := r.line[start:r.cuts[r.next]]
	r.next++
	return split(text, r.words[:0])
}

// split cuts at blanks; a backslash keeps the byte after it as it is. One that ends the line is no word: no word is empty.
func split(text []byte, words []string) ([]string, bool) {
	var word []byte
	for i := 0; ; {
		for i < len(text) && (text[i] == ' ' || text[i] == '\t') {
			i++
		}
		if i == len(text) {
			return words, false
		}
		if len(words) == maxArgs {
			return words, true
		}
		word = word[:0]
		for ; i < len(text) && text[i] != ' ' && text[i] != '\t'; i++ {
			if text[i] == '\\' {
				if i++; i == len(text) {
					break
				}
			}
			word = append(word, text[i])
		}
		if len(word) == 0 {
			return words, false
		}
		words = append(words, string(word))
	}
}

// done forgets the line.
func (r *reader) done() {
	r.size, r.line, r.cuts, r.next, r.payload = 0, r.line[:0], r.cuts[:0], 0, r.payload[:0]
	r.err = ""
}
