package sample

import "strings"

// varies is the length of what may match texts of several lengths.
const varies = -1

// survey is a walk over a pattern for what PCRE refuses and the engines accept: quantifiers behind what matches no
// text, and look-behinds without a fixed length. Offsets are -1 without a fault; patterns in extended mode, where
// white space and comments may stand anywhere, are not judged.
type survey struct {
	pattern   string
	names     map[string]int
	groups    []int // the lengths of the capturing groups that have begun
	behind    int   // the look-behind whose length is looked for; -1: none
	inBehind  int   // how many groups had begun before the look-behind that the walk is in; -1: it is in none
	misplaced int   // the end of the first quantifier that has nothing to repeat
	unfixed   int   // the first look-behind without a fixed length
	unknown   int   // the first reference in a look-behind to a group that had not ended before it
}

func surveyPattern(pattern string) survey {
	s := survey{pattern: pattern, behind: -1, inBehind: -1, misplaced: -1, unfixed: -1, unknown: -1}
	s.names, _ = groupNames(pattern, true)
	for i := 0; i < len(pattern); i++ { // a parenthesis that closes nothing is told by others
		_, i = s.alternatives(i)
	}
	return s
}

func note(fault *int, at int) {
	if *fault < 0 {
		*fault = at
	}
}

// alternatives walks to the end of a group whose inside begins at i, and tells the length of each of its alternatives.
func (s *survey) alternatives(i int) (lengths []int, end int) {
	sum, last, repeatable, looks := 0, 0, false, false
	for i < len(s.pattern) && s.pattern[i] != ')' {
		rest := s.pattern[i:]
		switch {
		case rest[0] == '|':
			lengths = append(lengths, sum)
			sum, repeatable = 0, false
			i++
			continue
		case strings.HasPrefix(rest, "(?#"):
			n := strings.IndexByte(rest, ')')
			if n < 0 {
				return append(lengths, sum), len(s.pattern)
			}
			i += n + 1
			continue
		case strings.HasPrefix(rest, `\Q`):
			quoted, _, _ := strings.Cut(rest[2:], `\E`)
			if quoted != "" {
				sum, last, repeatable, looks = together(sum, len(quoted)), 1, true, false
			}
			i += min(len(rest), len(quoted)+4)
			continue
		case strings.HasPrefix(rest, `\E`):
			i += 2
			continue
		}
		if end, times := quantifier(s.pattern, i); end > 0 {
			if !repeatable {
				note(&s.misplaced, end-1)
			}
			if sum != varies && !looks {
				if sum -= last; times == varies {
					sum = varies
				} else {
					sum += last * times
				}
				s.measured(sum)
			}
			if end < len(s.pattern) && (s.pattern[end] == '+' || s.pattern[end] == '?') {
				end++
			}
			i, repeatable = end, false
			continue
		}
		looks = looksAhead(rest)
		last, repeatable, i = s.item(i)
		sum = together(sum, last)
		s.measured(sum)
	}
	return append(lengths, sum), i
}

// measured notes that the look-behind that the walk is in has no fixed length.
func (s *survey) measured(sum int) {
	if sum == varies && s.behind >= 0 {
		note(&s.unfixed, s.behind)
	}
}

// looksAhead tells whether a look-ahead begins here: it has no length however often it is repeated.
func looksAhead(rest string) bool {
	return strings.HasPrefix(rest, "(?=") || strings.HasPrefix(rest, "(?!")
}

func together(a, b int) int {
	if a == varies || b == varies {
		return varies
	}
	return a + b
}

// alike is the length that all alternatives have.
func alike(lengths []int) int {
	for _, n := range lengths {
		if n != lengths[0] {
			return varies
		}
	}
	return lengths[0]
}

// quantifier tells where a quantifier at i ends, 0 when there is none, and how often it repeats.
func quantifier(pattern string, i int) (end, times int) {
	switch pattern[i] {
	case '*', '+', '?':
		return i + 1, varies
	case '{':
		if end = repeatEnd(pattern, i); end < 0 {
			return 0, 0
		}
		least, most, ranges := strings.Cut(pattern[i+1:end-1], ",")
		if ranges && least != most {
			return end, varies
		}
		n, _ := ReadInt(least)
		return end, int(n)
	}
	return 0, 0
}

// item walks over what stands at i: one character, class, escape or group.
func (s *survey) item(i int) (length int, repeatable bool, end int) {
	switch s.pattern[i] {
	case '^', '$':
		return 0, false, i + 1
	case '[':
		return 1, true, min(classEnd(s.pattern, i)+1, len(s.pattern))
	case '\\':
		return s.escape(i)
	case '(':
		return s.group(i)
	}
	return 1, true, i + 1
}

func (s *survey) escape(i int) (length int, repeatable bool, end int) {
	if n, at, used := reference(s.pattern[i:], len(s.groups), s.names); used > 0 {
		switch {
		case n < 1:
			length = varies
		case s.inBehind >= 0 && n > s.inBehind:
			note(&s.unknown, i+at)
		case n <= len(s.groups):
			length = s.groups[n-1]
		default:
			length = varies
		}
		return length, true, i + used
	}
	end = min(escapeEnd(s.pattern, i)+1, len(s.pattern))
	if i+1 < len(s.pattern) {
		switch s.pattern[i+1] {
		case 'A', 'Z', 'z', 'b', 'B', 'G', 'K':
			return 0, false, end
		case 'R', 'X':
			return varies, true, end
		}
	}
	return 1, true, end
}

// group walks over what stands in parentheses at i.
func (s *survey) group(i int) (length int, repeatable bool, end int) {
	rest := s.pattern[i:]
	_, used := groupName(rest)
	if strings.HasPrefix(rest, "(*") && !isVerb(rest[2:]) {
		used = 1
	}
	if used > 0 {
		n := len(s.groups)
		s.groups = append(s.groups, varies)
		length, end = s.inside(i + used)
		s.groups[n] = length
		return length, true, end
	}
	switch {
	case strings.HasPrefix(rest, "(?<"):
		return 0, true, s.lookBehind(i)
	case strings.HasPrefix(rest, "(?="), strings.HasPrefix(rest, "(?!"):
		around := s.behind
		s.behind = -1
		_, end = s.inside(i + 3)
		s.behind = around
		return 0, true, end
	case strings.HasPrefix(rest, "(?P="):
		return varies, true, s.behindParen(i)
	case strings.HasPrefix(rest, "(?("):
		return s.conditional(i)
	case strings.HasPrefix(rest, "(?>"), strings.HasPrefix(rest, "(?|"):
		length, end = s.inside(i + 3)
		return length, true, end
	case strings.HasPrefix(rest, "(?"):
		flags := strings.TrimLeft(rest[2:], "^-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
		end = len(s.pattern) - len(flags)
		if strings.HasPrefix(flags, ":") {
			length, end = s.inside(end + 1)
			return length, true, end
		}
		return 0, false, s.behindParen(i)
	}
	return 0, false, s.behindParen(i) // a verb
}

// inside walks to the end of a group, whose alternatives must all have one length for it to have one.
func (s *survey) inside(i int) (length, end int) {
	lengths, end := s.alternatives(i)
	return alike(lengths), min(end+1, len(s.pattern))
}

func (s *survey) behindParen(i int) int {
	if n := strings.IndexByte(s.pattern[i:], ')'); n >= 0 {
		return i + n + 1
	}
	return len(s.pattern)
}

// lookBehind walks over a look-behind, each of whose alternatives has a length of its own. PCRE stops at the first thing
// without one, be it in a look-behind inside this one.
func (s *survey) lookBehind(i int) (end int) {
	outer := s.inBehind
	if outer < 0 {
		s.inBehind = len(s.groups)
	}
	around := s.behind
	s.behind = i
	_, end = s.alternatives(min(i+4, len(s.pattern)))
	s.inBehind, s.behind = outer, around
	return min(end+1, len(s.pattern))
}

// conditional walks over "(?(condition)yes|no)".
func (s *survey) conditional(i int) (length int, repeatable bool, end int) {
	if strings.HasPrefix(s.pattern[i+2:], "(?") {
		_, _, end = s.group(i + 2)
	} else {
		end = s.behindParen(i)
	}
	lengths, end := s.alternatives(end)
	if len(lengths) == 1 {
		lengths = append(lengths, 0)
	}
	return alike(lengths), true, min(end+1, len(s.pattern))
}

// extended tells whether a pattern switches white space and comments on.
func extended(pattern string) bool {
	for _, part := range strings.Split(pattern, "(?")[1:] {
		flags := strings.TrimLeft(part, "^-abcdefghijklmnopqrstuvwyz") // all small letters but x
		if strings.HasPrefix(flags, "x") {
			return true
		}
	}
	return false
}

// refusal is what PCRE says about a pattern that the engines accept; at is -1 when it says nothing.
func refusal(pattern string) (reason string, at int) {
	if extended(pattern) {
		return "", -1
	}
	switch s := surveyPattern(pattern); {
	case s.misplaced >= 0:
		return "quantifier does not follow a repeatable item", s.misplaced
	case s.unknown >= 0 && (s.unfixed < 0 || s.unknown < s.unfixed):
		return "reference to non-existent subpattern", s.unknown
	case s.unfixed >= 0:
		return "lookbehind assertion is not fixed length", s.unfixed
	}
	return "", -1
}
