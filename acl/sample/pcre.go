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
		if at := misplacedQuantifier(pattern); at >= 0 {
			return "quantifier does not follow a repeatable item", at
		}
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
			i++
			for n := i; i < len(pattern)-1 && i < n+2 && pattern[i]-'0' <= 7 && pattern[i+1]-'0' <= 7; {
				i++ // octal
			}
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
				if n := strings.IndexByte(pattern[i:], '}'); n > 0 {
					end = i + n + 1
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

// classEnd is the offset of the bracket that ends the character class at i.
func classEnd(pattern string, i int) int {
	i++
	if i < len(pattern) && pattern[i] == '^' {
		i++
	}
	for i++; i < len(pattern) && pattern[i] != ']'; i++ {
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

// misplacedQuantifier finds a quantifier with nothing to repeat. After a quantifier one more "+" or "?"
// is allowed: it makes the first one possessive or lazy.
func misplacedQuantifier(pattern string) int {
	const none, item, quantified = 0, 1, 2
	before, at := none, -1
	elements(pattern, func(i int, c byte) bool {
		switch {
		case c == '*', (c == '+' || c == '?') && before == none && !(i > 0 && pattern[i-1] == '(' && c == '?'):
			if before != item {
				at = i
				return false
			}
			before = quantified
		case c == '+' || c == '?':
			if before == quantified {
				before = none
			} else if before == item {
				before = quantified
			}
		case c == '(' || c == '|':
			before = none
		default:
			before = item
		}
		return true
	})
	return at
}
