package pattern

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"hapax/acl/sample"
)

func newContext() *sample.Context { return &sample.Context{Scratch: sample.NewScratch(0)} }

// value makes the sample that a test writes as text: an integer, an address or a string.
func value(method Method, text string) sample.Value {
	var v sample.Value
	switch method.Expects() {
	case sample.Int:
		n, _ := strconv.ParseInt(text, 10, 64)
		v.SetInt(n)
	case sample.Addr:
		v.SetAddr(netip.MustParseAddr(text))
	case sample.Bin:
		v.SetBin([]byte(text))
	default:
		v.SetStr([]byte(text))
	}
	return v
}

// naive compares by the words of the manual, one pattern after the other, and gives the index of the pattern
// that counts, -1 for none.
func naive(method Method, flags Flags, patterns []string, text string) int {
	fold := func(s string) string {
		if flags&IgnoreCase != 0 {
			return strings.ToLower(s)
		}
		return s
	}
	best, longest := -1, -1
	for i, p := range patterns {
		matches, depth := false, 0
		s, q := fold(text), fold(p)
		switch method {
		case Str:
			matches = s == q
		case Beg:
			matches = strings.HasPrefix(s, q)
			if flags&IgnoreCase == 0 {
				depth = len(q)
			}
		case End:
			matches = strings.HasSuffix(s, q)
		case Sub:
			matches = strings.Contains(s, q)
		case Dir, Dom:
			delim := "/?"
			if method == Dom {
				delim = "/?.:"
			}
			q = strings.Trim(q, delim)
			for at := 0; q != "" && at+len(q) <= len(s); at++ {
				left := at == 0 || strings.IndexByte(delim, s[at-1]) >= 0
				right := at+len(q) == len(s) || strings.IndexByte(delim, s[at+len(q)]) >= 0
				matches = matches || left && right && s[at:at+len(q)] == q
			}
		case Int, Len:
			n, _ := strconv.ParseInt(text, 10, 64)
			if method == Len {
				n = int64(len(text))
			}
			r, _ := parseRange(p)
			matches = r.min <= n && n <= r.max
		case IP:
			n, _ := parseNetwork(p, NoDNS)
			a := netip.MustParseAddr(text)
			matches = n.prefix.Contains(a)
			depth = n.prefix.Bits()
		}
		if matches && depth > longest {
			best, longest = i, depth
		}
	}
	return best
}

// TestIndexes compares every index with the naive comparison on random patterns, and again after some of the
// patterns were added and deleted at run time.
func TestIndexes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	word := func(alphabet string, most int) string {
		b := make([]byte, 1+rnd.IntN(most))
		for i := range b {
			b[i] = alphabet[rnd.IntN(len(alphabet))]
		}
		return string(b)
	}
	number := func() string { return strconv.Itoa(rnd.IntN(60)) }
	kinds := []struct {
		method  Method
		pattern func() string
		subject func() string
	}{
		{Str, func() string { return word("abA", 4) }, func() string { return word("abA", 4) }},
		{Beg, func() string { return word("abA", 4) }, func() string { return word("abA", 6) }},
		{End, func() string { return word("abA", 4) }, func() string { return word("abA", 6) }},
		{Sub, func() string { return word("abA", 4) }, func() string { return word("abA", 9) }},
		{Dir, func() string { return word("ab/?", 4) }, func() string { return word("ab/?A", 9) }},
		{Dom, func() string { return word("ab.:", 4) }, func() string { return word("ab.:A", 9) }},
		{Int, func() string {
			low := rnd.IntN(50)
			return fmt.Sprintf("%d:%d", low, low+rnd.IntN(10))
		}, number},
		{Len, number, func() string { return strings.Repeat("x", rnd.IntN(60)) }},
		{IP, func() string {
			return fmt.Sprintf("10.%d.%d.%d/%d", rnd.IntN(3), rnd.IntN(3), rnd.IntN(256), rnd.IntN(33))
		}, func() string {
			return fmt.Sprintf("10.%d.%d.%d", rnd.IntN(4), rnd.IntN(4), rnd.IntN(256))
		}},
		{IP, func() string {
			return fmt.Sprintf("2001:db8:%x::%x/%d", rnd.IntN(3), rnd.IntN(9), rnd.IntN(129))
		}, func() string {
			return fmt.Sprintf("2001:db8:%x::%x", rnd.IntN(3), rnd.IntN(9))
		}},
	}
	ctx := newContext()
	for _, kind := range kinds {
		for _, flags := range []Flags{NoDNS, NoDNS | IgnoreCase} {
			for _, n := range []int{1, 3, 9, 40, 300} {
				var patterns []string
				for range n {
					patterns = append(patterns, kind.pattern())
				}
				ref := new(Refs).Inline(-1, "")
				set, err := ref.Set(kind.method, flags, sample.Any)
				if err != nil {
					t.Fatal(err)
				}
				if err := ref.Append(patterns[:n/2+1]); err != nil {
					t.Fatal(err)
				}
				check := func(alive []string, when string) {
					for range 60 {
						text := kind.subject()
						v := value(kind.method, text)
						e := set.Lookup(ctx, &v)
						got := "none"
						if e != nil {
							got = e.Key
						}
						want := "none"
						if i := naive(kind.method, flags, alive, text); i >= 0 {
							want = alive[i]
						}
						if got != want {
							t.Fatalf("%s flags %d %s: %q in %q gives %q, want %q", kind.method, flags, when, text, alive, got, want)
						}
						v = value(kind.method, text)
						if m := NewMatcher(kind.method, set); m.Match(ctx, &v) != (want != "none") {
							t.Fatalf("%s flags %d %s: Match differs from Lookup for %q in %q", kind.method, flags, when, text, alive)
						}
					}
				}
				check(patterns[:n/2+1], "loaded")
				for _, p := range patterns[n/2+1:] {
					if err := ref.Add(0, p, nil); err != nil {
						t.Fatal(err)
					}
				}
				check(patterns, "added")
				alive := append([]string(nil), patterns...)
				for range n / 3 {
					i := rnd.IntN(len(alive))
					p := alive[i]
					if !ref.Delete(p) {
						t.Fatalf("cannot delete %q", p)
					}
					for j := len(alive) - 1; ; j-- { // the newest of equal ones goes
						if alive[j] == p {
							alive = append(alive[:j], alive[j+1:]...)
							break
						}
					}
				}
				check(alive, "deleted")
			}
		}
	}
}

func TestFamilies(t *testing.T) {
	cases := []struct{ patterns, address, want string }{
		{"10.0.0.0/8", "::ffff:10.1.2.3", "10.0.0.0/8"},
		{"10.0.0.0/8", "::10.1.2.3", "10.0.0.0/8"},
		{"10.0.0.0/8", "2002:0a01:0203::1", "10.0.0.0/8"},
		{"::ffff:10.0.0.0/104", "10.1.2.3", "::ffff:10.0.0.0/104"},
		{"::ffff:10.1.2.3 10.0.0.0/8", "10.1.2.3", "10.0.0.0/8"},
		{"1.0.0.3/255.0.0.255 1.2.0.0/16", "1.9.9.3", "1.0.0.3/255.0.0.255"},
		{"1.0.0.3/255.0.0.255 1.2.0.0/16", "1.2.9.3", "1.2.0.0/16"},
		{"1.0.0.3/255.0.0.255", "2002:0100:0003::", "1.0.0.3/255.0.0.255"},
		{"0.0.0.0/0", "255.255.255.255", "0.0.0.0/0"},
		{"::/0", "255.255.255.255", "::/0"},
		{"::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"},
		{"255.255.255.255", "255.255.255.255", "255.255.255.255"},
		{"ffff::/16 ffff:ffff::/32", "ffff:ffff::1", "ffff:ffff::/32"},
		{"10.0.0.0/8 10.0.0.0/8", "10.0.0.1", "10.0.0.0/8"},
		{"10.0.0.1", "10.0.0.2", ""},
	}
	for _, c := range cases {
		ref := new(Refs).Inline(-1, "")
		set, _ := ref.Set(IP, NoDNS, sample.Any)
		if err := ref.Append(strings.Fields(c.patterns)); err != nil {
			t.Fatal(err)
		}
		v := value(IP, c.address)
		got := ""
		if e := set.Lookup(newContext(), &v); e != nil {
			got = e.Key
		}
		if got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.address, c.patterns, got, c.want)
		}
	}
}

func TestPatternErrors(t *testing.T) {
	cases := []struct {
		method     Method
		text, want string
	}{
		{Int, "abc", "'abc' is not a number"},
		{Int, "1:x", "'1:x' is not a valid number range"},
		{Int, "5:1", "'5:1' is not a valid number range"},
		{Int, ":", "':' is not a valid number range"},
		{Int, "-5", ""}, // up to 5
		{Int, "5-", ""},
		{Int, "99999999999999999999", "'99999999999999999999' is not a number"},
		{Len, "3:20", ""},
		{Version, "3.x", "'3.x' is not a dotted number"},
		{Version, "3.0-x", "'3.0-x' is not a valid dotted number range"},
		{Version, "3.0-3.3", ""},
		{IP, "1.2.3", "'1.2.3' is not a valid IPv4 or IPv6 address"},
		{IP, "1.2.3.4/33", "'1.2.3.4/33' is not a valid IPv4 or IPv6 address"},
		{IP, "1.2.3.4/", "'1.2.3.4/' is not a valid IPv4 or IPv6 address"},
		{IP, "fe80::1%eth0", "'fe80::1%eth0' is not a valid IPv4 or IPv6 address"},
		{IP, "1.2.3.4/255.255.0.255", ""},
		{Bin, "abc", "an even number of hex digit is expected"},
		{Bin, "zz", "an hex digit is expected (found 'z')"},
		{Reg, "(", "regex '(' is invalid (error=missing closing parenthesis, erroffset=1)"},
		{Str, "anything", ""},
	}
	for _, c := range cases {
		ref := new(Refs).Inline(-1, "")
		if _, err := ref.Set(c.method, NoDNS, sample.Any); err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := ref.Append([]string{c.text}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s %q: %q, want %q", c.method, c.text, got, c.want)
		}
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "patterns")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestFile(t *testing.T) {
	name := write(t, "# comment\n\n  first  \r\n\tsecond line\n #third\nlast")
	rs := new(Refs)
	r, err := rs.File(name, ACL, false, "file 'x' line 3")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range r.Entries(0) {
		got = append(got, fmt.Sprintf("%d:%s", e.Line, e.Key))
	}
	if want := "[3:first   4:second line 5:#third 6:last]"; fmt.Sprint(got) != want {
		t.Errorf("entries %v, want %s", got, want)
	}
	if _, err = r.Set(Int, 0, sample.Any); err == nil || err.Error() != "'first  ' is not a number at line 3 of file '"+name+"'" {
		t.Errorf("error %v", err)
	}
	if again, _ := rs.File("file@"+name, ACL, false, "file 'x' line 4"); again != r {
		t.Error("file@ names another collection")
	}
	if !strings.HasSuffix(r.Display(), "used by acl at file 'x' line 3, by acl at file 'x' line 4") {
		t.Errorf("display %q", r.Display())
	}
	if _, err = rs.File(name, Map, true, ""); err == nil || !strings.Contains(err.Error(), "already used as one column file") {
		t.Errorf("error %v", err)
	}
	missing := filepath.Join(t.TempDir(), "none")
	if _, err = rs.File(missing, ACL, false, ""); err == nil || err.Error() != "failed to open pattern file <"+missing+">" {
		t.Errorf("error %v", err)
	}
	for _, name := range []string{"opt@" + missing, "virt@any"} {
		if r, err := rs.File(name, ACL, false, ""); err != nil || r.Count() != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if rs.Lookup(missing) == nil || rs.Lookup("virt@any") == nil || rs.Lookup("any") != nil {
		t.Error("names of optional and virtual files")
	}
}

func TestMapFile(t *testing.T) {
	rs := new(Refs)
	r, err := rs.File(write(t, "a  1  \n#x\nb\nc two words \n"), Map, true, "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range r.Entries(0) {
		v, _ := e.Value()
		got = append(got, e.Key+"="+v)
	}
	if want := "[a=1 b= c=two words]"; fmt.Sprint(got) != want {
		t.Errorf("entries %v, want %s", got, want)
	}
	if _, err = r.Set(Str, NoDNS, sample.Int); err == nil || !strings.HasPrefix(err.Error(), "unable to parse 'two words' at line 4 of file ") {
		t.Errorf("error %v", err)
	}
}

func TestNumbers(t *testing.T) {
	rs := new(Refs)
	a, b, c := rs.Inline(-1, "a"), rs.Inline(0, "b"), rs.Inline(-1, "c")
	rs.Number()
	if a.ID() != 1 || b.ID() != 0 || c.ID() != 2 || rs.All()[0] != b || rs.LookupID(2) != c {
		t.Errorf("numbers %d %d %d", a.ID(), b.ID(), c.ID())
	}
}

func TestGenerations(t *testing.T) {
	rs := new(Refs)
	r, err := rs.File(write(t, "a 1\nb 2\n"), Map, true, "")
	if err != nil {
		t.Fatal(err)
	}
	set, err := r.Set(Str, NoDNS, sample.Int)
	if err != nil {
		t.Fatal(err)
	}
	look := func(key string) string {
		v := value(Str, key)
		if e := set.Lookup(newContext(), &v); e != nil {
			s, _ := e.Value()
			return s
		}
		return ""
	}
	three, bad := "3", "x"
	if err := r.Add(0, "c", &bad); err == nil || err.Error() != "unable to parse 'x'" {
		t.Errorf("bad value: %v", err)
	}
	if err := r.Change(r.current, "a", "7"); err != nil || look("a") != "7" {
		t.Errorf("changed: %v %q", err, look("a"))
	}
	if err := r.Change(r.current, "none", "7"); err != ErrNotFound {
		t.Errorf("missing key: %v", err)
	}
	v := r.Prepare()
	if err := r.Add(v, "c", &three); err != nil || look("c") != "" {
		t.Errorf("prepared entries are seen: %v %q", err, look("c"))
	}
	if r.Commit(v + 1) {
		t.Error("committed a version that was never prepared")
	}
	if !r.Commit(v) || look("c") != "3" || look("a") != "" {
		t.Errorf("after commit: c=%q a=%q", look("c"), look("a"))
	}
	if current, next := r.Versions(); current != v || next != v || len(r.Entries(v)) != 1 {
		t.Errorf("versions %d %d, %d entries", current, next, len(r.Entries(v)))
	}
	e := r.Find(v, "c")
	if r.ByID(e.ID()) != e || !r.DeleteEntry(e) || r.DeleteEntry(e) || look("c") != "" {
		t.Error("delete by entry")
	}
	r.Clear(v)
	if len(r.Entries(v)) != 0 {
		t.Error("not cleared")
	}
	if added, freed := rs.Counts(); added != 4 || freed != 4 {
		t.Errorf("%d patterns added, %d freed: want 4, one of which could not be read", added, freed)
	}
}

func TestLookupsDoNotAllocate(t *testing.T) {
	ctx := newContext()
	for method, text := range map[Method]string{
		Str: "www.example.com", Beg: "www.example.com", End: "www.example.com", Sub: "www.example.com",
		Dir: "/a/www", Dom: "www.example.com", Int: "40", Len: "abc", IP: "10.1.2.3", Bin: "ab",
	} {
		for _, n := range []int{2, 100} {
			ref := new(Refs).Inline(-1, "")
			set, _ := ref.Set(method, NoDNS, sample.Any)
			for i := range n {
				p := strconv.Itoa(i)
				switch method {
				case IP:
					p = "10.0.0." + p
				case Bin:
					p = fmt.Sprintf("%04x", i)
				}
				if err := ref.Append([]string{p}); err != nil {
					t.Fatal(err)
				}
			}
			m := NewMatcher(method, set)
			v := value(method, text)
			if a := testing.AllocsPerRun(100, func() {
				w := v
				m.Match(ctx, &w)
				w = v
				set.Lookup(ctx, &w)
			}); a != 0 {
				t.Errorf("%s with %d patterns: %v allocations", method, n, a)
			}
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{"1:2", "-5", "10.0.0.0/8", "::1/64", "1.0.0.1/255.0.0.255", "abc", "6162", "^a(b|c)$", "3.0-3.3", "/a/", ""} {
		f.Add(s, "abc")
	}
	f.Fuzz(func(t *testing.T, text, subject string) {
		ctx := newContext()
		for m := Found; m <= Group; m++ {
			ref := new(Refs).Inline(-1, "")
			set, err := ref.Set(m, NoDNS, sample.Any)
			if err != nil {
				t.Fatal(err)
			}
			if ref.Append([]string{text}) != nil {
				continue
			}
			ctx.Scratch.Reset()
			var v sample.Value
			v.SetConst([]byte(subject))
			matcher := NewMatcher(m, set)
			matcher.Match(ctx, &v)
		}
	})
}

func FuzzFile(f *testing.F) {
	f.Add("# x\na b\r\n\n c d e \n")
	f.Fuzz(func(t *testing.T, data string) {
		for _, valued := range []bool{false, true} {
			r := &Ref{valued: valued, tally: new(tally)}
			r.parse(data)
			for _, e := range r.Entries(0) {
				if e.Key == "" || strings.ContainsAny(e.Key, "\r\n") {
					t.Errorf("key %q", e.Key)
				}
			}
		}
	})
}

// million makes the text of a map file with a million addresses or names.
func million(ip bool) string {
	var b bytes.Buffer
	for i := range 1_000_000 {
		if ip {
			fmt.Fprintf(&b, "%d.%d.%d.%d value%d\n", 1+i>>16%200, i>>8&255, i&255, i%251, i%7)
		} else {
			fmt.Fprintf(&b, "host%d.example.com value%d\n", i, i%7)
		}
	}
	return b.String()
}

func BenchmarkLoadMillion(b *testing.B) {
	for _, method := range []Method{IP, Str} {
		data := million(method == IP)
		b.Run(method.String(), func(b *testing.B) {
			for b.Loop() {
				r := &Ref{valued: true, name: "bench", tally: new(tally)}
				r.parse(data)
				if _, err := r.Set(method, NoDNS, sample.Str); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLookupMillion(b *testing.B) {
	ctx := newContext()
	for _, method := range []Method{IP, Str} {
		r := &Ref{valued: true, name: "bench", tally: new(tally)}
		r.parse(million(method == IP))
		set, err := r.Set(method, NoDNS, sample.Str)
		if err != nil {
			b.Fatal(err)
		}
		var values []sample.Value
		for i := range 4096 {
			text := fmt.Sprintf("host%d.example.com", i*2477%1_000_000)
			if method == IP {
				text = r.gens[0].entries[i*241].Key
			}
			values = append(values, value(method, text))
		}
		b.Run(method.String(), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				v := values[i&4095]
				if i++; set.Lookup(ctx, &v) == nil {
					b.Fatal("not found")
				}
			}
		})
	}
}

func BenchmarkSubstrings(b *testing.B) {
	ctx := newContext()
	for _, n := range []int{4, 100, 10000} {
		ref := new(Refs).Inline(-1, "")
		set, _ := ref.Set(Sub, 0, sample.Any)
		var patterns []string
		for i := range n {
			patterns = append(patterns, fmt.Sprintf("bot%dx", i))
		}
		if err := ref.Append(patterns); err != nil {
			b.Fatal(err)
		}
		agent := value(Sub, "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0")
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v := agent
				set.Lookup(ctx, &v)
			}
		})
	}
}
