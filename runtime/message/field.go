package message

// Find gives the index of the first field from index from on whose name is name (in lower case), or -1.
// The empty name stands for any header.
func (m *Message) Find(name string, from int) int {
	for i := from; i < len(m.Fields); i++ {
		f := m.Fields[i].Name
		if int(f.Len) == len(name) && string(m.Buf[f.Off:f.Off+f.Len]) == name {
			return i
		}
		if name == "" {
			return i
		}
	}
	return -1
}

// FindID is Find for a well-known header: it compares numbers only.
func (m *Message) FindID(id HeaderID, from int) int {
	for i := from; i < len(m.Fields); i++ {
		if m.Fields[i].ID == id {
			return i
		}
	}
	return -1
}

// Get gives the whole value of the first field named name, nil when there is none.
func (m *Message) Get(name string) []byte {
	if i := m.Find(name, 0); i >= 0 {
		return m.Value(i)
	}
	return nil
}

// GetID is Get for a well-known header.
func (m *Message) GetID(id HeaderID) []byte {
	if i := m.FindID(id, 0); i >= 0 {
		return m.Value(i)
	}
	return nil
}

// Add appends a field. The name is put in lower case. When the URI holds an authority and the name is
// host, the URI follows, as the reference does it for its rules.
func (m *Message) Add(name string, value []byte) error {
	id, err := m.add(name, value)
	if err == nil && id == Host {
		err = m.followHost(value)
	}
	return err
}

// add is Add that leaves the URI alone.
func (m *Message) add(name string, value []byte) (HeaderID, error) {
	if len(m.Fields) == cap(m.Fields) || !m.room(len(name)+len(value)) {
		return Other, ErrNoRoom
	}
	at := len(m.Buf)
	m.Buf = append(m.Buf, name...)
	id := HeaderIDOf(lower(m.Buf[at:]))
	m.Fields = append(m.Fields, Field{
		Name:  Span{uint32(at), uint32(len(name))},
		Value: m.put(value),
		ID:    id,
	})
	return id, nil
}

// AddString is Add for a constant value.
func (m *Message) AddString(name, value string) error {
	if !m.room(len(name) + 2*len(value)) {
		return ErrNoRoom
	}
	at := len(m.Buf)
	m.Buf = append(m.Buf, value...)
	v := Span{uint32(at), uint32(len(value))}
	id, err := m.add(name, nil)
	if err != nil {
		m.Buf = m.Buf[:at]
		return err
	}
	m.Fields[len(m.Fields)-1].Value = v
	if id == Host {
		return m.followHost(m.Bytes(v))
	}
	return nil
}

// Set removes every field named name (in lower case) and appends one.
func (m *Message) Set(name string, value []byte) error {
	if !m.room(len(name)+len(value)) || len(m.Fields) == cap(m.Fields) && m.Find(name, 0) < 0 {
		return ErrNoRoom
	}
	m.RemoveAll(name)
	return m.Add(name, value)
}

// Remove takes field i out; the fields behind it move down by one.
func (m *Message) Remove(i int) {
	copy(m.Fields[i:], m.Fields[i+1:])
	m.Fields = m.Fields[:len(m.Fields)-1]
}

// RemoveAll takes out every field named name (in lower case) and tells how many there were.
func (m *Message) RemoveAll(name string) int {
	kept := 0
	for i := range m.Fields {
		f := m.Fields[i]
		if string(m.Buf[f.Name.Off:f.Name.End()]) == name {
			continue
		}
		m.Fields[kept] = f
		kept++
	}
	n := len(m.Fields) - kept
	m.Fields = m.Fields[:kept]
	return n
}

// RemoveAllID is RemoveAll for a well-known header.
func (m *Message) RemoveAllID(id HeaderID) int {
	kept := 0
	for i := range m.Fields {
		if m.Fields[i].ID == id {
			continue
		}
		m.Fields[kept] = m.Fields[i]
		kept++
	}
	n := len(m.Fields) - kept
	m.Fields = m.Fields[:kept]
	return n
}

// SetValue replaces the whole value of field i. A Host takes the authority of the URI along.
func (m *Message) SetValue(i int, value []byte) error {
	if !m.room(len(value)) {
		return ErrNoRoom
	}
	m.Fields[i].Value = m.put(value)
	if m.Fields[i].ID == Host {
		return m.followHost(value)
	}
	return nil
}

// Extend puts text in front of the value of field i, and behind it.
func (m *Message) Extend(i int, before, after string) error {
	s, err := join(m, before, m.Value(i), after)
	if err == nil {
		m.Fields[i].Value = s
	}
	return err
}

// SetField replaces name and value of field i, in place in the order.
func (m *Message) SetField(i int, name string, value []byte) error {
	if !m.room(len(name) + len(value)) {
		return ErrNoRoom
	}
	at := len(m.Buf)
	m.Buf = append(m.Buf, name...)
	id := HeaderIDOf(lower(m.Buf[at:]))
	m.Fields[i] = Field{Name: Span{uint32(at), uint32(len(name))}, Value: m.put(value), ID: id}
	if id == Host {
		return m.followHost(value)
	}
	return nil
}

// lower puts ASCII letters in lower case, in place.
func lower(p []byte) []byte {
	for i, c := range p {
		if 'A' <= c && c <= 'Z' {
			p[i] = c | 0x20
		}
	}
	return p
}

// EqualFold compares ASCII letters without regard to case; other bytes as they are.
func EqualFold[A, B ~string | ~[]byte](a A, b B) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z' {
			return false
		}
	}
	return true
}
