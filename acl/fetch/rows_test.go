package fetch

import (
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"hapax/acl/convert"
	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/message"
)

// compiler knows the rows of this package and the converters.
func compiler(t testing.TB) *sample.Compiler {
	t.Helper()
	fetches, err := keyword.NewTable(Rows)
	if err != nil {
		t.Fatal(err)
	}
	converters, err := keyword.NewTable(convert.Rows)
	if err != nil {
		t.Fatal(err)
	}
	return &sample.Compiler{Fetches: fetches, Converters: converters, Names: new(sample.VarNames)}
}

// parse fills a message and its body from the text of a request or response.
func parse(t testing.TB, text string) (*message.Message, []byte) {
	t.Helper()
	head, body, ok := strings.Cut(text, "\r\n\r\n")
	if !ok {
		t.Fatalf("no end of head in %q", text)
	}
	lines := strings.Split(head, "\r\n")
	m := new(message.Message)
	m.Reset(make([]byte, 0, 1<<16), make([]message.Field, 0, 64))
	words := strings.SplitN(lines[0], " ", 3)
	var err error
	if strings.HasPrefix(text, "HTTP/") {
		err = m.SetStatusLine(words[0], int(words[1][0]-'0')*100, words[2])
	} else {
		err = m.SetRequestLine(words[0], words[1], words[2])
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		if err := m.AddString(strings.ToLower(name), strings.TrimSpace(value)); err != nil {
			t.Fatal(err)
		}
	}
	return m, []byte(body)
}

// context makes what an example is evaluated on: a message, or raw bytes.
func context(t testing.TB, on string) *sample.Context {
	ctx := &sample.Context{Scratch: sample.NewScratch(0), Final: true}
	addr := netip.MustParseAddrPort
	ctx.Src, ctx.Dst = addr("192.0.2.1:40000"), addr("203.0.113.2:80")
	ctx.Front = sample.Conn{Src: addr("192.0.2.3:40001"), Dst: addr("192.0.2.4:81"), HTTP: 1}
	ctx.Back = sample.Conn{Src: addr("198.51.100.1:50000"), Dst: addr("198.51.100.2:8080"), HTTP: 1}
	ctx.Front.TLS = &sample.TLS{SNI: []byte("example.com"), ALPN: []byte("http/1.1"), Version: []byte("TLSv1.3"), Cipher: []byte("TLS_AES_128_GCM_SHA256")}
	ctx.ReqCaptures = [][]byte{[]byte("captured")}
	first, _, _ := strings.Cut(on, "\r\n")
	switch {
	case strings.HasPrefix(on, "HTTP/"):
		m, body := parse(t, on)
		ctx.Dir, ctx.Res = sample.Response, m
		ctx.ResBody = sample.Body{Data: body, Size: int64(len(body)), Complete: true}
	case strings.HasSuffix(first, " HTTP/1.1"):
		m, body := parse(t, on)
		ctx.Req, ctx.Line = m, []byte(first)
		ctx.ReqBody = sample.Body{Data: body, Size: int64(len(body)), Complete: true}
	case on != "":
		ctx.Front.HTTP = 0
		ctx.ReqRaw = sample.Raw{Data: []byte(on), Closed: true}
	}
	return ctx
}

type userlist struct{}

func (userlist) Check(user, password []byte) bool {
	return string(user) == "bob" && string(password) == "secret"
}

// evaluate gives the value of an expression as text; ok is false when there is none.
func evaluate(t testing.TB, expr string, ctx *sample.Context) (string, bool) {
	t.Helper()
	c := compiler(t)
	e, err := c.ParseWord(expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	for _, u := range c.Take() {
		u.Arg.Ref = userlist{}
	}
	var v sample.Value
	if !e.Eval(ctx, &v) || !sample.Cast(ctx, &v, sample.Str) {
		return "", false
	}
	return string(v.Bytes), true
}

func TestExamples(t *testing.T) {
	for i := range Rows {
		row := &Rows[i]
		if row.Summary == "" || row.Ref == "" || row.Eval == nil || len(row.Examples) == 0 {
			t.Errorf("%s: incomplete row", row.Name)
		}
		for _, x := range row.Examples {
			got, ok := evaluate(t, x.Expr, context(t, x.Req))
			if got != x.Want || !ok && x.Want != "" {
				t.Errorf("%s on %q: %q, want %q", x.Expr, x.Req, got, x.Want)
			}
		}
	}
}

var dumped = regexp.MustCompile(`^\[ ((?:[Y.] )+)\] ([\w.+-]+)(?:\((.*)\))?: (\S+)$`)

// TestInventory compares arguments, type and validity of each row with what the reference lists.
func TestInventory(t *testing.T) {
	data, err := os.ReadFile("testdata/fetches-3.4.0.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for _, line := range strings.Split(string(data), "\n") {
		if m := dumped.FindStringSubmatch(line); m != nil {
			known[m[2]] = line
		}
	}
	for i := range Rows {
		row := &Rows[i]
		if got := dump(row); got != known[row.Name] {
			t.Errorf("row\n%s\nreference\n%s", got, known[row.Name])
		}
	}
	t.Logf("%d of %d fetches", len(Rows), len(known))
}

// dump writes a row as -dKsmp does.
func dump(row *sample.Fetch) string {
	var b strings.Builder
	b.WriteString("[ ")
	for i := range sample.CheckpointNames() {
		if row.From.ValidAt()&(1<<i) != 0 {
			b.WriteString("Y ")
		} else {
			b.WriteString(". ")
		}
	}
	b.WriteString("] " + row.Name)
	if len(row.Args) > 0 {
		var need, rest []string
		for _, a := range row.Args {
			if a.Opt {
				rest = append(rest, sample.ArgName(a.Type))
			} else {
				need = append(need, sample.ArgName(a.Type))
			}
		}
		b.WriteString("(" + strings.Join(need, ","))
		if len(rest) > 0 {
			b.WriteString("[")
			if len(need) > 0 {
				b.WriteString(",")
			}
			b.WriteString(strings.Join(rest, ",") + "]")
		}
		b.WriteString(")")
	}
	b.WriteString(": " + row.Out.String())
	return b.String()
}
