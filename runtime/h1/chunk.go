package h1

import "hapax/runtime/message"

// ChunkEnd follows the data of every chunk; LastChunk ends a chunked body without trailers.
const (
	ChunkEnd  = "\r\n"
	LastChunk = "0\r\n\r\n"
)

// ChunkHeadLen is the most that AppendChunkHead appends.
const ChunkHeadLen = 16 + len("\r\n")

// AppendChunkHead appends what goes before the n bytes of a chunk.
func AppendChunkHead(dst []byte, n uint64) []byte {
	const hex = "0123456789ABCDEF"
	var line [ChunkHeadLen]byte
	i := len(line) - len("\r\n")
	line[i], line[i+1] = '\r', '\n'
	for {
		i--
		line[i] = hex[n&15]
		if n >>= 4; n == 0 {
			break
		}
	}
	return append(dst, line[i:]...)
}

// AppendTrailers appends the last chunk with the fields of m as trailers.
func AppendTrailers(dst []byte, m *message.Message, cases Cases) ([]byte, error) {
	n := len("0\r\n\r\n")
	for i := range m.Fields {
		n += int(m.Fields[i].Name.Len+m.Fields[i].Value.Len) + len(": \r\n")
	}
	if cap(dst)-len(dst) < n {
		return dst, ErrFull
	}
	dst = append(dst, "0\r\n"...)
	for i := range m.Fields {
		dst = append(dst, cases.of(m.Name(i))...)
		dst = append(dst, ':', ' ')
		dst = append(dst, m.Value(i)...)
		dst = append(dst, '\r', '\n')
	}
	return append(dst, '\r', '\n'), nil
}
