package compat

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestGolden replays the cases of testdata/wire and testdata/process. The comment of a
// case tells what it shows and which version of the reference it was recorded from; a
// line "DIVERGES: reason" in it tells that hapax does something else, which stands in
// the section "hapax". The other sections are
//
//	config       what follows testdata/prelude.cfg in haproxy.cfg, or
//	haproxy.cfg  the whole configuration
//	script       the steps, see the type script
//	transcript   what the reference did
//
// and files that the configuration refers to in "${DIR}".
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/wire/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	more, _ := filepath.Glob("testdata/process/*.txtar")
	var known []string // cases with a divergence
	for _, file := range append(files, more...) {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(a.Comment), "HAProxy 3.4.0: ") {
			t.Errorf("%s: the first line must name the version of the reference", file)
		}
		diverges := strings.Contains(string(a.Comment), "\nDIVERGES: ")
		if diverges {
			known = append(known, file)
		}
		name := strings.TrimSuffix(filepath.ToSlash(strings.TrimPrefix(file, "testdata/")), ".txtar")
		if *oracle != "" {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				got := replay(t, a, *oracle, false)
				if *update {
					setSection(a, "transcript", got)
					if err := os.WriteFile(file, txtar.Format(a), 0o666); err != nil {
						t.Fatal(err)
					}
					return
				}
				compare(t, section(a, "transcript"), got)
			})
			continue
		}
		want := section(a, "transcript")
		if own := section(a, "hapax"); own != "" {
			want = own
		}
		engines := []string{"io_uring", "epoll"}
		if *update {
			engines = engines[:1]
		}
		for _, engine := range engines {
			t.Run(name+"/"+engine, func(t *testing.T) {
				t.Parallel()
				got := replay(t, a, hapax, engine == "epoll")
				if *update && diverges {
					setSection(a, "hapax", got)
					if err := os.WriteFile(file, txtar.Format(a), 0o666); err != nil {
						t.Fatal(err)
					}
					return
				}
				compare(t, want, got)
			})
		}
	}
	grammar, err := os.ReadFile("../GRAMMAR.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range known {
		if !strings.Contains(string(grammar), file) {
			t.Errorf("GRAMMAR.md does not tell of the divergence in %s", file)
		}
	}
	t.Logf("%d cases, %d of them with a known divergence", len(files)+len(more), len(known))
}

func compare(t *testing.T, want, got string) {
	if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("(-recorded +now)\n%s", d)
	}
}

// replay runs a case and returns its transcript.
func replay(t *testing.T, a *txtar.Archive, path string, noRing bool) string {
	p := newProgram(t, path, noRing)
	for _, f := range a.Files {
		data := f.Data
		switch f.Name {
		case "script", "transcript", "hapax":
			continue
		case "config":
			prelude, err := os.ReadFile("testdata/prelude.cfg")
			if err != nil {
				t.Fatal(err)
			}
			f.Name, data = "haproxy.cfg", append(prelude, data...)
		}
		mode := os.FileMode(0o666)
		if bytes.HasPrefix(data, []byte("#!")) {
			mode = 0o777
		}
		if err := os.WriteFile(filepath.Join(p.dir, f.Name), data, mode); err != nil {
			t.Fatal(err)
		}
	}
	s := &script{program: p, conns: map[string]*peer{}}
	transcript, err := s.run(section(a, "script"))
	if err != nil {
		t.Errorf("%v\nafter\n%s", err, transcript)
	}
	return transcript
}

func section(a *txtar.Archive, name string) string {
	for _, f := range a.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func setSection(a *txtar.Archive, name, data string) {
	for i, f := range a.Files {
		if f.Name == name {
			a.Files[i].Data = []byte(data)
			return
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(data)})
}
