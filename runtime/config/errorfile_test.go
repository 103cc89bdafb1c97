package config

import (
	"testing"

	"hapax/runtime"
)

// FuzzErrorFile holds that what is taken for a response is one in the form that is sent, too.
func FuzzErrorFile(f *testing.F) {
	f.Add([]byte("HTTP/1.1 403 No\r\nContent-Length: 2\r\nA:\r\n b\r\n\r\nno"))
	f.Add([]byte("HTTP/1.0 304 Same\nTransfer-Encoding: gzip\nContent-Length: 5\n\n"))
	f.Add([]byte("HTTP/1.1 99\r\n\r\n"))
	tune := runtime.Tune{BufSize: 1024, MaxHdr: 8}
	f.Fuzz(func(t *testing.T, data []byte) {
		reply, err := parseErrorFile(data, &tune)
		if err != nil {
			return
		}
		raw := string(reply.Raw)
		again, err := parseErrorFile([]byte(raw), &tune)
		if err != nil || string(again.Raw) != raw {
			t.Fatalf("%q is sent as %q, which is %v, %v", data, raw, again, err)
		}
	})
}
