package header

import "encoding/binary"

// ReadCIP takes a client IP header of NetScaler from the beginning of b and tells how
// long it is: a magic number, a length, and the IP and TCP headers of a packet of the
// client's. When the packet is cut behind them, the addresses hold all the same.
func ReadCIP(b []byte, magic uint32) (h Header, n int, err error) {
	const legacy, standard = 8, 12 // bytes before the packet
	const shortest, tcp = 20, 6
	if len(b) < standard {
		return h, 0, CIPTruncated
	}
	if binary.BigEndian.Uint32(b) != magic {
		return h, 0, CIPBadMagic
	}
	at, size := 0, uint64(0)
	switch {
	case b[8]&0xD0 == 0x40:
		at, size = legacy, uint64(binary.BigEndian.Uint32(b[4:]))
	case b[8] == 0:
		at, size = standard, uint64(binary.BigEndian.Uint16(b[10:]))
	default:
		return h, 0, CIPBadProto
	}
	if len(b) < shortest {
		return h, 0, CIPTruncated
	}
	packet := b[at:]
	ports := 0 // where the TCP header begins
	switch packet[0] >> 4 {
	case 4:
		if len(b) < 40 || uint64(len(b)) < size {
			return h, 0, CIPTruncated
		}
		if packet[9] != tcp {
			return h, 0, CIPBadProto
		}
		ports = int(packet[0]&0x0F) * 4
		if ports+4 > len(packet) {
			return h, 0, CIPTruncated
		}
		h = Header{Src: readAddr(packet, 12, 4, ports), Dst: readAddr(packet, 16, 4, ports+2)}
	case 6:
		if len(b) < 60 || uint64(len(b)) < size {
			return h, 0, CIPTruncated
		}
		if packet[6] != tcp {
			return h, 0, CIPBadProto
		}
		h = Header{Src: readAddr(packet, 8, 16, 40), Dst: readAddr(packet, 24, 16, 42)}
	default:
		return h, 0, CIPBadProto
	}
	if n = at + int(size); n > len(b) {
		return h, 0, CIPAborted
	}
	return h, n, nil
}
