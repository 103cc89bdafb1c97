package logformat

// Initial bytes of CBOR items (RFC 8949): major types in the high three bits, and values of their own.
const (
	cborUint  = 0x00
	cborNeg   = 0x20
	cborBytes = 0x40
	cborText  = 0x60
	cborArray = 0x80
	cborMap   = 0xA0
	cborOpen  = 0x1F // of indefinite length
	cborFalse = 0xF4
	cborTrue  = 0xF5
	cborNull  = 0xF6
	cborBreak = 0xFF
)

// cborByte writes a byte of CBOR: as two hexadecimal digits unless Bin is set, since most targets of logs take
// text only.
func cborByte(dst []byte, c byte, f Flags) []byte {
	if f&Bin != 0 {
		return append(dst, c)
	}
	return append(dst, upperHex[c>>4], upperHex[c&15])
}

// cborHead writes the head of an item: its major type and its argument.
func cborHead(dst []byte, major byte, n uint64, f Flags) []byte {
	bytes := 0
	switch {
	case n < 24:
		return cborByte(dst, major|byte(n), f)
	case n <= 0xff:
		dst, bytes = cborByte(dst, major|24, f), 1
	case n <= 0xffff:
		dst, bytes = cborByte(dst, major|25, f), 2
	case n <= 0xffffffff:
		dst, bytes = cborByte(dst, major|26, f), 4
	default:
		dst, bytes = cborByte(dst, major|27, f), 8
	}
	for shift := 8 * (bytes - 1); shift >= 0; shift -= 8 {
		dst = cborByte(dst, byte(n>>shift), f)
	}
	return dst
}

func cborInt(dst []byte, n int64, f Flags) []byte {
	if n < 0 {
		return cborHead(dst, cborNeg, uint64(-(n + 1)), f)
	}
	return cborHead(dst, cborUint, uint64(n), f)
}

// appendChunk writes a string of known length.
func appendChunk[T bytesOrString](dst []byte, major byte, s T, f Flags) []byte {
	dst = cborHead(dst, major, uint64(len(s)), f)
	for i := range len(s) {
		dst = cborByte(dst, s[i], f)
	}
	return dst
}

// appendChunks writes a string of indefinite length: runs of bytes that stand as they are, and each byte of set
// as mark and two digits.
func appendChunks[T bytesOrString](dst []byte, s T, mark byte, set *byteSet, f Flags) []byte {
	major := byte(cborBytes)
	if f&InText != 0 {
		major = cborText
	} else {
		dst = cborByte(dst, major|cborOpen, f)
	}
	from := 0
	for i := range len(s) {
		if c := s[i]; set[c] {
			dst = appendChunk(dst, major, s[from:i], f)
			dst = cborByte(dst, major|3, f)
			dst = cborByte(cborByte(cborByte(dst, mark, f), upperHex[c>>4], f), upperHex[c&15], f)
			from = i + 1
		}
	}
	if from < len(s) {
		dst = appendChunk(dst, major, s[from:], f)
	}
	if f&InText == 0 {
		dst = cborByte(dst, cborBreak, f)
	}
	return dst
}
