package lua

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"hapax/acl/sample"
	"hapax/runtime/lua/lua54"
)

// dataFunctions are those of "core" that need nothing of the program.
func dataFunctions() []method {
	return []method{
		{"now", func(c call) int {
			now := time.Now()
			c.NewTable()
			c.PushInt(now.Unix())
			c.SetField(-2, "sec")
			c.PushInt(int64(now.Nanosecond() / 1000))
			c.SetField(-2, "usec")
			return 1
		}},
		{"http_date", date(http.TimeFormat, "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC)},
		{"imf_date", date(http.TimeFormat)},
		{"rfc850_date", date("Monday, 02-Jan-06 15:04:05 GMT")},
		{"asctime_date", date(time.ANSIC)},
		{"tokenize", tokenize},
		{"concat", func(c call) int { c.object("Concat", new(strings.Builder)); return 1 }},
		{"queue", func(c call) int { c.object("Queue", new(line)); return 1 }},
		{"parse_addr", func(c call) int {
			if p, ok := network(c.CheckString(1)); ok {
				c.PushObject(p)
			} else {
				c.PushNil()
			}
			return 1
		}},
		{"match_addr", func(c call) int {
			c.wants(2, "match_addr")
			a, one := c.Object(1).(netip.Prefix)
			b, two := c.Object(2).(netip.Prefix)
			c.PushBool(one && two && a.Addr().BitLen() == b.Addr().BitLen() && within(a, b.Bits()) == within(b, a.Bits()))
			return 1
		}},
		{"get_info", information},
	}
}

// date reads a date in one of some formats, as seconds since 1970.
func date(formats ...string) func(c call) int {
	return func(c call) int {
		text := c.CheckString(1)
		for _, f := range formats {
			if t, err := time.Parse(f, text); err == nil {
				c.PushInt(t.Unix())
				return 1
			}
		}
		c.PushNil()
		return 1
	}
}

// tokenize cuts a text at each of some bytes, up to its first zero byte.
func tokenize(c call) int {
	text, _, _ := strings.Cut(c.CheckString(1), "\x00")
	seps, _, _ := strings.Cut(c.CheckString(2), "\x00")
	if c.Top() == 3 && c.Type(3) != lua54.TypeBool {
		return c.ArgError(3, "boolean expected, got "+c.typeName(3))
	}
	packed := c.Top() == 3 && c.Bool(3)
	c.NewTable()
	n := 0
	put := func(token string) {
		if token != "" || !packed {
			n++
			c.PushString(token)
			c.RawSetInt(-2, n)
		}
	}
	from := 0
	for i := range len(text) {
		if strings.IndexByte(seps, text[i]) >= 0 {
			put(text[from:i])
			from = i + 1
		}
	}
	put(text[from:])
	return 1
}

// network reads an address, with a length of its prefix or a mask.
func network(text string) (netip.Prefix, bool) {
	host, mask, masked := strings.Cut(text, "/")
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return netip.Prefix{}, false
	}
	if !masked {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(a.String() + "/" + mask)
	return p, err == nil
}

// within is the first address of a network of so many bits that the address of p is in.
func within(p netip.Prefix, bits int) netip.Addr {
	return netip.PrefixFrom(p.Addr(), bits).Masked().Addr()
}

func concatMethods() []method {
	return []method{
		{"add", func(c call) int {
			b := self[*strings.Builder](c, 1, "Concat")
			b.WriteString(c.CheckString(2))
			return 0
		}},
		{"dump", func(c call) int {
			c.wants(1, "dump")
			c.PushString(self[*strings.Builder](c, 1, "Concat").String())
			return 1
		}},
	}
}

// line is a queue of values of a state, which tasks may wait at.
type line struct {
	mu     sync.Mutex // of waits and alarms: who is told is on any goroutine
	items  []int      // references
	waits  []func()
	alarms []*alarm
}

func (q *line) wait(tell func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waits = append(q.waits, tell)
}

func (q *line) tell() {
	q.mu.Lock()
	waits, alarms := q.waits, q.alarms
	q.waits, q.alarms = nil, nil
	q.mu.Unlock()
	for _, tell := range waits {
		tell()
	}
	for _, a := range alarms {
		a.ring()
	}
}

// arm has an alarm ring at the next value.
func (q *line) arm(a *alarm) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !slices.Contains(q.alarms, a) {
		q.alarms = append(q.alarms, a)
	}
}

// alarm ends the next `core.wait` of a thread, or the one that it is in.
type alarm struct {
	mu   sync.Mutex
	rung bool   // while nobody waited
	tell func() // who waits
}

func (a *alarm) ring() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tell == nil {
		a.rung = true
		return
	}
	a.tell()
	a.tell = nil
}

// begin is that of a pause.
func (a *alarm) begin(tell func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rung {
		a.rung = false
		tell()
		return
	}
	a.tell = tell
}

// pop pushes the first value, nil when there is none.
func (q *line) pop(c call) bool {
	if len(q.items) == 0 {
		c.PushNil()
		return false
	}
	c.PushRef(q.items[0])
	c.Unref(q.items[0])
	q.items = q.items[1:]
	return true
}

func queueMethods() []method {
	return []method{
		{"size", func(c call) int {
			c.PushInt(int64(len(self[*line](c, 1, "Queue").items)))
			return 1
		}},
		{"push", func(c call) int {
			q := self[*line](c, 1, "Queue")
			if c.Top() != 2 || c.Type(2) == lua54.TypeNil {
				return c.ArgError(2, "unexpected argument: item cannot be nil")
			}
			c.Copy(2)
			q.items = append(q.items, c.Ref())
			q.tell()
			c.PushBool(true)
			return 1
		}},
		{"pop", func(c call) int { self[*line](c, 1, "Queue").pop(c); return 1 }},
		{"pop_wait", func(c call) int { return self[*line](c, 1, "Queue").popWait(c) }},
		{"alarm", func(c call) int {
			q := self[*line](c, 1, "Queue")
			t := c.thread()
			if t == nil || !t.mayWait {
				return c.Errorf("alarm() may only be used within task context (requires yielding)")
			}
			if t.alarm == nil {
				t.alarm = new(alarm)
			}
			q.arm(t.alarm)
			return 0
		}},
	}
}

// popWait waits for a value.
func (q *line) popWait(c call) int {
	if q.pop(c) {
		return 1
	}
	c.Pop(1)
	return c.wait(pause{begin: q.wait}, q.popWait)
}

// declareRegex makes the class Regex.
func (st *state) declareRegex() {
	s := st.main
	s.NewTable()
	st.push(s, func(c call) int {
		re, err := sample.CompileRegex(c.CheckString(1), !(c.Type(2) != lua54.TypeBool || c.Bool(2)))
		if err != nil {
			c.PushBool(false)
			c.PushString(err.Error())
			return 2
		}
		c.PushBool(true)
		c.object("Regex", re)
		return 2
	})
	s.SetField(-2, "new")
	st.class("Regex", []method{
		{"exec", func(c call) int {
			re := self[*sample.Regex](c, 1, "Regex")
			c.PushBool(re.Match([]byte(c.CheckString(2))))
			return 1
		}},
		{"match", func(c call) int {
			re := self[*sample.Regex](c, 1, "Regex")
			text := []byte(c.CheckString(2))
			var g sample.Groups
			if !re.Find(text, true, &g) {
				c.PushBool(false)
				return 1
			}
			c.PushBool(true)
			c.NewTable()
			for i := 0; i < sample.MaxGroups && g[2*i] >= 0; i++ {
				c.PushBytes(text[g[2*i]:g[2*i+1]])
				c.RawSetInt(-2, i+1)
			}
			return 2
		}},
	})
	s.PushRef(st.classes["Regex"])
	s.SetMetatable(-2)
	s.SetGlobal("Regex")
}
