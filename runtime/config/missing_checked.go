package config

import (
	"errors"
	"fmt"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// What is Missing and belongs to no domain yet, with the checks of its arguments.

// absent is a Doc of something that is only checked.
func absent(name, ref, summary string, args ...keyword.Arg) keyword.Doc {
	return keyword.Doc{Name: name, Ref: ref, Summary: summary, Status: keyword.Missing, Args: args}
}

// checkedBindWords are options of bind lines.
func checkedBindWords() []BindWord {
	text := func(name, summary, missing string) BindWord {
		return BindWord{Doc: absent(name, "5.1", summary, keyword.Arg{Name: "value", Type: keyword.Str}), Parse: func(_ *Loader, w *Words, _ *runtime.Bind) error {
			if w.Take() == "" {
				return fmt.Errorf("'%s' : missing %s", name, missing)
			}
			return nil
		}}
	}
	return []BindWord{
		text("cc", "how congestion is met", "TCP congestion control algorithm"),
		text("label", "a name for expressions", "label"),
		text("tcp-md5sig", "the password that signs segments", "TCP MD5 signature password"),
		{Doc: absent("nbconn", "5.1", "connections made to a reverse server", keyword.Arg{Name: "number", Type: keyword.Int}), Parse: func(l *Loader, w *Words, _ *runtime.Bind) (err error) {
			if !l.experimental("'nbconn'", &err) {
				return err
			}
			if n, rest := strtol(w.Take(), 10); rest != "" || n <= 0 {
				return errors.New("'nbconn' expects a positive integer argument.")
			}
			return nil
		}},
	}
}

// checkedServerWords are options of server lines.
func checkedServerWords() []ServerWord {
	text := func(name, summary, missing string) ServerWord {
		return ServerWord{Doc: absent(name, "5.2", summary, keyword.Arg{Name: "value", Type: keyword.Str}), NotDynamic: true, Parse: func(_ *Loader, w *Words, _ *runtime.Server) error {
			if w.Take() == "" {
				return fmt.Errorf("'%s' : missing %s", name, missing)
			}
			return nil
		}}
	}
	return []ServerWord{
		text("cc", "how congestion is met", "TCP congestion control algorithm"),
		text("tcp-md5sig", "the password that signs segments", "TCP MD5 signature password"),
		{Doc: absent("log-proto", "5.2", "how messages are framed", keyword.Arg{Name: "framing", Type: keyword.Enum, Enum: []string{"legacy", "octet-count"}}), Parse: func(_ *Loader, w *Words, _ *runtime.Server) error {
			if value := w.Take(); value != "legacy" && value != "octet-count" {
				return fmt.Errorf("'log-proto' expects one of 'legacy' or 'octet-count' but got '%s'", value)
			}
			return nil
		}},
		{Doc: absent("log-bufsize", "5.2", "bytes of messages that wait", keyword.Arg{Name: "bytes", Type: keyword.Int}), Parse: func(_ *Loader, w *Words, _ *runtime.Server) error {
			switch value := w.Take(); {
			case value == "":
				return errors.New("'log-bufsize' expects an integer argument.")
			case atol(value) <= 0:
				return errors.New("log-bufsize has to be > 0.")
			}
			return nil
		}},
	}
}

// checkedProxyKeywords are lines of proxies.
func checkedProxyKeywords() []Keyword {
	return []Keyword{
		{Doc: absent("persist", "4.2", "persistence by a cookie of remote desktops", keyword.Arg{Name: "rdp-cookie", Type: keyword.Opaque, Doc: "rdp-cookie[(<name>)]"}), In: Proxies, Parse: persistRDP},
	}
}

func persistRDP(l *Loader, line *ast.Line) {
	rest, found := strings.CutPrefix(line.Arg(1), "rdp-cookie")
	switch {
	case line.Arg(1) == "":
		l.Alert(line.Pos, "missing persist method.")
	case !found:
		l.Alert(line.Pos, "unknown persist method.")
	case strings.HasPrefix(rest, "("):
		if l.TooMany(line, 1, 1) {
			return
		}
		if end := strings.IndexByte(rest, ')'); end <= 1 {
			l.Alert(line.Pos, "persist rdp-cookie(name)' requires an rdp cookie name.")
		}
	default:
		l.TooMany(line, 1, 1)
	}
}

// checkedActions are actions of rules.
func checkedActions() []Action {
	plain := func(*Loader, *ActionLine) (runtime.Exec, error) { return nil, nil }
	return []Action{
		{Doc: absent("wait-for-handshake", "4.4", "wait for the end of the TLS handshake"), In: runtime.HTTPReqRules, Parse: plain},
		{Doc: absent("send-spoe-group", "4.4", "send messages to an agent", keyword.Arg{Name: "engine", Type: keyword.Name}, keyword.Arg{Name: "group", Type: keyword.Name}),
			In: runtime.TCPReqRules | runtime.TCPResRules | runtime.HTTPReqRules | runtime.HTTPResRules, Parse: func(_ *Loader, a *ActionLine) (runtime.Exec, error) {
				for range 2 {
					if a.AtCond() || a.Take() == "" {
						return nil, errors.New("expects 2 arguments: <engine-id> <group-id>")
					}
				}
				return nil, nil
			}},
	}
}
