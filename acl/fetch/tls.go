package fetch

import "hapax/acl/sample"

// front and back are the connections that ssl_fc and ssl_bc fetches are about.
func front(ctx *sample.Context) *sample.Conn { return &ctx.Front }
func back(ctx *sample.Context) *sample.Conn  { return &ctx.Back }

var tlsRows = []sample.Fetch{
	{Doc: doc("ssl_fc", "7.3.4", "whether the client's connection is TLS", nil, "ssl_fc", "", "1"),
		Out: sample.Bool, From: sample.ClientConn, Eval: isTLS(front)},
	{Doc: doc("ssl_fc_alpn", "7.3.4", "the protocol chosen with the client by ALPN", nil, "ssl_fc_alpn", "", "http/1.1"),
		Out: sample.Str, From: sample.ClientConn, Eval: tlsText(front, func(t *sample.TLS) []byte { return t.ALPN })},
	{Doc: doc("ssl_fc_cipher", "7.3.4", "the cipher used with the client", nil, "ssl_fc_cipher", "", "TLS_AES_128_GCM_SHA256"),
		Out: sample.Str, From: sample.ClientConn, Eval: tlsText(front, func(t *sample.TLS) []byte { return t.Cipher })},
	{Doc: doc("ssl_fc_is_resumed", "7.3.4", "whether the client's TLS session was resumed", nil, "ssl_fc_is_resumed", "", "0"),
		Out: sample.Bool, From: sample.ClientConn, Eval: isResumed(front)},
	{Doc: doc("ssl_fc_protocol", "7.3.4", "the version of TLS used with the client", nil, "ssl_fc_protocol", "", "TLSv1.3"),
		Out: sample.Str, From: sample.ClientConn, Eval: tlsText(front, func(t *sample.TLS) []byte { return t.Version })},
	{Doc: doc("ssl_fc_sni", "7.3.4", "the server name that the client asked for", nil, "ssl_fc_sni", "", "example.com"),
		Out: sample.Str, From: sample.ClientConn, Eval: tlsText(front, func(t *sample.TLS) []byte { return t.SNI })},
	{Doc: doc("ssl_bc", "7.3.4", "whether the server's connection is TLS", nil, "ssl_bc", "", "0"),
		Out: sample.Bool, From: sample.ServerConn, Eval: isTLS(back)},
	{Doc: doc("ssl_bc_alpn", "7.3.4", "the protocol chosen with the server by ALPN", nil, "ssl_bc_alpn", "", ""),
		Out: sample.Str, From: sample.ServerConn, Eval: tlsText(back, func(t *sample.TLS) []byte { return t.ALPN })},
	{Doc: doc("ssl_bc_cipher", "7.3.4", "the cipher used with the server", nil, "ssl_bc_cipher", "", ""),
		Out: sample.Str, From: sample.ServerConn, Eval: tlsText(back, func(t *sample.TLS) []byte { return t.Cipher })},
	{Doc: doc("ssl_bc_is_resumed", "7.3.4", "whether the server's TLS session was resumed", nil, "ssl_bc_is_resumed", "", "0"),
		Out: sample.Bool, From: sample.ServerConn, Eval: isResumed(back)},
	{Doc: doc("ssl_bc_protocol", "7.3.4", "the version of TLS used with the server", nil, "ssl_bc_protocol", "", ""),
		Out: sample.Str, From: sample.ServerConn, Eval: tlsText(back, func(t *sample.TLS) []byte { return t.Version })},
	{Doc: doc("ssl_bc_sni", "7.3.4", "the server name that the server was asked for", nil, "ssl_bc_sni", "", ""),
		Out: sample.Str, From: sample.ServerConn, Eval: tlsText(back, func(t *sample.TLS) []byte { return t.SNI })},
}

func isTLS(of func(*sample.Context) *sample.Conn) eval {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		out.SetBool(of(ctx).TLS != nil)
		return true
	}
}

func isResumed(of func(*sample.Context) *sample.Conn) eval {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		t := of(ctx).TLS
		out.SetBool(t != nil && t.Resumed)
		return true
	}
}

func tlsText(of func(*sample.Context) *sample.Conn, text func(*sample.TLS) []byte) eval {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		t := of(ctx).TLS
		if t == nil || len(text(t)) == 0 {
			return false
		}
		out.SetConst(text(t))
		return true
	}
}
