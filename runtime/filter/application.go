package filter

import (
	"errors"
	"fmt"
	"slices"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/fcgi"
)

// useApplication is the row of "use-fcgi-app".
func useApplication() config.Keyword {
	return config.Keyword{
		Doc: keyword.Doc{Name: "use-fcgi-app", Ref: "10.1.2", Summary: "the application that requests are for", Args: []keyword.Arg{{Name: "name", Type: keyword.Name}},
			Examples: []keyword.Example{{Config: "fcgi-app php\n  docroot /var/www\nbackend b\n  mode http\n  use-fcgi-app php\n  server s 127.0.0.1:9000 proto fcgi\n"}}},
		In: config.Proxies, Parse: reporting(use),
	}
}

func use(l *config.Loader, line *ast.Line) error {
	px, name := l.Proxy, line.Arg(1)
	if l.InDefaults() || px.Caps&runtime.CapBack == 0 {
		return fmt.Errorf("'%s' only available in backend or listen section", line.Arg(0))
	}
	if name == "" {
		return fmt.Errorf("'%s' expects <name> as argument", line.Arg(0))
	}
	switch f := ofApplication(px); {
	case f == nil:
		Add(l, px, Filter{Kind: FCGI, Word: "fcgi-app", Name: name, Implicit: true})
	case f.Name != name:
		return fmt.Errorf("'%s' : only one fcgi-app supported per backend", line.Arg(0))
	}
	return nil
}

// application reads "filter fcgi-app <name>".
func application(l *config.Loader, w *config.Words) error {
	name := w.Take()
	if name == "" {
		return errors.New("fcgi-app : expects a <name> argument")
	}
	f := own(l, l.Proxy)
	f.all = slices.DeleteFunc(f.all, func(x Filter) bool { return x.Kind == FCGI && x.Name == name })
	f.all = append(f.all, Filter{Kind: FCGI, Word: "fcgi-app", Name: name})
	return nil
}

// ofApplication finds the filter of an application on a proxy; nil: there is none.
func ofApplication(px *runtime.Proxy) *Filter {
	all := Of(px)
	if i := slices.IndexFunc(all, func(x Filter) bool { return x.Kind == FCGI }); i >= 0 {
		return &all[i]
	}
	return nil
}

func (f *filters) checkFCGI(l *config.Loader, px *runtime.Proxy, at int) {
	self := &f.all[at]
	if !l.Known(config.FCGIApp, self.Name) {
		l.List.Alertf(px.Pos, "proxy '%s' : fcgi-app '%s' not found.", px.Name, self.Name)
		return
	}
	for i := range f.all {
		switch k := f.all[i].Kind; {
		case compresses(k), k == Cache, i == at:
		case k == FCGI:
			l.List.Alertf(px.Pos, "proxy '%s' : only one fcgi-app supported per backend.", px.Name)
			return
		default:
			l.List.Alertf(px.Pos, "config: proxy '%s': require an explicit filter declaration to use the fcgi-app '%s'.", px.Name, self.Name)
			return
		}
	}
	var sees [2]bool
	for side := range sees {
		sees[side] = slices.ContainsFunc(f.order(side), func(x *Filter) bool { return x.Kind == FCGI })
	}
	fcgi.Adopt(l, px, self.Name, sees)
}

// checkApplications looks at the proxies that use applications and at the applications.
func checkApplications(l *config.Loader) {
	for _, px := range l.Config.Proxies {
		if !checkServers(l, px) {
			return
		}
	}
	fcgi.CheckApps(l)
}

// checkServers tells whether a proxy and its servers go with its application.
func checkServers(l *config.Loader, px *runtime.Proxy) bool {
	uses := ofApplication(px) != nil
	if uses && px.Mode != runtime.ModeHTTP {
		l.List.Alertf(px.Pos, "proxy '%s': FCGI application cannot be used in non-HTTP mode.", px.Name)
		return false
	}
	if uses && px.HeaderNames == runtime.HeaderNamesUnset {
		px.HeaderNames = runtime.HeaderNamesDelete
	}
	speak := false
	for _, srv := range px.Servers {
		if srv.Proto != runtime.ProtoFCGI {
			continue
		}
		if speak = true; !uses {
			l.List.Alertf(px.Pos, "proxy '%s': FCGI server '%s' has no FCGI app configured.", px.Name, srv.Name)
			return false
		}
	}
	if uses && !speak {
		l.List.Alertf(px.Pos, "proxy '%s': FCGI app configured but no FCGI server found.", px.Name)
		return false
	}
	return true
}
