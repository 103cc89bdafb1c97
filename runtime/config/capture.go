package config

import (
	"fmt"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// captureKeywords reserve slots for what logs show of a request.
func captureKeywords() []Keyword {
	return []Keyword{
		onProxy("capture", "4.2", "keep a header or a cookie for the log", []keyword.Arg{{Name: "what", Type: keyword.Opaque, Many: true}}, capture),
		onProxy("declare", "4.2", "reserve a slot that rules fill", []keyword.Arg{{Name: "capture", Type: keyword.Flag},
			{Name: "direction", Type: keyword.Enum, Enum: []string{"request", "response"}}, {Name: "len", Type: keyword.Int, Joined: true}}, reporting(declare)),
	}
}

func capture(l *Loader, line *ast.Line) {
	word, what := line.Arg(0), line.Arg(1)
	l.IgnoredWithout(runtime.CapFront, line.Pos, word, "")
	header := (what == "request" || what == "response") && line.Arg(2) == "header"
	if what != "cookie" && !header {
		l.Alert(line.Pos, "'%s' expects 'cookie' or 'request header' or 'response header'.", word)
		return
	}
	if l.RefusedInDefaults(line.Pos, word+" "+what) || l.TooMany(line, 2, 4) {
		return
	}
	c := &l.Proxy.Capture
	if what == "cookie" {
		if line.Arg(4) == "" {
			l.Alert(line.Pos, "'%s' expects 'cookie' <cookie_name> 'len' <len>.", word)
			return
		}
		c.Cookie, c.CookieLen = line.Arg(2), atol(line.Arg(4))
		return
	}
	if line.Arg(3) == "" || line.Arg(4) != "len" || line.Arg(5) == "" {
		l.Alert(line.Pos, "'%s %s' expects 'header' <header_name> 'len' <len>.", word, what)
		return
	}
	slot := runtime.CaptureSlot{Header: strings.ToLower(line.Arg(3)), Len: atol(line.Arg(5))}
	if what == "request" {
		c.Req = append(c.Req, slot)
	} else {
		c.Res = append(c.Res, slot)
	}
}

func declare(l *Loader, line *ast.Line) error {
	word := line.Arg(0)
	switch {
	case l.InDefaults():
		return fmt.Errorf("'%s' not available in default section", word)
	case l.Proxy.Caps&runtime.CapFront == 0:
		return fmt.Errorf("'%s' only available in frontend or listen section", word)
	case line.Arg(1) == "":
		return fmt.Errorf("'%s' needs a second keyword that specify the type of declaration ('capture')", word)
	case line.Arg(1) != "capture":
		return fmt.Errorf("unknown declaration type '%s' (supports 'capture')", line.Arg(1))
	}
	what := word + " capture"
	switch {
	case line.Arg(2) != "request" && line.Arg(2) != "response":
		return fmt.Errorf("'%s' requires a direction ('request' or 'response')", what)
	case line.Arg(3) != "len":
		return fmt.Errorf("'%s' requires a capture length ('len')", what)
	case line.Arg(4) == "":
		return fmt.Errorf("'%s': 'len' requires a numeric value that represents the capture length", what)
	}
	n, rest := strtol(line.Arg(4), 10)
	switch {
	case rest != "":
		return fmt.Errorf("'%s': cannot parse the length '%s'.", what, line.Arg(4))
	case n <= 0:
		return fmt.Errorf("length must be > 0")
	}
	c, slot := &l.Proxy.Capture, runtime.CaptureSlot{Len: int(n)}
	if line.Arg(2) == "request" {
		c.Req = append(c.Req, slot)
	} else {
		c.Res = append(c.Res, slot)
	}
	return nil
}
