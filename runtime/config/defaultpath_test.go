package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDefaultPath(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"start", "conf/d", "other"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	start := filepath.Join(top, "start")
	for _, test := range []struct{ mode, origin, file, want string }{
		{"", "", "../conf/d/x.cfg", "start"},
		{"current", "", "../conf/d/x.cfg", "start"},
		{"config", "", "../conf/d/x.cfg", "conf/d"},
		{"config", "", "x.cfg", "start"},
		{"config", "", filepath.Join(top, "conf/x.cfg"), "conf"},
		{"parent", "", "../conf/d/x.cfg", "conf"},
		{"parent", "", "x.cfg", "."},
		{"origin", "../other", "../conf/d/x.cfg", "other"},
	} {
		t.Chdir(start)
		p := defaultPath{mode: test.mode, origin: test.origin}
		for range 2 { // a second file starts from where the first one did
			if err := p.enter(test.file); err != nil {
				t.Fatalf("%+v: %v", test, err)
			}
		}
		if got, _ := os.Getwd(); got != filepath.Join(top, test.want) {
			t.Errorf("%+v: in %s", test, got)
		}
		if err := p.leave(); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.Getwd(); got != start {
			t.Errorf("%+v: left to %s", test, got)
		}
	}
	p := defaultPath{mode: "origin", origin: filepath.Join(top, "nowhere")}
	if p.enter("x.cfg") == nil {
		t.Error("a directory that is not there can be entered")
	}
}
