package maps_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hapax/acl"
	"hapax/acl/convert"
	"hapax/acl/fetch"
	"hapax/acl/pattern"
	"hapax/acl/sample"
	"hapax/parser"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/maps"
	"hapax/runtime/rules"
	"hapax/stats/cli"
)

type process struct{ cfg *runtime.Config }

func (p process) RunningConfig() *runtime.Config { return p.cfg }

// load reads a configuration in the working directory.
func load(t testing.TB, name string) *runtime.Config {
	t.Helper()
	tables, err := config.NewTables([]*config.Domain{
		config.Rows(),
		{Name: "acl", Fetches: acl.Fetches, Converters: pattern.Converters},
		{Name: "fetch", Fetches: fetch.Rows},
		{Name: "convert", Converters: convert.Rows},
		&rules.Domain,
		&maps.Domain,
	})
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	list := &diag.List{Out: &diag.Writer{W: &said}, Prefix: "config"}
	files, ok := parser.Files([]string{name}, list)
	if !ok {
		t.Fatal(said.String())
	}
	cfg, ok := config.Load(tables, files, parser.NewEnv(nil), list, config.Options{})
	if !ok {
		t.Fatal(said.String())
	}
	return cfg
}

// ask sends lines to a connection of its own and gives the answer.
func ask(c *cli.Conn, lines string) string {
	var out strings.Builder
	take := func() {
		c.Advance()
		for len(c.Output()) > 0 || c.Waiting() > 0 {
			out.Write(c.Output())
			c.Sent(len(c.Output()))
			c.Advance()
		}
	}
	c.Feed([]byte(lines))
	take()
	c.EndInput()
	take()
	c.Close()
	return out.String()
}

var (
	entryAddress = regexp.MustCompile(`0x[0-9a-f]{6,}`)
	entryNumber  = regexp.MustCompile(`@@(\d+)`)
)

// TestCommands replays commands whose answers were recorded from HAProxy 3.4.0.
func TestCommands(t *testing.T) {
	t.Chdir("testdata")
	data, err := os.ReadFile("commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	table, err := cli.NewTable(maps.Domain.Commands)
	if err != nil {
		t.Fatal(err)
	}
	owner := process{load(t, "maps.cfg")}
	var shown []string
	mask := func(id string) string {
		for _, known := range shown {
			if known == id {
				return "ID"
			}
		}
		shown = append(shown, id)
		return "ID"
	}
	var command, want []string
	run := func() {
		if len(command) == 0 {
			return
		}
		line := entryNumber.ReplaceAllStringFunc(strings.Join(command, "\n"), func(n string) string {
			i, _ := strconv.Atoi(n[2:])
			return shown[i]
		})
		c := &cli.Conn{Table: table, Owner: owner, Level: cli.Admin}
		got := strings.TrimRight(entryAddress.ReplaceAllStringFunc(ask(c, line+"\n"), mask), "\n")
		if d := cmp.Diff(strings.TrimRight(strings.Join(want, "\n"), "\n"), got); d != "" {
			t.Errorf("%s (-recorded +now)\n%s", line, d)
		}
		command, want = nil, nil
	}
	for _, line := range strings.Split(string(data), "\n") {
		text, asked := strings.CutPrefix(line, "$")
		switch {
		case strings.HasPrefix(line, "#") && len(command) == 0:
		case asked && len(want) > 0:
			run()
			fallthrough
		case asked:
			command = append(command, strings.TrimPrefix(text, " "))
		default:
			want = append(want, line)
		}
	}
	run()
}

func TestLevel(t *testing.T) {
	table, err := cli.NewTable(maps.Domain.Commands)
	if err != nil {
		t.Fatal(err)
	}
	for i := range maps.Domain.Commands {
		row := &maps.Domain.Commands[i]
		c := &cli.Conn{Table: table, Owner: process{&runtime.Config{}}, Level: cli.Operator}
		if got := ask(c, row.Name+" x\n"); got != "Permission denied\n\n" {
			t.Errorf("%s by an operator: %q", row.Name, got)
		}
	}
}

// TestActions runs each action on a stream and looks at what became of the collection.
func TestActions(t *testing.T) {
	t.Chdir(t.TempDir())
	text := "frontend f\n mode http\n bind 127.0.0.1:65500\n acl known str(x) -f virt@list\n http-request set-var(txn.v) str(k),map(virt@values)\n"
	for _, rule := range []string{
		"http-request set-map(virt@values) k one", "http-request set-map(virt@values) k %[str(two)]", "http-request add-acl(virt@list) a",
		"http-request add-acl(virt@list) a", "http-request del-acl(virt@list) a", "http-request del-map(virt@values) k", "http-request del-map(virt@none) k",
	} {
		text += " " + rule + "\n"
	}
	if err := os.WriteFile("f.cfg", []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	cfg := load(t, "f.cfg")
	s := &runtime.Stream{Config: cfg}
	s.Ctx.Scratch = sample.NewScratch(0)
	s.Ctx.Owner = s
	state := func() string {
		var b strings.Builder
		for _, name := range []string{"virt@values", "virt@list"} {
			for _, e := range cfg.Patterns.Lookup(name).Entries(0) {
				v, _ := e.Value()
				fmt.Fprintf(&b, "%s=%s ", e.Key, v)
			}
		}
		return strings.TrimSpace(b.String())
	}
	var got []string
	for _, r := range cfg.Proxies[0].HTTPReq[1:] {
		if v := r.Do(s); v != runtime.Continue {
			t.Errorf("%s: verdict %d", r.Action, v)
		}
		got = append(got, state())
	}
	want := []string{"k=one", "k=two", "k=two a=", "k=two a=", "k=two", "", ""}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
