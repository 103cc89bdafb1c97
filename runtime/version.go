package runtime

import "runtime/debug"

// What show info calls itself: tools look for these. It is the version of HAProxy whose behaviour this is, and behind it, where
// HAProxy has the commit that it was built of, that of this program: client libraries want one there.
var Version = "3.4.0-" + commit()

// Software is what the program calls itself where servers are told.
func Software() string { return software }

var software = "HAProxy " + Version

// commit is the beginning of the name of the commit that the program was built of, zeros when the build does not know.
func commit() string {
	const length = 7
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= length {
				return s.Value[:length]
			}
		}
	}
	return "0000000"
}
