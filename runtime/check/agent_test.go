package check

import "testing"

// FuzzAgent reads lines of agents: none may panic, and a weight or limit is a word of the line.
func FuzzAgent(f *testing.F) {
	for _, seed := range []string{"up", "down # gone", "50% ready", "UP,75%\tmaxconn:30#x", "maxconn:", "weight:3 #", "#", ",,", "nonsense"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		a := readAgent(line)
		if len(a.health)+len(a.note) > len(line) {
			t.Errorf("%+v", a)
		}
		leadingInt(line)
	})
}
