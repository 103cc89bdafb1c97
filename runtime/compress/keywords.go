// Package compress compresses the payload of HTTP messages. Sections 4.2 "compression" and 9.2 of the manual.
package compress

import (
	"errors"
	"fmt"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the keywords of compression.
var Domain = config.Domain{
	Name: "compress",
	Keywords: []config.Keyword{
		{
			Doc: keyword.Doc{Name: "compression", Ref: "4.2", Summary: "HTTP compression",
				Args: []keyword.Arg{
					{Name: "setting", Type: keyword.Enum, Enum: []string{"algo", "algo-req", "algo-res", "type", "type-req", "type-res", "offload", "direction", "minsize-req", "minsize-res"}},
					{Name: "value", Type: keyword.Str, Many: true, Opt: true}},
				Examples: []keyword.Example{
					{Config: "listen l\n  mode http\n  bind 127.0.0.1:65500\n  compression algo gzip\n  compression type text/html text/plain\n  compression minsize-res 1k\n  compression offload\n  server s 127.0.0.1:1\n"},
					{Config: "listen l\n  mode http\n  bind 127.0.0.1:65500\n  filter comp-req\n  compression algo-req gzip\n  compression type-req application/json\n  server s 127.0.0.1:1\n"},
				}},
			In: config.Proxies, Parse: reporting(compression),
		},
		global("maxcomprate", "kilobytes per second that are compressed; above it the data is only framed, and messages go out as they are; 0: no limit", func(g *runtime.Global, value string) error {
			if value == "" {
				return errors.New("'maxcomprate' expects an integer argument in kb/s.")
			}
			kb, _ := config.Strtol(value, 10)
			g.MaxCompRate = kb * 1024
			return nil
		}),
		global("maxcompcpuusage", "percent of processor time above which nothing is compressed; default 100", func(g *runtime.Global, value string) error {
			n, _ := config.Strtol(value, 10)
			if value == "" || n < 0 || n > 100 {
				return errors.New("'maxcompcpuusage' expects an integer argument between 0 and 100.")
			}
			g.CompMinIdle = 100 - int(n)
			return nil
		}),
		global("tune.comp.maxlevel", "how hard is compressed, 1 to 9; all levels are one here, as in a reference with libslz", func(_ *runtime.Global, value string) error {
			if n, _ := config.Strtol(value, 10); value == "" || n < 1 || n > 9 {
				return errors.New("'tune.comp.maxlevel' expects a numeric value between 1 and 9")
			}
			return nil
		}),
	},
	Fetches: []sample.Fetch{
		{
			Doc: keyword.Doc{Name: "res.comp", Ref: "7.3.6", Summary: "whether the response is compressed here",
				Examples: []keyword.Example{{Expr: "res.comp"}}},
			Out: sample.Bool, From: sample.ResLine,
			Eval: func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
				out.SetBool(chosen(ctx) != nil)
				return true
			},
		},
		{
			Doc: keyword.Doc{Name: "res.comp_algo", Ref: "7.3.6", Summary: "the algorithm that the response is compressed with",
				Examples: []keyword.Example{{Expr: "res.comp_algo"}}},
			Out: sample.Str, From: sample.ResLine,
			Eval: func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
				a := chosen(ctx)
				if a == nil || gone(ctx) {
					return false
				}
				out.SetText(a.Name)
				return true
			},
		},
	},
	Inherit: func(px, from *runtime.Proxy) {
		if from.Compression != nil {
			own := *from.Compression
			px.Compression = &own
		}
	},
}

func chosen(ctx *sample.Context) *runtime.Algorithm {
	if s, ok := ctx.Owner.(*runtime.Stream); ok {
		return s.Coding.Response
	}
	return nil
}

// gone tells that the stream is over and its backend left, with the filter that would know the algorithm.
func gone(ctx *sample.Context) bool {
	s := ctx.Owner.(*runtime.Stream)
	return s.Time.Close != 0 && !settings(s.Front).Filters[runtime.Download]
}

func reporting(parse func(l *config.Loader, line *ast.Line) error) func(*config.Loader, *ast.Line) {
	return func(l *config.Loader, line *ast.Line) { l.Report(line.Pos, parse(l, line)) }
}

// global is a row of the global section with one number.
func global(name, summary string, set func(g *runtime.Global, value string) error) config.Keyword {
	return config.Keyword{
		Doc: keyword.Doc{Name: name, Ref: "3", Summary: summary, Args: []keyword.Arg{{Name: "number", Type: keyword.Int}},
			Examples: []keyword.Example{{Config: "global\n  " + name + " 5\n"}}},
		In: config.Global, Parse: reporting(func(l *config.Loader, line *ast.Line) error {
			if l.TooMany(line, 1, 1) {
				return nil
			}
			return set(&l.Config.Global, line.Arg(1))
		}),
	}
}

// algorithms are those that "compression" knows.
var algorithms = []runtime.Algorithm{
	{Name: "identity", Token: "identity", Form: runtime.Identity},
	{Name: "deflate", Token: "deflate", Form: runtime.ZlibForm},
	{Name: "raw-deflate", Token: "deflate", Form: runtime.RawDeflate},
	{Name: "gzip", Token: "gzip", Form: runtime.GzipForm},
}

func algorithm(name string) *runtime.Algorithm {
	for i := range algorithms {
		if algorithms[i].Name == name {
			return &algorithms[i]
		}
	}
	return nil
}

// Of gives what is said of the proxy's compression, to be changed. The first line of a proxy that says anything of it makes its
// messages of the given sides compressed.
func Of(px *runtime.Proxy, sides ...int) *runtime.Compression {
	c := px.Compression
	if c == nil {
		c = &runtime.Compression{}
		for _, side := range sides {
			c.Sides[side] = true
		}
		px.Compression = c
	}
	return c
}

func compression(l *config.Loader, line *ast.Line) error {
	c := Of(l.Proxy, runtime.Download)
	word, setting, value := line.Arg(0), line.Arg(1), line.Arg(2)
	switch setting {
	case "algo", "algo-res":
		if value == "" {
			return fmt.Errorf("parsing [%s:%d] : '%s' expects <algorithm>.", line.Pos.File, line.Pos.Line, word)
		}
		return each(line, func(name string) (err error) {
			a, err := named(word, name)
			if err == nil {
				c.Response = append([]*runtime.Algorithm{a}, c.Response...)
			}
			return err
		})
	case "algo-req":
		a, err := named(word, value)
		if err == nil {
			c.Request = a
		}
		return err
	case "offload":
		c.Offload = true
		if l.InDefaults() {
			return config.Warning(fmt.Sprintf("'%s' : '%s' ignored in 'defaults' section.", word, setting))
		}
		return nil
	case "type", "type-res":
		return types(line, &c.ResponseTypes)
	case "type-req":
		return types(line, &c.RequestTypes)
	case "minsize-req":
		return size(setting, value, &c.RequestLeast)
	case "minsize-res":
		return size(setting, value, &c.ResponseLeast)
	case "direction":
		return direction(word, value, c)
	}
	return fmt.Errorf("'%s' expects 'algo', 'type', 'direction', 'offload', 'minsize-req' or 'minsize-res'.", word)
}

func each(line *ast.Line, do func(word string) error) error {
	for i := 2; line.Arg(i) != ""; i++ {
		if err := do(line.Arg(i)); err != nil {
			return err
		}
	}
	return nil
}

func named(word, name string) (*runtime.Algorithm, error) {
	a := algorithm(name)
	if a == nil {
		return nil, fmt.Errorf("'%s' : '%s' is not a supported algorithm.", word, name)
	}
	return a, nil
}

func types(line *ast.Line, list *[]string) error {
	if line.Arg(2) == "" {
		return fmt.Errorf("'%s' expects <type>.", line.Arg(0))
	}
	*list = append((*list)[:len(*list):len(*list)], line.Texts(nil, 2)...)
	return nil
}

func size(setting, value string, least *uint64) error {
	if value == "" {
		return fmt.Errorf("'%s' expects an integer argument.", setting)
	}
	n, bad, ok := units.Size(value)
	if !ok {
		return fmt.Errorf("unexpected '%s' after size passed to '%s'", bad, setting)
	}
	*least = uint64(n)
	return nil
}

func direction(word, value string, c *runtime.Compression) error {
	request, response := value == "request" || value == "both", value == "response" || value == "both"
	if !request && !response {
		return fmt.Errorf("'%s' expects 'request', 'response', or 'both'.", word)
	}
	c.Sides = [2]bool{runtime.Upload: request, runtime.Download: response}
	return nil
}
