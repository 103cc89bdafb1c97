package ssl

import (
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

// evalConn fills a value from one end of a TLS connection and reports whether there is one.
type evalConn = func(ctx *sample.Context, c *Conn, args []sample.Arg, out *sample.Value) bool

// side finds the connection that a fetch is about; nil: there is none, or it is in clear.
type side func(ctx *sample.Context) *Conn

func client(ctx *sample.Context) *Conn { return connOf(ctx.Front.TLS) }
func server(ctx *sample.Context) *Conn { return connOf(ctx.Back.TLS) }

func connOf(t *sample.TLS) *Conn {
	if t == nil {
		return nil
	}
	c, _ := t.Of.(*Conn)
	return c
}

// fetches are the rows of section 7.3.4 that need more than names of what was settled.
func fetches() []sample.Fetch {
	return slices.Concat(connectionFetches(), helloFetches(), certificateFetches(), verdictFetches(), emptyFetches())
}

func connFetch(name, summary string, out sample.Type, from sample.Source, of side, eval evalConn, args ...keyword.Arg) sample.Fetch {
	return sample.Fetch{Doc: fetchDoc(name, summary, args...), Out: out, From: from,
		Eval: func(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
			c := of(ctx)
			return c != nil && eval(ctx, c, args, v)
		}}
}

func fetchDoc(name, summary string, args ...keyword.Arg) keyword.Doc {
	return keyword.Doc{Name: name, Ref: "7.3.4", Summary: summary, Args: args,
		Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind 127.0.0.1:443 ssl crt site.pem\n  log stderr local0\n  log-format %[" + name + "]\n"}}}
}

// text makes an Eval of a text, which has no value when it is empty; binary of bytes, and
// number of a number.
func text(get func(c *Conn) string) evalConn {
	return func(_ *sample.Context, c *Conn, _ []sample.Arg, out *sample.Value) bool {
		s := get(c)
		out.SetText(s)
		return s != ""
	}
}

func bytesOf(get func(c *Conn) []byte) evalConn {
	return func(_ *sample.Context, c *Conn, _ []sample.Arg, out *sample.Value) bool {
		b := get(c)
		out.SetConstBin(b)
		return len(b) > 0
	}
}

func number(get func(c *Conn) int) evalConn {
	return func(_ *sample.Context, c *Conn, _ []sample.Arg, out *sample.Value) bool {
		out.SetInt(int64(get(c)))
		return true
	}
}

func truth(get func(c *Conn) bool) evalConn {
	return func(_ *sample.Context, c *Conn, _ []sample.Arg, out *sample.Value) bool {
		out.SetBool(get(c))
		return true
	}
}

const (
	noteUnique = "crypto/tls tells what RFC 5929 calls tls-unique, which TLS 1.3 has none of"
	noteMaster = "of TLS 1.2, with tune.ssl.keylog: crypto/tls tells it to nobody else"
)

// connectionFetches are those that exist for both connections.
func connectionFetches() []sample.Fetch {
	var rows []sample.Fetch
	for _, end := range []struct {
		prefix, whose string
		of            side
		from          sample.Source
	}{{"ssl_fc_", "the client's", client, sample.ClientConn}, {"ssl_bc_", "the server's", server, sample.ServerConn}} {
		row := func(name, summary string, out sample.Type, eval evalConn) {
			rows = append(rows, connFetch(end.prefix+name, fmt.Sprintf(summary, end.whose), out, end.from, end.of, eval))
		}
		row("alg_keysize", "bits of the key of the cipher of %s connection", sample.Int, cipherBits)
		row("use_keysize", "how many of them are worth something, on %s connection", sample.Int, cipherBits)
		row("curve", "the group of the key exchange of %s connection", sample.Str, text((*Conn).curve))
		row("session_id", "what tells the session of %s connection from others", sample.Bin, bytesOf((*Conn).sessionIdentity))
		row("client_random", "the random number of the client in the handshake of %s connection", sample.Bin, bytesOf(func(c *Conn) []byte { return c.seen.clientRandom[:] }))
		row("server_random", "the random number of the server in the handshake of %s connection", sample.Bin, bytesOf(func(c *Conn) []byte { return c.seen.serverRandom[:] }))
		row("session_key", "the secret of the session of %s connection", sample.Bin, bytesOf((*Conn).master))
		rows[len(rows)-1].Note = noteMaster
		row("unique_id", "what tells the handshake of %s connection from others", sample.Bin, shaken(bytesOf(func(c *Conn) []byte { return c.unique })))
		rows[len(rows)-1].Note = noteUnique
		row("err", "the number that OpenSSL gives the error of the handshake of %s connection", sample.Int, number(func(c *Conn) int { return c.errorCode() }))
		row("err_str", "the error of the handshake of %s connection, as OpenSSL words it", sample.Str, text((*Conn).errorText))
		for i, name := range []string{"client_handshake_traffic_secret", "server_handshake_traffic_secret", "client_traffic_secret_0", "server_traffic_secret_0"} {
			rows = append(rows, connFetch(end.prefix+name, "a secret of TLS 1.3 of "+end.whose+" connection, with tune.ssl.keylog", sample.Str, sample.ClientConn, end.of,
				shaken(text(func(c *Conn) string { return c.secret(1 + i) }))))
		}
	}
	return append(rows,
		sample.Fetch{Doc: fetchDoc("ssl_fc_has_sni", "whether the client asked for a server name, and was not refused before that was looked at"), Out: sample.Bool, From: sample.ClientConn,
			Eval: func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
				c := client(ctx)
				out.SetBool(c != nil && c.site != nil && len(c.info.SNI) > 0)
				return true
			}},
		connFetch("ssl_fc_crtname", "the file of the certificate that the client was shown", sample.Str, sample.ClientConn, client, text((*Conn).certificateFile)),
		connFetch("ssl_fc_has_early", "whether the request is early data, before the end of the handshake: never", sample.Bool, sample.ClientConn, client, truth(func(*Conn) bool { return false })),
		connFetch("ssl_fc_early_rcvd", "whether early data came: never, none is accepted", sample.Bool, sample.ClientConn, client, truth(func(*Conn) bool { return false })),
	)
}

// cipherBits is how long keys are.
func cipherBits(_ *sample.Context, c *Conn, _ []sample.Arg, out *sample.Value) bool {
	bits := 0
	switch name := string(c.info.Cipher); name {
	case suiteNames[tls.TLS_AES_128_GCM_SHA256]:
		bits = 128
	case suiteNames[tls.TLS_AES_256_GCM_SHA384], suiteNames[tls.TLS_CHACHA20_POLY1305_SHA256]:
		bits = 256
	default:
		if at := slices.IndexFunc(suites, func(s suite) bool { return s.name == name }); at >= 0 {
			bits = suites[at].bits
		}
	}
	out.SetInt(int64(bits))
	return bits > 0
}

// helloFetches tell what a client has offered.
func helloFetches() []sample.Fetch {
	plain := keyword.Arg{Name: "filter", Type: keyword.Int, Opt: true, Doc: "1 leaves out the random numbers that test servers (GREASE)"}
	row := func(name, summary string, out sample.Type, get func(h *hello) []byte, args ...keyword.Arg) sample.Fetch {
		return connFetch(name, summary, out, sample.ClientConn, client, func(ctx *sample.Context, c *Conn, args []sample.Arg, v *sample.Value) bool {
			h := c.seen.hello
			if h == nil {
				return false
			}
			list := get(h)
			if len(args) > 0 && args[0].Int != 0 {
				list = ctx.Scratch.Take(appendPlain(ctx.Scratch.Room()[:0], list))
			}
			v.SetConstBin(list)
			return true
		}, args...)
	}
	suitesOf := func(h *hello) []byte { return h.suites }
	written := func(name, summary string, out sample.Type, write func(dst, list []byte) []byte) sample.Fetch {
		return connFetch(name, summary, out, sample.ClientConn, client, func(ctx *sample.Context, c *Conn, args []sample.Arg, v *sample.Value) bool {
			h := c.seen.hello
			if h == nil {
				return false
			}
			list := h.suites
			if args[0].Int != 0 {
				list = appendPlain(nil, list)
			}
			v.SetStr(ctx.Scratch.Take(write(ctx.Scratch.Room()[:0], list)))
			return true
		}, plain)
	}
	ofHello := func(get func(h *hello) int64) evalConn {
		return func(_ *sample.Context, c *Conn, _ []sample.Arg, v *sample.Value) bool {
			h := c.seen.hello
			if h == nil {
				return false
			}
			v.SetInt(get(h))
			return true
		}
	}
	return []sample.Fetch{
		row("ssl_fc_cipherlist_bin", "the suites that the client offered", sample.Str, suitesOf, plain),
		written("ssl_fc_cipherlist_hex", "the suites that the client offered, in hexadecimal", sample.Bin, func(dst, list []byte) []byte {
			for _, b := range list {
				dst = append(dst, "0123456789ABCDEF"[b>>4], "0123456789ABCDEF"[b&15])
			}
			return dst
		}),
		written("ssl_fc_cipherlist_str", "the names of the suites that the client offered", sample.Str, appendSuiteNames),
		connFetch("ssl_fc_cipherlist_xxh", "a hash of the suites that the client offered", sample.Int, sample.ClientConn, client, ofHello(func(h *hello) int64 { return int64(h.xxh) })),
		connFetch("ssl_fc_protocol_hello_id", "the version that the client's hello begins with", sample.Int, sample.ClientConn, client, ofHello(func(h *hello) int64 { return int64(h.version) })),
		row("ssl_fc_extlist_bin", "the types of the extensions in the client's hello", sample.Str, func(h *hello) []byte { return h.types }, plain),
		row("ssl_fc_eclist_bin", "the groups that the client offered", sample.Str, func(h *hello) []byte { return h.groups }, plain),
		row("ssl_fc_ecformats_bin", "the formats of points on curves that the client offered", sample.Str, func(h *hello) []byte { return h.formats }),
		row("ssl_fc_supported_versions_bin", "the versions of TLS that the client offered", sample.Bin, func(h *hello) []byte { return h.versions }, plain),
		row("ssl_fc_sigalgs_bin", "the schemes of signatures that the client offered", sample.Bin, func(h *hello) []byte { return h.schemes }, plain),
	}
}

// appendSuiteNames appends the names of suites, separated by commas.
func appendSuiteNames(dst, list []byte) []byte {
	const renegotiation = 0x00FF
	for i := 0; i+1 < len(list); i += 2 {
		if i > 0 {
			dst = append(dst, ',')
		}
		id := binary.BigEndian.Uint16(list[i:])
		name, known := suiteNames[id]
		switch {
		case known:
			dst = append(dst, name...)
		case id == renegotiation:
			dst = append(dst, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"...)
		case id == fallbackSignal:
			dst = append(dst, "TLS_FALLBACK_SCSV"...)
		default:
			dst = append(dst, "UNKNOWN("...)
			dst = append(hex.AppendEncode(dst, list[i:i+2]), ')')
		}
	}
	return dst
}

// emptyFetches never have a value, or are missing, with the reason.
func emptyFetches() []sample.Fetch {
	const (
		noNPN      = "no value: NPN, which gave way to ALPN, is not spoken"
		noEarly    = "no value: early data is not accepted"
		noExporter = "crypto/tls does not tell this secret"
	)
	var rows []sample.Fetch
	for _, r := range []struct {
		name, summary string
		from          sample.Source
		note          string
	}{
		{"npn", "the protocol chosen by NPN", sample.ClientConn | sample.ServerConn, noNPN},
		{"client_early_traffic_secret", "the secret of early data, with tune.ssl.keylog", sample.ClientConn, noEarly},
		{"early_exporter_secret", "the secret of exporters of early data, with tune.ssl.keylog", sample.ClientConn, noEarly},
		{"exporter_secret", "the secret of exporters, with tune.ssl.keylog", sample.ClientConn, noExporter},
	} {
		for i, prefix := range []string{"ssl_fc_", "ssl_bc_"} {
			f := sample.Fetch{Doc: fetchDoc(prefix+r.name, r.summary), Out: sample.Str, From: r.from,
				Eval: func(*sample.Context, []sample.Arg, *sample.Value) bool { return false }}
			f.Note = r.note
			if r.note == noNPN {
				f.From = [...]sample.Source{sample.ClientConn, sample.ServerConn}[i]
			}
			if r.note == noExporter {
				f.Doc, f.Eval = keyword.Doc{Name: f.Name, Status: keyword.Missing, Note: noExporter}, nil
			}
			rows = append(rows, f)
		}
	}
	return rows
}
