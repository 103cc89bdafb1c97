package check

import (
	"encoding/binary"
	"encoding/hex"
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// startUp is the first message of a PostgreSQL client: protocol 3.0 and the user.
func startUp(user string) []byte {
	body := append([]byte{0, 3, 0, 0}, "user\x00"...)
	body = append(append(body, user...), 0, 0)
	return append(binary.BigEndian.AppendUint32(nil, uint32(4+len(body))), body...)
}

// mysqlLogin is the answer of a MySQL client to the greeting, without a password, and
// the wish to quit. Its form depends on the version of the server: before 4.1, from
// 4.1 on, or from 8.0 on, which has to be told the kind of password.
func mysqlLogin(user, version string) (packets []byte, ok bool) {
	var body []byte
	switch version {
	case "pre-41":
		body = []byte{0x00, 0x80, 0x00, 0x00, 0x01} // capabilities, largest packet
	case "", "post-41":
		body = []byte{0x00, 0x82, 0x00, 0x00, 0x00, 0x80, 0x00, 0x01, 0x21} // and UTF-8
	case "post-80":
		body = []byte{0x00, 0x82, 0x08, 0x00, 0x00, 0x80, 0x00, 0x01, 0x21}
	default:
		return nil, false
	}
	if version != "pre-41" {
		body = append(body, make([]byte, 23)...)
	}
	body = append(append(body, user...), 0, 0)
	if version == "post-80" {
		body = append(body, "mysql_native_password\x00"...)
	}
	n := len(body)
	packets = append([]byte{byte(n), byte(n >> 8), byte(n >> 16), 1}, body...)
	return append(packets, 1, 0, 0, 0, 1), true // COM_QUIT
}
