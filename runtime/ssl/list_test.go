package ssl

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLists compares what is said of lists, stores and their files with what HAProxy 3.4.0
// says: "> words of the bind line | the list \n its second line | lines of the global section |
// lines of a crt-store".
func TestLists(t *testing.T) {
	const golden = "testdata/lists.txt"
	data, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	file, _ := filepath.Abs(golden)
	t.Chdir("testdata")
	dir := t.TempDir()
	title, rest, _ := strings.Cut(string(data), "\n> ")
	var out strings.Builder
	out.WriteString(title)
	for _, c := range strings.Split(rest, "\n> ") {
		line, want, _ := strings.Cut(c, "\n")
		parts := strings.Split(strings.NewReplacer(`\n`, "\n", "LIST", dir+"/list").Replace(line)+"|||", "|")
		list, global, store := strings.TrimPrefix(parts[1], " "), strings.TrimSpace(parts[2]), parts[3]
		if err := os.WriteFile(dir+"/list", []byte(list), 0o666); err != nil {
			t.Fatal(err)
		}
		text := "global\n maxconn 100\n " + global + "\ndefaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"
		if store != "" {
			text += "crt-store " + store + "\n"
		}
		text += "frontend f\n bind 127.0.0.1:8443 ssl " + parts[0] + "\n http-request return status 200\n"
		got := verdictOf(t, dir, text)
		out.WriteString("\n> " + line + "\n" + got)
		if d := cmp.Diff(strings.Split(strings.TrimRight(want, "\n"), "\n"), strings.Split(got, "\n")); d != "" && !*record {
			t.Errorf("%s (-recorded +now)\n%s", line, d)
		}
	}
	if *record {
		os.WriteFile(file, []byte(out.String()+"\n"), 0o666)
	}
}

// verdictOf is what is said of a configuration, without what all messages have.
func verdictOf(t testing.TB, dir, text string) string {
	said := ""
	if *reference == "" {
		_, said = load(t, text)
	} else {
		file := filepath.Join(dir, "g.cfg")
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		b, _ := exec.Command(*reference, "-c", "-f", file).CombinedOutput()
		said = string(b)
	}
	said = strings.ReplaceAll(said, dir+"/", "")
	var lines []string
	for l := range strings.Lines(said) {
		l = strings.TrimRight(l, " \n")
		if l == "" || strings.HasPrefix(l, "[NOTICE]") || strings.Contains(l, "Error(s) found") || strings.Contains(l, "Fatal errors") || l == "Warnings were found." {
			continue
		}
		if head, rest, ok := strings.Cut(l, ") : "); ok && l[0] == '[' {
			kind, _, _ := strings.Cut(head, " ")
			l = kind + " " + rest
		}
		lines = append(lines, l)
	}
	return strings.Join(lines, "\n")
}
