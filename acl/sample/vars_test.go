package sample

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestVarNames(t *testing.T) {
	names := &VarNames{}
	a, err := names.Parse("txn.a")
	if err != nil || a.Scope != TxnScope {
		t.Fatal(a, err)
	}
	if b, _ := names.Parse("sess.a"); b.ID != a.ID || b.Scope != SessScope {
		t.Error("the same name has another number in another scope")
	}
	if p, err := names.Parse("ptxn.a.b_1"); err != nil || p.Scope != ParentTxnScope || names.Name(p.ID) != "a.b_1" {
		t.Error(p, err)
	}
	for text, want := range map[string]string{
		"":        "Empty variable name cannot be accepted",
		"foo":     "invalid variable name 'foo'. A variable name must start with its scope. The scope can be 'proc', '(p)sess', '(p)txn', '(p)req', '(p)res' or 'check'",
		"txn.":    "invalid variable name 'txn.'. A variable name must start with its scope. The scope can be 'proc', '(p)sess', '(p)txn', '(p)req', '(p)res' or 'check'",
		"txn.a-b": "invalid syntax at char '-'",
	} {
		if _, err := names.Parse(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestSetConditions(t *testing.T) {
	str := func(s string) *Value { return &Value{Type: Str, Bytes: []byte(s)} }
	num := func(n int64) *Value { return &Value{Type: Int, Int: n} }
	cases := []struct {
		old, new *Value // old nil: the variable does not exist
		cond     string
		want     bool
	}{
		{nil, str("x"), "", true},
		{nil, str("x"), "ifexists", false},
		{nil, str("x"), "ifnotexists", true},
		{str("y"), str("x"), "ifnotexists", false},
		{str("y"), str("x"), "ifset", true},
		{nil, str("x"), "ifset", false},
		{nil, str("x"), "ifnotset", true},
		{str("y"), str("x"), "ifnotset", false},
		{str("y"), str(""), "ifempty", true},
		{str("y"), str("x"), "ifempty", false},
		{str("y"), num(0), "ifempty", false},
		{str("y"), str(""), "ifnotempty", false},
		{str("y"), num(0), "ifnotempty", true},
		{num(5), num(4), "ifgt", true},
		{num(5), num(5), "ifgt", false},
		{num(5), num(6), "iflt", true},
		{num(5), num(5), "iflt", false},
		{str("y"), num(5), "iflt", true},
	}
	for _, c := range cases {
		var s Vars
		if c.old != nil {
			s.Set(1, c.old, 0)
		}
		var cond SetCond
		if c.cond != "" {
			var err error
			if cond, err = ParseSetCond(c.cond); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.Set(1, c.new, cond); got != c.want {
			t.Errorf("%v := %v %s: %v", c.old, c.new, c.cond, got)
		}
	}
	if _, err := ParseSetCond("foo"); err == nil || err.Error() != `unknown condition "foo"` {
		t.Error(err)
	}
}

func TestVarLifetime(t *testing.T) {
	ctx := testContext()
	var s Vars
	text := []byte("hello")
	s.Set(1, &Value{Type: Str, Bytes: text}, 0)
	text[0] = 'j'
	var v Value
	if !s.Get(ctx, 1, &v) || string(v.Bytes) != "hello" {
		t.Errorf("a variable must not share the bytes it was given: %q", v.Bytes)
	}
	if !v.Own(ctx) {
		t.Fatal("no room")
	}
	v.Bytes[0] = 'c'
	if s.Get(ctx, 1, &v); string(v.Bytes) != "hello" {
		t.Errorf("a value must not change its variable: %q", v.Bytes)
	}
	s.Set(2, &Value{Type: Int, Int: 2}, 0)
	s.Set(3, &Value{Type: Int, Int: 3}, 0)
	s.Unset(1)
	if s.Get(ctx, 1, &v) || s.Len() != 2 || !s.Get(ctx, 3, &v) || v.Int != 3 {
		t.Error("unset took the wrong variable")
	}
	s.Reset()
	if s.Len() != 0 {
		t.Error("reset left something")
	}
	s.Declare(9)
	s.Set(9, &Value{Type: Int, Int: 1}, 0)
	s.Unset(9)
	if !s.Exists(9) || s.Get(ctx, 9, &v) {
		t.Error("a declared variable stays, without a value")
	}
}

func TestVarLimits(t *testing.T) {
	limits := &VarLimits{Global: 10 * varSize, Txn: 2*varSize + 100}
	proc := NewProcVars(limits)
	var sess, txn, req Vars
	sess.Init(SessScope, limits, proc)
	txn.Init(TxnScope, limits, &sess)
	req.Init(ReqScope, limits, &txn)
	long := &Value{Type: Str, Bytes: []byte(strings.Repeat("x", 200))}
	short := &Value{Type: Str, Bytes: []byte(strings.Repeat("x", 60))}
	if txn.Set(1, long, 0) {
		t.Error("set beyond the limit of the transaction")
	}
	var v Value
	if !txn.Get(testContext(), 1, &v) || v.Type != Bool {
		t.Errorf("what found no room is left as a boolean: %v", v)
	}
	if !req.Set(1, short, 0) || req.Set(1, long, 0) || req.Set(2, short, 0) {
		t.Error("what a request holds counts for its transaction")
	}
	if !sess.Set(1, long, 0) {
		t.Error("the session has a limit of its own")
	}
	before := proc.size.Load()
	req.Reset()
	txn.Reset()
	sess.Reset()
	if before == 0 || proc.size.Load() != 0 {
		t.Errorf("%d bytes before and %d after all was reset", before, proc.size.Load())
	}
}

func TestProcVarsAreShared(t *testing.T) {
	proc := NewProcVars(nil)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			ctx := testContext()
			var v Value
			for n := range 1000 {
				text := strings.Repeat(fmt.Sprint(i), 1+n%50)
				proc.Set(1, &Value{Type: Str, Bytes: []byte(text)}, 0)
				if proc.Get(ctx, 1, &v) && strings.Trim(string(v.Bytes), string(v.Bytes[:1])) != "" {
					t.Errorf("torn value %q", v.Bytes)
				}
				ctx.Scratch.Reset()
			}
		})
	}
	wg.Wait()
}
