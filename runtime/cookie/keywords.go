package cookie

import (
	"strings"
	"time"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the keywords of persistence by cookies.
var Domain = config.Domain{
	Name:     "cookie",
	CheckEnd: diagnoseEqual,
	Keywords: []config.Keyword{
		{
			Doc: keyword.Doc{Name: "cookie", Ref: "4.2", Summary: "persistence by a cookie",
				Args: []keyword.Arg{
					{Name: "name", Type: keyword.Str},
					{Name: "rewrite", Type: keyword.Flag, Opt: true, Doc: "the server sets the cookie, its value is replaced"},
					{Name: "insert", Type: keyword.Flag, Opt: true, Doc: "the cookie is added to responses"},
					{Name: "prefix", Type: keyword.Flag, Opt: true, Doc: "the server's cookie is preceded by the name of the server"},
					{Name: "indirect", Type: keyword.Flag, Opt: true, Doc: "the cookie is not shown to servers, nor sent again to clients that have it"},
					{Name: "nocache", Type: keyword.Flag, Opt: true, Doc: "caches are told to keep away from responses with the cookie"},
					{Name: "postonly", Type: keyword.Flag, Opt: true, Doc: "the cookie is only inserted in responses to POST"},
					{Name: "preserve", Type: keyword.Flag, Opt: true, Doc: "a cookie that the server sets goes through"},
					{Name: "httponly", Type: keyword.Flag, Opt: true},
					{Name: "secure", Type: keyword.Flag, Opt: true},
					{Name: "domain", Type: keyword.Str, Opt: true, Many: true, Joined: true},
					{Name: "maxidle", Type: keyword.Time, Opt: true, Joined: true, Doc: "in seconds: the cookie is ignored when it was not seen for so long"},
					{Name: "maxlife", Type: keyword.Time, Opt: true, Joined: true, Doc: "in seconds: the cookie is ignored when it is older"},
					{Name: "dynamic", Type: keyword.Flag, Opt: true, Doc: "servers without a cookie have one made from their address and dynamic-cookie-key"},
					{Name: "attr", Type: keyword.Str, Opt: true, Many: true, Joined: true},
				},
				Examples: []keyword.Example{
					{Config: "backend b\n  mode http\n  cookie SRV insert indirect nocache\n  server s1 127.0.0.1:80 cookie s1\n"},
					{Config: "backend b\n  mode http\n  cookie JSESSIONID prefix\n  server s1 127.0.0.1:80 cookie s1\n"},
					{Config: "backend b\n  mode http\n  cookie SRV insert postonly maxidle 30m maxlife 8h attr \"SameSite=None\"\n  server s1 127.0.0.1:80 cookie s1\n"},
				}},
			In: config.Proxies, Parse: parseCookie,
		},
		{
			Doc: keyword.Doc{Name: "dynamic-cookie-key", Ref: "4.2", Summary: "secret that dynamic cookies are made with",
				Args:     []keyword.Arg{{Name: "key", Type: keyword.Str}},
				Examples: []keyword.Example{{Config: "backend b\n  mode http\n  cookie SRV insert dynamic\n  dynamic-cookie-key secret\n  server s1 127.0.0.1:80\n"}}},
			In: config.Proxies, Parse: parseKey,
		},
		{
			Doc: keyword.Doc{Name: "persist", Ref: "4.2", Summary: "persistence by the cookie of remote desktops",
				Args:     []keyword.Arg{{Name: "rdp-cookie", Type: keyword.Opaque, Default: "rdp-cookie(msts)", Doc: "rdp-cookie[(<name>)]"}},
				Examples: []keyword.Example{{Config: "listen l\n  bind 127.0.0.1:65500\n  tcp-request inspect-delay 5s\n  tcp-request content accept if RDP_COOKIE\n  persist rdp-cookie\n  balance rdp-cookie\n  server s1 127.0.0.1:3389\n"}}},
			In: config.Proxies, Parse: parsePersistence,
		},
		persistRow("force-persist", "the cookie's server is used even when it is down"),
		persistRow("ignore-persist", "the cookie is not looked at"),
	},
	ServersDone: warnEqual,
	CheckMode: func(l *config.Loader, px *runtime.Proxy) {
		if px.Mode != runtime.ModeHTTP && px.Cookie != nil && px.Cookie.Name != "" {
			l.List.Warnf(px.Pos, "cookie will be ignored for %s '%s' (needs 'mode http').", px.Kind, px.Name)
		}
	},
}

func persistRow(name, summary string) config.Keyword {
	return config.Keyword{
		Doc: keyword.Doc{Name: name, Ref: "4.2", Summary: summary,
			Args:     []keyword.Arg{{Name: "condition", Type: keyword.Condition}},
			Examples: []keyword.Example{{Config: "backend b\n  mode http\n  cookie SRV insert\n  " + name + " if { path_beg /x }\n  server s1 127.0.0.1:80 cookie s1\n"}}},
		In: config.Proxies, Parse: parsePersist,
	}
}

func parseCookie(l *config.Loader, line *ast.Line) {
	l.IgnoredWithout(runtime.CapBack, line.Pos, "cookie", "")
	if line.Arg(1) == "" {
		l.Alert(line.Pos, "'cookie' expects <cookie_name> as argument.")
		return
	}
	c := &runtime.CookieConfig{Name: line.Arg(1)}
	if old := l.Proxy.Cookie; old != nil {
		c.DynamicKey = old.DynamicKey
		c.Attr = old.Attr // as the reference, whose attributes outlive the line that they stood on
	}
	l.Proxy.Cookie = c
	var rewrite, insert, prefix bool
	for i := 2; line.Arg(i) != ""; i++ {
		switch word := line.Arg(i); word {
		case "rewrite":
			rewrite = true
		case "insert":
			insert = true
		case "prefix":
			prefix = true
		case "indirect":
			c.Indirect = true
		case "nocache":
			c.NoCache = true
		case "postonly":
			c.PostOnly = true
		case "preserve":
			c.Preserve = true
		case "httponly":
			c.HTTPOnly = true
		case "secure":
			c.Secure = true
		case "dynamic":
			l.IgnoredWithout(runtime.CapBack, line.Pos, "dynamic", "")
			c.Dynamic = true
		case "domain":
			i++
			if !parseDomain(l, line, c, line.Arg(i)) {
				return
			}
		case "maxidle":
			i++
			if !parseLimit(l, line, word, "<idletime>", line.Arg(i), &c.MaxIdle) {
				return
			}
		case "maxlife":
			i++
			if !parseLimit(l, line, word, "<lifetime>", line.Arg(i), &c.MaxLife) {
				return
			}
		case "attr":
			i++
			if !parseAttr(l, line, c, line.Arg(i)) {
				return
			}
		default:
			l.Alert(line.Pos, "'cookie' supports 'rewrite', 'insert', 'prefix', 'indirect', 'nocache', 'postonly', 'domain', "+
				"'maxidle', 'dynamic', 'maxlife' and 'attr' options.")
			return
		}
	}
	modes := 0
	for mode, on := range map[runtime.CookieMode]bool{runtime.CookieRewrite: rewrite, runtime.CookieInsert: insert, runtime.CookiePrefix: prefix} {
		if on {
			modes++
			c.Mode = mode
		}
	}
	if rewrite && c.Indirect {
		l.Alert(line.Pos, "cookie 'rewrite' and 'indirect' modes are incompatible.")
	}
	if modes > 1 {
		l.Alert(line.Pos, "cookie 'rewrite', 'insert' and 'prefix' modes are incompatible.")
	}
	if c.Preserve && !insert && !c.Indirect {
		l.Alert(line.Pos, "cookie 'preserve' requires at least 'insert' or 'indirect'.")
	}
}

func parseDomain(l *config.Loader, line *ast.Line, c *runtime.CookieConfig, domain string) bool {
	if domain == "" {
		l.AlertTight(line.Pos, "'domain' expects <domain> as argument.")
		return false
	}
	if !strings.Contains(domain, ".") {
		l.WarnTight(line.Pos, "domain '%s' contains no embedded dot, this configuration may not work properly (see RFC6265#5.2.3).", domain)
	}
	for _, b := range []byte(domain) {
		if !(b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z' || b == '.' || b == '_' || b == '-') {
			l.AlertTight(line.Pos, "character '%c' is not permitted in domain name '%s'.", b, domain)
			return false
		}
	}
	c.Domain += "; domain=" + domain
	return true
}

func parseLimit(l *config.Loader, line *ast.Line, word, what, text string, to *time.Duration) bool {
	if text == "" {
		l.AlertTight(line.Pos, "'%s' expects %s in seconds as argument.", word, what)
		return false
	}
	d, fault := l.Time(text, time.Second)
	switch {
	case fault == nil:
		*to = d
		return true
	case fault.Over:
		l.AlertTight(line.Pos, "timer overflow in argument <%s> to <%s>, maximum value is 2147483647 s (~68 years).", text, word)
	case fault.Under:
		l.AlertTight(line.Pos, "timer underflow in argument <%s> to <%s>, minimum non-null value is 1 s.", text, word)
	default:
		l.AlertTight(line.Pos, "unexpected character '%c' in argument to <%s>.", fault.Char, word)
	}
	return false
}

func parseAttr(l *config.Loader, line *ast.Line, c *runtime.CookieConfig, attr string) bool {
	if attr == "" {
		l.AlertTight(line.Pos, "'attr' expects <value> as argument.")
		return false
	}
	for _, b := range []byte(attr) {
		if b < ' ' || b == 127 || b == ';' {
			l.AlertTight(line.Pos, "character '%%x%02X' is not permitted in attribute value.", b)
			return false
		}
	}
	c.Attr += "; " + attr
	return true
}

func parseKey(l *config.Loader, line *ast.Line) {
	l.IgnoredWithout(runtime.CapBack, line.Pos, "dynamic-cookie-key", "")
	if line.Arg(1) == "" {
		l.Alert(line.Pos, "'dynamic-cookie-key' expects <secret_key> as argument.")
		return
	}
	var c runtime.CookieConfig
	if l.Proxy.Cookie != nil {
		c = *l.Proxy.Cookie
	}
	c.DynamicKey = line.Arg(1)
	l.Proxy.Cookie = &c
}

func parsePersist(l *config.Loader, line *ast.Line) {
	name := line.Arg(0)
	if l.RefusedInDefaults(line.Pos, name) {
		return
	}
	l.IgnoredWithout(runtime.CapBack, line.Pos, name, "")
	w := config.NewWords(line, 1)
	if !w.AtCond() {
		l.Alert(line.Pos, "'%s' requires either 'if' or 'unless' followed by a condition.", name)
		return
	}
	cond, err := l.Cond(&w)
	if err != nil {
		l.Alert(line.Pos, "error detected while parsing a '%s' rule : %s.", name, err)
		return
	}
	l.WarnConflict(line.Pos, cond, sample.BackReqContent)
	l.Proxy.PersistRules = append(l.Proxy.PersistRules, runtime.PersistRule{Cond: cond, Force: name == "force-persist"})
}
