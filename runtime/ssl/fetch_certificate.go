package ssl

import (
	"crypto/sha1"
	"crypto/x509"
	"errors"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/ssl/x509text"
)

// evalCert fills a value from a certificate.
type evalCert = func(ctx *sample.Context, cert *x509.Certificate, args []sample.Arg, out *sample.Value) bool

// nameArgs choose a part of a name, or its form.
var nameArgs = []keyword.Arg{
	{Name: "entry", Type: keyword.Str, Opt: true, Doc: "CN, for one"},
	{Name: "occurrence", Type: keyword.Int, Opt: true, Doc: "from the end when it is negative"},
	{Name: "format", Type: keyword.Str, Opt: true, Doc: "rfc2253"},
}

// certificateFetches tell of what clients have shown (ssl_c), of what they were shown
// (ssl_f), and of what servers have shown (ssl_s).
func certificateFetches() []sample.Fetch {
	var rows []sample.Fetch
	for _, whose := range []struct {
		prefix, name string
		cert         func(ctx *sample.Context) *x509.Certificate
	}{
		{"ssl_c_", "the client's certificate", func(ctx *sample.Context) *x509.Certificate { return client(ctx).shown() }},
		{"ssl_f_", "the certificate that the client was shown", func(ctx *sample.Context) *x509.Certificate { return client(ctx).shows() }},
		{"ssl_s_", "the server's certificate", func(ctx *sample.Context) *x509.Certificate { return server(ctx).shown() }},
	} {
		row := func(name, summary string, out sample.Type, eval evalCert, args ...keyword.Arg) {
			f := sample.Fetch{Doc: fetchDoc(whose.prefix+name, summary+" of "+whose.name, args...), Out: out, From: sample.ClientConn,
				Eval: func(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
					cert := whose.cert(ctx)
					return cert != nil && eval(ctx, cert, args, v)
				}}
			if len(args) > 0 {
				f.Check = checkNameFormat
			}
			rows = append(rows, f)
		}
		row("der", "the whole", sample.Bin, certBytes(func(c *x509.Certificate) []byte { return c.Raw }))
		row("serial", "the serial number", sample.Bin, certBytes(x509text.Serial))
		row("sha1", "a fingerprint", sample.Bin, func(ctx *sample.Context, c *x509.Certificate, _ []sample.Arg, out *sample.Value) bool {
			sum := sha1.Sum(c.Raw)
			out.SetBin(ctx.Scratch.Take(append(ctx.Scratch.Room()[:0], sum[:]...)))
			return true
		})
		row("notbefore", "the first moment", sample.Str, certDate(func(c *x509.Certificate) (string, bool) { return x509text.Time(c.NotBefore) }))
		row("notafter", "the last moment", sample.Str, certDate(func(c *x509.Certificate) (string, bool) { return x509text.Time(c.NotAfter) }))
		row("key_alg", "the kind of the key", sample.Str, certText(x509text.PublicKeyAlgorithm))
		row("sig_alg", "the algorithm of the signature", sample.Str, certText(x509text.SignatureAlgorithm))
		row("version", "the version", sample.Int, func(_ *sample.Context, c *x509.Certificate, _ []sample.Arg, out *sample.Value) bool {
			out.SetInt(int64(c.Version))
			return true
		})
		row("s_dn", "the name", sample.Str, certName(func(c *x509.Certificate) []byte { return c.RawSubject }), nameArgs...)
		row("i_dn", "the name of who issued it,", sample.Str, certName(func(c *x509.Certificate) []byte { return c.RawIssuer }), nameArgs...)
	}
	root := connFetch("ssl_c_r_dn", "the name of the root that the client's certificate leads to", sample.Str, sample.ClientConn, client,
		func(ctx *sample.Context, c *Conn, args []sample.Arg, out *sample.Value) bool {
			return c.root != nil && nameOf(ctx, c.root.RawSubject, args, out)
		}, nameArgs...)
	root.Check = checkNameFormat
	return append(rows, root,
		connFetch("ssl_c_san", "the other names of the client's certificate", sample.Str, sample.ClientConn, client,
			func(ctx *sample.Context, c *Conn, _ []sample.Arg, out *sample.Value) bool {
				if c.shown() == nil {
					return false
				}
				out.SetStr(ctx.Scratch.Take(x509text.AppendAltNames(ctx.Scratch.Room()[:0], c.shown())))
				return len(out.Bytes) > 0
			}),
		connFetch("ssl_c_chain_der", "those that the client has shown with its own", sample.Bin, sample.ClientConn, client, shaken(chain(1))),
		connFetch("ssl_s_chain_der", "all that the server has shown", sample.Bin, sample.ClientConn, server, shaken(chain(0))),
	)
}

// shaken makes an Eval of one that has no value, but might have got one, while there was no
// good end of the handshake.
func shaken(eval evalConn) evalConn {
	return func(ctx *sample.Context, c *Conn, args []sample.Arg, out *sample.Value) bool {
		if c.phase == idle || c.phase == shaking || c.err != nil {
			out.Flags |= sample.MayChange
			return false
		}
		return eval(ctx, c, args, out)
	}
}

// chain gives the certificates that the other side has shown, from one on.
func chain(from int) evalConn {
	return func(ctx *sample.Context, c *Conn, _ []sample.Arg, out *sample.Value) bool {
		if c.client && c.info.Resumed {
			return false // the session has only the first one
		}
		b := ctx.Scratch.Room()[:0]
		for _, cert := range c.peers[min(from, len(c.peers)):] {
			b = append(b, cert.Raw...)
		}
		out.SetBin(ctx.Scratch.Take(b))
		return len(b) > 0
	}
}

// shown and shows are the certificates of the other side, and our own.
func (c *Conn) shown() *x509.Certificate {
	if c == nil {
		return nil
	}
	_, peer := c.Certificates()
	return peer
}

func (c *Conn) shows() *x509.Certificate {
	if c == nil {
		return nil
	}
	own, _ := c.Certificates()
	return own
}

func certText(get func(*x509.Certificate) string) evalCert {
	return func(_ *sample.Context, c *x509.Certificate, _ []sample.Arg, out *sample.Value) bool {
		out.SetText(get(c))
		return true
	}
}

func certBytes(get func(*x509.Certificate) []byte) evalCert {
	return func(_ *sample.Context, c *x509.Certificate, _ []sample.Arg, out *sample.Value) bool {
		out.SetConstBin(get(c))
		return true
	}
}

func certDate(get func(*x509.Certificate) (string, bool)) evalCert {
	return func(_ *sample.Context, c *x509.Certificate, _ []sample.Arg, out *sample.Value) bool {
		t, ok := get(c)
		out.SetText(t)
		return ok
	}
}

func certName(get func(*x509.Certificate) []byte) evalCert {
	return func(ctx *sample.Context, c *x509.Certificate, args []sample.Arg, out *sample.Value) bool {
		return nameOf(ctx, get(c), args, out)
	}
}

// nameOf gives a name, a part of it, or the name in another form.
func nameOf(ctx *sample.Context, der []byte, args []sample.Arg, out *sample.Value) bool {
	switch {
	case args[0].Str != "":
		n := int64(1)
		if args[1].Present {
			n = args[1].Int
		}
		part, ok := x509text.NameEntry(der, args[0].Str, n)
		out.SetConst(part)
		return ok
	case args[2].Str != "":
		out.SetStr(ctx.Scratch.Take(x509text.AppendRFC2253(ctx.Scratch.Room()[:0], der)))
	default:
		out.SetStr(ctx.Scratch.Take(x509text.AppendName(ctx.Scratch.Room()[:0], der)))
	}
	return len(out.Bytes) > 0
}

func checkNameFormat(_ *sample.Compiler, args []sample.Arg) error {
	if f := args[2].Str; f != "" && f != "rfc2253" {
		return errors.New("only rfc2253 or a blank value are currently supported as the format argument.")
	}
	return nil
}

// verdictFetches tell what came out of looking at certificates of clients. Of a session that
// was resumed, only the result is known: nothing was shown again.
func verdictFetches() []sample.Fetch {
	row := func(name, summary string, out sample.Type, eval evalConn) sample.Fetch {
		return connFetch(name, summary, out, sample.ClientConn, client, eval)
	}
	now := func(get func(v *verdict) int) evalConn {
		return number(func(c *Conn) int {
			if c.info.Resumed {
				return 0
			}
			return get(&c.judged)
		})
	}
	return []sample.Fetch{
		row("ssl_c_used", "whether the client has shown a certificate, in this handshake or in that of the session", sample.Bool, truth(func(c *Conn) bool { return len(c.peers) > 0 })),
		row("ssl_fc_has_crt", "whether the client has shown a certificate in this handshake", sample.Bool, shaken(truth(func(c *Conn) bool { return c.judged.complete && !c.info.Resumed }))),
		row("ssl_c_verify", "what OpenSSL would say of the client's certificate: 0 is good", sample.Int, shaken(number((*Conn).VerifyResult))),
		row("ssl_c_err", "what was wrong with the client's certificate itself, as a number of OpenSSL", sample.Int, now(func(v *verdict) int { return v.err })),
		row("ssl_c_ca_err", "what was wrong with those that it leads to", sample.Int, now(func(v *verdict) int { return v.caErr })),
		row("ssl_c_ca_err_depth", "how far from it that was", sample.Int, now(func(v *verdict) int { return v.caDepth })),
	}
}

// verdictConverters are the converters of what verdictFetches tell.
var verdictConverters = []sample.Converter{{
	Doc: keyword.Doc{Name: "x509_v_err_str", Ref: "7.3.1", Summary: "the name of a verdict of OpenSSL on a certificate",
		Examples: []keyword.Example{{Expr: "int(10),x509_v_err_str", Want: "X509_V_ERR_CERT_HAS_EXPIRED"}}},
	In: sample.Int, Out: sample.Str,
	Eval: func(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
		if n := int64(int32(v.Int)); n >= 0 && n < int64(len(verdictNames)) && verdictNames[n] != "" {
			v.SetText(verdictNames[n])
			return true
		}
		v.SetStr(ctx.Scratch.Take(appendUint(ctx.Scratch.Room()[:0], uint64(v.Int))))
		return true
	},
}}
