// Package pattern matches samples against sets of patterns: the match methods of ACLs and maps, the indexes
// behind them, pattern files, and what the runtime API changes in them while traffic flows (configuration
// manual, section 7.1).
//
// A Ref is a named collection of patterns as text, perhaps with a value each (a map). A Set is one way to
// match a Ref: a method with its flags. Look-ups read an immutable index through one atomic pointer, so they
// take no lock and allocate nothing; writers replace the index.
package pattern

import "hapax/acl/sample"

// Method is a way to compare a sample with patterns.
type Method uint8

const (
	Found Method = iota // the sample exists
	Bool                // the sample is not zero
	Int                 // within a range of integers
	IP                  // within a network
	Bin                 // the same bytes, patterns in hexadecimal
	Len                 // length within a range
	Str                 // the same string
	Beg                 // begins with
	Sub                 // contains
	Dir                 // contains as whole words between slashes
	Dom                 // contains as whole words between dots
	End                 // ends with
	Reg                 // matches a regular expression
	RegM                // the same, whose groups a map may use

	// Version, HTTPMethod and Group are methods of single ACL keywords: req.ssl_ver, method and
	// http_auth_group.
	Version
	HTTPMethod
	Group
)

var methodNames = [...]string{"found", "bool", "int", "ip", "bin", "len", "str", "beg", "sub", "dir", "dom", "end", "reg", "regm"}

// String is the name as -m takes it; the methods of single keywords go by the name of the one they stand for.
func (m Method) String() string {
	switch m {
	case Version:
		return "int"
	case HTTPMethod, Group:
		return "str"
	}
	return methodNames[m]
}

// MethodOf finds a method by its name.
func MethodOf(name string) (Method, bool) {
	for m, n := range methodNames {
		if n == name {
			return Method(m), true
		}
	}
	return Found, false
}

// Expects is the type that a sample is cast to before it is compared; Any for a method that takes the sample
// as its fetch gave it.
func (m Method) Expects() sample.Type {
	switch m {
	case Found, HTTPMethod, Group:
		return sample.Any
	case Bool, Int, Version:
		return sample.Int
	case IP:
		return sample.Addr
	case Bin:
		return sample.Bin
	}
	return sample.Str
}

// CastsTo is the type that decides whether -m may be used on a fetch of another type.
func (m Method) CastsTo() sample.Type {
	if m == Found {
		return sample.Int
	}
	return m.Expects()
}

// DefaultMethod is the method of a sample of type t when none is named.
func DefaultMethod(t sample.Type) (Method, bool) {
	switch t {
	case sample.Bool:
		return Bool, true
	case sample.Int:
		return Int, true
	case sample.Addr, sample.IPv4, sample.IPv6:
		return IP, true
	case sample.Str:
		return Str, true
	}
	return Found, false
}

// storage tells which methods the reference keeps in one and the same list or tree. Where a file is used by
// two methods of one storage the runtime API shows it once.
func (m Method) storage() Method {
	switch m {
	case Found, Bool:
		return Found
	case Int, Len:
		return Int
	case Sub, Dir, Dom, End:
		return Sub
	}
	return m
}

// Flags change how patterns are read and compared.
type Flags uint8

const (
	IgnoreCase Flags = 1 << iota // -i
	NoDNS                        // -n: host names are not resolved
)
