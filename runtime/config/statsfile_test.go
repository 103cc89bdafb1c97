package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hapax/parser/diag"
	"hapax/runtime"
)

// countersLoader reads a stats file with a frontend, a listener, a backend and a server,
// and gives what is printed.
func countersLoader(t testing.TB, file string) (*Loader, *strings.Builder) {
	text := &strings.Builder{}
	l := &Loader{Config: &runtime.Config{}, guids: map[string]any{},
		List: &diag.List{Out: &diag.Writer{W: text, PID: 1, Version: "3.4.0", ExecPath: "haproxy", Verbose: true}}}
	front, back := &runtime.Proxy{Caps: runtime.CapFront}, &runtime.Proxy{Caps: runtime.CapBack}
	l.guids["f"], l.guids["b"] = front, back
	l.guids["l"], l.guids["s"] = &runtime.Listener{Proxy: front}, &runtime.Server{Proxy: back}
	l.Config.Global.StatsFile = filepath.Join(t.TempDir(), "st")
	if err := os.WriteFile(l.Config.Global.StatsFile, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	return l, text
}

// What the reference says about each file, without the end of the messages.
func TestLoadCounters(t *testing.T) {
	for _, test := range []struct {
		file string
		said []string
		kept int
	}{
		{"", nil, 0},
		{"\n\n// text\n", nil, 0},
		{"x", []string{"Invalid stats-file format"}, 0},
		{"#fe guid,stot\n", []string{"Invalid stats-file format"}, 0},
		{"#fe guidx,stot,\n", []string{"Invalid stats-file format"}, 0},
		{"#fe guid,\nf,1\nl,\n#be guid,stot,\nb\ns,1,2,3", nil, 4},
		{"#be guid,stot,\nfoo bar,5\nf,1\n#be\nb,6\n#be guid,\n#zz\n", []string{"Ignored stats-file line 2", "Ignored stats-file header line '4'", "Ignored stats-file header line '7'"}, 0},
		{"#be guid,stot,\nl,1\n  b,1\n //\n", []string{"Ignored stats-file line 2", "Ignored stats-file line 3", "Ignored stats-file line 4"}, 0},
		{"#fe guid,stot,\ns,1\nb,1\n#other a,b,\nf,1\n", []string{"Ignored stats-file line 2"}, 1},
		{"#fe guid,stot,\n" + strings.Repeat("f,", 1500) + "\nf,1\n", []string{"Ignored stats-file line 3"}, 2},
	} {
		l, text := countersLoader(t, test.file)
		l.loadCounters()
		rest := text.String()
		for _, said := range test.said {
			_, after, found := strings.Cut(rest, said)
			if !found {
				t.Errorf("%q: %q is not in %q", test.file, said, text)
			}
			rest = after
		}
		if n := strings.Count(text.String(), "WARNING"); n != len(test.said) || len(l.Config.Kept) != test.kept {
			t.Errorf("%q: %d lines, printed %q; want %d, %q", test.file, len(l.Config.Kept), text, test.kept, test.said)
		}
	}
}

func FuzzLoadCounters(f *testing.F) {
	f.Add("#fe guid,stot,\nf,1\nl,2\n#be guid,x,\ns,3\n")
	f.Add("#fe guid,stot\n\x00\n#")
	f.Fuzz(func(t *testing.T, file string) {
		l, _ := countersLoader(t, file)
		l.loadCounters()
	})
}
