// Package proxyproto is the PROXY protocol: who is to send its header, what it said, and
// what servers are told in it. Package header knows its form.
package proxyproto

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the keywords of the PROXY protocol.
var Domain = config.Domain{
	Name:    "proxyproto",
	Fetches: fetches,
	Keywords: []config.Keyword{
		{Doc: keyword.Doc{Name: "pp2-never-send-local", Ref: "3.1", Summary: "headers of checks name the addresses of the connection, too, in version 2",
			Examples: []keyword.Example{{Config: "global\n  pp2-never-send-local\n"}}}, In: config.Global, Parse: parseNeverLocal},
	},
	BindWords: []config.BindWord{
		bindWord("accept-proxy", "clients begin with a PROXY protocol header", nil, "accept-proxy", func(_ *config.Loader, _ *config.Words, b *runtime.Bind) error {
			b.Prologue |= runtime.ExpectPROXY
			return nil
		}),
		bindWord("accept-netscaler-cip", "clients begin with a client IP header of NetScaler", []keyword.Arg{{Name: "magic", Type: keyword.Int}},
			"accept-netscaler-cip 123", parseCIP),
	},
	Actions: []config.Action{
		expectRow("expect-proxy", "the client begins with a PROXY protocol header", runtime.ExpectPROXY),
		expectRow("expect-netscaler-cip", "the client begins with a client IP header of NetScaler", runtime.ExpectCIP),
	},
	ServerWords: serverWords(),
	CopyServer: func(dst, src *runtime.Server) {
		dst.SendProxy, dst.CheckSendProxy = src.SendProxy, src.CheckSendProxy
		dst.ProxyTLVs = append(dst.ProxyTLVs[:0:0], src.ProxyTLVs...)
	},
}

func parseNeverLocal(l *config.Loader, line *ast.Line) {
	if !l.TooMany(line, 0, 0) {
		l.Config.Global.PP2NeverSendLocal = true
	}
}

func bindWord(name, summary string, args []keyword.Arg, example string, parse func(*config.Loader, *config.Words, *runtime.Bind) error) config.BindWord {
	return config.BindWord{Doc: keyword.Doc{Name: name, Ref: "5.1", Summary: summary, Args: args,
		Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind 127.0.0.1:65500 " + example + "\n  http-request return status 200\n"}}}, Parse: parse}
}

// parseCIP is "accept-netscaler-cip <magic>".
func parseCIP(_ *config.Loader, w *config.Words, b *runtime.Bind) error {
	value := w.Take()
	if value == "" {
		return errors.New("'accept-netscaler-cip' : missing value")
	}
	magic := leadingNumber(value)
	if magic == 0 {
		return errors.New("'accept-netscaler-cip' : invalid value 0, must be >= 0")
	}
	b.Prologue |= runtime.ExpectCIP
	b.CIPMagic = magic
	return nil
}

// leadingNumber reads the number that a text begins with, 0 for none; 32 bits of it count.
func leadingNumber(text string) uint32 {
	end := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '-' && r != '+' })
	if end >= 0 {
		text = text[:end]
	}
	n, _ := strconv.ParseInt(text, 10, 64)
	return uint32(n)
}

// expectRow is the row of an action that makes a client be waited for.
func expectRow(name, summary string, what runtime.Prologue) config.Action {
	const in = runtime.TCPConnRules | runtime.TCPSessRules | runtime.TCPReqRules
	parse := func(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
		rule := a.Line.Arg(0) + " " + a.Line.Arg(1)
		switch layer := a.Peek(); {
		case layer != "layer4":
			return nil, fmt.Errorf("'%s %s' only supports 'layer4' in %s '%s' (got '%s')", rule, name, a.Proxy.Kind, a.Proxy.Name, layer)
		case a.Kind != runtime.TCPConnRules:
			return nil, fmt.Errorf("'%s layer4' is not allowed in '%s' rules in %s '%s'", name, rule, a.Proxy.Kind, a.Proxy.Name)
		}
		a.Skip(1)
		return func(s *runtime.Stream) runtime.Verdict {
			s.Session.Expect |= what
			return runtime.Continue
		}, nil
	}
	return config.Action{Doc: keyword.Doc{Name: name, Ref: "4.4", Summary: summary, Args: []keyword.Arg{{Name: "layer4", Type: keyword.Flag}},
		Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind 127.0.0.1:65500\n  tcp-request connection " + name + " layer4 if { src 10.0.0.0/8 }\n"}}},
		In: in, Parse: parse}
}

type parseServer = func(*config.Loader, *config.Words, *runtime.Server) error

func serverWords() []config.ServerWord {
	enable := func(on runtime.SendProxy) parseServer {
		return func(_ *config.Loader, _ *config.Words, srv *runtime.Server) error {
			srv.SendProxy |= on
			return nil
		}
	}
	disable := func(off runtime.SendProxy) parseServer {
		return func(_ *config.Loader, _ *config.Words, srv *runtime.Server) error {
			srv.SendProxy &^= off
			return nil
		}
	}
	checks := func(on bool) parseServer {
		return func(_ *config.Loader, _ *config.Words, srv *runtime.Server) error {
			srv.CheckSendProxy = on
			return nil
		}
	}
	const ssl, cn = runtime.SendProxyV2 | runtime.SendProxySSL, runtime.SendProxyV2 | runtime.SendProxySSL | runtime.SendProxyCN
	tlv := serverWord("set-proxy-v2-tlv-fmt", "add an extension to the header of version 2", "send-proxy-v2 set-proxy-v2-tlv-fmt(0x20) %[src]", parseTLV)
	tlv.Args = []keyword.Arg{{Name: "format", Type: keyword.LogFormat}}
	options := serverWord("proxy-v2-options", "what the header of version 2 tells", "send-proxy-v2 proxy-v2-options unique-id,crc32c", parseOptions)
	options.Args = []keyword.Arg{{Name: "options", Type: keyword.Str, Doc: "separated by commas: ssl, cert-cn, ssl-cipher, cert-sig, cert-key, crc32c, unique-id, authority"}}
	static := func(w config.ServerWord) config.ServerWord {
		w.NotDynamic = true
		return w
	}
	return []config.ServerWord{
		serverWord("send-proxy", "connections begin with a PROXY protocol header of version 1", "send-proxy", enable(runtime.SendProxyV1)),
		serverWord("no-send-proxy", "connections do not begin with a header of version 1", "no-send-proxy", disable(runtime.SendProxyV1)),
		serverWord("send-proxy-v2", "connections begin with a PROXY protocol header of version 2", "send-proxy-v2", enable(runtime.SendProxyV2)),
		serverWord("no-send-proxy-v2", "connections do not begin with a header of version 2", "no-send-proxy-v2", disable(runtime.SendProxyV2)),
		serverWord("send-proxy-v2-ssl", "the header of version 2 tells how the client speaks TLS", "send-proxy-v2-ssl", enable(ssl)),
		static(serverWord("no-send-proxy-v2-ssl", "no header of version 2", "no-send-proxy-v2-ssl", disable(ssl))),
		serverWord("send-proxy-v2-ssl-cn", "the same with the common name of the client's certificate", "send-proxy-v2-ssl-cn", enable(cn)),
		static(serverWord("no-send-proxy-v2-ssl-cn", "no header of version 2", "no-send-proxy-v2-ssl-cn", disable(cn))),
		options, tlv,
		serverWord("check-send-proxy", "health checks begin with a header, wherever they go", "check check-send-proxy", checks(true)),
		static(serverWord("no-check-send-proxy", "health checks begin with a header only where the traffic does", "check no-check-send-proxy", checks(false))),
	}
}

func serverWord(name, summary, example string, parse parseServer) config.ServerWord {
	return config.ServerWord{Doc: keyword.Doc{Name: name, Ref: "5.2", Summary: summary,
		Examples: []keyword.Example{{Config: "backend b\n  mode http\n  server s1 127.0.0.1:80 " + example + "\n"}}}, Parse: parse}
}

// parseOptions is "proxy-v2-options <list>".
func parseOptions(_ *config.Loader, w *config.Words, srv *runtime.Server) error {
	for _, option := range strings.Split(w.Take(), ",") {
		switch option {
		case "ssl":
			srv.SendProxy |= runtime.SendProxySSL
		case "cert-cn":
			srv.SendProxy |= runtime.SendProxySSL | runtime.SendProxyCN
		case "cert-key":
			srv.SendProxy |= runtime.SendProxySSL | runtime.SendProxyKeyAlg
		case "cert-sig":
			srv.SendProxy |= runtime.SendProxySSL | runtime.SendProxySigAlg
		case "ssl-cipher":
			srv.SendProxy |= runtime.SendProxySSL | runtime.SendProxyCipher
		case "authority":
			srv.SendProxy |= runtime.SendProxyAuthority
		case "crc32c":
			srv.SendProxy |= runtime.SendProxyChecksum
		case "unique-id":
			srv.SendProxy |= runtime.SendProxyUniqueID
		default:
			return fmt.Errorf("'%s' : proxy v2 option not implemented", option)
		}
	}
	return nil
}

// parseTLV is "set-proxy-v2-tlv-fmt(<id>) <format>".
func parseTLV(_ *config.Loader, w *config.Words, srv *runtime.Server) error {
	word := w.Line.Arg(w.Index() - 1)
	kind := uint64(0)
	if _, id, ok := strings.Cut(word, "("); ok {
		digits, err := tlvNumber(word, id)
		if err != nil {
			return err
		}
		kind = digits
	}
	srv.ProxyTLVs = append(srv.ProxyTLVs, runtime.ProxyTLV{Type: byte(kind), Text: w.Take()})
	return nil
}

// tlvNumber reads the number of an extension, up to the closing parenthesis.
func tlvNumber(word, id string) (uint64, error) {
	digits, _, closed := strings.Cut(id, ")")
	n, err := strconv.ParseUint(digits, 0, 64)
	switch {
	case errors.Is(err, strconv.ErrSyntax) && closed && digits != "" && digits[0] >= '0' && digits[0] <= '9', err == nil && !closed:
		return 0, fmt.Errorf("'%s' : expects set-proxy-v2-tlv(<TLV ID>)", word)
	case err != nil:
		return 0, fmt.Errorf("'%s' : could not convert TLV ID", word)
	case n > 0xFF:
		return 0, fmt.Errorf("'%s' : the maximum allowed TLV ID is %d", word, 0xFF)
	}
	return n, nil
}
