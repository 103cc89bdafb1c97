package config

import (
	"fmt"
	"slices"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
)

// numberServers refuses equal names and gives numbers to those without. The reference
// finds equal names only where all servers of the proxy have the same one: elsewhere the
// first of them is found by its name.
func (l *Loader) numberServers(px *runtime.Proxy) {
	taken, names := map[int]bool{}, map[string]*runtime.Server{}
	refuse := l.Alert
	if slices.ContainsFunc(px.Servers, func(srv *runtime.Server) bool { return srv.Name != px.Servers[0].Name }) {
		refuse = l.Diag
	}
	for _, srv := range px.Servers {
		taken[srv.ID] = true
		if other := names[srv.Name]; other != nil {
			refuse(srv.Pos, "%s '%s', another server named '%s' was already defined at line %d, please use distinct names.",
				px.Kind, px.Name, srv.Name, other.Pos.Line)
		}
		names[srv.Name] = srv
	}
	next := 1
	for _, srv := range px.Servers {
		if srv.ID == 0 {
			for taken[next] {
				next++
			}
			srv.ID = next
		}
		next++
	}
}

// finishServers completes one server with what the whole configuration tells.
func (l *Loader) finishServers(px *runtime.Proxy, srv *runtime.Server) {
	fitMinConn(srv)
	if srv.TFO && !(px.RetryOn.EmptyResponse && px.RetryOn.ResponseTimeout) {
		l.sayServer(srv, false, "server has tfo activated, the backend should be configured with at least 'conn-failure', 'empty-response' and 'response-timeout' or we wouldn't be able to retry the connection on failure.")
	}
	if l.track(px, srv); srv.Track != nil {
		srv.Track.Trackers = slices.Insert(srv.Track.Trackers, 0, srv)
	}
	srv.UserWeight.Store(int32(srv.Weight))
	srv.State.Store(int32(runtime.ServerRunning))
	srv.Health.Store(int32(srv.Rise))
	if srv.Disabled {
		srv.AdminState.Store(uint32(runtime.ConfigMaint | runtime.ForcedMaint))
		srv.State.Store(int32(runtime.ServerStopped))
		srv.Health.Store(0)
	}
}

// fitMinConn makes minconn and maxconn of a server agree.
func fitMinConn(srv *runtime.Server) {
	if most := int(srv.MaxConn.Load()); srv.MinConn > most {
		srv.MaxConn.Store(int32(srv.MinConn))
	} else if most > 0 && srv.MinConn == 0 {
		srv.MinConn = most
	}
}

// sayServer prints a message in the shape of a server line's.
func (l *Loader) sayServer(srv *runtime.Server, fatal bool, format string, args ...any) {
	say := &serverSpeaker{l: l, pos: srv.Pos}
	say.name(srv)
	if fatal {
		say.alert(format, args...)
	} else {
		say.warn(format, args...)
	}
}

// track finds the server that another one follows; srv.Track stays nil when there is none.
func (l *Loader) track(px *runtime.Proxy, srv *runtime.Server) {
	if srv.TrackName == "" {
		return
	}
	backend, name := px, srv.TrackName
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		if backend = l.find(name[:i], runtime.CapBack); backend == nil {
			l.sayServer(srv, true, "unable to find required proxy '%s' for tracking.", name[:i])
			return
		}
		name = name[i+1:]
	}
	to := findServer(backend, name)
	if to == nil {
		l.sayServer(srv, true, "unable to find required server '%s' for tracking.", name)
		return
	}
	if to.Dynamic {
		l.sayServer(srv, true, "unable to use %s/%s for tracking as it is a dynamic server.", backend.Name, to.Name)
		return
	}
	if !to.CheckOn && !to.Agent.On && to.Track == nil && to.TrackName == "" {
		l.sayServer(srv, true, "unable to use %s/%s for tracking as it does not have any check nor agent enabled.", backend.Name, to.Name)
		return
	}
	loop := to.Track
	for loop != nil && loop != srv {
		loop = loop.Track
	}
	if to == srv || loop != nil {
		back := to
		if loop != nil {
			back = loop
		}
		l.sayServer(srv, true, "unable to track %s/%s as it belongs to a tracking chain looping back to %s/%s.", backend.Name, to.Name, backend.Name, back.Name)
		return
	}
	srv.Track, to.Pinned = to, true
}

// checkServerModes looks for settings of servers that others of their proxy do not go with.
func (l *Loader) checkServerModes(px *runtime.Proxy) {
	http := px.Mode == runtime.ModeHTTP
	switch {
	case px.Mode == runtime.ModeSPOP:
		px.Reuse = runtime.ReuseAlways
	case !http:
		px.Reuse = runtime.ReuseNever // nobody knows where an exchange ends
	}
	for _, srv := range px.Servers {
		if srv.Redir != "" && !http {
			l.List.Alertf(srv.Pos, "%s '%s' : server cannot have cookie or redirect prefix in non-HTTP mode.", px.Kind, px.Name)
		}
		if srv.Cookie != "" && !http {
			l.List.Warnf(srv.Pos, "%s '%s' : ignoring cookie for server '%s' as HTTP mode is disabled.", px.Kind, px.Name, srv.Name)
		}
		if srv.MapPorts && px.RDPCookie != "" {
			l.List.Warnf(srv.Pos, "%s '%s' : RDP cookie persistence will not work for server '%s' because it lacks an explicit port number.", px.Kind, px.Name, srv.Name)
		}
		if px.Mode == runtime.ModeHTTP {
			continue
		}
		if src := srv.Source; src != nil && src.Use == runtime.UseHeader && src.Occurrence != 0 {
			l.List.Warnf(srv.Pos, "%s '%s' : server %s cannot use header %s as source IP in non-HTTP mode.", px.Kind, px.Name, srv.Name, src.Header)
			src.Occurrence = 0
		}
		if srv.Reversed {
			l.List.Alertf(srv.Pos, "%s '%s' : server %s uses reverse HTTP addressing which can only be used with HTTP mode.", px.Kind, px.Name, srv.Name)
			return
		}
	}
}

// checkServers lets the domains check servers and whole proxies.
func (l *Loader) checkServers() bool {
	for _, px := range l.Config.Proxies {
		if px.Disabled {
			continue
		}
		l.Proxy = px
		for _, srv := range px.Servers {
			if !l.CheckServerMode(srv) {
				l.List.Alertf(ast.Pos{}, "Fatal errors found in configuration.")
				return false
			}
		}
		for _, d := range l.Tables.Domains {
			for _, srv := range px.Servers {
				if d.CheckServer == nil {
					break
				}
				d.CheckServer(l, srv)
				if l.List.Fatal() > 0 {
					l.List.Alertf(ast.Pos{}, "Fatal errors found in configuration.")
					return false
				}
			}
		}
		for _, d := range l.Tables.Domains {
			if d.CheckEnd != nil {
				d.CheckEnd(l, px)
			}
		}
		if l.List.Fatal() > 0 {
			l.List.Alertf(ast.Pos{}, "Fatal errors found in configuration.")
			return false
		}
		l.ignoreAddressHeaders(px)
		l.diagnoseFormats(px)
	}
	return true
}

// CheckServerMode looks whether a server goes with the mode of its proxy, and takes back what does not.
func (l *Loader) CheckServerMode(srv *runtime.Server) bool {
	if fault := unreachable(srv); fault != "" {
		l.List.Alertf(srv.Pos, "%s", diag.AtObject(srv.Pos, "", "%s", fault))
		return false
	}
	if mode := srv.Proxy.Mode; mode != runtime.ModeTCP && mode != runtime.ModeHTTP && srv.SendProxy&runtime.SendProxyAny != 0 {
		l.List.Warnf(srv.Pos, "%s", diag.AtObject(srv.Pos, "", "'send-proxy*' server option is unsupported there, ignoring it"))
		srv.SendProxy = 0
	}
	return true
}

// unreachable tells why nothing can be sent to a server in the mode of its proxy, "" when it can.
func unreachable(srv *runtime.Server) string {
	mode, a := srv.Proxy.Mode, srv.Addr.Load()
	switch {
	case mode == runtime.ModeSyslog && a.Family != runtime.FamilyNone && a.Family != runtime.FamilyIPv4 && a.Family != runtime.FamilyIPv6:
		return "log server address family not supported for log backend server."
	case mode != runtime.ModeSyslog && srv.Datagrams:
		return fmt.Sprintf("unsupported transport for server address in '%s' backend.", modeName(mode))
	}
	return ""
}

// placeServers looks up the addresses of servers that are given by name.
func (l *Loader) placeServers() bool {
	ok := true
	for _, px := range l.Config.Proxies {
		if px.Disabled || px.Caps&runtime.CapBack == 0 {
			continue
		}
		for _, srv := range px.Servers {
			if (srv.Host != "" || srv.Service != "") && !l.placeByMethods(srv) {
				ok = false
			}
		}
	}
	if !ok {
		l.List.Alertf(ast.Pos{}, "Failed to initialize server(s) addr.")
	}
	return ok
}
