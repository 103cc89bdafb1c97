package ssl

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"hapax/stats/cli"
)

// numberTicketKeys gives numbers to the files of ticket keys.
func (g *settings) numberTicketKeys() {
	for i, t := range g.tickets {
		t.id = i
	}
}

// ticketKeysOf finds keys by "#<id>" or by the name of their file.
func (g *settings) ticketKeysOf(ref string) *ticketKeys {
	id, numbered := strings.CutPrefix(ref, "#")
	n, err := strconv.Atoi(id)
	if numbered && err != nil {
		return nil
	}
	for _, t := range g.tickets {
		if numbered && t.id == n || !numbered && t.file == ref {
			return t
		}
	}
	return nil
}

// showTicketKeys is "show tls-keys [id|*]".
func showTicketKeys(c *cli.Conn, g *settings, args []string) cli.Step {
	ref, all := cli.Arg(args, 2), g.tickets
	if ref == "" {
		lines := []string{"# id (file)\n"}
		for _, t := range all {
			lines = append(lines, fmt.Sprintf("%d (%s)\n", t.id, t.file))
		}
		return rows(c, lines)
	}
	if ref[0] != '*' {
		t := g.ticketKeysOf(ref)
		if t == nil {
			return c.Fail("'show tls-keys' unable to locate referenced filename")
		}
		all = []*ticketKeys{t}
	}
	lines := []string{"# id secret\n"}
	for _, t := range all {
		lines = append(lines, fmt.Sprintf("# %d (%s)\n", t.id, t.file))
		ring := t.now.Load()
		for i := range ticketKeyCount {
			key := ring.keys[(ring.at+2+i)%ticketKeyCount].text
			lines = append(lines, fmt.Sprintf("%d.%d %s\n", t.id, i, base64.StdEncoding.EncodeToString(key)))
		}
	}
	return rows(c, lines)
}

// setTicketKey is "set ssl tls-key <id|file> <key>".
func setTicketKey(c *cli.Conn, g *settings, args []string) cli.Step {
	if cli.Arg(args, 3) == "" || cli.Arg(args, 4) == "" {
		return c.Fail("'set ssl tls-key' expects a filename and the new TLS key in base64 encoding.")
	}
	t := g.ticketKeysOf(args[3])
	if t == nil {
		return c.Fail("'set ssl tls-key' unable to locate referenced filename")
	}
	text, err := base64.StdEncoding.DecodeString(args[4])
	if err != nil {
		return c.Fail("'set ssl tls-key' received invalid base64 encoded TLS key.")
	}
	if key, ok := newTicketKey(text); !ok || !t.rotate(key) {
		return c.Fail("'set ssl tls-key' received a key of wrong size.")
	}
	return c.Say(cli.Info, "TLS ticket key updated!")
}

// showProviders is "show ssl providers": of what the reference loads there is crypto/tls alone,
// which stands for the default.
func showProviders(c *cli.Conn, _ *settings, _ []string) cli.Step {
	c.WriteString("Loaded providers : \n\t- default\n")
	return nil
}
