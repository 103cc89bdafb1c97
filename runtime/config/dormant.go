package config

import "strings"

// Awaken tells that something refers to what Missing lines configure which were
// harmless until then: those whose names begin so are uses of something Missing from now
// on. It reports whether there were any.
func (l *Loader) Awaken(prefixes ...string) bool {
	var still []use
	for _, u := range l.dormant {
		meant := false
		for _, prefix := range prefixes {
			meant = meant || strings.HasPrefix(u.what, prefix)
		}
		if meant {
			l.missing = append(l.missing, u)
		} else {
			still = append(still, u)
		}
	}
	any := len(still) < len(l.dormant)
	l.dormant = still
	return any
}
