package lua54

import (
	"strings"
	"testing"
)

func open(t *testing.T, most int) State {
	w := New(most)
	if w == nil {
		t.Fatal("no state")
	}
	t.Cleanup(w.Close)
	s := w.Main()
	s.OpenLibs(func(string) bool { return true })
	return s
}

func run(s State, text string) (result string, st Status) {
	if st = s.Load(text, "=text"); st == OK {
		st = s.Call(0, 1)
	}
	result = s.Display(-1)
	s.Pop(1)
	return result, st
}

func TestLanguage(t *testing.T) {
	s := open(t, 0)
	for _, c := range []struct {
		text, want string
		st         Status
	}{
		{"return 10 // 3 << 2 | 1", "13", OK},
		{"return 10 / 2", "5.0", OK},
		{"return ('%d:%s'):format(3, 'x')", "3:x", OK},
		{"return #string.pack('>I4', 7) .. utf8.char(228)", "4ä", OK},
		{"goto done do return 1 end ::done:: return 2", "2", OK},
		{"local t <const> = setmetatable({}, {__index = function(_, k) return k end}) return t.x", "x", OK},
		{"return nil + 1", "text:1: attempt to perform arithmetic on a nil value", RunError},
		{"return x.y", "text:1: attempt to index a nil value (global 'x')", RunError},
		{"error({})", "table", RunError},
		{"return (", "text:1: unexpected symbol near <eof>", SyntaxError},
		{"return select(2, pcall(error, 'e', 0))", "e", OK},
		{"local function f() return f() end", "nil", OK},
		{"local function f() return 1 + f() end f()", "text:1: stack overflow", RunError},
	} {
		got, st := run(s, c.text)
		if st != c.st || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, %d", c.text, got, st)
		}
	}
}

func TestFunctionsOfGo(t *testing.T) {
	s := open(t, 0)
	type thing struct{ n int }
	s.PushGo(func(s State) int {
		s.PushObject(&thing{7})
		return 1
	})
	s.SetGlobal("make")
	s.PushGo(func(s State) int {
		o, ok := s.Object(1).(*thing)
		if !ok {
			return s.Errorf("no thing")
		}
		s.PushInt(int64(o.n))
		return 1
	})
	s.SetGlobal("look")
	if got, _ := run(s, "local o = make() collectgarbage() return look(o)"); got != "7" {
		t.Error(got)
	}
	if got, st := run(s, "return look(1)"); st != RunError || got != "text:1: no thing" {
		t.Error(got, st)
	}
	run(s, "for i = 1, 1000 do make() end collectgarbage() collectgarbage()")
	if n := len(s.w.objects.all); n > 1002 {
		t.Error("objects are kept:", n)
	}
	if fault, ok := s.Protect(func() { s.PushString("bad"); s.Raise() }); ok || fault != "bad" {
		t.Error(fault, ok)
	}
}

func TestYield(t *testing.T) {
	s := open(t, 0)
	s.PushGo(func(s State) int {
		return s.Yield(0, func(s State) int {
			s.PushString("later")
			return 1
		})
	})
	s.SetGlobal("wait")
	co := s.NewThread()
	if co.Load("local a = pcall(error) return select(2, pcall(function() return wait() .. wait() end))", "=co") != OK {
		t.Fatal(co.Display(-1))
	}
	var st Status
	n := 0
	for ; ; n++ {
		if st, _ = co.Resume(s, 0); st != Yielded {
			break
		}
	}
	if st != OK || n != 2 || co.Str(-1) != "laterlater" {
		t.Error(st, n, co.Display(-1))
	}
}

func TestHook(t *testing.T) {
	s := open(t, 0)
	co := s.NewThread()
	co.Load("while true do end", "=co")
	co.Hook(1000, State.YieldHook)
	for range 5 {
		if st, _ := co.Resume(s, 0); st != Yielded {
			t.Fatal(st, co.Display(-1))
		}
	}
}

func TestMemory(t *testing.T) {
	s := open(t, 1<<20)
	got, st := run(s, "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end")
	if st != MemoryError || got != "not enough memory" {
		t.Error(got, st)
	}
	s.w.Collect()
	if got, st := run(s, "return 1"); st != OK {
		t.Error(got)
	}
}

// FuzzLoad: no text may do more harm than an error.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{"return 1", "x = {1, 2; a = 'b'}", "goto a ::a::", "local <close>", "\x1bLua", "for i = 1, 3 do break end", "return [==[ ]==]", "#!\nreturn"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.HasPrefix(text, "\x1b") {
			return // what is compiled already is trusted, as by Lua itself
		}
		w := New(8 << 20)
		defer w.Close()
		s := w.Main()
		s.Load(text, "=fuzz")
	})
}
