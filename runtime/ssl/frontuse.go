package ssl

import (
	"errors"
	"fmt"
	"slices"

	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
)

// frontUse is an "ssl-f-use" line, kept until its section is read: a certificate for all
// lines of the frontend that say "ssl".
type frontUse struct {
	pos  ast.Pos
	line *listLine
	conf loadConf
}

// parseFrontUse is "ssl-f-use crt <file> [options]": the options of a crt-list and those of a
// crt-store, in any order.
func parseFrontUse(l *config.Loader, line *ast.Line) {
	g := of(l)
	u := frontUse{pos: line.Pos, line: &listLine{}}
	if err := u.read(g, fileReader(l, line.Pos, "ssl-f-use"), line); err != nil {
		l.Alert(line.Pos, "%s", spaced(err))
		return
	}
	g.missing = append(g.missing, u.conf.beyondList("ssl-f-use")...)
	if u.line.own != nil {
		g.missing = append(g.missing, u.line.own.missing...)
	}
	g.reportMissing(l)
	g.frontUses = append(g.frontUses, u)
}

func (u *frontUse) read(g *settings, r *reader, line *ast.Line) error {
	for i := 1; line.Arg(i) != ""; {
		word, value := line.Arg(i), line.Arg(i+1)
		row := findOption(word)
		switch {
		case word == "crt" && u.conf.crt != "":
			return errors.New("'crt' already specified, aborting.")
		case word == "crt" && value == "":
			return errors.New("'crt' : missing certificate location")
		case word == "crt":
			u.conf.crt = based(g.crtBase, value)
			i += 2
		case row != nil:
			if u.line.own == nil {
				u.line.own = &options{}
			}
			if err := row.parse(r, word, value, u.line.own); err != nil {
				return err
			}
			i += 1 + row.args
		default:
			known, err := u.conf.parse(word, value, r, line.Pos.File, line.Pos.Line)
			if err != nil {
				return err
			}
			if !known && word != "alias" { // which means nothing here
				return fmt.Errorf("unknown crt keyword '%s'", word)
			}
			if value == "" {
				return errors.New(" '' cannot be read or parsed.")
			}
			u.conf.by = byList
			i += 2
		}
	}
	return nil
}

// endFrontend makes the list "@<frontend>" of the lines that were read, the last one first,
// and places it. Lines of other sections before this one are among them, as in the reference.
func endFrontend(l *config.Loader, px *runtime.Proxy) {
	g := of(l)
	uses := g.frontUses
	if len(uses) == 0 {
		return
	}
	g.frontUses = nil
	list := &crtList{name: "@" + px.Name}
	for _, u := range slices.Backward(uses) {
		err := errors.New("Trying to load a certificate but no 'crt' keyword specified.\n")
		if u.conf.crt != "" {
			err = g.addLines(list, u.line, u.conf.crt, u.conf, u.pos.File, u.pos.Line)
		}
		if err != nil {
			l.Alert(u.pos, "%s", err)
			return
		}
	}
	if g.store.lists[list.name] != nil {
		l.Alert(px.Pos, "Couldn't create the crt-list '%s', this name is already used by another crt-list!", list.name)
		return
	}
	g.store.lists[list.name] = list
	for _, b := range px.Binds {
		if s, _ := b.SSL.(*line); s == nil || !s.on {
			continue
		}
		if err := g.crtList(lineOf(b).context, list.name, false); err != nil {
			l.List.Alertf(ast.Pos{}, "%s", err)
			return
		}
	}
}
