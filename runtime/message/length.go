package message

// ReadContentLength reads a Content-Length value into Flags and BodyLength: a list is fine when all its numbers are equal,
// also to those of earlier fields. It gives the last number's span without leading zeroes.
func (m *Message) ReadContentLength(v Span) (word Span, ok bool) {
	b := m.Buf
	at, end := v.Off, v.End()
	for {
		for at < end && isLWS(b[at]) {
			at++
		}
		if at == end {
			return word, false
		}
		var length uint64
		start, i := at, at
		for ; i < end && b[i]-'0' <= 9; i++ {
			if length == 0 {
				start = i
			}
			if length > (1<<64-1)/10 {
				return word, false
			}
			digit := uint64(b[i] - '0')
			if length*10+digit < length*10 {
				return word, false
			}
			length = length*10 + digit
		}
		if i == at {
			return word, false
		}
		word = Span{Off: start, Len: i - start}
		for i < end && isLWS(b[i]) {
			i++
		}
		if i < end && b[i] != ',' {
			return word, false
		}
		if m.Flags&ContentLength != 0 && length != m.BodyLength {
			return word, false
		}
		m.Flags |= ContentLength
		m.BodyLength = length
		if i == end {
			return word, true
		}
		at = i + 1
	}
}
