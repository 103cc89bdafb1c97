package config

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"hapax/parser/keyword"
	"hapax/runtime"
)

// WriteKeywords lists the words of configurations in the established form: those that
// the reference registers, section by section, what is Missing among them, as they are
// all read. The words that it matches by hand ("mode", "balance") are not listed there.
func WriteKeywords(w io.Writer, t *Tables) {
	lines := func(title string, names []string) {
		keyword.WriteSorted(w, title, "\t", names)
	}
	lines("global", registered(Global, "global"))
	lines("listen", append(slices.Clone(registered(Proxies, "listen")), "quic-initial"))
	binds := bindListing()
	writeLines(w, "bind <addr> ", binds[false])
	writeLines(w, "bind <addr> ssl ", binds[true])
	var servers []string
	for _, word := range knownServerWords {
		switch word.name {
		case "set-proxy-v2-tlv-fmt": // whose arguments the reference does not count
			servers = append(servers, word.name)
		case "source":
			servers = append(servers, word.name+" +-1")
		default:
			servers = append(servers, withArgs(word.name, word.args))
		}
	}
	writeLines(w, "server <name> <addr> ", servers)
	writeLines(w, "option ", plainOptions(t))
	for _, set := range rulesetNames {
		var names []string
		table := t.Actions(set.kind)
		for i := range table.Len() {
			d := table.Doc(i)
			if set.tcp && slices.Contains(builtinActions, d.Name) {
				continue
			}
			if d.Prefix {
				names = append(names, d.Name+"*")
			} else {
				names = append(names, d.Name)
			}
		}
		writeLines(w, set.words+" ", names)
	}
	lines("userlist", t.Keywords(Userlist).Names())
	lines("peers", nil)
	var crtList []string
	for _, word := range crtListWords {
		for _, known := range knownBindWords {
			if known.name == word {
				crtList = append(crtList, withArgs(word, known.args))
			}
		}
	}
	lines("crt-list", crtList)
	lines("crt-store", registered(CrtStore, ""))
	lines("traces", registered(Traces, ""))
	lines("acme", registered(ACME, ""))
}

// rulesetNames are the lines whose actions are listed.
var rulesetNames = []struct {
	words string
	kind  runtime.RulesetKind
	tcp   bool
}{
	{"tcp-request connection", runtime.TCPConnRules, true}, {"tcp-request session", runtime.TCPSessRules, true},
	{"tcp-request content", runtime.TCPReqRules, true}, {"tcp-response content", runtime.TCPResRules, true},
	{"http-request", runtime.HTTPReqRules, false}, {"http-response", runtime.HTTPResRules, false}, {"http-after-response", runtime.HTTPAfterRules, false},
}

// crtListWords are the options of bind lines that lines of a crt-list may have too.
var crtListWords = []string{"allow-0rtt", "alpn", "ca-file", "ca-verify-file", "ciphers", "ciphersuites", "client-sigalgs", "crl-file", "curves",
	"ecdhe", "ktls", "no-alpn", "no-ca-names", "npn", "sigalgs", "ssl-max-ver", "ssl-min-ver", "verify"}

// registered are the words of a section in front of first, where those start that are
// matched by hand.
func registered(in Sections, first string) []string {
	for _, k := range knownKeywords {
		if k.in != in {
			continue
		}
		if i := slices.Index(k.suggested, first); i >= 0 {
			return k.suggested[:i]
		}
		return k.suggested
	}
	return nil
}

// firstPlainBindWord is where the options of bind lines end that TLS brings.
const firstPlainBindWord = "level"

// bindListing gives the options of bind lines: those of TLS under true.
func bindListing() map[bool][]string {
	listed, tls := map[bool][]string{}, true
	for _, word := range knownBindWords {
		tls = tls && word.name != firstPlainBindWord
		if word.name == "ssl" {
			continue // the head of the others
		}
		listed[tls] = append(listed[tls], withArgs(word.name, word.args))
	}
	return listed
}

func withArgs(name string, args int) string {
	if args > 0 {
		return fmt.Sprintf("%s +%d", name, args)
	}
	return name
}

// plainOptions are the switches, with the sides and the mode that they are for.
func plainOptions(t *Tables) (names []string) {
	for i := range t.Options.Len() {
		o := t.Options.Row(i)
		if o.Flag == 0 && o.Name != "transparent" {
			continue
		}
		name := o.Name + " ["
		if o.Caps&runtime.CapFront != 0 {
			name += " FE"
		}
		if o.Caps&runtime.CapBack != 0 {
			name += " BE"
		}
		if o.HTTP {
			name += " HTTP"
		}
		names = append(names, name+" ]")
	}
	return names
}

func writeLines(w io.Writer, head string, names []string) {
	names = slices.Clone(names)
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(a, b) })
	for _, name := range names {
		fmt.Fprintf(w, "\t%s%s\n", head, name)
	}
}
