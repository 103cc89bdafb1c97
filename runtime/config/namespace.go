package config

import (
	"errors"
	"fmt"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/netns"
)

// openNamespace finds a network namespace, and tells whether it is the first line that names it.
func (l *Loader) openNamespace(name string) (space *netns.Namespace, first, ok bool) {
	all := &l.Config.Namespaces
	if space := (*all)[name]; space != nil {
		return space, false, true
	}
	space, err := netns.Open(name)
	if err != nil {
		return nil, true, false
	}
	if *all == nil {
		*all = map[string]*netns.Namespace{}
	}
	(*all)[name] = space
	return space, true, true
}

func namespaceSections() []Section {
	return []Section{{
		Doc: doc("namespace_list", "5.4", "network namespaces that PROXY headers may name"), Kind: NamespaceList,
		Start:   func(*Loader, *ast.Line) {}, // it has no name
		Unknown: func(*Loader, *ast.Line) {}, // as ever
	}}
}

func namespaceKeyword() Keyword {
	d := doc("namespace", "5.4", "network namespaces that are known")
	d.Args = []keyword.Arg{{Name: "name", Type: keyword.Name, Many: true}}
	return Keyword{Doc: d, In: NamespaceList, Parse: func(l *Loader, line *ast.Line) {
		for i := 1; line.Arg(i) != ""; i++ {
			name := line.Arg(i)
			if c, bad := invalidChar(name); bad {
				l.AlertTight(line.Pos, "character '%c' is not permitted in '%s' name '%s'.", c, line.Arg(0), name)
				return
			}
			switch _, first, ok := l.openNamespace(name); {
			case !ok:
				l.AlertTight(line.Pos, "Cannot open namespace '%s'.", name)
				return
			case !first:
				l.AlertTight(line.Pos, "Namespace '%s' is already added.", name)
				return
			}
		}
	}}
}

func namespaceDoc(ref, summary string) keyword.Doc {
	d := doc("namespace", ref, summary)
	d.Args = []keyword.Arg{{Name: "name", Type: keyword.Name}}
	return d
}

func bindNamespace() BindWord {
	return BindWord{Doc: namespaceDoc("5.1", "the network namespace of the socket"), Parse: func(l *Loader, w *Words, b *runtime.Bind) error {
		name := w.Take()
		if name == "" {
			return errors.New("'namespace' : missing namespace id")
		}
		space, _, ok := l.openNamespace(name)
		if !ok {
			l.List.Alertf(w.Pos(), "Cannot open namespace '%s'.", name)
			return errors.New("error encountered while processing 'namespace'.")
		}
		b.Namespace = space
		return nil
	}}
}

func serverNamespace() ServerWord {
	return ServerWord{Doc: namespaceDoc("5.2", "the network namespace of connections; *: that of the client"), NotDynamic: true, Parse: func(l *Loader, w *Words, srv *runtime.Server) error {
		name := w.Take()
		l.Config.Global.NeedsSysAdmin = true
		switch name {
		case "":
			return errors.New("'namespace' : expects <name> as argument")
		case "*":
			srv.ClientNamespace = true
			return nil
		}
		space, _, ok := l.openNamespace(name)
		if !ok {
			return fmt.Errorf("Cannot open namespace '%s'", name)
		}
		srv.Namespace, srv.ClientNamespace = space, false
		return nil
	}}
}
