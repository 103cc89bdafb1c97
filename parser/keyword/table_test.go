package keyword

import (
	"slices"
	"strings"
	"testing"
)

type row struct {
	Doc
	value int
}

func testTable(t *testing.T) *Table[row] {
	t.Helper()
	table, err := NewTable([]row{
		{Doc{Name: "timeout client"}, 1},
		{Doc{Name: "timeout"}, 2},
		{Doc{Name: "timeout client fin"}, 3},
		{Doc{Name: "sc-inc", Prefix: true}, 4},
		{Doc{Name: "sc-inc-gpc", Prefix: true}, 5},
		{Doc{Name: "stats socket"}, 6},
	})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestMatch(t *testing.T) {
	table := testTable(t)
	for _, c := range []struct {
		line         string
		value, words int
	}{
		{"timeout client 5s", 1, 2},
		{"timeout client", 1, 2},
		{"timeout server 5s", 2, 1},
		{"timeout", 2, 1},
		{"timeout client fin x", 3, 3},
		{"sc-inc(0)", 4, 1},
		{"sc-inc-gpc(0,1) if x", 5, 1},
		{"stats socket /x", 6, 2},
		{"stats", 0, 0},
		{"stats auth x", 0, 0},
		{"unknown", 0, 0},
		{"", 0, 0},
	} {
		words := strings.Fields(c.line)
		got, n := table.Match(func(i int) string {
			if i >= len(words) {
				return ""
			}
			return words[i]
		})
		value := 0
		if got != nil {
			value = got.value
		}
		if value != c.value || n != c.words {
			t.Errorf("%q: row %d, %d words; want %d, %d", c.line, value, n, c.value, c.words)
		}
	}
}

func TestTable(t *testing.T) {
	table := testTable(t)
	want := []string{"timeout client", "timeout", "timeout client fin", "sc-inc(*)", "sc-inc-gpc(*)", "stats socket"}
	if got := table.Names(); !slices.Equal(got, want) || table.Len() != len(want) {
		t.Errorf("names are %q", got)
	}
	if got := table.Suggest("timeot"); got != "timeout" {
		t.Errorf("suggested %q", got)
	}
	if got := table.Suggest("balence", "balance"); got != "balance" {
		t.Errorf("suggested %q", got)
	}
	if table.Get("timeout client").value != 1 || table.Get("timeout x") != nil {
		t.Error("Get does not find whole names only")
	}
	for _, rows := range [][]row{{{Doc{Name: "a"}, 1}, {Doc{Name: "a"}, 2}}, {{Doc{}, 1}}} {
		if _, err := NewTable(rows); err == nil {
			t.Errorf("%v make a table", rows)
		}
	}
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	Markdown(&b, []*Doc{
		{Name: "maxconn", Ref: "4.2", Summary: "most connections", Args: []Arg{{Name: "conns", Type: Uint}}},
		{Name: "sc-inc-gpc", Prefix: true, Status: Missing},
		{Name: "mode", Status: Inert, Note: "nothing to do", Args: []Arg{{Name: "mode", Type: Enum, Enum: []string{"tcp", "http"}},
			{Name: "more", Opt: true, Many: true}, {Name: "weight", Type: Int, Joined: true, Opt: true}, {Name: "backup", Type: Flag, Opt: true}}},
	})
	want := "| keyword | arguments | section | what it does |\n|---|---|---|---|\n" +
		"| `maxconn` | `<conns>` | 4.2 | most connections |\n" +
		"| `sc-inc-gpc(*)` |  |  | **missing** |\n" +
		"| `mode` | `{ tcp \\| http } [<more>*] [weight <integer>] [backup]` |  | **inert** (nothing to do) |\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestFill(t *testing.T) {
	document := "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n"
	got, err := Fill(document, "x", "new\n")
	if err != nil || got != "a\n<!-- begin x -->\nnew\n<!-- end x -->\nb\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if again, _ := Fill(got, "x", "new\n"); again != got {
		t.Error("filling twice changes the document")
	}
	for _, bad := range []string{"a\n", "<!-- begin x -->\n"} {
		if _, err := Fill(bad, "x", ""); err == nil {
			t.Errorf("%q has markers", bad)
		}
	}
}

func TestWriteSorted(t *testing.T) {
	var b strings.Builder
	WriteSorted(&b, "global", "\t", []string{"b", "a", "B"})
	if b.String() != "global\n\tB\n\ta\n\tb\n" {
		t.Errorf("got %q", b.String())
	}
}
