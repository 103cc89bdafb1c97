package sticktable

import (
	"fmt"
	"strings"
	"time"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/sticktable/table"
)

// Declared is a stick table as it is declared. Section 11.1 of the manual.
type Declared struct {
	*table.Table
	Owner string // what declares it, as messages name it: "frontend 'f'"
	Pos   ast.Pos

	Peers   string         // the section whose processes have it too
	Of      *runtime.Proxy // where it is declared; nil: in the peers section
	writeTo string         // another table
}

// declarations are the tables in the order of the files.
type declarations struct{ all []*Declared }

func declared(l *config.Loader, name string) *Declared {
	for _, d := range config.State[declarations](l).all {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// All are the tables in the order of the files.
func All(l *config.Loader) []*Declared { return config.State[declarations](l).all }

// keyTypes are the types of keys and how many bytes they have at most, which may be
// given for texts.
var keyTypes = []struct {
	name string
	t    sample.Type
	size int
	free bool
}{
	{"integer", sample.Int, 4, false}, {"ip", sample.IPv4, 4, false}, {"ipv4", sample.IPv4, 4, false}, {"ipv6", sample.IPv6, 16, false},
	{"string", sample.Str, 32, true}, {"binary", sample.Bin, 32, true},
}

// TypeName is what commands and messages call the type of a table's keys.
func TypeName(t *table.Table) string {
	for _, k := range keyTypes {
		if k.t == t.Type {
			return k.name
		}
	}
	return ""
}

// mostElements is how many elements an array may have.
const mostElements = 100

// tableArgs describe the arguments of "stick-table" and of "table" in a peers section.
var tableArgs = []keyword.Arg{
	{Name: "type", Type: keyword.Enum, Joined: true, Enum: []string{"integer", "ip", "ipv6", "string", "binary"}, Doc: "string and binary may have `len <n>` behind them"},
	{Name: "size", Type: keyword.Size, Joined: true, Doc: "most entries"},
	{Name: "expire", Type: keyword.Time, Joined: true, Opt: true},
	{Name: "nopurge", Type: keyword.Flag, Opt: true},
	{Name: "peers", Type: keyword.Name, Joined: true, Opt: true, Doc: "the section of the processes that have the table too"},
	{Name: "srvkey", Type: keyword.Enum, Enum: []string{"addr", "name"}, Joined: true, Opt: true},
	{Name: "write-to", Type: keyword.StickTable, Joined: true, Opt: true, Doc: "what comes from peers goes there too, as far as it is not counted"},
	{Name: "recv-only", Type: keyword.Flag, Opt: true},
	{Name: "brates-factor", Type: keyword.Int, Joined: true, Opt: true},
	{Name: "store", Type: keyword.Opaque, Joined: true, Opt: true, Many: true, Doc: "types of data, separated by commas"},
}

// Declare reads the arguments of a table from word at on and makes the table known. of is the proxy that declares it; nil:
// the line stands in a peers section, where no other one is named.
func Declare(l *config.Loader, line *ast.Line, at int, name, shown, owner string, of *runtime.Proxy) *Declared {
	if other := declared(l, name); other != nil {
		l.Alert(line.Pos, "stick-table name '%s' conflicts with table declared in %s at %s:%d.", shown, other.Owner, other.Pos.File, other.Pos.Line)
		return nil
	}
	d := &Declared{Table: table.New(name), Owner: owner, Pos: line.Pos, Of: of}
	r := tableReader{l, line, d, config.NewWords(line, at)}
	for !r.w.Done() {
		if err := r.argument(of == nil); err != nil {
			if _, quoted := err.(quotedElsewhere); !quoted {
				l.Alert(line.Pos, "%s: %s", line.Arg(0), err)
			}
			return nil
		}
	}
	switch {
	case d.Size == 0:
		l.Alert(line.Pos, "%s: missing size.", line.Arg(0))
		return nil
	case d.Type == sample.Any:
		l.Alert(line.Pos, "%s: missing type.", line.Arg(0))
		return nil
	}
	l.AddTable(d.Table)
	all := config.State[declarations](l)
	all.all = append(all.all, d)
	return d
}

// quotedElsewhere is a mistake that was reported where it was found.
type quotedElsewhere struct{ error }

// tableReader reads the arguments of a table.
type tableReader struct {
	l    *config.Loader
	line *ast.Line
	t    *Declared
	w    config.Words
}

func (r *tableReader) argument(inPeers bool) (err error) {
	switch word := r.w.Take(); {
	case word == "size":
		return r.sized(word, &r.t.Size)
	case word == "peers" && !inPeers:
		r.t.Peers, err = r.value(word)
		return err
	case word == "expire":
		return r.expire(word)
	case word == "nopurge":
		r.t.NoPurge = true
	case word == "recv-only":
		r.t.RecvOnly = true
	case word == "type":
		return r.keyType()
	case word == "store":
		return r.store(r.w.Take())
	case word == "srvkey":
		key := r.w.Take()
		if key != "name" && key != "addr" {
			return r.spaced("unknown server key type '%s'.", key)
		}
		r.t.ByAddr = key == "addr"
	case word == "write-to":
		if r.t.writeTo = r.w.Take(); r.t.writeTo == "" {
			return r.spaced("write-to requires table name.")
		}
	case word == "brates-factor":
		if err := r.sized(word, &r.t.BytesFactor); err != nil {
			return err
		}
		if r.t.BytesFactor == 0 || r.t.BytesFactor > 1024 {
			return fmt.Errorf("argument '%s' must be greater than 0 and lower or equal than 1024.", word)
		}
	default:
		return fmt.Errorf("unknown argument '%s'.", word)
	}
	return nil
}

// spaced reports a mistake with a space in front of the second colon, as some are.
func (r *tableReader) spaced(format string, args ...any) error {
	r.l.Alert(r.line.Pos, "%s : %s", r.line.Arg(0), fmt.Sprintf(format, args...))
	return quotedElsewhere{}
}

func (r *tableReader) value(word string) (string, error) {
	value := r.w.Take()
	if value == "" {
		return "", fmt.Errorf("missing argument after '%s'.", word)
	}
	return value, nil
}

func (r *tableReader) sized(word string, to *uint32) error {
	value, err := r.value(word)
	if err != nil {
		return err
	}
	n, bad, ok := units.Size(value)
	if !ok {
		return unexpected(bad, word)
	}
	*to = n
	return nil
}

// unexpected words the first character that does not belong into an argument; there may
// be none, which cuts the message short.
func unexpected(bad, word string) error {
	if bad == "" {
		return fmt.Errorf("unexpected character '\x00")
	}
	return fmt.Errorf("unexpected character '%c' in argument of '%s'.", bad[0], word)
}

func (r *tableReader) expire(word string) error {
	value, err := r.value(word)
	if err != nil {
		return err
	}
	d, fault := r.l.Time(value, time.Millisecond)
	switch {
	case fault == nil:
		r.t.Expire = uint32(d.Milliseconds())
		return nil
	case fault.Over:
		r.l.AlertTight(r.line.Pos, "%s: timer overflow in argument <%s> to <%s>, maximum value is 2147483647 ms (~24.8 days).", r.line.Arg(0), value, word)
	case fault.Under:
		r.l.AlertTight(r.line.Pos, "%s: timer underflow in argument <%s> to <%s>, minimum non-null value is 1 ms.", r.line.Arg(0), value, word)
	default:
		return fmt.Errorf("unexpected character '%c' in argument of '%s'.", fault.Char, word)
	}
	return quotedElsewhere{}
}

func (r *tableReader) keyType() error {
	word := r.w.Take()
	for _, k := range keyTypes {
		if k.name != word {
			continue
		}
		r.t.Type, r.t.KeySize = k.t, k.size
		if k.free && r.w.TakeIf("len") {
			n, rest := config.Strtol(r.w.Take(), 10)
			if rest != "" || n == 0 {
				r.l.Alert(r.line.Pos, "'len' expects a positive integer argument.")
				return quotedElsewhere{}
			}
			if r.t.KeySize = int(n); k.t == sample.Str {
				r.t.KeySize++ // for the byte that ends it
			}
		}
		return nil
	}
	return fmt.Errorf("unknown type '%s'.", word)
}

// store reads a list of types of data: `gpc0,http_req_rate(10s),gpc_rate(2,10s)`.
func (r *tableReader) store(list string) error {
	for list != "" {
		name := list
		var args []string
		if end := strings.IndexAny(list, "(,"); end < 0 {
			list = ""
		} else if list[end] == ',' {
			name, list = list[:end], list[end+1:]
		} else {
			name = list[:end]
			inner, rest, closed := strings.Cut(list[end+1:], ")")
			if !closed {
				return fmt.Errorf("missing closing parenthesis after store option '%s'.", name)
			}
			args = strings.Split(inner, ",")
			_, list, _ = strings.Cut(rest, ",")
		}
		if err := r.storeOne(name, args); err != nil {
			return err
		}
	}
	return r.exclusive()
}

func (r *tableReader) storeOne(name string, args []string) error {
	d, known := table.DataByName(name)
	if !known {
		return fmt.Errorf("unknown store option '%s'.", name)
	}
	if r.t.Stores(d) {
		r.l.WarnTight(r.line.Pos, "%s: store option '%s' already enabled, ignored.", r.line.Arg(0), name)
		return nil
	}
	elements, period := 1, time.Duration(0)
	if d.Array() {
		if len(args) == 0 {
			return fmt.Errorf("missing argument to store option '%s'.", name)
		}
		if elements = config.Atol(args[0]); elements <= 0 || elements > mostElements {
			return fmt.Errorf("array size is out of allowed range (1-%d) for store option '%s'.", mostElements, name)
		}
		args = args[1:]
	}
	switch {
	case d.Rate() && len(args) == 0:
		return fmt.Errorf("missing argument to store option '%s'.", name)
	case d.Rate():
		var fault *units.TimeFault
		if period, fault = r.l.Time(args[len(args)-1], time.Millisecond); fault != nil {
			return fmt.Errorf("error when processing store option '%s'.", name)
		}
	case len(args) > 0:
		return fmt.Errorf("unexpected argument to store option '%s'.", name)
	}
	r.t.Store(d, uint8(elements), uint32(period.Milliseconds()))
	return nil
}

// exclusive refuses an array beside the single elements that it replaces.
func (r *tableReader) exclusive() error {
	s := r.t.Stores
	const text = "simultaneous usage of '%s' and '%s' in a same table is not permitted as '%[1]s' overrides '%[2]s'."
	switch {
	case s(table.GPT) && s(table.GPT0):
		return fmt.Errorf(text, "gpt", "gpt0")
	case s(table.GPC) && (s(table.GPC0) || s(table.GPC1)):
		return fmt.Errorf(text, "gpc", "gpc[0/1]")
	case s(table.GPCRate) && (s(table.GPC0Rate) || s(table.GPC1Rate)):
		return fmt.Errorf(text, "gpc_rate", "gpc[0/1]_rate")
	}
	return nil
}

// Accepts tells whether the value of an expression can be a key of the table.
func Accepts(t *table.Table, e *sample.Expr) bool { return sample.Castable(e.Out(), t.Type) }
