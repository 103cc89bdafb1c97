package diag

import (
	"os"
	"path/filepath"
	"testing"

	"hapax/parser/ast"
)

func TestExplain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.cfg")
	if err := os.WriteFile(file, []byte("frontend f\n  option httpcheck\n\tbind :80 foo\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line       int
		text, want string
	}{
		{2, "unknown option 'httpcheck'; did you mean 'httpchk' maybe ?", "    2 |   option httpcheck\n      |          ^^^^^^^^^ write 'httpchk' ?\n"},
		{3, "'bind :80' in section 'frontend': unknown keyword 'foo'.", "    3 |  bind :80 foo\n      |           ^^^\n"},
		{1, "something else", "    1 | frontend f\n      | ^^^^^^^^\n"},
		{9, "no such line", ""},
	} {
		var e Explain
		if got := e.Text(Diagnostic{Severity: Alert, Pos: ast.Pos{File: file, Line: c.line}, Text: c.text}); got != c.want {
			t.Errorf("%s: got\n%swant\n%s", c.text, got, c.want)
		}
	}
}
