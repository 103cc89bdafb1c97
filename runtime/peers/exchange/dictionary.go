package exchange

import "hapax/runtime/varint"

// slots is how many texts each side of a session remembers.
const slots = 128

// dictionary is the texts that were told in a session lately: they are told by their places, from 1 on, afterwards.
type dictionary struct {
	texts [slots]string
	next  int            // the place that is taken next
	at    map[string]int // of those that were sent
}

// place is where a text stands; new tells that the peer does not know it yet.
func (d *dictionary) place(text string) (at int, new bool) {
	if at, known := d.at[text]; known {
		return at, false
	}
	if d.at == nil {
		d.at = map[string]int{}
	}
	at = d.next
	delete(d.at, d.texts[at])
	d.texts[at], d.at[text] = text, at
	d.next = (at + 1) % slots
	return at, true
}

// appendText appends a text as what entries store: how long that is, its place, and itself if it is new.
func (d *dictionary) appendText(dst []byte, text string) []byte {
	if text == "" {
		return append(dst, 0)
	}
	at, new := d.place(text)
	var room [64]byte
	b := varint.Append(room[:0], uint64(at)+1)
	if new {
		b = varint.AppendText(b, text)
	}
	return varint.AppendText(dst, b)
}

// read reads such a text; "" when there is none.
func (d *dictionary) read(r *reader) string {
	length := r.number()
	if length == 0 {
		return ""
	}
	in := reader{left: r.bytes(length)}
	at := in.number()
	if r.failed || in.failed || at == 0 || at > slots {
		r.failed = true
		return ""
	}
	if len(in.left) > 0 {
		text := in.bytes(in.number())
		r.failed = in.failed
		d.texts[at-1] = string(text)
	}
	return d.texts[at-1]
}
