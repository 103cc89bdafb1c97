package sample

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
)

// Scope is the store that a variable lives in (configuration manual, 2.8).
type Scope uint8

const (
	ProcScope Scope = iota // the process, shared by all loops
	SessScope
	TxnScope
	ReqScope
	ResScope
	CheckScope
	ParentSessScope // those of the parent stream can only be read
	ParentTxnScope
	ParentReqScope
	ParentResScope
	Scopes
)

var scopePrefixes = [Scopes]string{"proc.", "sess.", "txn.", "req.", "res.", "check.", "psess.", "ptxn.", "preq.", "pres."}

// String is the prefix of the scope without its dot.
func (s Scope) String() string { return strings.TrimSuffix(scopePrefixes[s], ".") }

// Var names a variable: one number per name, so that nothing compares strings at run time.
type Var struct {
	ID    uint32 // of the name without its scope
	Scope Scope
}

// VarNames numbers the names of variables. One serves the whole process: configuration, runtime API and
// agents. Numbers are never taken back.
type VarNames struct {
	mu    sync.RWMutex
	ids   map[string]uint32
	names []string
}

// Name is the name of a variable without its scope.
func (n *VarNames) Name(id uint32) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.names[id]
}

// Parse reads "scope.name" and numbers the name.
func (n *VarNames) Parse(text string) (Var, error) {
	scope, name, err := splitVar(text)
	if err != nil {
		return Var{}, err
	}
	n.mu.RLock()
	id, known := n.ids[name]
	n.mu.RUnlock()
	if known {
		return Var{ID: id, Scope: scope}, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if id, known = n.ids[name]; !known {
		if n.ids == nil {
			n.ids = make(map[string]uint32)
		}
		id = uint32(len(n.names))
		name = strings.Clone(name)
		n.ids[name] = id
		n.names = append(n.names, name)
	}
	return Var{ID: id, Scope: scope}, nil
}

func splitVar(text string) (Scope, string, error) {
	if text == "" {
		return 0, "", fmt.Errorf("Empty variable name cannot be accepted")
	}
	for s, prefix := range scopePrefixes {
		name, ok := strings.CutPrefix(text, prefix)
		if !ok || name == "" {
			continue
		}
		for i := 0; i < len(name); i++ {
			if c := name[i]; !isAlnum(c) && c != '_' && c != '.' {
				return 0, "", fmt.Errorf("invalid syntax at char '%c'", c)
			}
		}
		return Scope(s), name, nil
	}
	return 0, "", fmt.Errorf("invalid variable name '%s'. A variable name must start with its scope. "+
		"The scope can be 'proc', '(p)sess', '(p)txn', '(p)req', '(p)res' or 'check'", text)
}

// SetCond is a set of conditions under which set-var takes effect; all must hold.
type SetCond uint8

const (
	IfExists SetCond = 1 << iota
	IfNotExists
	IfEmpty    // the new value is empty
	IfNotEmpty // the new value is not empty
	IfSet      // the variable has a value
	IfNotSet   // the variable has none
	IfGreater  // the old integer is greater than the new one
	IfLess     // the old integer is less than the new one
)

var setConds = [...]string{"ifexists", "ifnotexists", "ifempty", "ifnotempty", "ifset", "ifnotset", "ifgt", "iflt"}

// ParseSetCond reads one condition of set-var.
func ParseSetCond(word string) (SetCond, error) {
	for bit, name := range setConds {
		if word == name {
			return 1 << bit, nil
		}
	}
	return 0, fmt.Errorf("unknown condition \"%s\"", word)
}

// VarLimits bounds the memory of variables in bytes (tune.vars.*-max-size). 0 is no limit. The scopes
// nest: what a request holds counts for its transaction, its session and the process too.
type VarLimits struct{ Global, Proc, Sess, Txn, ReqRes, Check int64 }

func (l *VarLimits) of(s Scope) int64 {
	switch s {
	case ProcScope:
		if l.Global > 0 && (l.Proc == 0 || l.Global < l.Proc) {
			return l.Global
		}
		return l.Proc
	case SessScope:
		return l.Sess
	case TxnScope:
		return l.Txn
	case CheckScope:
		return l.Check
	}
	return l.ReqRes
}

// varSize is what a variable counts for beside its bytes, as the limits have always been computed.
const varSize = 88

// variable is one entry of a store. buf is kept over changes and resets, so that the variables of one
// stream after the other take no memory.
type variable struct {
	id   uint32
	typ  Type // Any: exists without a value
	keep bool // named in the configuration: unset leaves it there without a value
	num  int64
	ip   netip.Addr
	buf  []byte
}

// Vars is the store of one scope. All but that of the process belong to one loop. The zero Vars is an
// empty store without limits.
type Vars struct {
	set    []variable
	limits *VarLimits
	outer  *Vars

	// size is what the store and those inside it hold in bytes, below 4 GB as all limits, and counted
	// only under one. The process's is changed by all loops.
	size  atomic.Uint32
	scope Scope

	mu *sync.RWMutex // of the process's store, nil for all others
}

// NewProcVars makes the store of the process.
func NewProcVars(limits *VarLimits) *Vars {
	p := &Vars{mu: new(sync.RWMutex)}
	p.Init(ProcScope, limits, nil)
	return p
}

// Init prepares a store. outer is the next larger one (request or response -> transaction -> session
// -> process; check -> process), limits may be nil.
func (s *Vars) Init(scope Scope, limits *VarLimits, outer *Vars) {
	s.scope, s.outer = scope, outer
	s.limits = nil
	if limits != nil && *limits != (VarLimits{}) {
		s.limits = limits
	}
}

// Limit puts limits in force that were not known when the store was prepared.
func (s *Vars) Limit(limits *VarLimits) {
	s.lock()
	defer s.unlock()
	s.limits = nil
	s.size.Store(0)
	if *limits == (VarLimits{}) {
		return
	}
	s.limits = limits
	for i := range s.set {
		s.size.Add(uint32(varSize + s.set[i].bytes()))
	}
}

// Reset empties the store for its next owner. Memory is kept.
func (s *Vars) Reset() {
	if len(s.set) == 0 {
		return
	}
	if s.limits != nil {
		var n int64
		for i := range s.set {
			n += varSize + s.set[i].bytes()
		}
		s.pay(-n)
	}
	s.set = s.set[:0]
}

// Len is the number of variables in the store, those without a value included.
func (s *Vars) Len() int {
	s.rlock()
	defer s.runlock()
	return len(s.set)
}

func (s *Vars) rlock() {
	if s.mu != nil {
		s.mu.RLock()
	}
}

func (s *Vars) runlock() {
	if s.mu != nil {
		s.mu.RUnlock()
	}
}

func (s *Vars) lock() {
	if s.mu != nil {
		s.mu.Lock()
	}
}

func (s *Vars) unlock() {
	if s.mu != nil {
		s.mu.Unlock()
	}
}

func (x *variable) bytes() int64 {
	switch x.typ {
	case Str, Bin, Meth:
		return int64(len(x.buf))
	}
	return 0
}

func (s *Vars) pay(n int64) {
	for o := s; o != nil; o = o.outer {
		o.size.Add(uint32(n))
	}
}

// afford takes n bytes from the store and all outer ones, or reports that one of them has no room.
func (s *Vars) afford(n int64) bool {
	if s.limits == nil {
		return true
	}
	for o := s; o != nil; o = o.outer {
		if most := s.limits.of(o.scope); most > 0 && int64(o.size.Load())+n > most {
			return false
		}
	}
	s.pay(n)
	return true
}

func (s *Vars) find(id uint32) *variable {
	for i := range s.set {
		if s.set[i].id == id {
			return &s.set[i]
		}
	}
	return nil
}

// add makes an entry without a value; a left over one lends its buffer.
func (s *Vars) add(id uint32) *variable {
	if n := len(s.set); n < cap(s.set) {
		s.set = s.set[:n+1]
	} else {
		s.set = append(s.set, variable{})
	}
	x := &s.set[len(s.set)-1]
	x.id, x.typ, x.keep = id, Any, false
	return x
}

// Declare makes the variable known without giving it a value: those of the process that the
// configuration names exist from the start.
func (s *Vars) Declare(id uint32) bool {
	s.lock()
	defer s.unlock()
	if s.find(id) != nil {
		return true
	}
	if !s.afford(varSize) {
		return false
	}
	s.add(id).keep = true
	return true
}

// Exists tells whether the variable is known, with or without a value.
func (s *Vars) Exists(id uint32) bool {
	s.rlock()
	defer s.runlock()
	return s.find(id) != nil
}

// Get fills out with the variable's value and reports whether it has one. The bytes of a variable of
// the process are copied to the scratch buffer; others are shared and valid until the variable changes.
func (s *Vars) Get(ctx *Context, id uint32, out *Value) bool {
	s.rlock()
	defer s.runlock()
	x := s.find(id)
	if x == nil || x.typ == Any {
		return false
	}
	out.Type = x.typ
	out.Flags &^= Const
	switch x.typ {
	case IPv4, IPv6:
		out.IP = x.ip
	case Str, Bin, Meth:
		out.Int = x.num
		out.Bytes = x.buf
		out.Flags |= Const
		if s.mu != nil {
			return out.Own(ctx)
		}
	default:
		out.Int = x.num
	}
	return true
}

// Set gives the variable a copy of the value, under conditions, and reports whether it did. When the
// bytes find no room under a limit the variable is left as a boolean.
func (s *Vars) Set(id uint32, v *Value, cond SetCond) bool {
	s.lock()
	defer s.unlock()
	x := s.find(id)
	switch {
	case x != nil && cond&IfNotExists != 0:
		return false
	case x == nil && cond&IfExists != 0:
		return false
	case x == nil:
		if !s.afford(varSize) {
			return false
		}
		x = s.add(id)
	}
	if cond&IfSet != 0 && x.typ == Any || cond&IfNotSet != 0 && x.typ != Any {
		return false
	}
	switch v.Type {
	case Str, Bin:
		if cond&IfNotEmpty != 0 && len(v.Bytes) == 0 || cond&IfEmpty != 0 && len(v.Bytes) > 0 {
			return false
		}
		return s.store(x, v)
	case Any:
		return true
	}
	if cond&IfEmpty != 0 {
		return false
	}
	switch v.Type {
	case Int:
		if x.typ == Int && (cond&IfGreater != 0 && x.num <= v.Int || cond&IfLess != 0 && x.num >= v.Int) {
			return false
		}
	case Meth:
		return s.store(x, v)
	}
	if s.limits != nil {
		s.pay(-x.bytes())
	}
	x.typ, x.num, x.ip = v.Type, v.Int, v.IP
	return true
}

func (s *Vars) store(x *variable, v *Value) bool {
	if s.limits != nil {
		s.pay(-x.bytes())
	}
	if !s.afford(int64(len(v.Bytes))) {
		x.typ = Bool
		return false
	}
	x.typ, x.num = v.Type, v.Int
	x.buf = append(x.buf[:0], v.Bytes...)
	return true
}

// Unset takes the variable's value away, and the variable too unless the configuration declares it.
func (s *Vars) Unset(id uint32) {
	s.lock()
	defer s.unlock()
	x := s.find(id)
	if x == nil {
		return
	}
	n := x.bytes()
	x.typ = Any
	if !x.keep {
		n += varSize
		last := len(s.set) - 1
		*x, s.set[last] = s.set[last], *x
		s.set = s.set[:last]
	}
	if s.limits != nil {
		s.pay(-n)
	}
}

// Each calls visit for every variable of the store, until it returns false; one without a value is of type Any. v is
// reused from one to the next and its bytes belong to the store.
func (s *Vars) Each(visit func(id uint32, v *Value) bool) {
	s.rlock()
	defer s.runlock()
	var v Value
	for i := range s.set {
		x := &s.set[i]
		v = Value{Type: x.typ, Int: x.num, IP: x.ip, Flags: Const}
		if x.bytes() > 0 {
			v.Bytes = x.buf
		}
		if !visit(x.id, &v) {
			return
		}
	}
}

// GetVar fills out with the variable's value at this point of the evaluation.
func (ctx *Context) GetVar(v Var, out *Value) bool {
	s := ctx.Vars[v.Scope]
	return s != nil && s.Get(ctx, v.ID, out)
}

// SetVar stores a copy of the value. Variables of a parent stream cannot be set.
func (ctx *Context) SetVar(v Var, val *Value, cond SetCond) bool {
	if v.Scope >= ParentSessScope {
		return false
	}
	s := ctx.Vars[v.Scope]
	return s != nil && s.Set(v.ID, val, cond)
}

// UnsetVar takes a variable's value away and reports whether its scope exists here.
func (ctx *Context) UnsetVar(v Var) bool {
	if v.Scope >= ParentSessScope || ctx.Vars[v.Scope] == nil {
		return false
	}
	ctx.Vars[v.Scope].Unset(v.ID)
	return true
}

// GetVarInt is the variable as an integer, 0 and false when it has none that can be cast.
func (ctx *Context) GetVarInt(v Var) (int64, bool) {
	var val Value
	if !ctx.GetVar(v, &val) || !Cast(ctx, &val, Int) {
		return 0, false
	}
	return val.Int, true
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// ReadInt reads the decimal number at the start of b, with an optional sign, and tells how many bytes
// it took. Out of range it gives the nearest number.
func ReadInt[T ~string | ~[]byte](b T) (n int64, taken int) {
	i, neg := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		i = 1
	}
	var u uint64
	over := false
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		d := uint64(b[i] - '0')
		if over || u > (math.MaxUint64-d)/10 {
			over = true
			continue
		}
		u = u*10 + d
	}
	switch {
	case neg && (over || u > 1<<63):
		return math.MinInt64, i
	case neg:
		return -int64(u), i
	case over || u > math.MaxInt64:
		return math.MaxInt64, i
	}
	return int64(u), i
}
