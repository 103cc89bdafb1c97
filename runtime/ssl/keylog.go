package ssl

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"

	"hapax/parser/ast"
	"hapax/runtime/config"
)

// secrets are what an observer needs to read along, in hexadecimal, by the places of
// secretLabels. They are kept with "tune.ssl.keylog".
type secrets [5][]byte

// secretLabels are the names of the secrets in the format of key logs; the first is that of
// TLS 1.2, the rest those of TLS 1.3.
var secretLabels = [len(secrets{})]string{
	"CLIENT_RANDOM", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0",
}

// keylog is the side of a Conn that crypto/tls writes its secrets to, a line at a time.
type keylog Conn

// Write takes one line: a label, the client's random number, and the secret.
func (k *keylog) Write(line []byte) (int, error) {
	if k.seen.secrets == nil {
		k.seen.secrets = &secrets{}
	}
	if words := bytes.Fields(line); len(words) == 3 {
		for i, label := range secretLabels {
			if string(words[0]) == label {
				k.seen.secrets[i] = bytes.Clone(words[2])
			}
		}
	}
	return len(line), nil
}

// logging makes a configuration of one connection whose secrets are kept, if they are to be.
func (c *Conn) logging(with *tls.Config) *tls.Config {
	if !c.of.keylog {
		return with
	}
	with = with.Clone()
	with.KeyLogWriter = (*keylog)(c)
	return with
}

// master is the secret of a session of TLS 1.2; nil without "tune.ssl.keylog".
func (c *Conn) master() []byte {
	b, _ := hex.DecodeString(c.secret(0))
	return b
}

// secret is that of a label, "" when there is none.
func (c *Conn) secret(label int) string {
	if c.seen.secrets == nil {
		return ""
	}
	return string(c.seen.secrets[label])
}

// parseKeylog is "tune.ssl.keylog { on | off }".
func parseKeylog(l *config.Loader, line *ast.Line) {
	if l.TooMany(line, 1, 1) {
		return
	}
	switch line.Arg(1) {
	case "on":
		of(l).keylog = true
	case "off":
		of(l).keylog = false
	default:
		l.Alert(line.Pos, "'%s' expects either 'on' or 'off' but got '%s'.", line.Arg(0), line.Arg(1))
	}
}

// parseCapture is "tune.ssl.capture-buffer-size".
func parseCapture(l *config.Loader, line *ast.Line) {
	again := of(l).capture > 0
	parseCount(func(s *settings, n int) { s.capture = n })(l, line)
	if again {
		l.Alert(line.Pos, "'%s' is already configured.", line.Arg(0))
	}
}
