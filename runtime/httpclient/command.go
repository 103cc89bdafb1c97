package httpclient

import (
	"strings"
	"time"

	"hapax/runtime"
	"hapax/runtime/message"
	"hapax/stats/cli"
)

// configured is what a connection of the socket belongs to.
type configured interface{ RunningConfig() *runtime.Config }

// patience is how long a command waits for the server before it looks whether somebody still waits for it.
const patience = 100 * time.Millisecond

// run is `httpclient [--htx] <method> <URI>`, with a payload as the body.
func run(c *cli.Conn, args []string) cli.Step {
	if !c.Allow(cli.Admin) {
		return nil
	}
	at := 1
	for strings.HasPrefix(cli.Arg(args, at), "-") {
		word := args[at]
		at++
		if word == "--" {
			break
		}
		if word == "--htx" {
			return c.Fail("Can't start the HTTP client: '--htx' shows how HAProxy keeps messages in memory, which has no meaning here.")
		}
		return c.Failf("Can't start the HTTP client: Unknown '%s' optional keyword.", word)
	}
	method, url := cli.Arg(args, at), cli.Arg(args, at+1)
	if method == "" || url == "" {
		return c.Fail("Can't start the HTTP client: not enough parameters.")
	}
	client := Of(c.Owner.(configured).RunningConfig())
	if client == nil {
		return c.Fail("Can't start the HTTP client.")
	}
	x, err := client.Send(&Request{Method: method, URL: url, Body: c.Payload})
	if err != nil {
		return c.Fail("Can't start the HTTP client.")
	}
	c.OnRelease(x.Close)
	return func(c *cli.Conn) bool { return show(c, x) }
}

// show prints what has come of the response.
func show(c *cli.Conn, x *Exchange) (done bool) {
	for !c.Full() {
		part, data, err := x.Next(patience)
		switch {
		case err != nil || part == End:
			return true
		case part == Head:
			writeHead(c, x.Response())
		case part == Body:
			c.Write(data)
		default:
			c.Pause(time.Millisecond) // see whether the reader is there
			return false
		}
	}
	return false
}

// writeHead prints the head of a response.
func writeHead(c *cli.Conn, m *message.Message) {
	c.Printf("%s %d %s\n", m.Bytes(m.Line[0]), m.Status, m.Bytes(m.Line[2]))
	for i := range m.Fields {
		c.Printf("%s: %s\r\n", m.Name(i), m.Value(i))
	}
	c.WriteString("\r\n")
}
