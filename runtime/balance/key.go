package balance

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"hapax/acl/fetch"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/message"
)

// Params are the arguments of the algorithm of "balance".
type Params struct {
	Draws int // random; 0 is 1, what a bare "balance random" without number is not

	Name string // url_param, rdp-cookie: of the parameter; hdr: of the header, in lower case

	Len      int // uri: bytes that count; 0 all
	Depth    int // uri: directories that count; 0 all
	Whole    bool
	PathOnly bool

	DomainOnly bool         // hdr: use_domain_only
	Text       string       // hash: the expression as written
	Expr       *sample.Expr // hash
}

// keyFunc hashes the key of a stream. ok is false when it has none. With only one
// server in use the key does not matter, and most kinds do not look for it then.
type keyFunc func(s *runtime.Stream, kind *HashType, single bool) (h uint32, ok bool)

// keyOf makes the function of an algorithm.
func keyOf(algo string, p *Params, f Func) keyFunc {
	switch algo {
	case Source:
		return sourceKey
	case URI:
		return p.uriKey
	case URLParam:
		return p.paramKey
	case Header:
		return p.headerKey
	case RDPCookie:
		return p.rdpKey
	}
	return p.exprKey
}

// sourceKey hashes the client's address: its words are xored, whatever the hash function.
func sourceKey(s *runtime.Stream, kind *HashType, single bool) (uint32, bool) {
	addr := s.Ctx.Src
	if !addr.IsValid() {
		addr = s.Session.Client()
	}
	if !addr.IsValid() {
		return 0, false
	}
	if single {
		return 0, true
	}
	return kind.spread(foldAddr(addr.Addr())), true
}

func foldAddr(a netip.Addr) uint32 {
	if a.Is4() {
		ip := a.As4()
		return binary.BigEndian.Uint32(ip[:])
	}
	ip := a.As16()
	var h uint32
	for i := 0; i < len(ip); i += 4 {
		h ^= binary.BigEndian.Uint32(ip[i:])
	}
	return h
}

// uriKey hashes the URI up to the query, or as far as len and depth let it.
func (p *Params) uriKey(s *runtime.Stream, kind *HashType, single bool) (uint32, bool) {
	req := s.Ctx.Req
	if req == nil {
		return 0, false
	}
	if single {
		return 0, true
	}
	uri := req.URI()
	if p.PathOnly {
		uri = req.PathQuery()
	}
	return kind.Sum(p.cutURI(uri)), true
}

func (p *Params) cutURI(uri []byte) []byte {
	if p.Len > 0 && p.Len < len(uri) {
		uri = uri[:p.Len]
	}
	slashes := 0
	for i, c := range uri {
		switch {
		case c == '/':
			// The slash that ends the last directory is the one behind the leading one.
			if slashes++; p.Depth > 0 && slashes == p.Depth+1 {
				return uri[:i]
			}
		case c == '?' && !p.Whole:
			return uri[:i]
		}
	}
	return uri
}

// paramKey hashes a parameter of the query, or for a POST of the body.
func (p *Params) paramKey(s *runtime.Stream, kind *HashType, _ bool) (uint32, bool) {
	req := s.Ctx.Req
	if req == nil {
		return 0, false
	}
	if i := bytes.IndexByte(req.URI(), '?'); i >= 0 {
		if rest, ok := p.findParam(req.URI()[i+1:]); ok {
			value, _, _ := bytes.Cut(rest, []byte{'&'})
			return kind.Sum(value), true
		}
	}
	if req.Method != message.POST {
		return 0, false
	}
	rest, ok := p.findParam(s.Ctx.ReqBody.Data)
	if !ok {
		return 0, false
	}
	for i, c := range rest {
		if c == '&' || c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			rest = rest[:i]
			break
		}
		if !tokenByte[c] {
			return 0, false // binary data, not parameters
		}
	}
	return kind.Sum(rest), true
}

// findParam gives what follows "name=" in a list of parameters.
func (p *Params) findParam(list []byte) (rest []byte, ok bool) {
	n := len(p.Name)
	for len(list) > n {
		if list[n] == '=' && string(list[:n]) == p.Name {
			return list[n+1:], true
		}
		i := bytes.IndexByte(list, '&')
		if i < 0 {
			break
		}
		list = list[i+1:]
	}
	return nil, false
}

// tokenByte are the bytes of a token (RFC 9110, 5.6.2).
var tokenByte = func() (t [256]bool) {
	for c := '0'; c <= 'z'; c++ {
		t[c] = c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a'
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()

// headerKey hashes the first value of a header.
func (p *Params) headerKey(s *runtime.Stream, kind *HashType, single bool) (uint32, bool) {
	req := s.Ctx.Req
	if req == nil {
		return 0, false
	}
	if single {
		return 0, true
	}
	value, ok := req.Occurrence(p.Name, 1)
	if !ok || len(value) == 0 {
		return 0, false
	}
	if p.DomainOnly {
		value = domainOf(value)
	}
	return kind.Sum(value), true
}

// domainOf gives the label before the last dot of a host name ("domain" in
// www.domain.com), the whole name when it has no dot.
func domainOf(host []byte) []byte {
	end := bytes.LastIndexByte(host, '.')
	if end < 1 {
		return host
	}
	return host[bytes.LastIndexByte(host[:end-1], '.')+1 : end]
}

// rdpKey hashes the cookie of a connection of remote desktops.
func (p *Params) rdpKey(s *runtime.Stream, kind *HashType, single bool) (uint32, bool) {
	value, found, _ := fetch.RDPCookie(s.Ctx.ReqRaw.Data, p.Name)
	if !found || len(value) == 0 {
		return 0, false
	}
	if single {
		return 0, true
	}
	return kind.Sum(value), true
}

// exprKey hashes the value of an expression.
func (p *Params) exprKey(s *runtime.Stream, kind *HashType, single bool) (uint32, bool) {
	if single {
		return 0, true
	}
	want := sample.Bin
	if kind.Func == None {
		want = sample.Str // the number is read from its digits
	}
	ctx := &s.Ctx
	ctx.Dir, ctx.Final, ctx.Checkpoint = sample.Request, true, sample.SetServer
	mark := ctx.Scratch.Mark()
	v := ctx.Scratch.Borrow()
	ok := p.Expr.EvalAs(ctx, want, v)
	var h uint32
	if ok {
		h = kind.Sum(v.Bytes)
	}
	ctx.Scratch.Return()
	ctx.Scratch.Rewind(mark)
	return h, ok
}
