// Package logformat compiles log formats, `text %alias %{+Q}[expression]`, and evaluates them (configuration
// manual, section 8.2.6). They make log lines, and texts of rules: headers, paths, redirects, bodies.
//
// The aliases themselves are rows of the domain that makes logs; this package is given their table.
package logformat

import (
	"hapax/acl/sample"
	"hapax/parser/keyword"
)

// Flags tell how the value of an item is written. Those with a sign in the manual are set by a format itself,
// the others by who compiles it.
type Flags uint32

const (
	Mandatory   Flags = 1 << iota // +M: a missing value is written as "-"; logs have it throughout
	Quote                         // +Q: the value stands between double quotes
	Hexa                          // +X: addresses and numbers in hexadecimal
	Escape                        // +E: a backslash before '"', '\' and ']' (RFC 5424)
	Bin                           // +bin: binary values are written as they are
	JSON                          // +json
	CBOR                          // +cbor
	HTTP                          // control bytes of values are written as %XX: a part of an HTTP message
	MergeSpaces                   // no space after another space, nor at the start

	// AsStr, AsInt, AsBool and AsRaw are the type that "%(name:type)" demands.
	AsStr
	AsInt
	AsBool
	AsRaw

	// InText says that a text begun with BeginText goes on.
	InText

	inRequest  // the expression can be evaluated in the direction of the request
	inResponse // and of the response

	encode = JSON | CBOR
	casts  = AsStr | AsInt | AsBool | AsRaw
)

// ForLog are the flags of the formats of log lines, ForHTTP those of texts that become a part of an HTTP message.
const (
	ForLog  = Mandatory | MergeSpaces
	ForHTTP = HTTP
)

// Need tells what must be known before a line can be written.
type Need uint16

const (
	NeedInit            Need = 1 << iota // nothing beyond the session
	NeedClientIP                         // addresses of the client's connection
	NeedFrontIP                          // and of the frontend's side of it
	NeedTransport                        // the transport layer's handshake
	NeedRequest                          // the request line
	NeedRequestHeaders                   // captured request headers
	NeedServer                           // the server
	NeedServerIP                         // its address
	NeedBackIP                           // the source address towards it
	NeedResponse                         // the response's head
	NeedResponseHeaders                  // captured response headers
	NeedBytes                            // the end of the transfer
	NeedMode                             // in HTTP mode, the request line: what expressions read is not looked at
)

// In gives what there is to wait for in HTTP mode, or in TCP mode.
func (n Need) In(http bool) Need {
	if http && n&NeedMode != 0 {
		n |= NeedRequest
	}
	return n &^ NeedMode
}

// Alias is the row of an alias.
type Alias struct {
	keyword.Doc

	// HTTP tells that the alias has no meaning in TCP mode.
	HTTP bool

	// Need is what it waits for.
	Need Need

	// Eval appends the value. flags are those of the item: the Append functions of this package obey them.
	Eval func(ctx *sample.Context, dst []byte, flags Flags) []byte
}

// kind is what a node of a format is.
type kind uint8

const (
	text  kind = iota // as it stands
	space             // one space unless another one is there: only behind an alias
	alias
	expr
)

type node struct {
	kind  kind
	space bool // text: it ends in a space that swallows the next one
	flags Flags
	text  string // text
	name  string // the name of the value in an encoded line
	alias *Alias
	expr  *sample.Expr
}

// Format is a compiled log format. It does not change and may be used by all loops.
type Format struct {
	source string
	nodes  []node
	flags  Flags // of the line as a whole
	need   Need
	from   sample.Source
}

// String is the format as written.
func (f *Format) String() string { return f.source }

// Need is what must be known before the line can be written.
func (f *Format) Need() Need { return f.need }

// From is where the expressions take their data from.
func (f *Format) From() sample.Source { return f.from }

// Empty tells whether the format has nothing to write.
func (f *Format) Empty() bool { return len(f.nodes) == 0 && f.flags&encode == 0 }

// Encoded tells whether the whole line is written in JSON or CBOR.
func (f *Format) Encoded() bool { return f.flags&encode != 0 }

// Literal gives the text of a format without items.
func (f *Format) Literal() (string, bool) {
	switch {
	case f.flags&encode != 0:
	case len(f.nodes) == 0:
		return "", true
	case len(f.nodes) == 1 && f.nodes[0].kind == text:
		return f.nodes[0].text, true
	}
	return "", false
}

// Supported tells whether nothing in the format is Missing.
func (f *Format) Supported() bool {
	for i := range f.nodes {
		n := &f.nodes[i]
		if n.expr != nil && !n.expr.Supported() || n.alias != nil && n.alias.Status == keyword.Missing {
			return false
		}
	}
	return true
}

// HTTPItems names the items that have no meaning in TCP mode, as diagnostics do.
func (f *Format) HTTPItems() []string {
	var items []string
	for i := range f.nodes {
		n := &f.nodes[i]
		switch {
		case n.expr != nil && n.expr.From().HTTP():
			items = append(items, "sample fetch '"+n.expr.Fetch.Name+"'")
		case n.alias != nil && (n.alias.HTTP || n.alias.Need&(NeedRequest|NeedResponse) != 0):
			items = append(items, "format alias '"+n.alias.Name+"'")
		}
	}
	return items
}

// Append writes the line behind dst. All that is known counts as final: nothing is waited for.
func (f *Format) Append(dst []byte, ctx *sample.Context) []byte {
	dst = beginMap(dst, f.flags)
	first, blank := true, true // blank: a space is there already, or nothing
	for i := range f.nodes {
		n := &f.nodes[i]
		if n.kind == text {
			dst, blank = append(dst, n.text...), n.space
			continue
		}
		if n.kind == space {
			if !blank {
				dst, blank = append(dst, ' '), true
			}
			continue
		}
		if f.flags&encode != 0 {
			if n.name == "" {
				continue // a value without a name has no place in a map
			}
			dst = appendKey(dst, n.name, first, f.flags)
			first = false
		}
		start, flags := len(dst), n.flags
		if n.kind == alias {
			dst = n.alias.Eval(ctx, dst, flags)
		} else {
			dst, flags = n.eval(dst, ctx)
			blank = false
		}
		if len(dst) == start {
			dst = appendNull(dst, flags)
		}
		if len(dst) > start {
			blank = false
		}
	}
	return endMap(dst, f.flags)
}

// eval appends the value of an expression, and gives the flags that were obeyed in the end.
func (n *node) eval(dst []byte, ctx *sample.Context) ([]byte, Flags) {
	dir, final := ctx.Dir, ctx.Final
	mark, v := ctx.Scratch.Mark(), ctx.Scratch.Borrow()
	ctx.Final = true
	ok := false
	if n.flags&inRequest != 0 {
		ctx.Dir = sample.Request
		ok = n.expr.Eval(ctx, v)
	}
	if !ok && n.flags&inResponse != 0 {
		ctx.Dir = sample.Response
		ok = n.expr.Eval(ctx, v)
	}
	if !ok && n.flags&(inRequest|inResponse) == 0 {
		ok = n.expr.Eval(ctx, v)
	}
	ctx.Dir, ctx.Final = dir, final
	flags := n.flags
	typ := sample.Str
	switch {
	case flags&encode != 0 && flags&AsRaw != 0:
		flags, typ = 0, sample.Bin
	case flags&encode != 0 && flags&AsStr != 0:
	case flags&encode != 0 && flags&AsInt != 0:
		typ = sample.Int
	case flags&encode != 0 && flags&AsBool != 0:
		typ = sample.Bool
	case flags&encode != 0 && ok && (v.Type == sample.Int || v.Type == sample.Bool):
		typ = v.Type
	case ok && v.Type == sample.Bin && (flags&CBOR != 0 || flags&Bin != 0 && flags&AsStr == 0):
		typ = sample.Bin
	}
	ok = ok && sample.Cast(ctx, v, typ)
	switch {
	case flags&HTTP != 0:
		if ok {
			dst = appendEscaped(dst, v.Bytes, '%', &httpUnsafe, flags)
		}
	case !ok:
		dst = AppendText(dst, "", flags)
	case typ == sample.Bin:
		dst = appendBinary(dst, v.Bytes, flags)
	case typ == sample.Int:
		dst = AppendInt(dst, v.Int, flags)
	case typ == sample.Bool:
		dst = AppendBool(dst, v.Int != 0, flags)
	default:
		dst = AppendText(dst, v.Bytes, flags)
	}
	ctx.Scratch.Return()
	ctx.Scratch.Rewind(mark)
	return dst, flags
}
