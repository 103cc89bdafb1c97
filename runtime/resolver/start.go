package resolver

import (
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"hapax/runtime"
)

// Start begins to resolve the names of all servers, and those that rules will ask for.
func Start(cfg *runtime.Config, control Control) {
	all, _ := cfg.Resolvers.([]*Section)
	accepted := newAccepted(cfg.Global.Families)
	for _, s := range all {
		s.control, s.families = control, accepted.now
	}
	services := map[serviceKey]*service{}
	for _, px := range cfg.Proxies {
		if px.Disabled {
			continue
		}
		for _, srv := range px.Servers {
			if sec := find(cfg, srv.Resolvers); sec != nil {
				sec.add(srv, services)
			}
		}
	}
	for _, s := range all {
		go s.run()
	}
}

// Stop ends what Start has begun.
func Stop(cfg *runtime.Config) {
	all, _ := cfg.Resolvers.([]*Section)
	for _, s := range all {
		s.stopped.Do(func() { close(s.stop) })
	}
}

// find gives a section by its name, nil when there is none.
func find(cfg *runtime.Config, name string) *Section {
	all, _ := cfg.Resolvers.([]*Section)
	if i := slices.IndexFunc(all, func(s *Section) bool { return s.Name == name }); i >= 0 {
		return all[i]
	}
	return nil
}

// Has tells whether there is a section of that name.
func Has(cfg *runtime.Config, name string) bool { return find(cfg, name) != nil }

// serviceKey tells the SRV records of backends apart.
type serviceKey struct {
	px   *runtime.Proxy
	sec  *Section
	name string
}

// add makes the section follow a server.
func (s *Section) add(srv *runtime.Server, services map[serviceKey]*service) {
	o := optionsOf(srv)
	l := &lookup{srv: srv, o: o, sec: s}
	o.lookup = l
	if srv.Service == "" {
		l.follow(srv.HostName())
		return
	}
	key := serviceKey{srv.Proxy, s, srv.Service}
	v := services[key]
	if v == nil {
		v = &service{sec: s, name: srv.Service, px: srv.Proxy}
		services[key] = v
		s.find(strings.ToLower(strings.TrimSuffix(srv.Service, ".")), kindSRV).join(v)
	}
	l.of = v
	v.free = append(v.free, l)
}

// families are the kinds of addresses that servers may have.
type families struct{ v4, v6 bool }

// accepted tells them. Section 3.1 "dns-accept-family".
type accepted struct {
	given families
	auto  bool

	mu      sync.Mutex
	checked time.Time
}

func newAccepted(words []string) *accepted {
	a := &accepted{auto: len(words) == 0}
	for _, word := range words {
		switch word {
		case "ipv4":
			a.given.v4 = true
		case "ipv6":
			a.given.v6 = true
		default:
			a.auto = true
		}
	}
	return a
}

// recheck is how long it is remembered whether IPv6 can be used.
const recheck = 30 * time.Second

func (a *accepted) now() families {
	if !a.auto {
		return a.given
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Since(a.checked) > recheck {
		a.checked, a.given = time.Now(), families{v4: true, v6: routed()}
	}
	return a.given
}

// routed tells whether there is a way to the addresses of IPv6. Nothing is sent to this one, which is for documentation.
func routed() bool {
	conn, err := net.Dial("udp6", "[2001:db8::1]:53")
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// validName tells whether a name may be asked for.
func validName(name string) bool {
	const mostName, mostLabel = 253, 63
	if name = strings.TrimSuffix(name, "."); name == "" || len(name) > mostName {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > mostLabel {
			return false
		}
	}
	return true
}
