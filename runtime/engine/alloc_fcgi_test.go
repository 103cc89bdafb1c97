package engine_test

import (
	"encoding/binary"
	"io"
	"net"
)

// answerAllFCGI answers every request on every connection in FastCGI with the same bytes, without allocating.
func answerAllFCGI(ln net.Listener) {
	const (
		head                      = 8 // bytes of a record's
		endRequest, stdin, stdout = 3, 5, 6
		response                  = "Status: 200\r\nContent-Length: 5\r\n\r\nhello"
	)
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			out, buf := make([]byte, 0, 256), make([]byte, 1<<16+256)
			for {
				if _, err := io.ReadFull(c, buf[:head]); err != nil {
					return
				}
				typ, idHigh, idLow := buf[1], buf[2], buf[3]
				n := int(binary.BigEndian.Uint16(buf[4:])) + int(buf[6])
				if _, err := io.ReadFull(c, buf[:n]); err != nil {
					return
				}
				if typ != stdin || n > 0 {
					continue
				}
				out = append(out[:0], 1, stdout, idHigh, idLow, 0, byte(len(response)), 0, 0)
				out = append(out, response...)
				out = append(out, 1, stdout, idHigh, idLow, 0, 0, 0, 0)
				out = append(out, 1, endRequest, idHigh, idLow, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
				if _, err := c.Write(out); err != nil {
					return
				}
			}
		}()
	}
}
