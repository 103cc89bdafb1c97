package sample

import (
	"math"
	"regexp/syntax"
	"strings"
)

// classes are the members of the classes of characters that escapes stand for, by the letter of the
// escape: those that the engine in question lacks, or gives another meaning.
type classes [256]string

// Space of PCRE includes the vertical tab; \h and \v are not known elsewhere.
const (
	spaces     = `\t\n\x0b\f\r `
	horizontal = `\t \xa0`
	vertical   = `\n\x0b\f\r\x85`
)

var (
	re2Classes   = classes{'s': spaces, 'h': horizontal, 'v': vertical}
	asciiClasses = classes{'s': spaces, 'h': horizontal, 'v': vertical, 'd': `0-9`, 'w': `0-9A-Za-z_`}
)

// translate spells out what PCRE has and the engines have not: classes, \e, \N and \R. A negated
// class inside brackets stays as it is.
func translate(pattern string, known *classes) string {
	if !strings.Contains(pattern, `\`) {
		return pattern
	}
	var b strings.Builder
	end := -1 // of the brackets that i is inside
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if c == '[' && i > end {
			end = classEnd(pattern, i)
		}
		if c != '\\' || i+1 == len(pattern) {
			b.WriteByte(c)
			continue
		}
		i++
		inside := i < end
		letter := pattern[i]
		switch members := known[letter]; {
		case members != "" && inside:
			b.WriteString(members)
		case members != "":
			b.WriteString("[" + members + "]")
		case letter >= 'A' && letter <= 'Z' && known[letter|0x20] != "" && !inside:
			b.WriteString("[^" + known[letter|0x20] + "]")
		case letter == 'e':
			b.WriteString(`\x1b`)
		case letter == 'N' && !inside:
			b.WriteString(`[^\n]`)
		case letter == 'R' && !inside:
			b.WriteString(`(?:\r\n|[` + vertical + `])`)
		default:
			b.WriteByte('\\')
			b.WriteByte(letter)
		}
	}
	return b.String()
}

// foreign is what PCRE knows and neither engine has, by how it begins.
var foreign = [...]struct{ start, name string }{
	{"(*", "verbs are"}, {"(?|", "groups with reset numbers are"}, {"(?R", "recursion is"}, {"(?&", "recursion is"}, {"(?P>", "recursion is"},
	{"(?C", "callouts are"}, {`\g<`, "recursion is"}, {`\g'`, "recursion is"}, {`\C`, "single units are"}, {`\o{`, "octal numbers in braces are"},
}

// beyond finds the first thing in a pattern that neither engine has. at is -1 without any.
func beyond(pattern string) (what string, at int) {
	at = -1
	elements(pattern, func(i int, c byte) bool {
		rest := pattern[i:]
		if strings.HasPrefix(rest, `\Q`) {
			return false
		}
		for _, f := range foreign {
			if strings.HasPrefix(rest, f.start) && (f.start != "(*" || isVerb(rest[2:])) {
				what, at = f.name, i
				return false
			}
		}
		if strings.HasPrefix(rest, "(?") && len(rest) > 2 {
			digits := strings.TrimLeft(rest[2:], "+-")
			if n := strings.TrimLeft(digits, "0123456789"); len(n) < len(digits) && strings.HasPrefix(n, ")") {
				what, at = "recursion is", i
				return false
			}
		}
		return true
	})
	return what, at
}

// isVerb tells whether what follows "(*" makes it a verb: anything else makes the star a quantifier.
func isVerb(text string) bool { return text != "" && (isAlnum(text[0]) || text[0] == ':') }

// explainRegex words a syntax error as PCRE does, with the offset it gives. A negative offset says that
// the other engine may know what the pattern means.
func explainRegex(pattern string, err error) (string, int) {
	e, ok := err.(*syntax.Error)
	if !ok {
		return "", -1
	}
	switch e.Code {
	case syntax.ErrMissingParen:
		if strings.Contains(pattern, "(?") {
			return "", -1
		}
		return "missing closing parenthesis", len(pattern)
	case syntax.ErrMissingBracket:
		return "missing terminating ] for character class", len(pattern)
	case syntax.ErrMissingRepeatArgument, syntax.ErrInvalidRepeatOp:
		return refusal(pattern)
	case syntax.ErrUnexpectedParen:
		if at := unmatchedParen(pattern); at >= 0 {
			return "unmatched closing parenthesis", at
		}
	case syntax.ErrInvalidCharRange:
		if at := strings.Index(pattern, e.Expr); at >= 0 && !strings.HasPrefix(e.Expr, "[:") && !strings.HasPrefix(e.Expr, `\`) {
			return "range out of order in character class", at + len(e.Expr) - 1
		}
		if at := strings.Index(pattern, "[:"); at >= 0 {
			return "unknown POSIX class name", at + 2
		}
	case syntax.ErrInvalidRepeatSize:
		if strings.Contains(e.Expr, ",") && !tooOften(e.Expr) {
			return "numbers out of order in {} quantifier", strings.Index(pattern, e.Expr) + len(e.Expr) - 1
		}
	case syntax.ErrTrailingBackslash:
		return `\ at end of pattern`, len(pattern)
	}
	return "", -1
}

// tooOften tells whether a repetition such as {3,2000} is refused for its size, which is fine for the
// other engine, and not for its order.
func tooOften(repeat string) bool {
	lo, hi, _ := strings.Cut(strings.Trim(repeat, "{}"), ",")
	least, _ := ReadInt(lo)
	most, n := ReadInt(hi)
	if n == 0 {
		most = math.MaxInt64
	}
	return least <= most
}

// atomicGroups writes possessive quantifiers, "a++", as atomic groups, "(?>a+)", which the engine has.
func atomicGroups(pattern string) string {
	var groups []int // where each open group starts
	item := -1       // where what a quantifier would repeat starts
	for i := 0; i < len(pattern); i++ {
		start := i
		switch pattern[i] {
		case '\\':
			i = escapeEnd(pattern, i)
		case '[':
			i = classEnd(pattern, i)
		case '(':
			groups = append(groups, i)
			item = -1
			continue
		case ')':
			if n := len(groups); n > 0 {
				start, groups = groups[n-1], groups[:n-1]
			}
		case '*', '+', '?', '{':
			end := i + 1
			if pattern[i] == '{' {
				if end = repeatEnd(pattern, i); end < 0 {
					item = i
					continue
				}
			}
			if item >= 0 && end < len(pattern) && pattern[end] == '+' {
				return atomicGroups(pattern[:item] + "(?>" + pattern[item:end] + ")" + pattern[end+1:])
			}
			i = end - 1
			continue
		}
		item = start
	}
	return pattern
}

// repeatEnd is the offset behind a quantifier in braces at i, -1 when they stand for themselves.
func repeatEnd(pattern string, i int) int {
	n := strings.IndexByte(pattern[i:], '}')
	if n < 2 {
		return -1
	}
	least, most, _ := strings.Cut(pattern[i+1:i+n], ",")
	if least == "" || strings.Trim(least+most, "0123456789") != "" {
		return -1
	}
	return i + n + 1
}

// escapeEnd is the offset of the last character of an escape at i.
func escapeEnd(pattern string, i int) int {
	i++
	if i >= len(pattern) {
		return i
	}
	end := func(n int, digits string) int { // the end of up to n digits, or of what stands in braces
		if i+1 < len(pattern) && pattern[i+1] == '{' {
			if n := strings.IndexByte(pattern[i:], '}'); n > 0 {
				return i + n
			}
		}
		for ; n > 0 && i+1 < len(pattern) && strings.IndexByte(digits, pattern[i+1]) >= 0; n-- {
			i++
		}
		return i
	}
	switch pattern[i] {
	case 'x':
		return end(2, "0123456789abcdefABCDEF")
	case 'p', 'P':
		return end(1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	case 'c':
		return i + 1
	case '0', '1', '2', '3', '4', '5', '6', '7':
		i--
		return end(3, "01234567")
	}
	return i
}

// classEnd is the offset of the bracket that ends the character class at i.
func classEnd(pattern string, i int) int {
	i++
	if i < len(pattern) && pattern[i] == '^' {
		i++
	}
	if i < len(pattern) && pattern[i] == ']' {
		i++ // the first member of the class
	}
	for ; i < len(pattern) && pattern[i] != ']'; i++ {
		switch {
		case pattern[i] == '\\':
			i++
		case strings.HasPrefix(pattern[i:], "[:"):
			if n := strings.Index(pattern[i:], ":]"); n > 0 {
				i += n + 1
			}
		}
	}
	return i
}

// elements calls visit for each element of a pattern outside character classes and escapes, with its
// offset, until it returns false.
func elements(pattern string, visit func(i int, c byte) bool) {
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if !visit(i, c) {
			return
		}
		switch c {
		case '\\':
			i++
		case '[':
			i = classEnd(pattern, i)
		}
	}
}

func unmatchedParen(pattern string) int {
	depth, at := 0, -1
	elements(pattern, func(i int, c byte) bool {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				at = i
				return false
			}
		}
		return true
	})
	return at
}
