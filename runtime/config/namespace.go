package config

import (
	"errors"
	"fmt"
	"os"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// Network namespaces are looked for and not entered.

// namespaces are the names that were found so far.
type namespaces map[string]bool

// openNamespace tells whether there is a network namespace of that name, and whether it
// is the first line that names it.
func (l *Loader) openNamespace(name string) (first, ok bool) {
	all := State[namespaces](l)
	if (*all)[name] {
		return false, true
	}
	f, err := os.Open("/var/run/netns/" + name)
	if err != nil {
		return true, false
	}
	f.Close()
	if *all == nil {
		*all = namespaces{}
	}
	(*all)[name] = true
	return true, true
}

func namespaceSections() []Section {
	return []Section{{
		Doc: absent("namespace_list", "5.4", "network namespaces"), Kind: NamespaceList, Dormant: true,
		Unknown: func(*Loader, *ast.Line) {}, // as ever
	}}
}

func namespaceKeyword() Keyword {
	names := []keyword.Arg{{Name: "name", Type: keyword.Name, Many: true}}
	return MissingRow(NamespaceList, "namespace", "5.4", "network namespaces that are used", names, func(l *Loader, line *ast.Line) {
		for i := 1; line.Arg(i) != ""; i++ {
			name := line.Arg(i)
			if c, bad := invalidChar(name); bad {
				l.AlertTight(line.Pos, "character '%c' is not permitted in '%s' name '%s'.", c, line.Arg(0), name)
				return
			}
			switch first, ok := l.openNamespace(name); {
			case !ok:
				l.AlertTight(line.Pos, "Cannot open namespace '%s'.", name)
				return
			case !first:
				l.AlertTight(line.Pos, "Namespace '%s' is already added.", name)
				return
			}
		}
	})
}

func namespaceArg() keyword.Arg { return keyword.Arg{Name: "name", Type: keyword.Name} }

func bindNamespace() BindWord {
	return BindWord{Doc: absent("namespace", "5.1", "the network namespace of the socket", namespaceArg()), Parse: func(l *Loader, w *Words, _ *runtime.Bind) error {
		name := w.Take()
		if name == "" {
			return errors.New("'namespace' : missing namespace id")
		}
		if _, ok := l.openNamespace(name); !ok {
			l.List.Alertf(w.Pos(), "Cannot open namespace '%s'.", name)
			return errors.New("error encountered while processing 'namespace'.")
		}
		return nil
	}}
}

func serverNamespace() ServerWord {
	return ServerWord{Doc: absent("namespace", "5.2", "the network namespace of connections", namespaceArg()), NotDynamic: true, Parse: func(l *Loader, w *Words, _ *runtime.Server) error {
		name := w.Take()
		if name == "" {
			return errors.New("'namespace' : expects <name> as argument")
		}
		if _, ok := l.openNamespace(name); !ok && name != "*" {
			return fmt.Errorf("Cannot open namespace '%s'", name)
		}
		return nil
	}}
}
