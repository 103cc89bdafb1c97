package balance

import (
	"errors"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the keywords of load balancing.
var Domain = config.Domain{
	Name: "balance",
	Keywords: []config.Keyword{
		{
			Doc: keyword.Doc{Name: "balance", Ref: "4.2", Summary: "how a server is chosen",
				Args: []keyword.Arg{
					{Name: "algorithm", Type: keyword.Enum, Opt: true, Default: "random",
						Enum: []string{"roundrobin", "static-rr", "leastconn", "first", "source", "uri", "url_param", "hdr(<name>)",
							"random(<draws>)", "rdp-cookie(<name>)", "hash", "log-hash", "sticky"}},
					{Name: "argument", Type: keyword.Str, Opt: true, Many: true},
				},
				Examples: []keyword.Example{
					{Config: "backend b\n  balance roundrobin\n"},
					{Config: "backend b\n  mode http\n  balance uri len 20 depth 2 whole\n"},
					{Config: "backend b\n  mode http\n  balance url_param id check_post\n"},
					{Config: "backend b\n  mode http\n  balance hdr(host) use_domain_only\n"},
					{Config: "backend b\n  balance random(3)\n"},
					{Config: "backend b\n  balance hash src\n"},
				}},
			In: config.Proxies, Parse: parseBalance,
		},
		{
			Doc: keyword.Doc{Name: "hash-type", Ref: "4.2", Summary: "how a hash is mapped to servers, and the hash function",
				Args: []keyword.Arg{
					{Name: "method", Type: keyword.Enum, Enum: []string{"map-based", "consistent"}, Default: "map-based"},
					{Name: "function", Type: keyword.Enum, Opt: true, Enum: []string{"sdbm", "djb2", "wt6", "crc32", "none"}, Default: "sdbm"},
					{Name: "avalanche", Type: keyword.Flag, Opt: true},
				},
				Examples: []keyword.Example{{Config: "backend b\n  balance source\n  hash-type consistent djb2 avalanche\n"}}},
			In: config.Proxies, Parse: parseHashType,
		},
		{
			Doc: keyword.Doc{Name: "hash-balance-factor", Ref: "4.2", Summary: "limit of a server's load under consistent hashing",
				Args:     []keyword.Arg{{Name: "factor", Type: keyword.Uint, Default: "0", Doc: "percent of the average load, above 100; 0: no limit"}},
				Examples: []keyword.Example{{Config: "backend b\n  balance source\n  hash-type consistent\n  hash-balance-factor 150\n"}}},
			In: config.Proxies, Parse: parseFactor,
		},
		{
			Doc: keyword.Doc{Name: "hash-preserve-affinity", Ref: "4.2", Summary: "whether a hash may choose another server than a full one",
				Args:     []keyword.Arg{{Name: "when", Type: keyword.Enum, Enum: []string{"always", "maxconn", "maxqueue"}, Default: "always"}},
				Examples: []keyword.Example{{Config: "backend b\n  balance source\n  hash-type consistent\n  hash-preserve-affinity maxconn\n"}}},
			In: config.Proxies, Parse: parseAffinity,
		},
	},
	ServerWords: []config.ServerWord{
		{
			Doc: keyword.Doc{Name: "hash-key", Ref: "5.2", Summary: "what places the server on the ring of consistent hashing",
				Args:     []keyword.Arg{{Name: "key", Type: keyword.Enum, Enum: []string{"id", "id32", "guid", "addr", "addr-port"}, Default: "id"}},
				Examples: []keyword.Example{{Config: "backend b\n  balance source\n  hash-type consistent\n  server s 127.0.0.1:80 hash-key addr\n"}}},
			Parse: parseHashKey,
		},
	},
	CopyServer: func(dst, src *runtime.Server) { dst.HashKey = src.HashKey },
	CheckMode:  checkMode,
	CheckProxy: checkProxy,
}

func parseBalance(l *config.Loader, line *ast.Line) {
	px := l.Proxy
	l.IgnoredWithout(runtime.CapBack, line.Pos, "balance", "")
	algo, params, err := parseAlgorithm(line.Texts(nil, 1))
	if err != nil {
		l.Alert(line.Pos, "balance %s", err)
		return
	}
	if old, ok := px.Balance.Args.(*Params); ok && algo == Random && params.Draws == 0 {
		params.Draws = old.Draws // a bare "balance" keeps the number of an earlier line
	}
	px.Balance.Algo, px.Balance.Args = algo, params
}

func parseHashType(l *config.Loader, line *ast.Line) {
	l.IgnoredWithout(runtime.CapBack, line.Pos, "hash-type", "")
	var t HashType
	switch method := line.Arg(1); method {
	case "map-based":
	case "consistent":
		t.Consistent = true
	case "avalanche":
		l.Alert(line.Pos, "experimental feature 'hash-type avalanche' is not supported anymore, please use 'hash-type map-based sdbm avalanche' instead.")
		return
	default:
		l.Alert(line.Pos, "'hash-type' only supports 'consistent' and 'map-based'.")
		return
	}
	switch line.Arg(2) {
	case "":
		t.Avalanche = t.Consistent
	case "sdbm":
	case "djb2":
		t.Func = DJB2
	case "wt6":
		t.Func = WT6
	case "crc32":
		t.Func = CRC32
	case "none":
		t.Func = None
	default:
		l.Alert(line.Pos, "'hash-type' only supports 'sdbm', 'djb2', 'crc32', or 'wt6' hash functions.")
		return
	}
	if line.Arg(2) != "" {
		switch line.Arg(3) {
		case "":
		case "avalanche":
			t.Avalanche = true
		default:
			l.Alert(line.Pos, "'hash-type' only supports 'avalanche' as a modifier for hash functions.")
			return
		}
	}
	l.Proxy.Balance.HashType = t
}

func parseFactor(l *config.Loader, line *ast.Line) {
	if line.Arg(1) == "" {
		l.Alert(line.Pos, "'hash-balance-factor' expects an integer argument.")
		return
	}
	n := leading(line.Arg(1))
	if n != 0 && n <= 100 {
		l.Alert(line.Pos, "'hash-balance-factor' must be 0 or greater than 100.")
		return
	}
	l.Proxy.Balance.Factor = n
}

func parseAffinity(l *config.Loader, line *ast.Line) {
	if line.Arg(1) == "" {
		l.Alert(line.Pos, "'hash-preserve-affinity' needs a keyword to specify when to preserve hash affinity")
		return
	}
	if l.Proxy.Caps&runtime.CapBack == 0 {
		l.Alert(line.Pos, "'hash-preserve-affinity' only available in backend or listen section")
		return
	}
	switch word := line.Arg(1); word {
	case "always":
		l.Proxy.Balance.Affinity = runtime.AffinityAlways
	case "maxconn":
		l.Proxy.Balance.Affinity = runtime.AffinityMaxConn
	case "maxqueue":
		l.Proxy.Balance.Affinity = runtime.AffinityMaxQueue
	default:
		l.Alert(line.Pos, "'hash-preserve-affinity': unknown keyword '%s'", word)
	}
}

func parseHashKey(_ *config.Loader, w *config.Words, srv *runtime.Server) error {
	switch w.Take() {
	case "id":
		srv.HashKey = runtime.HashKeyID
	case "id32":
		srv.HashKey = runtime.HashKeyID32
	case "guid":
		srv.HashKey = runtime.HashKeyGUID
	case "addr":
		srv.HashKey = runtime.HashKeyAddr
	case "addr-port":
		srv.HashKey = runtime.HashKeyAddrPort
	default:
		return errors.New("'hash-key' has to be 'id', 'id32', 'guid', 'addr', or 'addr-port'")
	}
	return nil
}

// checkMode makes sure that the algorithm goes with the proxy's mode.
func checkMode(l *config.Loader, px *runtime.Proxy) {
	if px.Mode != runtime.ModeHTTP {
		switch px.Balance.Algo {
		case URI, URLParam, Header:
			l.List.Warnf(px.Pos, "Layer 7 hash not possible for %s '%s' (needs 'mode http'). Falling back to round robin.", px.Kind, px.Name)
			px.Balance.Algo = RoundRobin
		}
	}
	if px.Balance.Algo == LogHash && px.Mode != runtime.ModeSyslog {
		l.List.Warnf(px.Pos, "Unusable balance algorithm for %s '%s' (needs 'mode log'). Falling back to round robin.", px.Kind, px.Name)
		px.Balance.Algo = RoundRobin
	}
}

func checkProxy(l *config.Loader, px *runtime.Proxy) {
	if px.Balance.Algo == Hash {
		compileHash(l, px)
	}
}

// compileHash compiles the expression of "balance hash". It is read with the whole
// proxy, so that inherited ones stand for each that inherits them.
func compileHash(l *config.Loader, px *runtime.Proxy) {
	p := *px.Balance.Args.(*Params)
	px.Balance.Args = &p
	l.For(sample.InUseServer)
	l.Samples.Pos = px.Pos
	e, _, err := l.Samples.Parse([]string{p.Text})
	switch {
	case err != nil:
		l.List.Alertf(px.Pos, "%s '%s' [%s:%d]: failed to parse 'balance hash' expression '%s' in : %s.",
			px.Kind, px.Name, px.Pos.File, px.Pos.Line, p.Text, err)
	case e.ValidAt()&sample.SetServer == 0:
		l.List.Alertf(px.Pos, "%s '%s' [%s:%d]: error detected while parsing 'balance hash' expression '%s' "+
			"which requires information from %s, which is not available here.",
			px.Kind, px.Name, px.Pos.File, px.Pos.Line, p.Text, e.From())
	default:
		p.Expr = e
	}
}
