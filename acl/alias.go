package acl

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"hapax/acl/pattern"
)

// Alias is an ACL keyword that stands for a fetch with a match method (configuration manual, 7.3).
type Alias struct {
	Name   string
	Fetch  string
	Method pattern.Method
}

// derived are fetches with a keyword for each method on strings: hdr, hdr_beg, hdr_dir, ...
var derived = []struct{ name, fetch string }{
	{"base", "base"},
	{"cook", "req.cook"},
	{"hdr", "req.hdr"},
	{"path", "path"},
	{"scook", "res.cook"},
	{"shdr", "res.hdr"},
	{"url", "url"},
	{"urlp", "urlp"},
}

// single are the keywords that have no such family.
var single = []Alias{
	{"http_auth_group", "http_auth_group", pattern.Group},
	{"method", "method", pattern.HTTPMethod},
	{"payload", "req.payload", pattern.Bin},
	{"payload_lv", "req.payload_lv", pattern.Bin},
	{"req.ssl_ver", "req.ssl_ver", pattern.Version},
	{"req_rdp_cookie", "req.rdp_cookie", pattern.Str},
	{"req_rdp_cookie_cnt", "req.rdp_cookie_cnt", pattern.Int},
	{"req_ssl_sni", "req.ssl_sni", pattern.Str},
	{"req_ssl_ver", "req.ssl_ver", pattern.Version},
	{"req_ver", "req.ver", pattern.Str},
	{"resp_ver", "res.ver", pattern.Str},
	{"ssl_fc_sni_end", "ssl_fc_sni", pattern.End},
	{"ssl_fc_sni_reg", "ssl_fc_sni", pattern.Reg},
}

// onStrings are the methods of the families, by suffix.
var onStrings = []pattern.Method{pattern.Beg, pattern.Dir, pattern.Dom, pattern.End, pattern.Len, pattern.Reg, pattern.Sub}

// Aliases are all ACL keywords.
var Aliases = func() []Alias {
	list := append([]Alias(nil), single...)
	for _, d := range derived {
		list = append(list, Alias{d.name, d.fetch, pattern.Str})
		for _, m := range onStrings {
			list = append(list, Alias{d.name + "_" + m.String(), d.fetch, m})
		}
	}
	return list
}()

var aliases = func() map[string]*Alias {
	byName := make(map[string]*Alias, len(Aliases))
	for i := range Aliases {
		byName[Aliases[i].Name] = &Aliases[i]
	}
	return byName
}()

// suffixed tells whether the name of the keyword tells its method, so that another one is a surprise.
func (a *Alias) suffixed() bool {
	switch a.Method {
	case pattern.Str, pattern.Bin, pattern.Int, pattern.Version:
		return false
	}
	return true
}

// WriteAliases prints the list of -dKacl.
func WriteAliases(w io.Writer) {
	sorted := slices.SortedFunc(slices.Values(Aliases), func(a, b Alias) int { return strings.Compare(a.Name, b.Name) })
	for _, a := range sorted {
		fmt.Fprintf(w, "%s = %s -m %s\n", a.Name, a.Fetch, a.Method)
	}
}
