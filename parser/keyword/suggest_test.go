package keyword

import "testing"

func TestSuggest(t *testing.T) {
	for _, s := range suggestions {
		for word, want := range s.want {
			if got := Suggest(word, s.candidates); got != want {
				t.Errorf("%s: %q is taken for %q, want %q", s.place, word, got, want)
			}
		}
	}
}
