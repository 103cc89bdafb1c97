package ssl

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"hapax/stats/cli"
)

// maxIDLength is the most bytes that the ID of a certificate has.
const maxIDLength = 128

// showResponse is "show ssl ocsp-response [[text|base64] <id or certificate>]".
func showResponse(c *cli.Conn, g *settings, args []string) cli.Step {
	arg := cli.Arg(args, 3)
	if arg == "" {
		return rows(c, g.store.staples.list())
	}
	format := ""
	if arg == "text" || arg == "base64" {
		if format, arg = arg, cli.Arg(args, 4); arg == "" {
			return c.Fail("'show ssl ocsp-response [text|base64]' expects a valid certid.")
		}
	}
	key, err := hex.DecodeString(arg)
	if err != nil || len(key) == 0 || len(key) > maxIDLength {
		key = nil
		if e := g.store.entries[arg]; e != nil && e.cert != nil && e.cert.staple != nil {
			key = e.cert.staple.key
		}
	}
	if len(key) == 0 {
		return c.Fail("'show ssl ocsp-response' expects a valid certid or certificate path.")
	}
	t := g.store.staples.byKey[string(key)]
	if t == nil {
		return c.Fail("Certificate ID or path does not match any certificate.")
	}
	r := t.now.Load()
	switch {
	case r == nil:
	case format == "base64":
		c.WriteString(base64.StdEncoding.EncodeToString(r.der))
	default:
		c.WriteString(printOCSP(r.der))
	}
	return nil
}

// list describes what is known of each certificate.
func (s *staples) list() (lines []string) {
	if len(s.byKey) == 0 {
		return nil
	}
	lines = append(lines, "# Certificate IDs\n")
	for _, key := range sortedKeys(s.byKey) {
		t := s.byKey[key]
		id := t.id()
		lines = append(lines, fmt.Sprintf("Certificate ID key : %x\nCertificate path : %s\n Certificate ID:\n   Issuer Name Hash: %X\n   Issuer Key Hash: %X\n   Serial Number: %s\n",
			t.key, t.path, id.NameHash, id.KeyHash, hexNumber(id.Serial)))
	}
	return lines
}

// setResponse is "set ssl ocsp-response <response>".
func setResponse(c *cli.Conn, g *settings, args []string) cli.Step {
	text := c.Payload
	if text == "" {
		text = cli.Arg(args, 3)
	}
	if text == "" {
		return c.Fail("'set ssl ocsp-response' expects response in base64 encoding.")
	}
	der, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(text))
	if err != nil {
		return c.Fail("'set ssl ocsp-response' received invalid base64 encoded response.")
	}
	if err := g.store.staples.update(der); err != nil {
		return c.Failf("%s.", err)
	}
	return c.Say(cli.Info, "OCSP Response updated!")
}

// showUpdates is "show ssl ocsp-updates".
func showUpdates(c *cli.Conn, g *settings, _ []string) cli.Step {
	lines := []string{"OCSP Certid | Path | Next Update | Last Update | Successes | Failures | Last Update Status | Last Update Status (str)\n"}
	return rows(c, append(lines, g.store.staples.updates()...))
}

// updateResponse is "update ssl ocsp-response <certificate>".
func updateResponse(c *cli.Conn, g *settings, args []string) cli.Step {
	name := cli.Arg(args, 3)
	if name == "" {
		return c.Fail("'update ssl ocsp-response' expects a filename")
	}
	e := g.store.entries[name]
	text := ""
	switch {
	case e == nil:
		text = "Unknown certificate! 'update ssl ocsp-response' expects an already known certificate file name.\n"
	case e.cert == nil || e.cert.staple == nil:
		text = "'update ssl ocsp-response' only works on certificates that already have a known OCSP response.\n"
	}
	if text != "" {
		return c.Failf("%sCan't send ocsp request for %s!", text, name)
	}
	g.store.fetcher(g).now(e.cert.staple)
	return nil
}
