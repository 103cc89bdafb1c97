package command

import (
	"strings"
	"testing"

	"hapax/parser/keyword"
	"hapax/stats/cli"
)

func TestRows(t *testing.T) {
	table, err := Assemble(Commands())
	if err != nil {
		t.Fatal(err)
	}
	if table.Len() != len(reference) {
		t.Errorf("%d commands, HAProxy has %d", table.Len(), len(reference))
	}
	known := 0
	for i := range table.Len() {
		row := table.Row(i)
		if row.Name != reference[i].name {
			t.Errorf("command %d is %q, HAProxy's is %q", i, row.Name, reference[i].name)
		}
		if row.Summary == "" || row.Ref == "" || row.Run == nil {
			t.Errorf("%q: incomplete row", row.Name)
		}
		if row.Usage != "" && !strings.HasPrefix(row.Usage, row.Words[0]) {
			t.Errorf("%q: usage line %q", row.Name, row.Usage)
		}
		if row.Status == keyword.Full || row.Note != "" {
			known++
		}
	}
	if known != len(Commands()) {
		t.Errorf("%d commands work or tell why they do not, %d are declared", known, len(Commands()))
	}
}

func TestAssembleErrors(t *testing.T) {
	row := cli.Command{Doc: doc("show version", "twice"), Run: showVersion}
	if _, err := Assemble(Commands(), []cli.Command{row}); err == nil {
		t.Error("two rows of one name were accepted")
	}
	row.Name = "show nonsense"
	if _, err := Assemble(Commands(), []cli.Command{row}); err == nil {
		t.Error("a row that HAProxy does not have was accepted")
	}
}

func TestLeading(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		rest string
	}{{"12", 12, ""}, {"-3x", -3, "x"}, {"+7", 7, ""}, {" 5 ", 5, " "}, {"", 0, ""}, {"-", 0, "-"}, {"x", 0, "x"}, {"99999999999", 99999999999, ""}} {
		n, rest := leading(tt.in)
		if tt.in == "99999999999" {
			if n < 1<<31 {
				t.Errorf("leading(%q) = %d: it must stay out of range", tt.in, n)
			}
			continue
		}
		if n != tt.n || rest != tt.rest {
			t.Errorf("leading(%q) = %d, %q, want %d, %q", tt.in, n, rest, tt.n, tt.rest)
		}
	}
}
