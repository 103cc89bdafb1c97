package config

import (
	"errors"
	"fmt"
	"strconv"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// maxGUID is how long a unique identifier may be.
const maxGUID = 127

// identify makes an object the one that a unique identifier stands for: counters of a
// former process find it by that. Section 4.2 "guid".
func (l *Loader) identify(guid string, object any) error {
	if err := checkGUID(guid); err != nil {
		return err
	}
	if other, taken := l.guids[guid]; taken {
		return errors.New("duplicate entry with " + identified(other))
	}
	l.guids[guid] = object
	return nil
}

// checkGUID tells what is wrong with the form of an identifier.
func checkGUID(guid string) error {
	if guid == "" || len(guid) > maxGUID {
		return errors.New("invalid length")
	}
	if c, bad := invalidChar(guid); bad {
		return fmt.Errorf("invalid character '%c'", c)
	}
	return nil
}

// identified is what messages call an object that has an identifier.
func identified(object any) string {
	switch o := object.(type) {
	case *runtime.Proxy:
		return o.Kind + " " + o.Name
	case *runtime.Server:
		return "server " + o.Proxy.Name + "/" + o.Name
	case *runtime.Listener:
		return fmt.Sprintf("listener %s (%s:%d)", o.Proxy.Name, o.Bind.Pos.File, o.Bind.Pos.Line)
	}
	return ""
}

func proxyGUID(l *Loader, line *ast.Line) {
	if l.RefusedInDefaults(line.Pos, line.Arg(0)) {
		return
	}
	guid := line.Arg(1)
	if guid == "" {
		l.Alert(line.Pos, "'%s' : expects an argument", line.Arg(0))
		return
	}
	if err := l.identify(guid, l.Proxy); err != nil {
		l.Alert(line.Pos, "'%s': %s", line.Arg(0), err)
		return
	}
	l.Proxy.GUID = guid
}

// serverGUID is an option of server lines. Section 5.2 "guid".
func serverGUID() ServerWord {
	w := serverWord("guid", "the unique identifier", keyword.Str, func(l *Loader, guid string, srv *runtime.Server) error {
		if guid == "" {
			return errors.New("'guid' : expects an argument")
		}
		if err := l.identify(guid, srv); err != nil {
			return fmt.Errorf("'guid': %w", err)
		}
		srv.GUID = guid
		return nil
	})
	w.NotDefault = true
	return w
}

func bindGUIDPrefix(_ *Loader, w *Words, b *runtime.Bind) error {
	if b.GUIDPrefix = w.Take(); b.GUIDPrefix == "" {
		return errors.New("'guid-prefix' : expects an argument")
	}
	return nil
}

// identifyListeners gives the listeners of each bind line the identifiers that its
// prefix makes. Section 5.1 "guid-prefix".
func (l *Loader) identifyListeners(px *runtime.Proxy) {
	next := map[*runtime.Bind]int{}
	for _, li := range px.Listeners {
		b := li.Bind
		if b.GUIDPrefix == "" {
			continue
		}
		guid := b.GUIDPrefix + "-" + strconv.Itoa(next[b])
		next[b]++
		if err := l.identify(guid, li); err != nil {
			l.List.Alertf(b.Pos, "[%s:%d] : error on GUID generation : %s. You may fix it by adjusting guid-prefix.", b.Pos.File, b.Pos.Line, err)
			return
		}
		li.GUID = guid
	}
}
