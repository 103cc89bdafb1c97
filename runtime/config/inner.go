package config

import (
	"errors"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
)

// Inner makes a proxy that no file has, out of the lines of a "listen" section whose words have no blanks in them: it
// serves requests of the program's own, which come by listeners that are not bound to anything and have nothing but a
// name. It is finished as those of files are; what a line lacks is in the error. It is called behind the checks of the
// configuration.
func (l *Loader) Inner(name string, listeners []string, lines string, complete func(px *runtime.Proxy)) (*runtime.Proxy, error) {
	outer, section, missing, dormant := l.List, l.section, l.missing, l.dormant
	patterns := len(l.Config.Patterns.All())
	defer func() {
		l.List, l.section, l.missing, l.dormant, l.Proxy = outer, section, missing, dormant, nil
		l.Config.Patterns.Hide(patterns)
	}()
	l.List, l.section = &diag.List{}, l.Tables.Sections.Get("listen")
	px := l.newProxy(name, runtime.CapListen, "proxy", ast.Pos{}, nil)
	px.Mode = runtime.ModeHTTP
	for _, name := range listeners {
		px.Listeners = append(px.Listeners, &runtime.Listener{Name: name, Proxy: px, Bind: &runtime.Bind{UID: -1, GID: -1}})
	}
	l.Proxy = px
	for text := range strings.Lines(lines) {
		line := &ast.Line{}
		for _, word := range strings.Fields(text) {
			line.Words = append(line.Words, ast.Word{Text: word})
		}
		if len(line.Words) > 0 {
			l.readLine(line)
		}
	}
	complete(px)
	l.finalize(px)
	numberListeners(px)
	for _, d := range l.Tables.Domains {
		if d.CheckEnd != nil {
			d.CheckEnd(l, px)
		}
	}
	delete(l.states, px)
	if l.List.Fatal() > 0 {
		return nil, errors.New(l.List.String())
	}
	return px, nil
}
