package cookie

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// dateLen is the length of a date: 30 bits of base64.
const dateLen = 5

// appendDate writes a date in units of 4 seconds since 1970.
func appendDate(b []byte, date int64) []byte {
	for shift := 24; shift >= 0; shift -= 6 {
		b = append(b, digits[date>>shift&63])
	}
	return b
}

var digitOf = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := range digits {
		t[digits[i]] = int8(i)
	}
	return t
}()

// dateAt reads a date, as seconds since 1970; 0 when there is none.
func dateAt(b []byte) int64 {
	var n int64
	for _, c := range b[:dateLen] {
		d := digitOf[c]
		if d < 0 {
			return 0
		}
		n = n<<6 | int64(d)
	}
	return n << 2
}
