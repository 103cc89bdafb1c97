package message

// Values walks over the values of the fields of one name. Most headers are comma-separated lists:
// a comma inside double quotes does not separate, and an empty list item is a value too.
// The zero Values is not usable; make one with Message.Values or Message.Lines.
type Values struct {
	m     *Message
	name  string
	whole bool

	// Field is the index of the field that holds the current value; Span is the value without
	// surrounding blanks.
	Field int
	Span  Span

	item    Span // the current value with the blanks around it
	started bool
	again   bool // the field at Field was not looked at yet: what stood there was removed
}

// Values walks over the comma-separated values of the fields named name (in lower case; empty: of all
// fields).
func (m *Message) Values(name string) Values { return Values{m: m, name: name} }

// Lines walks over the same fields, each with its whole value.
func (m *Message) Lines(name string) Values { return Values{m: m, name: name, whole: true} }

// Bytes is the current value.
func (v *Values) Bytes() []byte { return v.m.Bytes(v.Span) }

// Next goes to the next value and tells whether there is one.
func (v *Values) Next() bool {
	m := v.m
	from := v.Field
	switch {
	case !v.started:
		v.started = true
		from = 0
	case v.again:
		v.again = false
	case v.Field < 0:
		return false
	case v.whole:
		from++
	default:
		all := m.Fields[v.Field].Value
		rest := Span{v.item.End(), all.End() - v.item.End()}
		if rest.Len > 0 {
			if m.Buf[rest.Off] == ',' {
				rest.Off++
				rest.Len--
			}
			v.take(rest)
			return true
		}
		from++
	}
	v.Field = m.Find(v.name, from)
	if v.Field < 0 {
		return false
	}
	v.take(m.Fields[v.Field].Value)
	return true
}

// take makes the first item of rest the current value.
func (v *Values) take(rest Span) {
	b := v.m.Buf
	at, end := rest.Off, rest.End()
	for at < end && isLWS(b[at]) {
		at++
	}
	stop := end
	if !v.whole {
		stop = at + uint32(ValueEnd(b[at:end]))
	}
	v.item = Span{rest.Off, stop - rest.Off}
	for stop > at && isLWS(b[stop-1]) {
		stop--
	}
	v.Span = Span{at, stop - at}
}

// Remove takes the current value out, with one comma next to it; the whole field goes when it held no
// other. The next call of Next gives the value that followed.
func (v *Values) Remove() {
	m := v.m
	f := &m.Fields[v.Field]
	if v.item.Len == f.Value.Len {
		m.Remove(v.Field)
		v.again = true
		return
	}
	start, n := v.item.Off, v.item.Len+1 // the comma behind it, or before it
	if start != f.Value.Off {
		start--
	}
	b := m.Buf
	copy(b[start:f.Value.End()], b[start+n:f.Value.End()])
	f.Value.Len -= n
	v.item, v.Span = Span{start, 0}, Span{start, 0}
}

// Replace puts value in the place of the current one, blanks around it included. The next call of Next
// gives the value that followed.
func (v *Values) Replace(value []byte) error {
	m := v.m
	f := &m.Fields[v.Field]
	before := m.Buf[f.Value.Off:v.item.Off]
	after := m.Buf[v.item.End():f.Value.End()]
	s, err := m.put3(before, value, after)
	if err != nil {
		return err
	}
	f.Value = s
	v.item = Span{s.Off + uint32(len(before)), uint32(len(value))}
	v.Span = v.item
	if f.ID == Host {
		return m.followHost(value)
	}
	return nil
}

// maxHistory bounds a negative occurrence, as the manual says (section 7.3.6, req.hdr).
const maxHistory = 10

// Occurrence gives the occ-th comma-separated value of the fields named name (in lower case; empty: any
// header). 1 is the first; -1 is the last, down to -10; 0 is the last too, as the fetches have it.
func (m *Message) Occurrence(name string, occ int) ([]byte, bool) {
	return pick(m.Values(name), occ)
}

// OccurrenceLine is Occurrence over whole field values.
func (m *Message) OccurrenceLine(name string, occ int) ([]byte, bool) {
	return pick(m.Lines(name), occ)
}

func pick(v Values, occ int) ([]byte, bool) {
	if occ == 0 {
		occ = -1
	}
	if occ > 0 {
		for v.Next() {
			if occ--; occ == 0 {
				return v.Bytes(), true
			}
		}
		return nil, false
	}
	if -occ > maxHistory {
		return nil, false
	}
	var last [maxHistory]Span
	n := 0
	for v.Next() {
		last[n%maxHistory] = v.Span
		n++
	}
	if -occ > n {
		return nil, false
	}
	return v.m.Bytes(last[(n+occ)%maxHistory]), true
}

// CountValues counts the comma-separated values of the fields named name.
func (m *Message) CountValues(name string) int {
	n := 0
	for v := m.Values(name); v.Next(); {
		n++
	}
	return n
}

// CountLines counts the fields named name.
func (m *Message) CountLines(name string) int {
	n := 0
	for i := m.Find(name, 0); i >= 0; i = m.Find(name, i+1) {
		n++
	}
	return n
}

// ValueEnd finds where the first item of a comma-separated list ends: the offset of the first comma
// outside double quotes, or len(list).
func ValueEnd(list []byte) int {
	for i := 0; i < len(list); i++ {
		switch list[i] {
		case ',':
			return i
		case '"':
			i = quoteEnd(list, i)
		}
	}
	return len(list)
}

// quoteEnd gives the offset of the double quote that closes the one at open, or len(s). A backslash
// takes the meaning of the byte behind it away.
func quoteEnd(s []byte, open int) int {
	for i := open + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(s)
}

func isLWS(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
