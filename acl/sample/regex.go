package sample

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/dlclark/regexp2"
)

// MaxGroups is how many groups of a match are known, the whole match included.
const MaxGroups = 10

// Regex is a compiled regular expression with the semantics of PCRE on bytes: a dot is one byte, also
// in what happens to be UTF-8. It runs on package regexp (linear time), and on a backtracking engine
// for what that one lacks: look-around, back-references, atomic groups. It may be used by all loops.
type Regex struct {
	text  string
	begin string // what a subject begins with that std matches; "": that cannot be told
	plain []byte // the text that the expression is; empty: it is more than that
	std   *regexp.Regexp
	// rest matches what follows a first match: "^" is not true there. nil when that makes no
	// difference.
	rest   *regexp.Regexp
	other  *regexp2.Regexp
	resets bool // other has a group named resetGroup: the match begins where it stands
	// dollar: a "$" also stands before a line feed that ends the subject, which std does not know.
	dollar bool
}

// matchTimeout bounds the backtracking engine: a pattern that takes longer does not match, and is counted in CutOff.
const matchTimeout = 50 * time.Millisecond

// CutOff counts the matches that were given up because they took too long.
var CutOff atomic.Uint64

// CompileRegex compiles a pattern; fold makes it ignore case.
func CompileRegex(pattern string, fold bool) (*Regex, error) {
	return compileRegex(pattern, fold, true)
}

// CompileMatcher compiles a pattern whose groups nobody asks for: as on the reference, those without a name are none
// there, and nothing in the pattern can refer to them.
func CompileMatcher(pattern string, fold bool) (*Regex, error) {
	return compileRegex(pattern, fold, false)
}

func compileRegex(pattern string, fold, unnamed bool) (*Regex, error) {
	r := &Regex{text: pattern}
	text := latin1(translate(pattern, &re2Classes))
	flags := syntax.Perl
	if fold {
		flags |= syntax.FoldCase
	}
	tree, err := syntax.Parse(text, flags)
	if err == nil {
		if reason, at := refusal(pattern); at >= 0 {
			return nil, invalidRegex(pattern, reason, at)
		}
		r.dollar, r.begin, r.plain = hasDollar(tree), beginning(tree), []byte(literal(tree))
		if r.std, err = regexp.Compile(tree.String()); err != nil {
			return nil, err
		}
		if dropBeginText(tree) {
			r.rest, err = regexp.Compile(tree.String())
		}
		return r, err
	}
	if what, at := beyond(pattern); at >= 0 {
		return nil, invalidRegex(pattern, what+" not supported by hapax", at)
	}
	reason, at := explainRegex(pattern, err)
	if at < 0 {
		reason, at = refusal(pattern)
	}
	if at < 0 {
		opt := regexp2.None
		if fold {
			opt |= regexp2.IgnoreCase
		}
		text, resets, missing := numberGroups(translate(pattern, &asciiClasses), unnamed)
		if _, _, at := numberGroups(pattern, unnamed); missing >= 0 {
			return nil, invalidRegex(pattern, "reference to non-existent subpattern", at)
		}
		r.resets = resets
		if r.other, err = regexp2.Compile(atomicGroups(latin1(text)), regexp2.RegexOptions(opt)); err == nil {
			r.other.MatchTimeout = matchTimeout
			return r, nil
		}
		reason, at = err.Error(), len(pattern)
	}
	return nil, invalidRegex(pattern, reason, at)
}

func invalidRegex(pattern, reason string, at int) error {
	return fmt.Errorf("regex '%s' is invalid (error=%s, erroffset=%d)", pattern, reason, at)
}

// String is the pattern as written.
func (r *Regex) String() string { return r.text }

// Match tells whether the expression matches anywhere in b. It allocates nothing on ASCII text.
func (r *Regex) Match(b []byte) bool {
	if r.other != nil {
		ok, err := r.other.MatchRunes(latin1Runes(b))
		if err != nil {
			CutOff.Add(1)
		}
		return ok && err == nil
	}
	if len(r.plain) > 0 {
		return bytes.Contains(b, r.plain)
	}
	if !r.mayBegin(b) {
		return false
	}
	if r.dollar && endsLine(b) && matchBytes(r.std, b[:len(b)-1]) {
		return true
	}
	return matchBytes(r.std, b)
}

// mayBegin spares package regexp most of the subjects that an expression does not match which is about a path, say: it takes
// some twenty times as long to find that out.
func (r *Regex) mayBegin(b []byte) bool {
	return len(b) >= len(r.begin) && string(b[:len(r.begin)]) == r.begin
}

// beginning is the text in ASCII that follows a "^" with which the expression begins.
func beginning(tree *syntax.Regexp) string {
	if tree.Op != syntax.OpConcat || tree.Sub[0].Op != syntax.OpBeginText {
		return ""
	}
	return literal(tree.Sub[1])
}

// literal is the text that alone the expression matches; "": it is none, or not in ASCII.
func literal(tree *syntax.Regexp) string {
	if tree.Op != syntax.OpLiteral || tree.Flags&syntax.FoldCase != 0 {
		return ""
	}
	for _, c := range tree.Rune {
		if c >= utf8.RuneSelf {
			return ""
		}
	}
	return string(tree.Rune)
}

func matchBytes(re *regexp.Regexp, b []byte) bool {
	if ascii(b) {
		return re.Match(b)
	}
	return re.MatchString(latin1(string(b)))
}

func endsLine(b []byte) bool { return len(b) > 0 && b[len(b)-1] == '\n' }

// Groups are the offsets of a match and its groups: start and end of each, -1 for one that took no
// part.
type Groups [2 * MaxGroups]int

// Find looks for the first match in b. first tells whether b is the start of the subject; otherwise
// "^" does not match.
func (r *Regex) Find(b []byte, first bool, g *Groups) bool {
	for i := range g {
		g[i] = -1
	}
	if r.other != nil {
		return r.findOther(b, g)
	}
	if len(r.plain) > 0 {
		at := bytes.Index(b, r.plain)
		if at < 0 {
			return false
		}
		g[0], g[1] = at, at+len(r.plain)
		return true
	}
	if first && !r.mayBegin(b) {
		return false
	}
	re := r.std
	if !first && r.rest != nil {
		re = r.rest
	}
	found := findBytes(re, b, g)
	if r.dollar && endsLine(b) {
		shorter := Groups{}
		if findBytes(re, b[:len(b)-1], &shorter) && (!found || shorter[0] < g[0]) {
			*g, found = shorter, true
		}
	}
	return found
}

// findBytes fills g when the expression matches.
func findBytes(re *regexp.Regexp, b []byte, g *Groups) bool {
	if ascii(b) {
		if re.NumSubexp() == 0 {
			switch m := re.Find(b); { // which, of all that package regexp has, asks for no memory
			case m == nil:
				return false
			case len(m) > 0:
				at := int(uintptr(unsafe.Pointer(&m[0])) - uintptr(unsafe.Pointer(&b[0])))
				fill(g, []int{at, at + len(m)})
				return true
			}
		}
		found := re.FindSubmatchIndex(b)
		if found != nil {
			fill(g, found)
		}
		return found != nil
	}
	wide := latin1(string(b))
	found := re.FindStringSubmatchIndex(wide)
	for i, at := range found {
		if at >= 0 {
			found[i] = utf8.RuneCountInString(wide[:at])
		}
	}
	if found != nil {
		fill(g, found)
	}
	return found != nil
}

func fill(g *Groups, found []int) {
	n := copy(g[:], found)
	for ; n < len(g); n++ {
		g[n] = -1
	}
}

func (r *Regex) findOther(b []byte, g *Groups) bool {
	m, err := r.other.FindRunesMatch(latin1Runes(b))
	if err != nil {
		CutOff.Add(1)
	}
	if m == nil || err != nil {
		return false
	}
	for i, group := range m.Groups() {
		if i == MaxGroups {
			break
		}
		if len(group.Captures) > 0 {
			g[2*i], g[2*i+1] = group.Index, group.Index+group.Length
		}
	}
	if r.resets {
		n := r.other.GroupNumberFromName(resetGroup)
		if n < MaxGroups {
			g[2*n], g[2*n+1] = -1, -1 // no group of the pattern
		}
		if at := m.GroupByNumber(n); len(at.Captures) > 0 {
			g[0] = at.Index
		}
	}
	return true
}

// AppendReplacement appends a replacement text to dst: \0 to \9 stand for the groups of a match in src,
// \xHH for a byte, and a backslash before anything else for that. It reports false for a text that ends
// in the middle of such a sequence.
func AppendReplacement(dst []byte, text string, src []byte, g *Groups) ([]byte, bool) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '\\' {
			dst = append(dst, c)
			continue
		}
		if i++; i == len(text) {
			return dst, false
		}
		switch c = text[i]; {
		case c >= '0' && c <= '9':
			if n := c - '0'; g[2*n] >= 0 && g[2*n+1] >= 0 {
				dst = append(dst, src[g[2*n]:g[2*n+1]]...)
			}
		case c == 'x':
			if i+2 >= len(text) {
				return dst, false
			}
			dst = append(dst, hexDigit(text[i+1])<<4+hexDigit(text[i+2]))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst, true
}

// CheckReplacement looks at a replacement text while the configuration is read. rest is "" for a good
// one and otherwise what starts at the fault; odd lists characters after a backslash that needs none.
func CheckReplacement(text string) (rest string, odd []byte) {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		start := i
		if i++; i == len(text) {
			return text[start:], odd
		}
		switch c := text[i]; {
		case c >= '0' && c <= '9':
		case c == 'x':
			if i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2]) {
				return text[start:], odd
			}
			i += 2
		default:
			odd = append(odd, c)
		}
	}
	return "", odd
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func hexDigit(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// latin1 turns each byte into the rune of that number, so that engines that think in runes see bytes.
func latin1(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			var b strings.Builder
			for j := 0; j < len(s); j++ {
				b.WriteRune(rune(s[j]))
			}
			return b.String()
		}
	}
	return s
}

func latin1Runes(b []byte) []rune {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return r
}

// dropBeginText makes "^" impossible in the tree and reports whether there was one.
func dropBeginText(tree *syntax.Regexp) bool {
	found := false
	if tree.Op == syntax.OpBeginText {
		tree.Op, found = syntax.OpNoMatch, true
	}
	for _, sub := range tree.Sub {
		found = dropBeginText(sub) || found
	}
	return found
}

// hasDollar tells whether "$" stands in the tree outside multi-line mode.
func hasDollar(tree *syntax.Regexp) bool {
	if tree.Op == syntax.OpEndText && tree.Flags&syntax.WasDollar != 0 {
		return true
	}
	for _, sub := range tree.Sub {
		if hasDollar(sub) {
			return true
		}
	}
	return false
}
