package fetch

import (
	"encoding/json"
	"net/netip"
	"os"
	"sort"
	"strconv"
	"strings"
	"testing"

	"hapax/acl/sample"
	"hapax/runtime/message"
)

// httpGolden is what the reference answers for expressions on requests, one value a request. A value that does
// not exist is empty, as a log format writes it into a body.
type httpGolden struct {
	Version  string
	Requests []string
	Values   map[string][]string
}

// requestContext makes the context of an http-request rule, with the whole body.
func requestContext(t testing.TB, text string) *sample.Context {
	m, body := parse(t, text)
	if string(m.Get("transfer-encoding")) == "chunked" {
		var whole []byte
		for rest := string(body); ; {
			line, after, _ := strings.Cut(rest, "\r\n")
			n, err := strconv.ParseUint(line, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
			whole, rest = append(whole, after[:n]...), after[n+2:]
		}
		body = whole
		m.Flags |= message.Chunked
	}
	line, _, _ := strings.Cut(text, "\r\n")
	ctx := &sample.Context{
		Scratch:    sample.NewScratch(0),
		Final:      true,
		Checkpoint: sample.FrontReqHeaders,
		Req:        m,
		Line:       []byte(line),
		ReqBody:    sample.Body{Data: body, Size: int64(len(body)), Complete: true},
	}
	loopback := netip.MustParseAddrPort("127.0.0.1:1234")
	ctx.Src, ctx.Dst = loopback, loopback
	ctx.Front = sample.Conn{Src: loopback, Dst: loopback, HTTP: 1}
	return ctx
}

func TestHTTPGolden(t *testing.T) {
	data, err := os.ReadFile("testdata/http-3.4.0.json")
	if err != nil {
		t.Fatal(err)
	}
	var g httpGolden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	var exprs []string
	for e := range g.Values {
		exprs = append(exprs, e)
	}
	sort.Strings(exprs)
	for i, text := range g.Requests {
		ctx := requestContext(t, text)
		for _, e := range exprs {
			ctx.Scratch.Reset()
			got, _ := evaluate(t, e, ctx)
			if want := g.Values[e][i]; got != want {
				t.Errorf("%s on %q: %q, want %q", e, text, got, want)
			}
		}
	}
}
