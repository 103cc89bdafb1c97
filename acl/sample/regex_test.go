package sample

import (
	"regexp"
	"strings"
	"testing"
)

func TestRegex(t *testing.T) {
	cases := []struct {
		pattern string
		fold    bool
		in      string
		want    string // the groups, "-" for one that took no part; "" for no match
	}{
		{"b(c)?", false, "abc", "bc|c"},
		{"b(x)?", false, "abc", "b|-"},
		{"B", true, "abc", "b"},
		{"^b", false, "abc", ""},
		{`a\sb`, false, "a\vb", "a\vb"},
		{`[\h]b`, false, "a\tb", "\tb"},
		{`\H+`, false, "ab cd", "ab"},
		{".", false, "\xc3\xa9", "\xc3"},
		{"(.)(.)$", false, "x\xc3\xa9", "\xc3\xa9|\xc3|\xa9"},
		{`\xc3`, false, "\xc3\xa9", "\xc3"},
		{"\xc3\xa9", false, "x\xc3\xa9", "\xc3\xa9"},
		{"a$", false, "a\n", "a"},
		{"a$", false, "a\n\n", ""},
		{"a\n$", false, "a\n", "a\n"},
		{`(.)\1`, false, "abccd", "cc|c"},
		{"foo(?!bar)", false, "foobar foox", "foo"},
		{"(?<=a)b", false, "bab", "b"},
		{"a++b", false, "aaab", "aaab"},
		{"a++a", false, "aaa", ""},
		{"[[:^digit:]]{1,2}+", false, "ab1", "ab"},
		{"[[:^alpha:]]++", false, "abc1-[`{Z", "1-[`{"},
		{"[[:^alnum:]]++", false, "a1Z-_[z", "-_["},
		{"[[:^upper:]]++", false, "ABc[\\Z", "c[\\"},
		{"[[:^lower:]]++", false, "abC`{z", "C`{"},
		{"[[:^space:]]++", false, " \tab!\x01 ", "ab!\x01"},
		{"[[:^blank:]]++", false, " \ta\n! ", "a\n!"},
		{"[[:^punct:]]++", false, "!a1 \x7f/", "a1 \x7f"},
		{"[[:^xdigit:]]++", false, "aF9gG/:`0", "gG/:`"},
		{"[[:^word:]]++", false, "a_9-[^`{Z", "-[^`{"},
		{"[[:^cntrl:]]++", false, "\x01a~ \x7f", "a~ "},
		{"[[:^print:]]++", false, "a\x01\x7f ", "\x01\x7f"},
		{"[[:^graph:]]++", false, "a \x7f!", " \x7f"},
		{`[\]a]++b`, false, "]a]b", "]a]b"},
		{"(?:ab)*+c", false, "ababc", "ababc"},
		{`[ab]{1,2}+b`, false, "abb", "abb"},
		{`\e?+\x61++b`, false, "aab", "aab"},
		{`{|(a*+c{,2})`, false, "aac{,2}", "aac{,2}|aac{,2}"},
		{`\w(?=\d)`, false, "\xe9a1", "a"},
		{"x{2000}", false, strings.Repeat("x", 2000), strings.Repeat("x", 2000)},
		{"(?P<n>a)", false, "a", "a|a"},
		{"(?<=a|b|cde)x", false, "cdex", "x"},
		{`(?<=(?:a{2}){2}\+[+*])x`, false, "aaaa+*x", "x"},
		{`(?<n>a)(?<=\k<n>)b`, false, "ab", "ab|a"},
		{"(?<=(?!b*?)*a)b", false, "ab", "b"},
		{"(?=a)*(?#+)a(?# )*b", false, "aab", "aab"},
		{"[[:alpha:]]+", false, "12ab", "ab"},
	}
	for _, c := range cases {
		r, err := CompileRegex(c.pattern, c.fold)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		var g Groups
		got := ""
		if r.Find([]byte(c.in), true, &g) {
			parts := []string{}
			for i := 0; i < len(g); i += 2 {
				if g[i] >= 0 {
					parts = append(parts, c.in[g[i]:g[i+1]])
				} else {
					parts = append(parts, "-")
				}
			}
			for len(parts) > strings.Count(c.want, "|")+1 && parts[len(parts)-1] == "-" {
				parts = parts[:len(parts)-1]
			}
			got = strings.Join(parts, "|")
		}
		if got != c.want {
			t.Errorf("%q in %q: got %q, want %q", c.pattern, c.in, got, c.want)
		}
		if r.Match([]byte(c.in)) != (c.want != "") {
			t.Errorf("%q in %q: Match disagrees with Find", c.pattern, c.in)
		}
	}
}

func TestRegexRest(t *testing.T) {
	r, err := CompileRegex("^a", false)
	if err != nil {
		t.Fatal(err)
	}
	var g Groups
	if !r.Find([]byte("ab"), true, &g) || r.Find([]byte("ab"), false, &g) {
		t.Error(`"^" matches at the start of the subject only`)
	}
}

// TestRegexErrors holds the words of PCRE2 10.42.
func TestRegexErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		"a(?(1)b|c)":    "reference to non-existent subpattern, erroffset=3",
		"a(b":           "missing closing parenthesis, erroffset=3",
		"[a":            "missing terminating ] for character class, erroffset=2",
		"*a":            "quantifier does not follow a repeatable item, erroffset=0",
		"a)":            "unmatched closing parenthesis, erroffset=1",
		"a{3,2}":        "numbers out of order in {} quantifier, erroffset=5",
		"(?P<n>a)[z-a]": "range out of order in character class, erroffset=11",
		"a**":           "quantifier does not follow a repeatable item, erroffset=2",
		"[[:foo:]]":     "unknown POSIX class name, erroffset=3",

		"^{1,2}":          "quantifier does not follow a repeatable item, erroffset=5",
		"$*+":             "quantifier does not follow a repeatable item, erroffset=1",
		`\G{2}`:           "quantifier does not follow a repeatable item, erroffset=4",
		`a|\b*`:           "quantifier does not follow a repeatable item, erroffset=4",
		"(?i)*":           "quantifier does not follow a repeatable item, erroffset=4",
		"(*)":             "quantifier does not follow a repeatable item, erroffset=1",
		"a{1,2}{3}":       "quantifier does not follow a repeatable item, erroffset=8",
		"(?<=1+)":         "lookbehind assertion is not fixed length, erroffset=0",
		"x(?<=(?:ab|c))y": "lookbehind assertion is not fixed length, erroffset=1",
		"(?<=(?<=b+)a)c":  "lookbehind assertion is not fixed length, erroffset=4",
		"(?=a+)(?<=b|c+)": "lookbehind assertion is not fixed length, erroffset=6",
		`(?<=\R)x`:        "lookbehind assertion is not fixed length, erroffset=0",
		"(?<=(?<=b+)a+)c": "lookbehind assertion is not fixed length, erroffset=4",
		"(?<=a+(?<=b+))c": "lookbehind assertion is not fixed length, erroffset=0",
		"(?<=(?<=b)*a)c":  "lookbehind assertion is not fixed length, erroffset=0",
		`(?<=(a)\1)b`:     "reference to non-existent subpattern, erroffset=8",
	} {
		_, err := CompileRegex(pattern, false)
		if want = "regex '" + pattern + "' is invalid (error=" + want + ")"; err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", pattern, err, want)
		}
	}
}

func TestReplacement(t *testing.T) {
	src := []byte("abc")
	g := Groups{1, 3, 1, 2, -1, -1}
	for text, want := range map[string]string{`<\0>`: "<bc>", `\1\2\1`: "bb", `\x41\\\n`: `A\n`, "": ""} {
		if got, ok := AppendReplacement(nil, text, src, &g); !ok || string(got) != want {
			t.Errorf("%q: %q %v", text, got, ok)
		}
	}
	for _, text := range []string{`a\`, `\x`, `\x4`} {
		if _, ok := AppendReplacement(nil, text, src, &g); ok {
			t.Errorf("%q passes", text)
		}
		if rest, _ := CheckReplacement(text); rest == "" {
			t.Errorf("%q is found good", text)
		}
	}
	if rest, odd := CheckReplacement(`a\1\x41\\`); rest != "" || string(odd) != `\` {
		t.Errorf("%q %q", rest, odd)
	}
}

func FuzzRegex(f *testing.F) {
	f.Add("a(b)+", "xaby", false)
	f.Add("[[:alpha:]-]", "a-", true)
	f.Add(`(?=a)\h[^\s]`, "\t\xff\n", false)
	f.Add(`(a)\1++$`, "aa\n", false)
	f.Add("000000", "0", false)
	f.Fuzz(func(t *testing.T, pattern, in string, fold bool) {
		if len(pattern) > 30 || len(in) > 60 {
			return
		}
		r, err := CompileRegex(pattern, fold)
		if err != nil {
			return
		}
		var g Groups
		found := r.Find([]byte(in), true, &g)
		for i := 0; i < len(g); i += 2 {
			if g[i] > g[i+1] || g[i+1] > len(in) {
				t.Fatalf("%q in %q: groups %v", pattern, in, g)
			}
		}
		if found && g[0] < 0 {
			t.Fatalf("%q in %q: a match without a place", pattern, in)
		}
	})
}

// TestRegexBeyond names what neither engine has.
func TestRegexBeyond(t *testing.T) {
	for pattern, want := range map[string]string{
		"a(*SKIP)b": "verbs are not supported by hapax, erroffset=1",
		"(?|a|(b))": "groups with reset numbers are not supported by hapax, erroffset=0",
		"a(?R)?b":   "recursion is not supported by hapax, erroffset=1",
		"(a)(?1)":   "recursion is not supported by hapax, erroffset=3",
		`\o{101}`:   "octal numbers in braces are not supported by hapax, erroffset=0",
	} {
		if _, err := CompileRegex(pattern, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", pattern, err, want)
		}
	}
}

// TestRegexCutOff gives an expression that would backtrack for longer than anybody waits.
func TestRegexCutOff(t *testing.T) {
	r, err := CompileRegex(`^(?=a)(a+)+$`, false)
	if err != nil {
		t.Fatal(err)
	}
	before := CutOff.Load()
	if r.Match([]byte(strings.Repeat("a", 60) + "!")) {
		t.Error("matched")
	}
	if n := CutOff.Load() - before; n != 1 {
		t.Errorf("counted %d times", n)
	}
}

// TestBeginning looks at what is known of how a match begins: never more than what is true.
func TestBeginning(t *testing.T) {
	for pattern, want := range map[string]string{
		`^/shop1/[a-z]+$`: "/shop1/", `^abc`: "abc", `^abc$`: "abc", `^a|b`: "", `abc`: "", `^[ab]c`: "", `^ab?c`: "a", `^(abc)d`: "", `^(?:abc)d`: "abcd",
		`(?i)^abc`: "", `(?m)^abc`: "", `^abcé`: "abc", `^é`: "", `^^abc`: "", `\Aabc`: "abc", `^a{2}b`: "", `^abc|^abd`: "", `^`: "", `^\.x`: ".x", `x^abc`: "", `a`: "", `\.x`: "", `b|c`: "", `é`: "",
	} {
		r, err := CompileRegex(pattern, false)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(want, r.begin) {
			t.Errorf("%s: matches are to begin with %q, not with %q", pattern, r.begin, want)
		}
		plain := regexp.MustCompile(pattern)
		for _, subject := range []string{"", "abc", "abcd", "aabc", "\nabc", "abd", "ac", "aab", "b", ".x", "abc\n", "/shop1/x", "/shop1/", "/shop12/x", "ABC"} {
			var g Groups
			if want := plain.MatchString(subject); !strings.HasSuffix(subject, "\n") && (r.Match([]byte(subject)) != want || r.Find([]byte(subject), true, &g) != want) {
				t.Errorf("%s matches %q: %v, want %v", pattern, subject, !want, want)
			}
		}
	}
	if r, _ := CompileRegex("^/shop1/[a-z]+$", false); r.begin != "/shop1/" {
		t.Errorf("^/shop1/...: %q", r.begin)
	}
	var g Groups
	in, out := []byte("-abc"), []byte("ab")
	if r, _ := CompileRegex("abc", false); testing.AllocsPerRun(10, func() {
		if !r.Find(in, true, &g) || g[0] != 1 || g[1] != 4 || r.Find(out, true, &g) {
			t.Errorf("abc: %v", g)
		}
	}) != 0 {
		t.Error("a plain text asks for memory")
	}
	if r, _ := CompileRegex("^abc", true); r.begin != "" {
		t.Errorf("^abc without regard to case: %q", r.begin)
	}
}
