package balance

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

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
							"random(<draws>)", "rdp-cookie(<name>)", "hash", "log-hash", "sticky"},
						Missing: []string{"log-hash"}},
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
	if algo == LogHash {
		l.Missing(line.Pos, "balance log-hash")
	}
	if old, ok := px.Balance.Args.(*Params); ok && algo == Random && params.Draws == 0 {
		params.Draws = old.Draws // a bare "balance" keeps the number of an earlier line
	}
	px.Balance.Algo, px.Balance.Args = algo, params
}

// parseAlgorithm reads the words behind "balance".
func parseAlgorithm(words []string) (algo string, p *Params, err error) {
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	p = &Params{}
	name := arg(0)
	switch {
	case name == "":
		return Random, p, nil
	case name == RoundRobin, name == StaticRR, name == LeastConn, name == First, name == Source, name == Sticky:
		return name, p, nil
	case strings.HasPrefix(name, Random):
		p.Draws, err = drawsOf(name[len(Random):])
		return Random, p, err
	case name == URI:
		return URI, p, p.parseURI(words)
	case name == URLParam:
		if p.Name = arg(1); p.Name == "" {
			return "", nil, errors.New("url_param requires an URL parameter name.")
		}
		if w := arg(2); w != "" && w != "check_post" {
			return "", nil, fmt.Errorf("url_param only accepts 'check_post' modifier (got '%s').", w)
		}
		return URLParam, p, nil
	case name == Hash:
		if p.Text = arg(1); p.Text == "" {
			return "", nil, errors.New("hash requires a sample expression.")
		}
		if w := arg(2); w != "" {
			return "", nil, fmt.Errorf("hash takes no other argument (got '%s').", w)
		}
		return Hash, p, nil
	case strings.HasPrefix(name, Header+"("):
		field, _, closed := strings.Cut(name[len(Header)+1:], ")")
		if !closed || field == "" {
			return "", nil, errors.New("hdr requires an http header field name.")
		}
		if w := arg(1); w != "" && w != "use_domain_only" {
			return "", nil, fmt.Errorf("%s only accepts 'use_domain_only' modifier (got '%s').", name, w)
		}
		p.Name, p.DomainOnly = strings.ToLower(field), arg(1) != ""
		return Header, p, nil
	case strings.HasPrefix(name, RDPCookie):
		rest := name[len(RDPCookie):]
		p.Name = "mstshash"
		if rest != "" {
			cookie, _, closed := strings.Cut(strings.TrimPrefix(rest, "("), ")")
			if rest[0] != '(' || !closed || cookie == "" {
				return "", nil, errors.New("rdp-cookie : missing cookie name.")
			}
			p.Name = cookie
		}
		return RDPCookie, p, nil
	case name == LogHash:
		if p.Text = arg(1); p.Text == "" {
			return "", nil, errors.New("log-hash requires a converter list.")
		}
		return LogHash, p, nil
	}
	return "", nil, errors.New("only supports 'roundrobin', 'static-rr', 'leastconn', 'source', 'uri', 'url_param', 'hash', 'hdr(name)', " +
		"'rdp-cookie(name)', 'log-hash' and 'sticky' options.")
}

// drawsOf reads "(n)" behind random. Whatever else follows the word is ignored, as the reference does.
func drawsOf(text string) (int, error) {
	const usual = 2
	if !strings.HasPrefix(text, "(") || strings.HasPrefix(text, "()") {
		return usual, nil
	}
	n, rest := number0(text[1:])
	switch {
	case rest == "":
		return 0, errors.New("random : missing closing parenthesis.")
	case rest[0] != ')':
		return 0, fmt.Errorf("random : unexpected character '%c' after argument.", rest[0])
	case n < 1:
		return 0, errors.New("random : number of draws must be at least 1.")
	}
	return n, nil
}

// number0 reads a number at the start of text, in C's notation: 0x is hexadecimal, a leading 0 octal.
func number0(text string) (n int, rest string) {
	for end := len(text); end > 0; end-- {
		if v, err := strconv.ParseInt(strings.TrimPrefix(text[:end], "+"), 0, 32); err == nil && !strings.Contains(text[:end], "_") {
			return int(v), text[end:]
		}
	}
	return 0, text
}

// leading reads the decimal number at the start of text, 0 when there is none.
func leading(text string) int {
	for end := len(text); end > 0; end-- {
		if v, err := strconv.Atoi(strings.TrimLeft(text[:end], " ")); err == nil {
			return v
		}
	}
	return 0
}

func (p *Params) parseURI(words []string) error {
	for i := 1; i < len(words); i++ {
		switch word := words[i]; word {
		case "len", "depth":
			value := ""
			if i++; i < len(words) {
				value = words[i]
			}
			n := leading(value)
			if n <= 0 {
				return fmt.Errorf("uri : '%s' expects a positive integer (got '%s').", word, value)
			}
			if word == "len" {
				p.Len = n
			} else {
				p.Depth = n
			}
		case "whole":
			p.Whole = true
		case "path-only":
			p.PathOnly = true
		default:
			return fmt.Errorf("uri only accepts parameters 'len', 'depth', 'path-only', and 'whole' (got '%s').", word)
		}
	}
	return nil
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

// checkProxy makes sure that the algorithm goes with the proxy's mode.
func checkProxy(l *config.Loader, px *runtime.Proxy) {
	if px.Mode != runtime.ModeHTTP {
		switch px.Balance.Algo {
		case URI, URLParam, Header:
			l.List.Warnf(ast.Pos{}, "Layer 7 hash not possible for %s '%s' (needs 'mode http'). Falling back to round robin.", px.Kind, px.Name)
			px.Balance.Algo = RoundRobin
		}
	}
	if px.Balance.Algo == LogHash {
		l.List.Warnf(ast.Pos{}, "Unusable balance algorithm for %s '%s' (needs 'mode log'). Falling back to round robin.", px.Kind, px.Name)
		px.Balance.Algo = RoundRobin
	}
}

var _ = sample.SetServer
