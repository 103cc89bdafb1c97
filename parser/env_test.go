package parser

import (
	"slices"
	"testing"
)

func TestEnv(t *testing.T) {
	e := NewEnv([]string{"A=1", "B=2=3", "C=", "odd"})
	if v, ok := e.Lookup("B"); v != "2=3" || !ok {
		t.Errorf("B is %q, %v", v, ok)
	}
	if v, ok := e.Lookup("C"); v != "" || !ok {
		t.Errorf("C is %q, %v", v, ok)
	}
	if _, ok := e.Lookup("odd"); ok {
		t.Error("an entry without = is a variable")
	}
	e.Preset("A", "9")
	e.Preset("D", "4")
	e.Set("B", "5")
	e.Unset("C")
	e.Unset("never")
	if got, want := e.Entries(), []string{"A=1", "B=5", "D=4"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	copied := e.Clone()
	e.Reset([]string{"D", "X"})
	if got, want := e.Entries(), []string{"D=4"}; !slices.Equal(got, want) {
		t.Errorf("after Reset: %q, want %q", got, want)
	}
	if v, _ := e.Lookup("D"); v != "4" {
		t.Errorf("D is %q after Reset", v)
	}
	if v, _ := copied.Lookup("A"); v != "1" {
		t.Error("a clone shares variables")
	}
	for _, name := range []string{"", "A=B"} {
		if e.Set(name, "x") == nil || e.Unset(name) == nil {
			t.Errorf("%q is taken for a name", name)
		}
	}
}
