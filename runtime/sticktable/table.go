package sticktable

import (
	"fmt"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
	"hapax/runtime/config"
)

// Table is a stick table as it is declared. Section 11.1 of the manual.
type Table struct {
	Name  string
	Owner string // what declares it, as messages name it: "frontend 'f'"
	Pos   ast.Pos
	Type  sample.Type

	size    uint64
	keySize int64
	peers   string // the section that it is exchanged with
	writeTo string // another table
	ofPeers bool   // declared in a peers section
	stored  map[string]bool
}

// keyTypes are the types of keys and how many bytes they have at most, which may be
// given for texts.
var keyTypes = []struct {
	name string
	t    sample.Type
	size int64
	free bool
}{
	{"integer", sample.Int, 4, false}, {"ip", sample.IPv4, 4, false}, {"ipv4", sample.IPv4, 4, false}, {"ipv6", sample.IPv6, 16, false},
	{"string", sample.Str, 32, true}, {"binary", sample.Bin, 32, true},
}

// dataTypes are what an entry may store. A rate wants its period; an array the number of
// its elements in front of it.
var dataTypes = map[string]struct{ rate, array bool }{
	"server_id": {}, "gpt0": {}, "gpc0": {}, "gpc0_rate": {rate: true}, "conn_cnt": {}, "conn_rate": {rate: true}, "conn_cur": {},
	"sess_cnt": {}, "sess_rate": {rate: true}, "http_req_cnt": {}, "http_req_rate": {rate: true}, "http_err_cnt": {},
	"http_err_rate": {rate: true}, "bytes_in_cnt": {}, "bytes_in_rate": {rate: true}, "bytes_out_cnt": {}, "bytes_out_rate": {rate: true},
	"gpc1": {}, "gpc1_rate": {rate: true}, "server_key": {}, "http_fail_cnt": {}, "http_fail_rate": {rate: true}, "gpt": {array: true},
	"gpc": {array: true}, "gpc_rate": {rate: true, array: true}, "glitch_cnt": {}, "glitch_rate": {rate: true},
}

// mostElements is how many elements an array may have.
const mostElements = 100

// tableArgs describe the arguments of "stick-table" and of "table" in a peers section.
var tableArgs = []keyword.Arg{
	{Name: "type", Type: keyword.Enum, Joined: true, Enum: []string{"integer", "ip", "ipv6", "string", "binary"}, Doc: "string and binary may have `len <n>` behind them"},
	{Name: "size", Type: keyword.Size, Joined: true, Doc: "most entries"},
	{Name: "expire", Type: keyword.Time, Joined: true, Opt: true},
	{Name: "nopurge", Type: keyword.Flag, Opt: true},
	{Name: "peers", Type: keyword.Name, Joined: true, Opt: true},
	{Name: "srvkey", Type: keyword.Enum, Enum: []string{"addr", "name"}, Joined: true, Opt: true},
	{Name: "write-to", Type: keyword.StickTable, Joined: true, Opt: true},
	{Name: "recv-only", Type: keyword.Flag, Opt: true},
	{Name: "brates-factor", Type: keyword.Int, Joined: true, Opt: true},
	{Name: "store", Type: keyword.Opaque, Joined: true, Opt: true, Many: true, Doc: "types of data, separated by commas"},
}

// Declare reads the arguments of a table from word at on and makes the table known.
// inPeers tells that the line stands in a peers section, where no other one is named.
func Declare(l *config.Loader, line *ast.Line, at int, name, shown, owner string, inPeers bool) *Table {
	if other, ok := l.Table(name).(*Table); ok {
		l.Alert(line.Pos, "stick-table name '%s' conflicts with table declared in %s at %s:%d.", shown, other.Owner, other.Pos.File, other.Pos.Line)
		return nil
	}
	t := &Table{Name: name, Owner: owner, Pos: line.Pos, Type: sample.Any, ofPeers: inPeers, stored: map[string]bool{}}
	r := tableReader{l, line, t, config.NewWords(line, at)}
	for !r.w.Done() {
		if err := r.argument(inPeers); err != nil {
			if _, quoted := err.(quotedElsewhere); !quoted {
				l.Alert(line.Pos, "%s: %s", line.Arg(0), err)
			}
			return nil
		}
	}
	switch {
	case t.size == 0:
		l.Alert(line.Pos, "%s: missing size.", line.Arg(0))
		return nil
	case t.Type == sample.Any:
		l.Alert(line.Pos, "%s: missing type.", line.Arg(0))
		return nil
	}
	l.AddTable(name, t)
	return t
}

// quotedElsewhere is a mistake that was reported where it was found.
type quotedElsewhere struct{ error }

// tableReader reads the arguments of a table.
type tableReader struct {
	l    *config.Loader
	line *ast.Line
	t    *Table
	w    config.Words
}

func (r *tableReader) argument(inPeers bool) error {
	switch word := r.w.Take(); {
	case word == "size":
		return r.sized(word, func(n uint64) { r.t.size = n })
	case word == "peers" && !inPeers:
		value, err := r.value(word)
		r.t.peers = value
		return err
	case word == "expire":
		return r.expire(word)
	case word == "nopurge", word == "recv-only":
	case word == "type":
		return r.keyType()
	case word == "store":
		return r.store(r.w.Take())
	case word == "srvkey":
		if key := r.w.Take(); key != "name" && key != "addr" {
			return r.spaced("unknown server key type '%s'.", key)
		}
	case word == "write-to":
		if r.t.writeTo = r.w.Take(); r.t.writeTo == "" {
			return r.spaced("write-to requires table name.")
		}
	case word == "brates-factor":
		factor := uint64(0)
		if err := r.sized(word, func(n uint64) { factor = n }); err != nil {
			return err
		}
		if factor == 0 || factor > 1024 {
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

func (r *tableReader) sized(word string, set func(uint64)) error {
	value, err := r.value(word)
	if err != nil {
		return err
	}
	n, bad, ok := units.Size(value)
	if !ok {
		return unexpected(bad, word)
	}
	set(uint64(n))
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
	_, fault := r.l.Time(value, 1e6)
	switch {
	case fault == nil:
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
		r.t.Type, r.t.keySize = k.t, k.size
		if k.free && r.w.TakeIf("len") {
			n, rest := config.Strtol(r.w.Take(), 10)
			if rest != "" || n == 0 {
				r.l.Alert(r.line.Pos, "'len' expects a positive integer argument.")
				return quotedElsewhere{}
			}
			r.t.keySize = n
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
	if name == "server_name" { // as it was called once
		name = "server_key"
	}
	kind, known := dataTypes[name]
	if !known {
		return fmt.Errorf("unknown store option '%s'.", name)
	}
	if r.t.stored[name] {
		r.l.WarnTight(r.line.Pos, "%s: store option '%s' already enabled, ignored.", r.line.Arg(0), name)
		return nil
	}
	if kind.array {
		if len(args) == 0 {
			return fmt.Errorf("missing argument to store option '%s'.", name)
		}
		if n := config.Atol(args[0]); n <= 0 || n > mostElements {
			return fmt.Errorf("array size is out of allowed range (1-%d) for store option '%s'.", mostElements, name)
		}
		args = args[1:]
	}
	switch {
	case kind.rate && len(args) == 0:
		return fmt.Errorf("missing argument to store option '%s'.", name)
	case kind.rate:
		if _, fault := r.l.Time(args[len(args)-1], 1e6); fault != nil {
			return fmt.Errorf("error when processing store option '%s'.", name)
		}
	case len(args) > 0:
		return fmt.Errorf("unexpected argument to store option '%s'.", name)
	}
	r.t.stored[name] = true
	return nil
}

// exclusive refuses an array beside the single elements that it replaces.
func (r *tableReader) exclusive() error {
	s := r.t.stored
	const text = "simultaneous usage of '%s' and '%s' in a same table is not permitted as '%[1]s' overrides '%[2]s'."
	switch {
	case s["gpt"] && s["gpt0"]:
		return fmt.Errorf(text, "gpt", "gpt0")
	case s["gpc"] && (s["gpc0"] || s["gpc1"]):
		return fmt.Errorf(text, "gpc", "gpc[0/1]")
	case s["gpc_rate"] && (s["gpc0_rate"] || s["gpc1_rate"]):
		return fmt.Errorf(text, "gpc_rate", "gpc[0/1]_rate")
	}
	return nil
}

// Stores tells whether entries hold a type of data.
func (t *Table) Stores(data string) bool { return t.stored[data] }

// Accepts tells whether the value of an expression can be a key of the table.
func (t *Table) Accepts(e *sample.Expr) bool { return sample.Castable(e.Out(), t.Type) }
