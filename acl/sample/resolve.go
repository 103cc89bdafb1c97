package sample

import (
	"fmt"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/keyword"
)

// Use is the kind of rule that an expression stands in, for diagnostics about its arguments.
type Use uint8

const (
	InACL Use = iota
	InStick
	InTrack
	InLogFormat
	InLogFormatSD
	InHTTPRequest
	InHTTPResponse
	InUniqueID
	InRedirect
	InCapture
	InServer
	InSPOE
	InUseBackend
	InUseServer
	InHTTPError
	InOption
	InTCPConnection
	InTCPSession
	InTCPRequest
	InTCPResponse
	InTCPCheck
	InConfig
	InCLI
	uses
)

var useNames = [uses]string{
	InACL:           "in",
	InStick:         "in stick rule in",
	InTrack:         "in tracking rule in",
	InLogFormat:     "in log-format string in",
	InLogFormatSD:   "in log-format-sd string in",
	InHTTPRequest:   "in http-request expression in",
	InHTTPResponse:  "in http-response response in",
	InUniqueID:      "in unique-id-format string in",
	InRedirect:      "in redirect format string in",
	InCapture:       "in capture rule in",
	InServer:        "in server directive in",
	InSPOE:          "in spoe-message directive in",
	InUseBackend:    "in use_backend expression in",
	InUseServer:     "in use-server or balance expression in",
	InHTTPError:     "in http-error directive in",
	InOption:        "in option directive in",
	InTCPConnection: "in tcp-request connection expression in",
	InTCPSession:    "in tcp-request session expression in",
	InTCPRequest:    "in tcp-request content expression in",
	InTCPResponse:   "in tcp-response content expression in",
	InTCPCheck:      "in tcp-check expression in",
	InConfig:        "in configuration expression in",
	InCLI:           "in CLI expression in",
}

// Unresolved is an argument that names an object which may be declared later in the file.
type Unresolved struct {
	Arg       *Arg
	Index     int // of the argument, counted from 0
	Use       Use
	Fetch     string // the keyword of the expression
	Converter string // the converter whose argument it is; empty when it is the fetch's
	Pos       ast.Pos
}

// Directory finds objects by name for one proxy. The loader implements it; nil means not found.
type Directory interface {
	Name() string // of the proxy that holds the expression
	Defaults() bool
	Self() any // the proxy itself: what an empty name stands for
	// Listens and Balances tell which sides the proxy itself has; a defaults section has both.
	Listens() bool
	Balances() bool
	Frontend(name string) any
	Backend(name string) any
	Server(backend any, name string) any
	// Table finds a stick table; empty tells that the proxy of that name has none.
	Table(name string) (table any, empty bool)
	Userlist(name string) any
	// Identifier resolves an argument of type Name by what its row left in Data.
	Identifier(a *Arg) error
}

// where says which argument it is: "arg 1 of sample fetch keyword 'x' in http-request expression in
// proxy 'p'".
func (u *Unresolved) where(proxy string) string {
	conv, kind := "", "sample fetch keyword"
	if u.Converter != "" {
		conv = "conversion keyword '" + u.Converter + "' for "
	}
	if u.Use == InACL {
		kind = "ACL keyword"
	}
	return fmt.Sprintf("arg %d of %s%s '%s' %s proxy '%s'", u.Index+1, conv, kind, u.Fetch, useNames[u.Use], proxy)
}

// Resolve finds what the argument names. An error is the text of a diagnostic, place included.
func (u *Unresolved) Resolve(d Directory) error {
	a := u.Arg
	fail := func(format string, args ...any) error {
		return fmt.Errorf("parsing [%s:%d]: "+format, append([]any{u.Pos.File, u.Pos.Line}, args...)...)
	}
	where := u.where(d.Name())
	name := a.Str
	switch a.Type {
	case keyword.Name:
		if err := d.Identifier(a); err != nil {
			return fail("error in identifier '%s' in %s : %w.", a.Str, where, err)
		}
	case keyword.Frontend:
		if name == "" {
			if !d.Listens() {
				return fail("proxy '%s', referenced in %s, has not frontend capability.", d.Name(), where)
			}
			a.Ref = d.Self()
		} else if a.Ref = d.Frontend(name); a.Ref == nil {
			return fail("unable to find frontend '%s' referenced in %s.", name, where)
		}
	case keyword.Backend:
		if name == "" {
			if !d.Balances() {
				return fail("proxy '%s', referenced in %s, has not backend capability.", d.Name(), where)
			}
			a.Ref = d.Self()
		} else if a.Ref = d.Backend(name); a.Ref == nil {
			return fail("unable to find backend '%s' referenced in %s.", name, where)
		}
	case keyword.Server:
		return u.resolveServer(d, where, fail)
	case keyword.StickTable:
		if name == "" {
			if d.Defaults() {
				return fail("table name must be set in %s.", where)
			}
			name = d.Name()
		}
		table, empty := d.Table(name)
		switch {
		case empty:
			return fail("no table in proxy '%s' referenced in %s.", name, where)
		case table == nil:
			return fail("unable to find table '%s' referenced in %s.", name, where)
		}
		a.Ref = table
	case keyword.Users:
		if name == "" {
			return fail("missing userlist name in %s.", where)
		}
		if a.Ref = d.Userlist(name); a.Ref == nil {
			return fail("unable to find userlist '%s' referenced in %s.", name, where)
		}
	case keyword.Regex:
		if name == "" {
			return fail("missing regex in %s.", where)
		}
		re, err := CompileRegex(name, a.Fold)
		if err != nil {
			return fail("error in regex '%s' in %s : %w.", name, where, err)
		}
		a.Regex = re
	}
	return nil
}

// resolveServer takes "backend/server", or the name of a server of the proxy itself.
func (u *Unresolved) resolveServer(d Directory, where string, fail func(string, ...any) error) error {
	name := u.Arg.Str
	if name == "" {
		return fail("missing server name in %s.", where)
	}
	proxy, px := d.Name(), d.Self()
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		proxy, name = name[:i], name[i+1:]
		if px = d.Backend(proxy); px == nil {
			return fail("unable to find proxy '%s' referenced in %s.", proxy, where)
		}
	} else if d.Defaults() {
		return fail("backend name must be set in %s.", where)
	}
	if u.Arg.Ref = d.Server(px, name); u.Arg.Ref == nil {
		return fail("unable to find server '%s' in proxy '%s', referenced in %s.", name, proxy, where)
	}
	return nil
}
