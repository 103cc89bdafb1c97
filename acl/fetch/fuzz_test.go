package fetch

import (
	"testing"

	"hapax/acl/sample"
	"hapax/runtime/message"
)

// FuzzBuffer evaluates every fetch of buffer contents on any bytes.
func FuzzBuffer(f *testing.F) {
	for i := range Rows {
		for _, x := range Rows[i].Examples {
			if Rows[i].Ref == "7.3.5" {
				f.Add([]byte(x.Req))
			}
		}
	}
	c := compiler(f)
	var exprs []*sample.Expr
	for _, text := range []string{
		"req.ssl_sni", "req.ssl_alpn", "req.ssl_ver", "req.ssl_hello_type", "req.ssl_ec_ext", "req.ssl_st_ext", "req.ssl_cipherlist",
		"req.ssl_supported_groups", "req.ssl_sigalgs", "req.ssl_keyshare_groups", "rdp_cookie", "rdp_cookie(mstshash)", "rdp_cookie_cnt",
		"req.payload(0,0)", "req.payload(2,3)", "req.payload_lv(0,1)", "req.payload_lv(0,2,-2)", "req.payload_lv(1,4,+3)", "req.len",
		"distcc_body(ARGV,2)", "distcc_param(ARGC)",
	} {
		e, err := c.ParseWord(text)
		if err != nil {
			f.Fatal(err)
		}
		exprs = append(exprs, e)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx := &sample.Context{Scratch: sample.NewScratch(0)}
		for _, full := range []bool{false, true} {
			ctx.ReqRaw = sample.Raw{Data: data, Full: full}
			for _, e := range exprs {
				iterate(t, e, ctx)
			}
		}
	})
}

// iterate takes all occurrences of an expression.
func iterate(t *testing.T, e *sample.Expr, ctx *sample.Context) {
	var it sample.Iter
	var v sample.Value
	ctx.Scratch.Reset()
	for n := 0; ; n++ {
		if n > 1<<16 {
			t.Fatal("occurrences never end")
		}
		if !e.Next(ctx, &it, &v) || v.Flags&sample.NotLast == 0 {
			return
		}
	}
}

// FuzzHeaders evaluates fetches of headers, cookies and parameters on any values, and compares the occurrences
// one by one with their number.
func FuzzHeaders(f *testing.F) {
	for _, s := range []string{"a, b", `"q,1", z`, ",,a,", "sid=abc; theme=dark", `n=5;sid="q"; sid=2`, "=", ";;", " , "} {
		f.Add(s, "/a?x=1&y=2&&z", "c")
	}
	c := compiler(f)
	parse := func(text string) *sample.Expr {
		e, err := c.ParseWord(text)
		if err != nil {
			f.Fatal(err)
		}
		return e
	}
	pairs := [][2]*sample.Expr{
		{parse("req.hdr(x-list)"), parse("req.hdr_cnt(x-list)")},
		{parse("req.fhdr(x-list)"), parse("req.fhdr_cnt(x-list)")},
		{parse("req.cook(sid)"), parse("req.cook_cnt(sid)")},
		{parse("req.cook()"), parse("req.cook_cnt()")},
	}
	var others []*sample.Expr
	for _, text := range []string{"req.hdr_ip(x-list)", "req.hdr_val(x-list)", "req.hdr(x-list,-3)", "req.cook_names", "url_param(x)", "url_param",
		"urlp(y,,i)", "query", "path", "base", "base32", "url32", "req.body_param(x)", "http_auth_user", "http_auth_bearer", "req.hdrs_bin", "url_ip", "url_port"} {
		others = append(others, parse(text))
	}
	f.Fuzz(func(t *testing.T, value, uri, body string) {
		if len(value)+len(uri)+len(body) > 4000 {
			return
		}
		m := new(message.Message)
		m.Reset(make([]byte, 0, 1<<16), make([]message.Field, 0, 16))
		if m.SetRequestLine("GET", uri, "HTTP/1.1") != nil {
			t.Fatal("no room")
		}
		for _, h := range []string{"x-list", "cookie", "x-list", "authorization", "cookie", "host"} {
			if err := m.AddString(h, value); err != nil {
				return
			}
		}
		ctx := &sample.Context{Scratch: sample.NewScratch(0), Req: m, ReqBody: sample.Body{Data: []byte(body), Complete: true}}
		for _, p := range pairs {
			var it sample.Iter
			var v sample.Value
			n := int64(0)
			for p[0].Next(ctx, &it, &v) {
				n++
				if v.Flags&sample.NotLast == 0 || n > 1<<16 {
					break
				}
			}
			if p[1].Eval(ctx, &v); v.Int != n {
				t.Errorf("%q: %d occurrences of %s, %d counted", value, n, p[0].Fetch.Name, v.Int)
			}
		}
		for _, e := range others {
			iterate(t, e, ctx)
		}
	})
}

func TestFetchesDoNotAllocate(t *testing.T) {
	ctx := context(t, listRequest)
	c := compiler(t)
	var v sample.Value
	for _, text := range []string{
		"src", "method", "path", "query", "url_param(x)", "base", "base32", "req.hdr(x-list)", "req.hdr(x-list,1)", "req.hdr_cnt(x-list)", "req.hdr_ip(x-ip)",
		"req.cook(a)", "req.hdr_names", "req.ver", "url32+src", "var(txn.none,x)", "req.body_len", "http_auth_user", "str(a)", "int(1)",
	} {
		e, err := c.ParseWord(text)
		if err != nil {
			t.Fatal(err)
		}
		e.Eval(ctx, &v)
		if n := testing.AllocsPerRun(100, func() { ctx.Scratch.Reset(); e.Eval(ctx, &v) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func BenchmarkHeader(b *testing.B) {
	ctx := context(b, "GET / HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: x\r\nAccept: */*\r\nX-Other: y\r\nX-List: a, b, c\r\n\r\n")
	c := compiler(b)
	for _, text := range []string{"req.hdr(host)", "req.hdr(x-list)", "path", "src"} {
		e, err := c.ParseWord(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			var v sample.Value
			for b.Loop() {
				ctx.Scratch.Reset()
				e.Eval(ctx, &v)
			}
		})
	}
}
