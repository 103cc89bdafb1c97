package config

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// serverAddr is what the address of a "server" line may be.
const serverAddr = AddrPort | AddrPortOffset | AddrStream | AddrDgram | AddrName

// What a server is set to when no word says otherwise.
const (
	defaultInter      = 2 * time.Second
	defaultRise       = 2
	defaultFall       = 3
	defaultErrorLimit = 10
	defaultPoolPurge  = 5 * time.Second
	maxWeight         = 256
)

func serverKeywords() []Keyword {
	words := keyword.Arg{Name: "options", Type: keyword.Opaque, Many: true, Opt: true, Doc: "section 5.2"}
	return []Keyword{
		onProxy("server", "4.2", "a server", []keyword.Arg{{Name: "name", Type: keyword.Name}, {Name: "address", Type: keyword.Addr}, words}, server),
		onProxy("default-server", "4.2", "what the servers behind it start with", []keyword.Arg{words}, defaultServer),
		onProxy("server-template", "4.2", "several servers of one description", []keyword.Arg{
			{Name: "prefix", Type: keyword.Str}, {Name: "range", Type: keyword.Str}, {Name: "address", Type: keyword.Addr}, words}, serverTemplate),
	}
}

// newServer makes a server with the settings that hold when nothing is said.
func newServer(px *runtime.Proxy, pos ast.Pos) *runtime.Server {
	return &runtime.Server{
		Proxy: px, Pos: pos, Weight: 1, MaxReuse: -1, PoolMax: -1, PoolPurge: defaultPoolPurge,
		Inter: defaultInter, Rise: defaultRise, Fall: defaultFall, ErrorLimit: defaultErrorLimit,
	}
}

// copyServer copies the settings of src, which may be nil: not the name and address.
func (l *Loader) copyServer(dst, src *runtime.Server) {
	if src == nil {
		return
	}
	dst.Source, dst.InitAddr, dst.Interface = src.Source, src.InitAddr, src.Interface
	dst.Weight, dst.MinConn, dst.MaxQueue, dst.HashKey = src.Weight, src.MinConn, src.MaxQueue, src.HashKey
	dst.MaxConn.Store(src.MaxConn.Load())
	dst.StrictMaxConn, dst.Backup, dst.Disabled, dst.SlowStart = src.StrictMaxConn, src.Backup, src.Disabled, src.SlowStart
	dst.Cookie, dst.TrackName, dst.Redir = src.Cookie, src.TrackName, src.Redir
	dst.MaxReuse, dst.PoolMax, dst.PoolLow, dst.PoolPurge = src.MaxReuse, src.PoolMax, src.PoolLow, src.PoolPurge
	dst.NonStick, dst.TLS, dst.TFO, dst.TCPUserTimeout, dst.Namespace = src.NonStick, src.TLS, src.TFO, src.TCPUserTimeout, src.Namespace
	dst.Socks, dst.CheckViaSocks = src.Socks, src.CheckViaSocks
	dst.ClientNamespace, dst.Congestion, dst.MD5Key = src.ClientNamespace, src.Congestion, src.MD5Key
	dst.Proto, dst.WebSocket, dst.CheckProto, dst.InitState = src.Proto, src.WebSocket, src.CheckProto, src.InitState
	dst.CheckOn, dst.CheckAddr, dst.CheckPort = src.CheckOn, src.CheckAddr, src.CheckPort
	dst.Healthcheck, dst.CheckReusePool, dst.CheckPoolName = src.Healthcheck, src.CheckReusePool, src.CheckPoolName
	dst.Inter, dst.FastInter, dst.DownInter, dst.Rise, dst.Fall = src.Inter, src.FastInter, src.DownInter, src.Rise, src.Fall
	a, from := &dst.Agent, &src.Agent
	a.On, a.Addr, a.AddrGiven, a.Port, a.PortGiven = from.On, from.Addr, from.AddrGiven, from.Port, from.PortGiven
	a.Inter, a.Send = from.Inter, from.Send
	dst.Check, dst.OnError, dst.Observe, dst.ErrorLimit = src.Check, src.OnError, src.Observe, src.ErrorLimit
	dst.MarkedDownShut, dst.MarkedUpShut, dst.LogOctets = src.MarkedDownShut, src.MarkedUpShut, src.LogOctets
	dst.LogBufSize = src.LogBufSize
	for _, d := range l.Tables.Domains {
		if d.CopyServer != nil {
			d.CopyServer(dst, src)
		}
	}
}

// serverSpeaker prints what is found on a server line: the first message names the
// line and the server, those behind it only say what they say, as ever.
type serverSpeaker struct {
	l      *Loader
	pos    ast.Pos
	object string
	spoken bool
	bare   bool // the line has no address
}

func (s *serverSpeaker) say(severity diag.Severity, fatal bool, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !s.spoken && s.pos.Line > 0 {
		text = diag.AtObject(s.pos, s.object, "%s", text)
	}
	s.spoken = true
	s.l.List.Add(diag.Diagnostic{Severity: severity, Pos: s.pos, Text: text, Fatal: fatal})
}

func (s *serverSpeaker) alert(format string, args ...any) { s.say(diag.Alert, true, format, args...) }

func (s *serverSpeaker) warn(format string, args ...any) {
	s.say(diag.Warning, false, format, args...)
}

// name tells which server the messages are about from now on.
func (s *serverSpeaker) name(srv *runtime.Server) {
	s.object = "server " + srv.Proxy.Name + "/" + srv.Name
}

// serverForm is how a line describes a server.
type serverForm struct {
	template bool    // a prefix and a range instead of a name
	bare     bool    // no address
	use      AddrUse // what the address may be
}

func server(l *Loader, line *ast.Line) { l.serverLine(line, serverForm{use: serverAddr}) }
func serverTemplate(l *Loader, line *ast.Line) {
	l.serverLine(line, serverForm{use: serverAddr, template: true})
}

// serverLine reads `server <name> <address> [options]` and
// `server-template <prefix> <range> <address> [options]`.
func (l *Loader) serverLine(line *ast.Line, form serverForm) {
	word, say := line.Arg(0), &serverSpeaker{l: l, pos: line.Pos, bare: form.bare}
	if l.InDefaults() {
		say.alert("'%s' not allowed in 'defaults' section.", word)
		return
	}
	if l.Proxy.Caps&runtime.CapBack == 0 {
		say.alert("%s", diag.At(line.Pos, "'%s' not allowed because %s '%s' has no backend capability.", word, l.Proxy.Kind, l.Proxy.Name))
		return
	}
	if !form.bare && !checkServerName(line, say, form.template) {
		return
	}
	px, at := l.Proxy, 2
	low, high := 0, 0
	if form.template {
		var ok bool
		if low, high, ok = templateRange(line.Arg(2)); !ok {
			say.alert("Wrong %s number or range arg '%s'.", word, line.Arg(2))
			return
		}
		at = 3
	}
	srv := newServer(px, line.Pos)
	if !form.template {
		srv.Name = line.Arg(1)
	}
	say.name(srv)
	if form.template {
		say.object = "server " + px.Name + "/(null)"
	}
	var a Address
	if !form.bare {
		var err error
		if a, err = l.Address(line.Arg(at), form.use, ""); err != nil {
			say.alert("%s", err)
			px.Servers = append(px.Servers, srv)
			return
		}
		if a.Quic { // the reference's libraries lack it too
			say.alert("The SSL stack does not provide a support for QUIC server '%s'", srv.Name)
			px.Servers = append(px.Servers, srv)
			return
		}
		if name := cmp.Or(srv.Name, "(null)"); emptyLabel(a.Host) {
			if a.Host[0] == '_' {
				say.alert("%s '%s', server '%s': failed to parse FQDN '%s'", px.Kind, px.Name, name, a.Host)
			} else {
				say.alert("Can't create DNS resolution for server '%s'", name)
			}
			px.Servers = append(px.Servers, srv)
			return
		}
		at++
	}
	l.copyServer(srv, px.DefaultServer)
	l.placeServer(srv, &a)
	w := NewWords(line, at)
	if !l.serverWords(&w, srv, say, false) || !l.finishServer(srv, say) {
		px.Servers = append(px.Servers, srv)
		return
	}
	if form.template {
		l.expandTemplate(line, srv, &a, low, high)
		return
	}
	px.Servers = append(px.Servers, srv)
}

// emptyLabel tells whether nothing stands between two dots of a host name or before the first one.
func emptyLabel(host string) bool {
	return strings.HasPrefix(host, ".") || strings.Contains(host, "..")
}

func checkServerName(line *ast.Line, say *serverSpeaker, template bool) bool {
	word := line.Arg(0)
	if template {
		if line.Arg(3) == "" {
			say.alert("'%s' expects <prefix> <nb | range> <addr>[:<port>] as arguments.", word)
			return false
		}
		if c, bad := invalidChar(line.Arg(1)); bad {
			say.alert("character '%c' is not permitted in %s prefix '%s'.", c, word, line.Arg(1))
			return false
		}
		return true
	}
	if line.Arg(2) == "" {
		say.alert("'%s' expects <name> and <addr>[:<port>] as arguments.", word)
		return false
	}
	if c, bad := invalidChar(line.Arg(1)); bad {
		say.alert("character '%c' is not permitted in %s name '%s'.", c, word, line.Arg(1))
		return false
	}
	return true
}

// templateRange reads "N" (1 to N) or "N-M".
func templateRange(text string) (low, high int, ok bool) {
	first, last, ranged := strings.Cut(text, "-")
	low = atol(first)
	if ranged {
		high = atol(last)
	} else {
		low, high = 1, low
	}
	return low, high, low >= 0 && high >= low
}

// placeServer takes the address of the line.
func (l *Loader) placeServer(srv *runtime.Server, a *Address) {
	srv.Datagrams, srv.MPTCP = a.Dgram, a.MPTCP
	srv.Host, srv.HostFamily = a.Host, a.Family
	if strings.HasPrefix(a.Host, "_") {
		srv.Host, srv.Service = "", a.Host
	}
	srv.PortOffset = a.Offset
	if srv.Reversed = a.Family == runtime.FamilyReverse; !srv.Reversed && (a.Low == 0 || a.High == 0) {
		srv.MapPorts = true
	}
	if srv.Reversed {
		srv.CheckReusePool = true // the only way to it
	}
	addr := a.Addr
	srv.Addr.Store(&addr)
}

// expandTemplate makes the servers of a template: they differ in their names.
func (l *Loader) expandTemplate(line *ast.Line, first *runtime.Server, a *Address, low, high int) {
	prefix := line.Arg(1)
	for i := low; i <= high; i++ {
		srv := first
		if i > low {
			srv = newServer(first.Proxy, line.Pos)
			l.copyServer(srv, first)
			_ = l.compileNames(srv) // as those of the first were
			srv.Host, srv.Service, srv.HostFamily = first.Host, first.Service, first.HostFamily
			srv.Datagrams, srv.MPTCP, srv.Reversed = first.Datagrams, first.MPTCP, first.Reversed
			srv.PortOffset, srv.MapPorts = first.PortOffset, first.MapPorts
			addr := a.Addr
			srv.Addr.Store(&addr)
		}
		srv.Name = prefix + strconv.Itoa(i)
		first.Proxy.Servers = append(first.Proxy.Servers, srv)
	}
}

// defaultServer reads `default-server [options]`, which adds to earlier lines.
func defaultServer(l *Loader, line *ast.Line) {
	say := &serverSpeaker{l: l, pos: line.Pos}
	px := l.Proxy
	if px.Caps&runtime.CapBack == 0 {
		say.alert("%s", diag.At(line.Pos, "'%s' not allowed because %s '%s' has no backend capability.", line.Arg(0), px.Kind, px.Name))
		return
	}
	own := newServer(px, line.Pos)
	own.Name = "default-server"
	l.copyServer(own, px.DefaultServer)
	px.DefaultServer = own
	w := NewWords(line, 1)
	l.serverWords(&w, own, say, true)
}

// serverWords reads the options of a server line; false after an error that ends it.
func (l *Loader) serverWords(w *Words, srv *runtime.Server, say *serverSpeaker, isDefault bool) bool {
	l.speaker = say
	defer func() { l.speaker = nil }()
	for !w.Done() {
		word := w.Peek()
		name, _, _ := strings.Cut(word, "(")
		row := l.Tables.ServerWords.Get(name)
		if row == nil {
			l.unknownServerWord(word, say, isDefault)
			return false
		}
		w.Skip(1)
		if srv.Dynamic && row.NotDynamic {
			say.alert("'%s' option is not accepted for dynamic server", word)
			return false
		}
		if isDefault && row.NotDefault {
			say.say(diag.Alert, false, "'%s' option is not accepted in default-server sections", word)
			w.Skip(len(row.Args))
			continue
		}
		if row.Status == keyword.Missing {
			l.Missing(w.Pos(), "server "+row.Name)
		}
		if row.Parse == nil {
			w.Skip(len(row.Args))
			continue
		}
		err := row.Parse(l, w, srv)
		if err == nil {
			continue
		}
		text, _, _ := strings.Cut(indent(err.Error(), 2), "\x00")
		if srv.Dynamic {
			say.alert("%s.", text[strings.LastIndex(text, "\n  ")+1:])
			return false
		}
		switch err.(type) {
		case Warning:
			say.say(diag.Warning, false, "%s.", text)
		case Complaint:
			say.say(diag.Alert, false, "%s.", text)
		case interface{ Unwrap() []error }: // errors.Join: each is an alert of its own
			for _, part := range strings.Split(err.Error(), "\n") {
				say.alert("%s.", part)
			}
			return false
		case badSource:
			say.alert("%s", text)
			l.List.Alertf(w.Pos(), "error encountered while processing 'usesrc'.")
			return false
		default:
			say.alert("%s.", text)
			return false
		}
	}
	return true
}

func (l *Loader) unknownServerWord(word string, say *serverSpeaker, isDefault bool) {
	hint := ""
	if isDefault || say.bare {
		hint = " Hint: no address was expected for this server."
	}
	s := keyword.NewSuggester(word)
	for _, known := range knownServerWords {
		s.Try(known.name)
	}
	for _, value := range []string{"ipv4", "ipv6", "legacy", "octet-count", "fail-check", "sudden-death", "mark-down"} {
		s.Try(value)
	}
	if best := s.Best(); best != "" {
		say.alert("unknown keyword '%s'; did you mean '%s' maybe ?%s", word, best, hint)
		return
	}
	say.alert("unknown keyword '%s'.%s", word, hint)
}

// finishServer makes the checks that the whole line allows.
func (l *Loader) finishServer(srv *runtime.Server, say *serverSpeaker) bool {
	if srv.CheckOn && srv.TrackName != "" {
		say.alert("unable to enable checks and tracking at the same time!")
		return false
	}
	if srv.InitState != runtime.InitNone && srv.TrackName != "" {
		say.alert("unable to set init-state and tracking at the same time!")
		return false
	}
	if srv.Agent.On && srv.Agent.Port == 0 {
		say.alert("server %s does not have agent port. Agent check has been disabled.", cmp.Or(srv.Name, "(null)"))
		return false
	}
	if err := l.compileNames(srv); err != nil {
		say.alert("error detected while parsing sni or pool-conn-name expressions : %s.", err)
		return false
	}
	for i := range srv.ProxyTLVs {
		tlv := &srv.ProxyTLVs[i]
		var err error
		l.For(sample.InLogFormat)
		if tlv.Format, err = l.Format(tlv.Text, logformat.Flags(0), sample.ServerConnect); err != nil {
			say.alert("%s", err)
			return false
		}
	}
	if srv.Weight == 0 {
		l.List.Diagf(srv.Pos, "%s", diag.AtObject(srv.Pos, say.object, "configured with weight of 0 will never be selected by load balancing algorithms"))
	}
	return true
}

// compileNames compiles the expressions that name connections to a server: "sni" and
// "pool-conn-name".
func (l *Loader) compileNames(srv *runtime.Server) (err error) {
	for _, e := range []*runtime.LineExpr{&srv.SNI, &srv.PoolName} {
		if e.Text == "" {
			continue
		}
		l.For(sample.InServer)
		if e.Expr, err = l.Samples.ParseWord(e.Text); err != nil {
			return err
		}
		if e.Expr.ValidAt()&sample.ServerConnect == 0 {
			return fmt.Errorf("fetch method '%s' extracts information from '%s', none of which is available here.", e.Text, e.Expr.From())
		}
	}
	return nil
}

// Complaint is an error that is printed as an alert and refuses nothing.
type Complaint string

func (c Complaint) Error() string { return string(c) }

// atol32 keeps a number within what is stored of it.
func atol32(text string) int32 {
	return int32(min(max(atol(text), math.MinInt32), math.MaxInt32))
}
