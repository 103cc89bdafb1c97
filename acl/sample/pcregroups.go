package sample

import (
	"strconv"
	"strings"
)

// resetGroup names the empty group that stands for \K.
const resetGroup = "K"

// numberGroups writes a pattern so that the backtracking engine, which numbers named groups behind all others and
// knows fewer forms of references, numbers groups as PCRE does: no group has a name, and references are numbers. \K
// becomes an empty group with a name, and resets tells that there is one. missing is the offset that PCRE gives for a
// reference to a group that does not exist, -1 without one. Quoted text (\Q...\E) and \X are spelt out. Without unnamed,
// only groups with a name are groups.
func numberGroups(pattern string, unnamed bool) (text string, resets bool, missing int) {
	names, most := groupNames(pattern, unnamed)
	missing = -1
	refer := func(b *strings.Builder, n, at int) {
		if (n < 1 || n > most) && missing < 0 {
			missing = at
		}
		b.WriteString(`(?:\` + strconv.Itoa(n) + ")")
	}
	var b strings.Builder
	groups := 0
	for i := 0; i < len(pattern); {
		switch rest := pattern[i:]; {
		case rest[0] == '[':
			end := min(classEnd(pattern, i)+1, len(pattern))
			b.WriteString(posixClasses(pattern[i:end]))
			i = end
		case strings.HasPrefix(rest, `\Q`):
			quoted, _, _ := strings.Cut(rest[2:], `\E`)
			for _, c := range []byte(quoted) {
				if !isAlnum(c) {
					b.WriteByte('\\')
				}
				b.WriteByte(c)
			}
			i += min(len(rest), len(quoted)+4)
		case strings.HasPrefix(rest, `\K`):
			b.WriteString("(?<" + resetGroup + ">)")
			resets = true
			i += 2
		case strings.HasPrefix(rest, `\X`):
			b.WriteString(`(?>\r\n|[\s\S])`)
			i += 2
		case rest[0] == '\\':
			n, at, used := reference(rest, groups, names)
			if used == 0 {
				used = min(2, len(rest))
				b.WriteString(rest[:used])
			} else {
				refer(&b, n, i+at)
			}
			i += used
		case strings.HasPrefix(rest, "(?("):
			n, at, used := condition(rest, groups, names)
			switch {
			case used == 0: // a look-around
				b.WriteString("(?")
				used = 2
			case n == recursion:
				b.WriteString("(?(?!)")
			default:
				if (n < 1 || n > most) && missing < 0 {
					missing = i + at
				}
				b.WriteString("(?(" + strconv.Itoa(n) + ")")
			}
			i += used
		case rest[0] == '(':
			if name, used := groupName(rest); used > 0 {
				if name == "" && !unnamed {
					b.WriteString("(?:")
				} else {
					groups++
					b.WriteByte('(')
				}
				i += used
				continue
			} else if name, ok := strings.CutPrefix(rest, "(?P="); ok {
				name, _, _ = strings.Cut(name, ")")
				refer(&b, names[name], i+4)
				i += min(len(rest), len(name)+5)
				continue
			}
			b.WriteByte('(')
			i++
		default:
			b.WriteByte(rest[0])
			i++
		}
	}
	return b.String(), resets, missing
}

// groupNames are the numbers of groups by their names, and how many groups there are.
func groupNames(pattern string, unnamed bool) (names map[string]int, n int) {
	names = map[string]int{}
	elements(pattern, func(i int, c byte) bool {
		if c == '(' && !strings.HasSuffix(pattern[:i], "(?") { // else it is a condition
			if name, used := groupName(pattern[i:]); used > 0 && (name != "" || unnamed) {
				n++
				names[name] = n
			}
		}
		return true
	})
	return names, n
}

// groupName tells how long the opening of a capturing group is, with its name if it has one; used is 0 for any other
// parenthesis.
func groupName(text string) (name string, used int) {
	for _, open := range [...]struct{ begin, end string }{{"(?P<", ">"}, {"(?<", ">"}, {"(?'", "'"}} {
		rest, ok := strings.CutPrefix(text, open.begin)
		if !ok || rest == "" || rest[0] == '=' || rest[0] == '!' {
			continue
		}
		if name, _, ok = strings.Cut(rest, open.end); ok {
			return name, len(open.begin) + len(name) + 1
		}
	}
	if strings.HasPrefix(text, "(?") || strings.HasPrefix(text, "(*") {
		return "", 0
	}
	return "", 1
}

// reference reads a reference to a group; groups is how many have begun before it, for relative ones. at is where PCRE
// points when there is no such group; used is 0 for any other escape.
func reference(text string, groups int, names map[string]int) (n, at, used int) {
	if len(text) < 2 {
		return 0, 0, 0
	}
	if c := text[1]; c >= '1' && c <= '9' {
		number, digits := ReadInt(text[1:])
		if number > 9 && int(number) > groups {
			return 0, 0, 0 // octal
		}
		return int(number), digits, 1 + digits
	}
	if len(text) < 3 || text[1] != 'g' && text[1] != 'k' {
		return 0, 0, 0
	}
	var name string
	switch closing := map[byte]string{'{': "}", '<': ">", '\'': "'"}[text[2]]; {
	case closing != "":
		var ok bool
		if name, _, ok = strings.Cut(text[3:], closing); !ok {
			return 0, 0, 0
		}
		at, used = 3+len(name), 4+len(name)
	case text[1] == 'k':
		return 0, 0, 0
	default:
		_, digits := ReadInt(text[2:])
		name = text[2 : 2+digits]
		at, used = 1+digits, 2+digits
	}
	number, ok := relative(name, groups)
	switch {
	case !ok:
		return names[name], 3, used
	case name[0] == '-' && number < 1 && text[2] == '{':
		at = 2
	case name[0] == '-' && number < 1:
		at = used
	}
	return number, at, used
}

// relative reads the number of a group; one with a sign counts from those that have begun.
func relative(text string, groups int) (n int, ok bool) {
	number, digits := ReadInt(text)
	if digits == 0 || digits < len(text) {
		return 0, false
	}
	switch text[0] {
	case '-':
		number++
		fallthrough
	case '+':
		number += int64(groups)
	}
	return int(number), true
}

// recursion stands for a condition that only holds inside of a recursion, or never.
const recursion = -1

// condition reads "(?(group)", as reference does references; used is 0 for a condition that is no group.
func condition(text string, groups int, names map[string]int) (n, at, used int) {
	name, _, ok := strings.Cut(text[3:], ")")
	if !ok || name == "" || name[0] == '?' || name[0] == '*' {
		return 0, 0, 0
	}
	used = 4 + len(name)
	if number, ok := relative(name, groups); ok {
		if name[0] == '-' {
			return max(number, 0), 3 + len(name), used
		}
		return number, 1 + len(name), used
	}
	if name == "R" || name == "DEFINE" || strings.HasPrefix(name, "R&") {
		return recursion, 0, used
	}
	at = 2 + len(name)
	if name[0] == '<' || name[0] == '\'' {
		name, at = strings.Trim(name, "<>'"), len(name)+1
	}
	return names[name], at, used
}

// posixNames are the members of POSIX classes.
var posixNames = strings.NewReplacer(
	"[:alpha:]", "a-zA-Z", "[:digit:]", "0-9", "[:alnum:]", "a-zA-Z0-9", "[:upper:]", "A-Z", "[:lower:]", "a-z",
	"[:space:]", spaces, "[:blank:]", `\t `, "[:punct:]", `!-/:-@\[-\x60{-~`, "[:xdigit:]", "0-9a-fA-F", "[:word:]", "a-zA-Z0-9_",
	"[:cntrl:]", `\x00-\x1f\x7f`, "[:print:]", ` -~`, "[:graph:]", `!-~`, "[:ascii:]", `\x00-\x7f`,
	"[:^alpha:]", `\x00-@\[-\x60{-\xff`, "[:^digit:]", `\x00-/:-\xff`, "[:^alnum:]", `\x00-/:-@\[-\x60{-\xff`,
	"[:^upper:]", `\x00-@\[-\xff`, "[:^lower:]", `\x00-\x60{-\xff`, "[:^space:]", `\x00-\x08\x0e-\x1f!-\xff`,
	"[:^blank:]", `\x00-\x08\n-\x1f!-\xff`, "[:^punct:]", `\x00- 0-9A-Za-z\x7f-\xff`, "[:^xdigit:]", `\x00-/:-@G-\x60g-\xff`,
	"[:^word:]", `\x00-/:-@\[-\^\x60{-\xff`, "[:^cntrl:]", ` -~\x80-\xff`, "[:^print:]", `\x00-\x1f\x7f-\xff`,
	"[:^graph:]", `\x00- \x7f-\xff`, "[:^ascii:]", `\x80-\xff`)

// posixClasses spells the POSIX classes in brackets out.
func posixClasses(class string) string {
	if !strings.Contains(class, "[:") {
		return class
	}
	return posixNames.Replace(class)
}
