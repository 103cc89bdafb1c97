package filter

import (
	"strings"

	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/compress"
	"hapax/runtime/config"
)

// directions are how lines call the messages of a side.
var directions = [2]string{runtime.Upload: "request", runtime.Download: "response"}

// filterSequence reads `filter-sequence request|response <filter>[,<filter>...]`.
func filterSequence(l *config.Loader, line *ast.Line) error {
	px, word, direction := l.Proxy, line.Arg(0), line.Arg(1)
	switch {
	case l.InDefaults():
		return errorAt(line, "%s is not allowed in a 'default' section.", word)
	case direction == "":
		return errorAt(line, "missing argument for '%s' in %s '%s'.", word, px.Kind, px.Name)
	case direction != directions[runtime.Upload] && direction != directions[runtime.Download]:
		return errorAt(line, "expected either 'request' or 'response' for '%s' in %s '%s'.", word, px.Kind, px.Name)
	case line.Arg(2) == "":
		return errorAt(line, "missing filter list for '%s' in %s '%s'.", word, px.Kind, px.Name)
	}
	side := runtime.Upload
	if direction == directions[runtime.Download] {
		side = runtime.Download
	}
	f := own(l, px)
	f.sequences[side] = append(f.sequences[side], strings.Split(strings.TrimSuffix(line.Arg(2), ","), ",")...)
	return nil
}

// checkSequences looks for the filters that "filter-sequence" lines name.
func checkSequences(l *config.Loader) {
	for _, px := range l.Config.Proxies {
		if f := of(px); f != nil {
			f.checkSequences(l, px)
		}
	}
}

func (f *filters) checkSequences(l *config.Loader, px *runtime.Proxy) {
	for side, names := range f.sequences {
		for _, name := range names {
			if f.first(name) == nil {
				l.List.Alertf(px.Pos, "%s: error while postparsing %s filter-sequence '%s' : invalid filter name: '%s' is not defined on the proxy",
					px.Name, directions[side], name, name)
				return
			}
		}
	}
}

// first gives the filter that a sequence means by a word: of those that share it, the others cannot be named.
func (f *filters) first(word string) *Filter {
	for i := range f.all {
		if f.all[i].Word == word {
			return &f.all[i]
		}
	}
	return nil
}

// order gives the filters that see the messages of a side, in the order in which they do.
func (f *filters) order(side int) []*Filter {
	var seen []*Filter
	if len(f.sequences[side]) == 0 {
		for i := range f.all {
			seen = append(seen, &f.all[i])
		}
		return seen
	}
	for _, name := range f.sequences[side] {
		if x := f.first(name); x != nil {
			seen = append(seen, x) // once more makes no difference
		}
	}
	return seen
}

// place tells what runs of what the filters see.
func (f *filters) place(px *runtime.Proxy) {
	var c cut
	for side := range f.sequences {
		coded := false
		for _, x := range f.order(side) {
			switch {
			case x.Kind == CompressResponse && side == runtime.Upload:
				compress.Of(px).Offers = true
			case x.Kind == CompressRequest && side == runtime.Upload, x.Kind == CompressResponse:
				compress.Of(px).Filters[side] = true
				coded = true
			case x.Kind == Bandwidth && side == x.limit.side && !x.limit.runs:
				x.limit.runs, x.limit.coded = true, coded
			case x.Kind == Trace && x.pieces.cuts():
				c[side] = append(c[side], x.pieces)
			}
		}
	}
	c.use(px)
	f.placeScripts(px)
}

// KeepsResponses tells whether the filter of a cache sees responses.
func KeepsResponses(px *runtime.Proxy, cache string) bool {
	f := of(px)
	for _, x := range f.order(runtime.Download) {
		if x.Kind == Cache && x.Name == cache {
			return true
		}
	}
	return false
}
