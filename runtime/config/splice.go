package config

import (
	"cmp"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
	"hapax/runtime"
)

// spliceKeywords are the rows that say how the kernel passes bytes on by itself. Section 3.2; the options of proxies
// ("option splice-auto") stand with the other options.
func spliceKeywords() []Keyword {
	return []Keyword{
		globalFlag("nosplice", "let the kernel pass nothing on by itself", func(g *runtime.Global) *bool { return &g.NoSplice }),
		globalFlag("tune.disable-fast-forward", "let the kernel pass nothing on by itself", func(g *runtime.Global) *bool { return &g.NoSplice }),
		globalFlag("tune.disable-zero-copy-forwarding", "let the kernel pass nothing on by itself", func(g *runtime.Global) *bool { return &g.NoSplice }),
		global("maxpipes", "most pipes used by option splice-*", arg("number", keyword.Int), maxPipes),
		global("tune.pipesize", "bytes of a pipe used by option splice-*", arg("size", keyword.Size), reporting(pipeSize)),
	}
}

// globalFlag is a word of the global section that switches something off.
func globalFlag(name, summary string, target func(*runtime.Global) *bool) Keyword {
	return global(name, summary, nil, func(l *Loader, line *ast.Line) {
		if !l.TooMany(line, 1, 0) {
			*target(&l.Config.Global) = true
		}
	})
}

func maxPipes(l *Loader, line *ast.Line) {
	n := &l.Config.Global.MaxPipes
	switch {
	case l.TooMany(line, 1, 1):
	case *n != 0:
		l.Complain(line.Pos, "'%s' already specified. Continuing.", line.Arg(0))
	case line.Arg(1) == "":
		l.Alert(line.Pos, "'%s' expects an integer argument.", line.Arg(0))
	default:
		*n = int(atol(line.Arg(1)))
	}
}

func pipeSize(l *Loader, line *ast.Line) error {
	err := sizeOnly(l, line)
	if size, _, ok := units.Size(line.Arg(1)); ok && err == nil {
		l.Config.Global.Tune.PipeSize = int(size)
	}
	return err
}

// spliceOptions are those that take pipes.
const spliceOptions = runtime.OptSpliceAuto | runtime.OptSpliceRequest | runtime.OptSpliceResponse

// idealPipes is how many pipes a process of so many connections uses, 0 connections when that is not known yet: a quarter of
// what the proxies that splice may have. It is negative when nothing limits them. Section 3.2 "maxpipes".
func idealPipes(c *runtime.Config, maxConn int) int {
	front, back, unlimited := 0, 0, false
	for _, px := range c.Proxies {
		if px.Options&spliceOptions == 0 {
			continue
		}
		if px.Caps&runtime.CapFront != 0 {
			front += px.MaxConn
			unlimited = unlimited || px.MaxConn == 0
		}
		if px.Caps&runtime.CapBack != 0 {
			full := cmp.Or(px.FullConn, maxConn)
			back += full
			unlimited = unlimited || full == 0
		}
	}
	pipes := max(front, back)
	switch {
	case maxConn == 0 && unlimited:
		return -1
	case maxConn > 0 && (pipes > maxConn || unlimited):
		pipes = maxConn
	}
	if pipes >= 4 {
		pipes /= 4
	}
	return pipes
}
