package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
	"hapax/runtime"
)

// listenAddr is what the address of a "bind" line may be.
const listenAddr = AddrResolve | AddrPort | AddrNeedPort | AddrPortRange | AddrSocket | AddrStream

func bindKeyword() Keyword {
	return onProxy("bind", "4.2", "addresses where connections are accepted", []keyword.Arg{
		{Name: "address", Type: keyword.Addr, Doc: "several are separated by commas"},
		{Name: "options", Type: keyword.Opaque, Many: true, Opt: true, Doc: "section 5.1"}}, bind)
}

func bind(l *Loader, line *ast.Line) {
	if l.RefusedInDefaults(line.Pos, line.Arg(0)) {
		return
	}
	l.IgnoredWithout(runtime.CapFront, line.Pos, line.Arg(0), "")
	text := line.Arg(1)
	if text == "" {
		l.Alert(line.Pos, "'%s' expects {<path>|[addr1]:port1[-end1]}{,[addr]:port[-end]}... as arguments.", line.Arg(0))
		return
	}
	b := &runtime.Bind{Pos: line.Pos, Text: text, UID: -1, GID: -1}
	ub := &l.Config.Global.UnixBind
	b.Mode, b.UID, b.GID = ub.Mode, ub.UID, ub.GID
	l.Proxy.Binds = append(l.Proxy.Binds, b)
	listeners, err := l.listeners(l.Proxy, b, ub.Prefix)
	l.Proxy.Listeners = append(l.Proxy.Listeners, listeners...)
	if err != nil {
		l.Alert(line.Pos, "'%s' : %s", line.Arg(0), indent(err.Error(), 2))
		return
	}
	l.bindOptions(line, 2, b, listeners)
}

// bindOptions reads the options of a bind line from word at on.
func (l *Loader) bindOptions(line *ast.Line, at int, b *runtime.Bind, listeners []*runtime.Listener) {
	l.binding = listeners
	w := NewWords(line, at)
	head := fmt.Sprintf("'%s %s' in section '%s'", line.Arg(0), line.Arg(1), l.section.Name)
	for !w.Done() {
		word := w.Take()
		row := l.Tables.BindWords.Get(word)
		if row == nil {
			l.Alert(line.Pos, "%s: unknown keyword '%s'%s", head, word, l.suggestBindWord(word, "; did you mean '%s' maybe ?", "."))
			return
		}
		if len(listeners) > 0 && listeners[0].Addr.Family == runtime.FamilyReverse && !slices.Contains(reverseWords, word) {
			l.List.Alertf(ast.Pos{}, "'%s' option is not accepted for reverse HTTP", word)
			return
		}
		if err := l.bindWord(row, &w, b); err != nil {
			text := indent(err.Error(), 2)
			if _, ok := err.(Warning); ok {
				l.Warn(line.Pos, "%s : %s", head, text)
				continue
			}
			l.Alert(line.Pos, "%s : %s", head, text)
			return
		}
	}
	l.checkTypes(line.Pos, head, listeners)
}

// reverseWords are the options of listeners whose connections this process makes itself.
var reverseWords = []string{"guid-prefix", "id", "idle-ping", "label", "name", "nbconn", "thread"}

// bindWord reads one option of a bind line and its arguments.
func (l *Loader) bindWord(row *BindWord, w *Words, b *runtime.Bind) error {
	if row.Status == keyword.Missing {
		l.Missing(w.Pos(), "bind "+row.Name)
	}
	if row.Parse == nil {
		for range row.Args {
			w.Skip(1)
		}
		return nil
	}
	return row.Parse(l, w, b)
}

// bindConnections reads "nbconn <number>".
func bindConnections(l *Loader, w *Words, b *runtime.Bind) (err error) {
	if !l.experimental("'nbconn'", &err) {
		return err
	}
	value := w.Take()
	switch n := atol(value); {
	case len(l.binding) > 0 && l.binding[0].Addr.Family != runtime.FamilyReverse:
		return errors.New("'nbconn' : only valid for reverse HTTP listeners.")
	case value == "":
		return errors.New("'nbconn' : missing value.")
	case n <= 0:
		return fmt.Errorf("'nbconn' : invalid value %d, must be > 0.", n)
	default:
		b.Wanted = n
	}
	return nil
}

// suggestBindWord ends a message about an unknown option.
func (l *Loader) suggestBindWord(word, format, otherwise string) string {
	s := keyword.NewSuggester(word)
	for _, known := range knownBindWords {
		s.Try(known.name)
	}
	if best := s.Best(); best != "" {
		return fmt.Sprintf(format, best)
	}
	return otherwise
}

// listeners makes the listeners of the addresses of a bind line.
func (l *Loader) listeners(px *runtime.Proxy, b *runtime.Bind, prefix string) (all []*runtime.Listener, err error) {
	for _, text := range strings.Split(b.Text, ",") {
		if text == "" {
			break
		}
		use := listenAddr
		if b.Datagrams {
			use ^= AddrStream | AddrDgram
		}
		a, err := l.Address(text, use, prefix)
		if err != nil {
			return all, err
		}
		if a.Quic && l.global.limitedQUIC {
			l.Missing(b.Pos, "bind quic4@")
		}
		reverse := a.Family == runtime.FamilyReverse
		if len(all) > 0 && reverse != (all[0].Addr.Family == runtime.FamilyReverse) {
			return all, errors.New("Cannot mix reverse HTTP bind with others.\n")
		}
		b.Reverse = a.Reverse
		for port := a.Low; port <= a.High; port++ {
			li := &runtime.Listener{Proxy: px, Bind: b, Addr: a.Addr, MPTCP: a.MPTCP}
			if a.Family == runtime.FamilyIPv4 || a.Family == runtime.FamilyIPv6 {
				li.Addr.IP = netip.AddrPortFrom(a.IP.Addr(), uint16(port))
			}
			l.datagrams[li] = a.Quic
			all = append(all, li)
		}
	}
	return all, nil
}

// checkTypes refuses a bind line whose addresses are of different types of sockets.
func (l *Loader) checkTypes(pos ast.Pos, head string, listeners []*runtime.Listener) {
	stream, quic := false, false
	for _, li := range listeners {
		if l.datagrams[li] {
			quic = true
		} else {
			stream = true
		}
	}
	if stream && quic {
		l.Alert(pos, "%s : cannot mix datagram and stream protocols.", head)
	}
}

// bindWords are the options of bind lines that TLS does not bring. Section 5.1.
func bindWords() []BindWord {
	row := func(name, summary string, t keyword.ArgType, parse func(*Loader, *Words, *runtime.Bind) error) BindWord {
		d := doc(name, "5.1", summary)
		d.Args = arg("value", t)
		return BindWord{Doc: d, Parse: parse}
	}
	flag := func(name, summary string, set func(*runtime.Bind)) BindWord {
		return BindWord{Doc: doc(name, "5.1", summary), Parse: func(_ *Loader, _ *Words, b *runtime.Bind) error {
			set(b)
			return nil
		}}
	}
	inert := func(w BindWord, note string) BindWord {
		w.Status, w.Note = keyword.Inert, note
		return w
	}
	return []BindWord{
		row("maxconn", "most connections of these sockets", keyword.Int, bindInt("maxconn", ">= 0", 0, 1<<31-1, func(b *runtime.Bind) *int { return &b.MaxConn })),
		row("backlog", "connections that wait to be accepted", keyword.Int, bindInt("backlog", "> 0", 0, 1<<31-1, func(b *runtime.Bind) *int { return &b.Backlog })),
		inert(row("nice", "scheduling priority", keyword.Int, func(l *Loader, w *Words, b *runtime.Bind) error {
			value := w.Take()
			if value == "" {
				return errors.New("'nice' : missing value")
			}
			n := atol(value)
			if n < -1024 || n > 1024 {
				return fmt.Errorf("'nice' : invalid value %d, allowed range is -1024..1024", n)
			}
			b.Nice = n
			return nil
		}), "loops serve connections in the order of their events"),
		row("name", "name of the sockets in statistics", keyword.Str, func(l *Loader, w *Words, b *runtime.Bind) error {
			name := w.Take()
			if name == "" {
				return errors.New("'name' : missing name")
			}
			for _, li := range l.binding {
				li.Name = name
			}
			return nil
		}),
		row("id", "number of the socket", keyword.Int, bindID),
		row("nbconn", "how many connections are made for reverse HTTP", keyword.Int, bindConnections),
		row("guid-prefix", "what the unique identifiers of the sockets begin with", keyword.Str, bindGUIDPrefix),
		bindProtoWord(),
		row("interface", "the network interface", keyword.Str, func(l *Loader, w *Words, b *runtime.Bind) error {
			if b.Interface = w.Take(); b.Interface == "" {
				return errors.New("'interface' : missing interface name")
			}
			return nil
		}),
		row("mode", "access rights of a UNIX socket", keyword.Int, func(l *Loader, w *Words, b *runtime.Bind) error {
			value := w.Take()
			n, rest := strtol(value, 8)
			if value == "" || rest != "" {
				return fmt.Errorf("'mode' : missing or invalid mode '%s' (octal integer expected)", value)
			}
			b.Mode = uint32(n)
			return nil
		}),
		row("uid", "owner of a UNIX socket", keyword.Int, bindOwner("uid", func(b *runtime.Bind) *int { return &b.UID })),
		row("gid", "group of a UNIX socket", keyword.Int, bindOwner("gid", func(b *runtime.Bind) *int { return &b.GID })),
		row("user", "owner of a UNIX socket", keyword.Str, bindOwnerName("user", userID, func(b *runtime.Bind) *int { return &b.UID })),
		row("group", "group of a UNIX socket", keyword.Str, bindOwnerName("group", groupID, func(b *runtime.Bind) *int { return &b.GID })),
		row("level", "what a stats socket allows", keyword.Str, func(l *Loader, w *Words, b *runtime.Bind) error {
			value := w.Take()
			if value == "" {
				return errors.New("'level' : missing level")
			}
			levels := map[string]runtime.Level{"user": runtime.LevelUser, "operator": runtime.LevelOperator, "admin": runtime.LevelAdmin}
			level, ok := levels[value]
			if !ok {
				return fmt.Errorf("'level' only supports 'user', 'operator', and 'admin' (got '%s')", value)
			}
			b.Level = level
			return nil
		}),
		row("expose-fd", "hand sockets over to the next process", keyword.Str, func(l *Loader, w *Words, b *runtime.Bind) error {
			switch value := w.Take(); value {
			case "listeners":
				b.Expose = true
			case "":
				return errors.New("'expose-fd' : missing fd type")
			default:
				return fmt.Errorf("'expose-fd' only supports 'listeners' (got '%s')", value)
			}
			return nil
		}),
		row("severity-output", "how a stats socket tells severities", keyword.Str, func(l *Loader, w *Words, b *runtime.Bind) error {
			value := w.Take()
			outputs := map[string]runtime.SeverityOutput{"none": runtime.SeverityNone, "number": runtime.SeverityNumber, "string": runtime.SeverityString}
			if value == "" {
				return errors.New("'severity-output' : missing severity format")
			}
			output, ok := outputs[value]
			if !ok {
				return fmt.Errorf("'severity-output' only supports 'none', 'number', and 'string' (got '%s')", value)
			}
			b.Severity = output
			return nil
		}),
		flag("v4v6", "an IPv6 socket accepts IPv4 too", func(b *runtime.Bind) { b.V4V6 = true }),
		flag("v6only", "an IPv6 socket accepts IPv6 only", func(b *runtime.Bind) { b.V6Only = true }),
		flag("transparent", "bind to foreign addresses", func(b *runtime.Bind) { b.Transparent = true }),
		flag("defer-accept", "wait for the first data before accepting", func(b *runtime.Bind) { b.DeferAccept = true }),
		flag("tfo", "TCP fast open", func(b *runtime.Bind) { b.TFO = true }),
		row("mss", "largest segment", keyword.Int, func(l *Loader, w *Words, b *runtime.Bind) error {
			value := w.Take()
			if value == "" {
				return errors.New("'mss' : missing MSS value")
			}
			n := atol(value)
			if n == 0 || n > 65535 || n < -65535 {
				return errors.New("'mss' : expects an MSS with and absolute value between 1 and 65535")
			}
			b.MSS = n
			return nil
		}),
		bindIdlePing(),
		row("tcp-ut", "how long sent data may stay unacknowledged", keyword.Time, func(l *Loader, w *Words, b *runtime.Bind) (err error) {
			b.TCPUserTimeout, err = l.userTimeout(w)
			return err
		}),
		row("tcp-ss", "keep the first packet of connections, for fc_saved_syn: 1 from its IP header on, 2 from its Ethernet header on", keyword.Int, func(l *Loader, w *Words, b *runtime.Bind) error {
			value := w.Take()
			b.SaveSYN = atol(value)
			if value == "" || value[0] < '0' || value[0] > '9' || b.SaveSYN > 2 {
				return errors.New("'tcp-ss' : TCP Save SYN option expects an integer argument from 0 to 2")
			}
			return nil
		}),
		row("process", "not supported anymore", keyword.Str, func(l *Loader, w *Words, b *runtime.Bind) error {
			return fmt.Errorf("'process %s' on 'bind' lines is not supported anymore, please use 'thread' instead.", w.Take())
		}),
		row("thread", "threads that accept", keyword.Str, bindThread),
		inert(row("shards", "how many sockets an address gets", keyword.Str, bindShards), "each loop has its own socket where the kernel allows it"),
	}
}

func bindInt(name, range_ string, least, most int, target func(*runtime.Bind) *int) func(*Loader, *Words, *runtime.Bind) error {
	return func(l *Loader, w *Words, b *runtime.Bind) error {
		value := w.Take()
		if value == "" {
			return fmt.Errorf("'%s' : missing value", name)
		}
		n := atol(value)
		if n < least || n > most {
			return fmt.Errorf("'%s' : invalid value %d, must be %s", name, n, range_)
		}
		*target(b) = n
		return nil
	}
}

func bindOwner(name string, target func(*runtime.Bind) *int) func(*Loader, *Words, *runtime.Bind) error {
	return func(l *Loader, w *Words, b *runtime.Bind) error {
		value := w.Take()
		if value == "" {
			return fmt.Errorf("'%s' : missing value", name)
		}
		*target(b) = atol(value)
		return nil
	}
}

func bindOwnerName(name string, lookUp func(string) (int, bool), target func(*runtime.Bind) *int) func(*Loader, *Words, *runtime.Bind) error {
	return func(l *Loader, w *Words, b *runtime.Bind) error {
		value := w.Take()
		if value == "" {
			return fmt.Errorf("'%s' : missing %s name", name, name)
		}
		id, ok := lookUp(value)
		if !ok {
			return fmt.Errorf("'%s' : unknown %s name '%s'", name, name, value)
		}
		*target(b) = id
		return nil
	}
}

func bindID(l *Loader, w *Words, b *runtime.Bind) error {
	if len(l.binding) != 1 {
		return errors.New("'id' can only be used with a single socket")
	}
	value := w.Take()
	if value == "" {
		return errors.New("'id' : expects an integer argument")
	}
	n, rest := strtol(value, 10)
	switch {
	case rest != "":
		return fmt.Errorf("'id' : expects an integer argument, found '%s'", value)
	case n <= 0:
		return errors.New("'id' : custom id has to be > 0")
	}
	li := l.binding[0]
	for _, other := range li.Proxy.Listeners {
		if other != li && other.ID == int(n) {
			return fmt.Errorf("'id' : custom id %d already used at %s:%d ('bind %s')", n, other.Bind.Pos.File, other.Bind.Pos.Line, other.Bind.Text)
		}
	}
	li.ID = int(n)
	return nil
}

// userTimeout reads the argument of "tcp-ut", in milliseconds.
func (l *Loader) userTimeout(w *Words) (int, error) {
	value := w.Take()
	if value == "" {
		return 0, errors.New("'tcp-ut' : missing TCP User Timeout value")
	}
	d, fault := l.Time(value, time.Millisecond)
	if fault != nil {
		return 0, timeError(fault, value, "tcp-ut", "'tcp-ut' : expects a positive delay in milliseconds")
	}
	return int(d.Milliseconds()), nil
}

func bindShards(l *Loader, w *Words, b *runtime.Bind) error {
	value := w.Take()
	switch value {
	case "":
		return errors.New("'shards' : missing value")
	case "by-thread", "by-group":
		return nil
	}
	if n := atol(value); n < 1 || n > maxThreads {
		return fmt.Errorf("'shards' : invalid value %d, allowed range is %d..%d or 'by-thread'", n, 1, maxThreads)
	}
	return nil
}

// statsSocket reads "stats socket": a bind line of the runtime API.
func statsSocket(l *Loader, line *ast.Line) error {
	text := line.Arg(2)
	if text == "" {
		return errors.New("'stats socket' in global section expects an address or a path to a UNIX socket")
	}
	g := &l.Config.Global
	if l.global.cli == nil {
		l.global.cli = &runtime.Proxy{Name: "GLOBAL", Kind: "frontend", Caps: runtime.CapFront, Mode: runtime.ModeCLI, Pos: line.Pos, ACLs: nil}
	}
	b := &runtime.Bind{Pos: line.Pos, Text: text, UID: -1, GID: -1, Level: runtime.LevelOperator}
	listeners, err := l.listeners(l.global.cli, b, "")
	l.binding = listeners
	for i, ln := range listeners {
		ln.ID = len(g.StatsSocks) + i + 1
	}
	g.StatsSocks = append(g.StatsSocks, listeners...)
	l.global.cli.Listeners = g.StatsSocks
	if err != nil {
		return fmt.Errorf("parsing [%s:%d] : 'stats socket' : %s\n", line.Pos.File, line.Pos.Line, err)
	}
	w := NewWords(line, 3)
	for !w.Done() {
		word := w.Take()
		row := l.Tables.BindWords.Get(word)
		if row == nil {
			return fmt.Errorf("'stats socket' : unknown keyword '%s'.%s", word, l.suggestBindWord(word, " Did you mean '%s' maybe ?", ""))
		}
		if err := l.bindWord(row, &w, b); err != nil {
			if _, ok := err.(Warning); ok {
				l.Warn(line.Pos, "'stats socket' : %s", indent(err.Error(), 2))
				continue
			}
			return fmt.Errorf("'stats socket' : '%w'", err)
		}
	}
	return nil
}

// warnSmall is the text about a time that was probably meant to have a unit.
func warnSmall(word string, d time.Duration, name string) Warning {
	n := d.Milliseconds()
	return Warning(fmt.Sprintf("'%s %d' in server '%s' is suspiciously small for a value in milliseconds. Please use an explicit unit ('%dms') if that was the intent", word, n, name, n))
}

// serverTime words a fault of a time of a server line.
func serverTime(fault *units.TimeFault, value, word, server, char string) error {
	switch {
	case fault.Over:
		return fmt.Errorf("timer overflow in argument <%s> to <%s> of server %s, maximum value is 2147483647 ms (~24.8 days).", value, word, server)
	case fault.Under:
		return fmt.Errorf("timer underflow in argument <%s> to <%s> of server %s, minimum non-null value is 1 ms.", value, word, server)
	}
	return errors.New(char)
}
