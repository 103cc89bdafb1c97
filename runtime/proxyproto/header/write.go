package header

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
	"strconv"
)

// AppendV1 appends a header of version 1. When one of the addresses is not valid it tells
// none; when only one is of IPv6, the other is told in the form of IPv6.
func AppendV1(dst []byte, src, to netip.AddrPort) []byte {
	if !src.IsValid() || !to.IsValid() {
		return append(dst, "PROXY UNKNOWN\r\n"...)
	}
	family := "TCP4 "
	a, b := src.Addr(), to.Addr()
	if !a.Is4() || !b.Is4() {
		family = "TCP6 "
		a, b = netip.AddrFrom16(a.As16()), netip.AddrFrom16(b.As16())
	}
	dst = append(append(dst, "PROXY "...), family...)
	dst = append(a.AppendTo(dst), ' ')
	dst = append(b.AppendTo(dst), ' ')
	dst = append(strconv.AppendUint(dst, uint64(src.Port()), 10), ' ')
	return append(strconv.AppendUint(dst, uint64(to.Port()), 10), "\r\n"...)
}

// V2 builds a header of version 2 behind what Buf holds: Begin, extensions, End.
type V2 struct {
	Buf      []byte
	begin    int
	checksum int // its place in Buf; 0: none is wanted
}

// Begin starts a header with the addresses. When one of them is not valid, the header
// says that the connection is nobody else's.
func (h *V2) Begin(src, dst netip.AddrPort) {
	h.begin, h.checksum = len(h.Buf), 0
	h.Buf = append(h.Buf, signature...)
	if !src.IsValid() || !dst.IsValid() {
		h.Buf = append(h.Buf, local, familyNone, 0, 0)
		return
	}
	a, b := src.Addr(), dst.Addr()
	if a.Is4() && b.Is4() {
		h.Buf = append(h.Buf, proxied, familyTCP4, 0, 0)
		x, y := a.As4(), b.As4()
		h.Buf = append(append(h.Buf, x[:]...), y[:]...)
	} else {
		h.Buf = append(h.Buf, proxied, familyTCP6, 0, 0)
		x, y := a.As16(), b.As16()
		h.Buf = append(append(h.Buf, x[:]...), y[:]...)
	}
	h.Buf = binary.BigEndian.AppendUint16(h.Buf, src.Port())
	h.Buf = binary.BigEndian.AppendUint16(h.Buf, dst.Port())
}

// Add appends an extension.
func (h *V2) Add(kind byte, value []byte) {
	at := h.Open(kind)
	h.Buf = append(h.Buf, value...)
	h.Close(at)
}

// Checksum appends the extension that holds a checksum of the header, which End fills in.
func (h *V2) Checksum() {
	h.Add(TypeCRC32C, []byte{0, 0, 0, 0})
	h.checksum = len(h.Buf) - 4
}

// Open begins an extension whose value is appended to Buf until Close, which gets what
// Open returns.
func (h *V2) Open(kind byte) int {
	h.Buf = append(h.Buf, kind, 0, 0)
	return len(h.Buf)
}

// Close ends the extension that Open began at.
func (h *V2) Close(at int) {
	const most = 1<<16 - 1
	if len(h.Buf)-at > most {
		h.Buf = h.Buf[:at+most]
	}
	binary.BigEndian.PutUint16(h.Buf[at-2:], uint16(len(h.Buf)-at))
}

// End fills in the length and the checksum.
func (h *V2) End() {
	b := h.Buf[h.begin:]
	binary.BigEndian.PutUint16(b[14:], uint16(len(b)-fixedLen))
	if h.checksum > 0 {
		binary.BigEndian.PutUint32(h.Buf[h.checksum:], crc32.Checksum(b, castagnoli))
	}
}
