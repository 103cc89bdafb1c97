package cookie

import "hapax/runtime/message"

// pair is the place of one name=value in a Cookie or Set-Cookie header:
//
//	NAME1  =  VALUE 1  ; NAME2 = VALUE2
//	^    ^ ^  ^      ^ ^
//	name | |  value  | next
//	nameEnd|         valueEnd
//	     equal
type pair struct {
	from          int // the delimiter before it, or the start of the header
	name, nameEnd int
	equal         int // the equal sign, or where the pair ends without one
	value         int
	valueEnd      int
	next          int // the delimiter behind it, or the end of the header
}

// pairAt reads the pair that begins at from, which is the delimiter before it unless it is
// the first one. In a list (a Cookie header) a comma ends a name too.
func pairAt(h []byte, from int, first, list bool) pair {
	p := pair{from: from, name: from}
	if !first {
		p.name++
	}
	for p.name < len(h) && blank(h[p.name]) {
		p.name++
	}
	p.equal, p.nameEnd = p.name, p.name
	for p.equal < len(h) && h[p.equal] != '=' && h[p.equal] != ';' && (!list || h[p.equal] != ',') {
		p.equal++
		if !blank(h[p.equal-1]) {
			p.nameEnd = p.equal
		}
	}
	if p.equal == len(h) || h[p.equal] != '=' {
		p.value, p.valueEnd, p.next = p.equal, p.equal, p.equal
		return p
	}
	p.value = p.equal + 1
	for p.value < len(h) && blank(h[p.value]) {
		p.value++
	}
	p.next = p.value + message.CookieValueEnd(h[p.value:])
	p.valueEnd = p.next
	for p.valueEnd > p.value && blank(h[p.valueEnd-1]) {
		p.valueEnd--
	}
	return p
}

// tighten takes the blanks around the equal sign out of the header, so that a captured
// or rewritten cookie has none.
func (p *pair) tighten(h []byte) []byte {
	if n := p.equal - p.nameEnd; n > 0 {
		h = remove(h, p.nameEnd, p.equal)
		p.equal -= n
		p.move(-n)
	}
	if n := p.value - (p.equal + 1); n > 0 {
		h = remove(h, p.equal+1, p.value)
		p.move(-n)
	}
	return h
}

// move shifts all that is behind the equal sign.
func (p *pair) move(by int) {
	p.value += by
	p.valueEnd += by
	p.next += by
}

// remove takes h[from:to] out, in place.
func remove(h []byte, from, to int) []byte {
	return h[:from+copy(h[from:], h[to:])]
}

// cut takes the pairs between the delimiters at from and to out of the header, and
// leaves one delimiter with one blank in their place. It gives where the pair behind
// them begins.
func cut(h []byte, from, to int) (shorter []byte, at int) {
	if from == 0 {
		if to < len(h) {
			to++
		}
		for to < len(h) && blank(h[to]) {
			to++
		}
		return remove(h, 0, to), 0
	}
	for blank(h[from-1]) {
		from--
	}
	at = from
	if to < len(h) {
		h[from] = h[to]
		from++
		to++
		if from+1 < to {
			h[from] = ' '
			from++
		}
		for to < len(h) && blank(h[to]) {
			to++
		}
	}
	return remove(h, from, to), at
}

func blank(c byte) bool { return c == ' ' || c == '\t' }
