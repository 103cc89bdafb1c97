package filter

import (
	"fmt"
	"math/rand/v2"
	"time"

	"hapax/runtime"
	"hapax/runtime/config"
)

// trace reads a filter that passes bytes on in pieces, and tells what it sees unless it is quiet. What it tells are the
// calls of functions and the flags of structures that HAProxy has: there is nothing here to be told. Section 9.1.
func trace(l *config.Loader, w *config.Words) error {
	var p pieces
	named, quiet, dumps := false, false, false
	for {
		switch word := w.Peek(); word {
		case "name":
			w.Take()
			switch {
			case w.Take() == "":
				return fmt.Errorf("'trace' : '%s' option without value", word)
			case named:
				return fmt.Errorf("'trace' : '%s' option already defined", word)
			}
			named = true
		case "quiet":
			w.Take()
			quiet = true
		case "random-parsing": // nothing, as on the reference
			w.Take()
		case "random-forwarding":
			w.Take()
			p.random = true
		case "hexdump":
			w.Take()
			dumps = true
		case "max-fwd":
			w.Take()
			value := w.Take()
			if value == "" {
				return fmt.Errorf("'trace' : '%s' option without value", word)
			}
			n, _ := config.Strtol(value, 10)
			if n < 0 || n > 1<<32-1 {
				return fmt.Errorf("'trace' : '%s' expect unsigned integer (0 to 4294967295 expected)", word)
			}
			p.most = int(n)
		default:
			switch {
			case !quiet:
				l.Missing(l.Pos(), "filter trace without quiet")
			case dumps:
				l.Missing(l.Pos(), "filter trace hexdump")
			}
			Add(l, l.Proxy, Filter{Kind: Trace, Word: "trace", pieces: &p})
			return nil
		}
	}
}

// pieces is how much goes on at once. It knows nothing of the stream: all of a proxy share it.
type pieces struct {
	random bool
	most   int // 0: any number
}

func (p *pieces) cuts() bool { return p.random || p.most > 0 }

// Allow implements runtime.Throttle. The rest has not to wait: it makes a piece of its own.
func (p *pieces) Allow(n int, now int64) (int, time.Duration) {
	if p.random {
		if some := rand.IntN(n + 1); some > 0 {
			n = some
		}
	}
	if p.most > 0 {
		n = min(n, p.most)
	}
	return n, 0
}

// Passed implements runtime.Throttle.
func (p *pieces) Passed(n, coded int, now int64) {}

// Leave implements runtime.Throttle.
func (p *pieces) Leave() {}

// cut is the rule that puts pieces on a stream, by side.
type cut [2][]*pieces

func (c *cut) run(s *runtime.Stream) runtime.Verdict {
	for side, all := range c {
		for _, p := range all {
			s.Throttles[side] = append(s.Throttles[side], p)
		}
	}
	return runtime.Continue
}

// use puts the rule in front of those of the proxy, which every stream comes to.
func (c *cut) use(px *runtime.Proxy) {
	if len(c[runtime.Upload])+len(c[runtime.Download]) > 0 {
		px.TCPReq = append(runtime.Ruleset{{Do: c.run, Action: "filter trace", Pos: px.Pos}}, px.TCPReq...)
	}
}
