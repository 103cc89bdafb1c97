package table

import "encoding/binary"

// A rate is the start of the current period, the events in it, and those of the period before, 32 bits each. The first
// is of the table's clock.
const (
	rateStart = 0
	rateNow   = 4
	ratePast  = 8
)

// addRate counts n events and gives those of the current period.
func addRate(f []byte, period, now, n uint32) uint32 {
	start, cur := binary.LittleEndian.Uint32(f[rateStart:]), binary.LittleEndian.Uint32(f[rateNow:])
	if now-start < period {
		n += cur
		binary.LittleEndian.PutUint32(f[rateNow:], n)
		return n
	}
	start += period
	if now-start >= period { // two periods have passed, or the rate is new
		start, cur = now, 0
	}
	putRate(f, start, n, cur)
	return n
}

// readRate is how many events there were in the last period: those of the current one, and of those before the part
// that is not a period old yet.
func readRate(f []byte, period, now uint32) uint32 {
	start := binary.LittleEndian.Uint32(f[rateStart:])
	cur, past := uint64(binary.LittleEndian.Uint32(f[rateNow:])), uint64(binary.LittleEndian.Uint32(f[ratePast:]))
	left := int32(start + period - now)
	if left < 0 { // the current period is over
		left += int32(period)
		past, cur = cur, 0
		if left < 0 {
			past = 0
		}
	}
	if cur == 0 && past <= 1 || period == 0 {
		return uint32(past) // a single event stays one until it is forgotten
	}
	return uint32((past*uint64(left) + cur*uint64(period)) / uint64(period))
}

// setRate makes the rate n, as if a period with so many events had begun now.
func setRate(f []byte, n, now uint32) { putRate(f, now, n, 0) }

// putRate writes a rate. The start of its period is even.
func putRate(f []byte, start, cur, past uint32) {
	binary.LittleEndian.PutUint32(f[rateStart:], start&^1)
	binary.LittleEndian.PutUint32(f[rateNow:], cur)
	binary.LittleEndian.PutUint32(f[ratePast:], past)
}
