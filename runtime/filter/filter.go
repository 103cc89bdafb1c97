// Package filter holds the lines that put filters on the streams of a proxy. Limits of the
// bandwidth, compression, caches and quiet traces run; the other filters are read and checked.
package filter

import (
	"fmt"

	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/lua"
)

// Kind is what a filter does.
type Kind int

const (
	Trace Kind = iota
	Cache
	FCGI
	SPOE
	CompressRequest
	CompressResponse
	Bandwidth
	Script
)

// Filter is one filter of a proxy.
type Filter struct {
	Kind     Kind
	Word     string // as "filter-sequence" names it
	Name     string // of the cache, of the application, of a bandwidth limit
	Implicit bool   // made by a rule, not by a "filter" line

	agent *engine // of SPOE

	script *lua.FilterLine

	pieces *pieces // of a trace

	limit *limit // of the bandwidth
	table string // where streams share it; "": the proxy's own
}

// filters are those of a proxy, with what may want one.
type filters struct {
	all       []Filter
	sequences [2][]string // by side of the stream: the words of the filters that see its messages; empty: all of them do
}

// ext is where they stand in Proxy.Ext.
const ext = "filter"

func of(px *runtime.Proxy) *filters {
	f, _ := px.Ext[ext].(*filters)
	return f
}

// own gives the filters of a proxy to be changed.
func own(l *config.Loader, px *runtime.Proxy) *filters {
	f := of(px)
	if f == nil {
		f = &filters{}
		l.Extend(px, ext, f)
	}
	return f
}

// Of gives the filters of a proxy in their order.
func Of(px *runtime.Proxy) []Filter {
	if f := of(px); f != nil {
		return f.all
	}
	return nil
}

// Add puts a filter behind the others of the proxy.
func Add(l *config.Loader, px *runtime.Proxy, f Filter) {
	own := own(l, px)
	own.all = append(own.all, f)
}

// UseCache makes sure that the proxy has a filter for a cache that a rule names.
func UseCache(l *config.Loader, px *runtime.Proxy, name string) {
	for _, f := range Of(px) {
		if f.Kind == Cache && f.Name == name {
			return
		}
	}
	Add(l, px, Filter{Kind: Cache, Word: "cache", Name: name, Implicit: true})
}

// check looks at the filters of a proxy as a whole.
func check(l *config.Loader, px *runtime.Proxy) {
	if px.Compression != nil {
		own(l, px).checkCompression(l, px)
	}
	f := of(px)
	if f == nil {
		return
	}
	for i := range f.all {
		switch f.all[i].Kind {
		case Cache:
			f.checkCache(l, px, i)
		case FCGI:
			f.checkFCGI(l, px, i)
		case Bandwidth:
			f.all[i].checkTable(l, px)
		case SPOE:
			f.checkAgent(l, px, i)
		}
	}
	f.place(px)
}

func compresses(k Kind) bool { return k == CompressRequest || k == CompressResponse }

func (f *filters) checkCompression(l *config.Loader, px *runtime.Proxy) {
	compression, explicit := false, false
	for i := range f.all {
		switch k := f.all[i].Kind; {
		case compresses(k):
			compression = true
		case k == Cache && compression:
			l.List.Alertf(px.Pos, "config: %s '%s': unable to enable the compression filter before any cache filter.", px.Kind, px.Name)
			return
		case k != FCGI && k != Cache:
			explicit = true
		}
	}
	switch {
	case compression:
	case explicit:
		l.List.Alertf(px.Pos, "config: %s '%s': require an explicit filter declaration to use HTTP compression", px.Kind, px.Name)
	default:
		f.all = append(f.all, Filter{Kind: CompressRequest, Word: "comp-req"}, Filter{Kind: CompressResponse, Word: "comp-res"})
	}
}

func (f *filters) checkCache(l *config.Loader, px *runtime.Proxy, at int) {
	self := &f.all[at]
	if !l.Known(config.Cache, self.Name) {
		l.List.Alertf(px.Pos, "config: %s '%s': unable to find the cache '%s' referenced by the filter 'cache'.", px.Kind, px.Name, self.Name)
		return
	}
	compression := false
	for i := range f.all {
		switch k := f.all[i].Kind; {
		case i == at && compression:
			l.List.Alertf(px.Pos, "config: %s '%s': unable to enable the compression filter before the cache '%s'.", px.Kind, px.Name, self.Name)
			return
		case i == at, k == FCGI, k == Cache:
		case compresses(k):
			compression = true
		case self.Implicit:
			l.List.Alertf(px.Pos, "config: %s '%s': require an explicit filter declaration to use the cache '%s'.", px.Kind, px.Name, self.Name)
			return
		}
	}
}

// errorAt words a mistake that names the place of the line once more.
func errorAt(line *ast.Line, format string, args ...any) error {
	return fmt.Errorf("parsing [%s:%d] : %s", line.Pos.File, line.Pos.Line, fmt.Sprintf(format, args...))
}
