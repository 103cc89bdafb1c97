// Package cookie keeps clients on their servers by cookies: the "cookie" line in its
// modes rewrite, insert and prefix, and the capture of cookies for logs (manual sections
// 4.2 "cookie", "capture cookie", 5.2 "cookie").
//
// Headers are changed within the message; nothing is allocated.
package cookie

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"hapax/runtime"
	"hapax/runtime/config"
)

// What became of the persistence cookie of a request, as logs show it.
const (
	None    = 'N' // there was none
	Invalid = 'I' // it names no server
	Down    = 'D' // its server is down
	Valid   = 'V' // its server is used
	Expired = 'E' // not seen for longer than maxidle
	Old     = 'O' // older than maxlife
	Unused  = 'U' // another server was chosen before it was looked at
)

// And of that of a response.
const (
	Passive  = 'P' // the server's own went through
	Deleted  = 'D'
	Inserted = 'I'
	Replaced = 'R'
	Updated  = 'U' // inserted again with new dates
)

// Build completes the cookies of a backend: those of servers that are made from their
// address ("dynamic"), and what does not change in inserted ones. It is called once,
// when the addresses are known.
func Build(px *runtime.Proxy) {
	c := px.Cookie
	if c == nil || c.Name == "" {
		return
	}
	own := *c // it may be shared with other proxies of the same defaults
	own.Tail = "; path=/" + c.Domain
	if c.HTTPOnly {
		own.Tail += "; HttpOnly"
	}
	if c.Secure {
		own.Tail += "; Secure"
	}
	own.Tail += c.Attr
	px.Cookie = &own
	for _, srv := range px.Servers {
		Refresh(srv)
	}
}

// Refresh makes the cookie of a server anew that is made from its address. The caller
// holds the backend's Mu.
func Refresh(srv *runtime.Server) {
	c := srv.Proxy.Cookie
	if c == nil || !c.Dynamic || c.DynamicKey == "" || srv.Cookie != "" {
		return
	}
	if made := dynamic(srv, c.DynamicKey); made != "" {
		srv.AddrCookie.Store(&made)
	}
}

// SetDynamic switches cookies that are made from addresses on or off.
func SetDynamic(px *runtime.Proxy, on bool) {
	px.Mu.Lock()
	defer px.Mu.Unlock()
	if px.Cookie == nil {
		return
	}
	px.Cookie.Dynamic = on
	for _, srv := range px.AllServers() {
		if on {
			Refresh(srv)
		} else {
			srv.AddrCookie.Store(nil)
		}
	}
}

// SetDynamicKey changes the key that they are made with.
func SetDynamicKey(px *runtime.Proxy, key string) {
	px.Mu.Lock()
	defer px.Mu.Unlock()
	if px.Cookie == nil {
		return
	}
	px.Cookie.DynamicKey = key
	for _, srv := range px.AllServers() {
		Refresh(srv)
	}
}

// dynamic makes a server's cookie from its address and a key, the same on every load
// balancer with that key. A server without an IP address has none.
func dynamic(srv *runtime.Server, key string) string {
	addr := srv.Addr.Load()
	if addr == nil || addr.Family != runtime.FamilyIPv4 && addr.Family != runtime.FamilyIPv6 {
		return ""
	}
	b := append([]byte(key), addr.IP.Addr().AsSlice()...)
	b = binary.BigEndian.AppendUint32(b, uint32(addr.IP.Port()))
	return fmt.Sprintf("%016x", xxhash.Sum64(b))
}

// warnEqual warns for each two servers of a backend whose cookies are the same, the later one made from its address.
func warnEqual(l *config.Loader, px *runtime.Proxy) {
	c := px.Cookie
	if c == nil || !c.Dynamic || c.DynamicKey == "" {
		return
	}
	cookies := make([]string, len(px.Servers))
	for i, srv := range px.Servers {
		cookies[i] = srv.Cookie
	}
	for i, srv := range px.Servers {
		if srv.Cookie != "" {
			continue
		}
		cookies[i] = dynamic(srv, c.DynamicKey)
		if cookies[i] == "" || srv.Disabled {
			continue
		}
		for j, other := range px.Servers {
			if j != i && !other.Disabled && cookies[j] == cookies[i] {
				l.List.Warnf(px.Pos, "We generated two equal cookies for two different servers.\nPlease change the secret key for '%s'.", px.Name)
			}
		}
	}
}

// ServerDown notes that the stream goes to another server than its cookie wanted.
func ServerDown(s *runtime.Stream) {
	if s.CookieIn == Valid {
		s.CookieIn = Down
	}
}

// capture keeps a cookie for the log: name and value, as much of it as fits.
func capture(px *runtime.Proxy, kept, pair []byte) []byte {
	c := &px.Capture
	if c.Cookie == "" || len(kept) > 0 || len(pair) < len(c.Cookie) || string(pair[:len(c.Cookie)]) != c.Cookie {
		return kept
	}
	return append(kept[:0], pair[:min(len(pair), c.CookieLen)]...)
}

// diagnoseEqual tells with -dD of each server whose cookie one before it has too. Backups may share theirs.
func diagnoseEqual(l *config.Loader, px *runtime.Proxy) {
	seen := map[string]bool{}
	for _, srv := range px.Servers {
		if srv.Cookie == "" || srv.Backup {
			continue
		}
		if seen[srv.Cookie] {
			l.List.Diagf(srv.Pos, "parsing [%s:%d] : 'server %s' : same cookie value is set for a previous non-backup server in the same backend, it may break connection persistence", srv.Pos.File, srv.Pos.Line, srv.Name)
		}
		seen[srv.Cookie] = true
	}
}
