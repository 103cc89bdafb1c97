package command

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"hapax/runtime"
	"hapax/runtime/anon"
	"hapax/stats"
	"hapax/stats/cli"
)

var streams = []cli.Command{
	{Doc: doc("show sess", "streams, one or all, in short or in full"), Level: cli.Operator, Run: showSess},
	{Doc: doc("shutdown session", "end a stream"), Level: cli.Admin, Run: shutdownSession},
	{Doc: doc("shutdown sessions server", "end all streams of a server"), Level: cli.Admin, Run: shutdownSessionsServer},
}

const showSessUsage = `Usage: show sess [<id> | all | help] [<options>*]
Dumps active streams (formerly called 'sessions'). Available selectors:
   <id>         dump only this stream identifier (0x...)
   all          dump all matching streams in large format
   help         show this message
   susp         report streams considered suspicious
Available options: 
   show-uri     also display the transaction URI, if available
   older <age>  only display streams older than <age> seconds
   server <b/s> only show streams attached to this backend+server
   backend <b>  only show streams attached to this backend
   frontend <f> only show streams attached to this frontend
Without any argument, all streams are dumped in a shorter format.`

// sessQuery is what a "show sess" asks for.
type sessQuery struct {
	id      uint64 // only this stream, in full; 0: all
	full    bool
	uri     bool
	suspect bool
	older   time.Duration
	front   *runtime.Proxy
	back    *runtime.Proxy
	server  *runtime.Server
}

// parseSess reads the words behind "show sess"; ok is false when the answer was given.
func parseSess(c *cli.Conn, args []string) (q sessQuery, ok bool) {
	p, i := process(c), 0
	switch first := cli.Arg(args, 0); first {
	case "":
	case "older":
		if len(args) < 2 {
			c.Fail("Expects a minimum age (in seconds by default).")
			return q, false
		}
		if q.older, ok = duration(args[1], time.Second); !ok {
			c.Fail("Invalid age.")
			return q, false
		}
		q.full, i = true, 2
	case "all":
		q.full, i = true, 1
	case "help":
		c.Fail(showSessUsage)
		return q, false
	default:
		if q.id = pointer(first); q.id != 0 {
			i = 1
		}
	}
	for ; i < len(args); i++ {
		filtered := q.front != nil || q.back != nil || q.server != nil
		switch word := args[i]; word {
		case "show-uri":
			q.uri = true
			continue
		case "susp":
			q.suspect = true
			continue
		case "server", "backend", "frontend":
			if filtered {
				c.Fail("Only one of backend, frontend or server may be set.")
				return q, false
			}
			i++
			if !q.filter(c, p, word, cli.Arg(args, i)) {
				return q, false
			}
		default:
			c.Failf("Unsupported option '%s', try 'help' for more info.\n", word)
			return q, false
		}
	}
	return q, true
}

// filter takes "server", "backend" or "frontend" with its name.
func (q *sessQuery) filter(c *cli.Conn, p *Process, word, name string) bool {
	switch word {
	case "server":
		if name == "" {
			c.Fail("Missing server name (<backend>/<server>).")
			return false
		}
		q.server = anyServer(c, name)
		return q.server != nil
	case "backend":
		if q.back = p.proxyWith(name, runtime.CapBack); q.back != nil {
			return true
		}
	default:
		if q.front = p.proxyWith(name, runtime.CapFront); q.front != nil {
			return true
		}
	}
	if name == "" {
		c.Fail("Missing " + word + " name.")
	} else {
		c.Fail("No such " + word + ".")
	}
	return false
}

func (q *sessQuery) wants(s *runtime.StreamInfo) bool {
	switch {
	case q.id != 0 && s.ID != q.id, s.Age < q.older:
		return false
	case q.server != nil && s.Server != q.server, q.back != nil && s.Back != q.back, q.front != nil && s.Front != q.front:
		return false
	}
	return !q.suspect || s.Expire <= 0 || s.ClientFD < 0
}

// batch is how many streams of a loop are asked for at once: the loop does nothing else meanwhile.
const batch = 128

// loops is how many loops have streams; the dialogs are behind those of the last one.
func (p *Process) loops() int {
	if p.Streams == nil {
		return 0
	}
	return p.Streams.Loops()
}

// streams describes the next streams of a loop.
func (p *Process) streams(loop int, after uint64) []runtime.StreamInfo {
	if loop == p.loops() {
		return p.dialogs.after(after, batch)
	}
	return p.Streams.List(loop, after, batch)
}

func showSess(c *cli.Conn, args []string) cli.Step {
	q, ok := parseSess(c, args[2:])
	if !ok {
		return nil
	}
	p := process(c)
	loop, last, found := 0, uint64(0), false
	var list []runtime.StreamInfo
	return rows(func(c *cli.Conn) bool {
		for len(list) == 0 {
			if loop > p.loops() {
				if q.id != 0 && !found {
					c.WriteString("Session not found.\n")
				}
				return false
			}
			if list = p.streams(loop, last); len(list) == 0 {
				loop, last = loop+1, 0
			}
		}
		s := &list[0]
		last, list = s.ID, list[1:]
		if !q.wants(s) {
			return true
		}
		found = true
		if q.full || q.id != 0 {
			writeStream(c, s, q.uri)
		} else {
			writeStreamLine(c, s, q.uri)
		}
		return true
	})
}

// writeStreamLine writes the short form. Flags of the reference's own machinery, which has no likeness here, are zero.
func writeStreamLine(c *cli.Conn, s *runtime.StreamInfo, uri bool) {
	key, back, srv := anon.Key(c.AnonKey), "<NONE>", "<none>"
	if s.Back != nil {
		back = key.Word(s.Back.Name)
	}
	if s.Server != nil {
		srv = key.Word(s.Server.Name)
	}
	c.Printf("%#x: proto=%s", s.ID, s.Proto())
	if !s.Inner() {
		c.Printf(" src=%s fe=%s be=%s srv=%s", sourceText(key, s), key.Word(s.Front.Name), back, srv)
	}
	c.Printf(" ts=00 epoch=0 age=%s calls=%d rate=0 cpu=0 lat=0", stats.Coarse(s.Age), s.Calls)
	c.Printf(" rq[f=000000h,i=%d,an=00h,ax=] rp[f=000000h,i=%d,an=00h,ax=]", s.RequestIn, s.ResponseIn)
	c.Printf(" scf=[8,0h,fd=%d,rex=%s,wex=%s] scb=[%d,1h,fd=%d,rex=%s,wex=%s] exp=%s rc=%d c_exp=", s.ClientFD,
		left(s.ReadClient), left(s.WriteClient), serverState(s), s.ServerFD, left(s.ReadServer), left(s.WriteServer), left(s.Expire), s.Retries)
	if uri && s.URI != "" {
		c.Printf(" uri=\"%s\"", key.Word(s.URI))
	}
	c.WriteString("\n")
}

// serverState numbers what the server side does as the reference does: 0 nothing yet, 5 connecting, 8 connected.
func serverState(s *runtime.StreamInfo) int {
	switch {
	case s.ServerFD >= 0 && s.ServerAddr.IsValid():
		return 8
	case s.ServerFD >= 0:
		return 5
	case s.Dialog:
		return 8
	}
	return 0
}

// writeStream writes the full form.
func writeStream(c *cli.Conn, s *runtime.StreamInfo, uri bool) {
	key := anon.Key(c.AnonKey)
	c.Printf("%#x: [%s] id=%d proto=%s", s.ID, s.Accepted.Format("02/Jan/2006:15:04:05.000000"), s.ID-1, s.Proto())
	if !s.Inner() {
		c.Printf(" source=%s", sourceText(key, s))
	}
	c.WriteString("\n")
	c.Printf("  conn_retries=%d loop=%d calls=%d exp=%s age=%s\n", s.Retries, s.Loop, s.Calls, orNever(s.Expire), stats.Coarse(s.Age))
	c.Printf("  frontend=%s (id=%d mode=%s), listener=%s (id=%d)", key.Word(s.Front.Name), s.Front.ID, stats.ModeName(s.Front.Mode),
		cmp.Or(s.Listener.Name, "?"), s.Listener.ID)
	switch {
	case s.Dst.IsValid():
		c.Printf("%s\n", addrText(key, s.Dst))
	case s.Unix:
		c.Printf(" addr=unix:%d\n", s.Listener.ID)
	default:
		c.WriteString("\n")
	}
	if s.Back == nil {
		c.WriteString("  backend=<NONE> (id=-1 mode=-)\n  server=<NONE> (id=-1)\n")
	} else {
		c.Printf("  backend=%s (id=%d mode=%s)%s\n", key.Word(s.Back.Name), s.Back.ID, stats.ModeName(s.Back.Mode), addrText(key, s.LocalAddr))
		name, id := "<none>", 0
		if s.Server != nil {
			name, id = key.Word(s.Server.Name), s.Server.ID
		}
		c.Printf("  server=%s (id=%d)%s\n", name, id, addrText(key, s.ServerAddr))
	}
	if s.HTTP {
		c.Printf("  txn method=%s status=%d", s.Method, s.Status)
		if uri && s.URI != "" {
			c.Printf(" uri=\"%s\"", key.Word(s.URI))
		}
		c.WriteString("\n")
	}
	c.Printf("  client fd=%d rex=%s wex=%s\n", s.ClientFD, orNever(s.ReadClient), orNever(s.WriteClient))
	c.Printf("  server fd=%d rex=%s wex=%s\n", s.ServerFD, orNever(s.ReadServer), orNever(s.WriteServer))
	c.Printf("  request step=%q i=%d\n  response step=%q i=%d\n", s.RequestStep, s.RequestIn, s.ResponseStep, s.ResponseIn)
}

// endpointText writes an address with its port as the reference does, IPv6 without brackets.
func endpointText(key anon.Key, a netip.AddrPort) string {
	return fmt.Sprintf("%s:%d", key.Word(a.Addr().String()), a.Port())
}

func addrText(key anon.Key, a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return " addr=" + endpointText(key, a)
}

// sourceText is where a stream comes from. The number of a UNIX listener hides nothing.
func sourceText(key anon.Key, s *runtime.StreamInfo) string {
	if key == 0 || s.Unix || !s.Src.IsValid() {
		return s.Source()
	}
	return endpointText(key, s.Src)
}

func left(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return stats.Coarse(d)
}

func orNever(d time.Duration) string {
	if d <= 0 {
		return "<NEVER>"
	}
	return stats.Coarse(d)
}

func shutdownSession(c *cli.Conn, args []string) cli.Step {
	id := pointer(cli.Arg(args, 2))
	if id == 0 {
		return c.Fail("Session pointer expected (use 'show sess').")
	}
	p := process(c)
	if !p.dialogs.kill(id) && (p.Streams == nil || !p.Streams.Kill(id)) {
		return c.Fail("No such session (use 'show sess').")
	}
	return nil
}

func shutdownSessionsServer(c *cli.Conn, args []string) cli.Step {
	srv := server(c, cli.Arg(args, 3))
	if srv == nil {
		return nil
	}
	if s := process(c).Streams; s != nil {
		s.KillServer(srv)
	}
	return nil
}
