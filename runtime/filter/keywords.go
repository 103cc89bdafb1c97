package filter

import (
	"errors"
	"fmt"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/compress"
	"hapax/runtime/config"
	"hapax/runtime/lua"
)

// Kinds are the filters that a line may name, in the order of listings.
var Kinds = []struct{ Name, Family string }{
	{"bwlim-in", "BWLIM"},
	{"bwlim-out", "BWLIM"},
	{"cache", "CACHE"},
	{"comp-req", "COMP"},
	{"comp-res", "COMP"},
	{"compression", "COMP"},
	{"fcgi-app", "FCGI"},
	{"spoe", "SPOE"},
	{"trace", "TRACE"},
}

// names are theirs.
var names = func() (all []string) {
	for _, k := range Kinds {
		all = append(all, k.Name)
	}
	return all
}()

// Domain holds the keywords of filters.
var Domain = config.Domain{
	Name: "filter",
	Keywords: []config.Keyword{
		{
			Doc: keyword.Doc{Name: "filter", Ref: "9", Summary: "a filter on streams: " + strings.Join(names, ", "),
				Args: []keyword.Arg{
					{Name: "name", Type: keyword.Enum, Enum: names},
					{Name: "argument", Type: keyword.Str, Many: true, Opt: true, Doc: "a trace without `quiet`, or with `hexdump`, is refused"}},
				Examples: []keyword.Example{{Config: "listen l\n  mode http\n  bind 127.0.0.1:65500\n  filter bwlim-out slow default-limit 1m default-period 1s min-size 1k\n" +
					"  http-response set-bandwidth-limit slow\n  server s 127.0.0.1:1\n"}}},
			In: config.Proxies, Parse: reporting(line),
		},
		{
			Doc: keyword.Doc{Name: "filter-sequence", Ref: "4.2", Summary: "which filters see requests or responses, and in which order",
				Args: []keyword.Arg{
					{Name: "direction", Type: keyword.Enum, Enum: directions[:]}, {Name: "filters", Type: keyword.Str, Doc: "separated by commas"}},
				Examples: []keyword.Example{{Config: "listen l\n  mode http\n  bind 127.0.0.1:65500\n  compression algo gzip\n  filter comp-req\n  filter comp-res\n" +
					"  filter bwlim-out slow default-limit 1m default-period 1s\n  filter-sequence request comp-res\n  filter-sequence response bwlim-out,comp-res\n" +
					"  http-response set-bandwidth-limit slow\n  server s 127.0.0.1:1\n"}}},
			In: config.Proxies, Parse: reporting(filterSequence),
		},
		useApplication(),
	},
	Actions:      []config.Action{setBandwidthLimit(), sendGroup()},
	CheckFilters: check,
	Check: func(l *config.Loader) {
		checkSequences(l)
		checkApplications(l)
	},
}

func reporting(parse func(l *config.Loader, line *ast.Line) error) func(*config.Loader, *ast.Line) {
	return func(l *config.Loader, line *ast.Line) { l.Report(line.Pos, parse(l, line)) }
}

// line reads a "filter" line.
func line(l *config.Loader, line *ast.Line) error {
	px := l.Proxy
	if l.InDefaults() {
		return errorAt(line, "%s is not allowed in a 'default' section.", line.Arg(0))
	}
	if line.Arg(1) == "" {
		return errorAt(line, "missing argument for '%s' in %s '%s'.", line.Arg(0), px.Kind, px.Name)
	}
	w := config.NewWords(line, 2)
	var err error
	word := line.Arg(1)
	switch word {
	case "trace":
		err = trace(l, &w)
	case "cache":
		err = cache(l, &w)
	case "fcgi-app":
		err = application(l, &w)
	case "compression", "comp-req", "comp-res":
		err = compressionFilter(l, word)
	case "bwlim-in", "bwlim-out":
		err = bandwidth(l, &w, word)
	case "spoe":
		err = readEngine(l, &w)
	default:
		if x := lua.Filter(l, word, line.Texts(nil, 2)); x != nil {
			Add(l, px, Filter{Kind: Script, Word: word, script: x})
			return nil
		}
		var known strings.Builder
		for _, name := range lua.Filters(l.Config) {
			fmt.Fprintf(&known, "\n    [HLUA] %s", name)
		}
		for _, k := range Kinds {
			fmt.Fprintf(&known, "\n    [%s] %s", k.Family, k.Name)
		}
		return fmt.Errorf("'filter' : unknown keyword '%s'. Registered keywords :%s", word, &known)
	}
	switch {
	case err != nil:
		return fmt.Errorf("'%s' : %w", line.Arg(0), err)
	case !w.Done():
		return fmt.Errorf("'%s %s' : unknown keyword '%s'.", line.Arg(0), word, w.Peek())
	}
	return nil
}

func cache(l *config.Loader, w *config.Words) error {
	name := w.Take()
	if name == "" {
		return errors.New("cache : expects a <name> argument")
	}
	f := own(l, l.Proxy)
	for i := range f.all {
		if f.all[i].Kind != Cache || f.all[i].Name != name {
			continue
		}
		if !f.all[i].Implicit {
			return fmt.Errorf("%s: multiple explicit declarations of the cache filter '%s'", l.Proxy.Name, name)
		}
		f.all = append(f.all[:i:i], f.all[i+1:]...)
		break
	}
	f.all = append(f.all, Filter{Kind: Cache, Word: "cache", Name: name})
	return nil
}

func compressionFilter(l *config.Loader, word string) error {
	wanted := []Filter{{Kind: CompressRequest, Word: "comp-req"}, {Kind: CompressResponse, Word: "comp-res"}}
	sides := map[string]int{"comp-req": runtime.Upload, "comp-res": runtime.Download}
	for _, f := range Of(l.Proxy) {
		if compresses(f.Kind) && (word == "compression" || f.Word == word) {
			return fmt.Errorf("%s: Proxy supports only one %s filter\n", l.Proxy.Name, word)
		}
	}
	for _, f := range wanted {
		if word == "compression" || f.Word == word {
			Add(l, l.Proxy, f)
		}
	}
	if side, one := sides[word]; one {
		compress.Of(l.Proxy).Sides[side] = true
	}
	return nil
}
