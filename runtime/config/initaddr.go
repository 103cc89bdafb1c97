package config

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"hapax/parser/diag"
	"hapax/runtime"
)

// placeByMethods finds the address of a server named by its host, by the methods of
// init-addr, of which "last,libc" is the default. "last" is that
// of a state file.
func (l *Loader) placeByMethods(srv *runtime.Server) bool {
	methods := srv.InitAddr
	if methods == nil {
		methods = []string{"last", "libc"}
		if srv.Resolvers != "" {
			methods = append(methods, "none")
		}
	}
	name := cmp.Or(srv.Host, srv.Service)
	if l.options.Unresolved && !slices.Contains(methods, "none") {
		methods = append(slices.Clone(methods), "none")
	}
	failed := false
	for _, method := range methods {
		switch method {
		case "last":
			if ip, known := l.lastAddrs[srv]; known {
				place(srv, ip)
				return true
			}
		case "libc":
			if srv.Host == "" {
				continue // a SRV record: the system is not asked for those
			}
			ip, found := l.lookUpOnce(srv.Host, srv.HostFamily)
			if found {
				place(srv, ip)
				return true
			}
			failed = true
		case "none":
			srv.AdminState.Store(srv.AdminState.Load() | uint32(runtime.ResolverMaint))
			srv.State.Store(int32(runtime.ServerStopped))
			if failed {
				l.noticeServer(srv, "could not resolve address '%s', disabling server.", name)
			}
			return true
		default:
			if failed {
				l.noticeServer(srv, "could not resolve address '%s', falling back to configured address.", name)
			}
			place(srv, netip.MustParseAddr(strings.Trim(method, "[]")))
			return true
		}
	}
	if failed {
		l.sayServer(srv, true, "could not resolve address '%s'.", name)
	} else {
		l.sayServer(srv, true, "no method found to resolve address '%s'.", name)
	}
	return false
}

func (l *Loader) noticeServer(srv *runtime.Server, format string, args ...any) {
	say := &serverSpeaker{l: l, pos: srv.Pos}
	say.name(srv)
	say.say(diag.Notice, false, format, args...)
}

// hostKey is a name that was looked up, for one family.
type hostKey struct {
	name   string
	family runtime.Family
}

// hostAnswer is what came of it.
type hostAnswer struct {
	ip netip.Addr
	ok bool
}

// lookUpOnce asks for each name once: many servers of one name are common.
func (l *Loader) lookUpOnce(name string, family runtime.Family) (netip.Addr, bool) {
	key := hostKey{name, family}
	answer, known := l.hosts[key]
	if !known {
		if validHost(name) {
			answer.ip, answer.ok = l.options.LookUp(name, family)
		}
		if l.hosts == nil {
			l.hosts = map[hostKey]hostAnswer{}
		}
		l.hosts[key] = answer
	}
	return answer.ip, answer.ok
}

// place gives a server the address that was found, and keeps its port.
func place(srv *runtime.Server, ip netip.Addr) {
	a := *srv.Addr.Load()
	a.IP = netip.AddrPortFrom(ip, a.IP.Port())
	a.Family = runtime.FamilyIPv6
	if ip.Is4() {
		a.Family = runtime.FamilyIPv4
	}
	srv.Addr.Store(&a)
}
