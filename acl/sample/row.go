package sample

import (
	"net/netip"

	"hapax/parser/keyword"
)

// Fetch is the row of a sample fetch. Its arguments are declared in Doc.Args.
type Fetch struct {
	keyword.Doc

	// Check looks at the arguments once, while the configuration is read, and may change them or
	// leave what it prepared in Arg.Data. It is not called when no argument was written and none is
	// mandatory. nil: nothing to check.
	Check func(c *Compiler, args []Arg) error

	Out  Type
	From Source

	// Dir is set for fetches whose name tells the direction ("req.hdr", "res.hdr"): Eval then sees it
	// in Context.Dir, whatever the rule.
	Dir Dir

	// Eval fills out and reports whether there is a value. It may leave out half filled otherwise;
	// MayChange in out.Flags then asks for a wait. args has one entry per declared argument, so an
	// optional one that was left out is there with Present false.
	Eval func(ctx *Context, args []Arg, out *Value) bool
}

// Converter is the row of a converter. Its arguments are declared in Doc.Args.
type Converter struct {
	keyword.Doc

	// Check looks at the arguments once, while the configuration is read. Unlike that of a Fetch it is
	// always called.
	Check func(c *Compiler, args []Arg) error

	In, Out Type

	// Eval changes v in place and reports whether there still is a value. v has the type In, or one
	// that needs no conversion to become In: for In Bool also Int, for Addr an IPv4 or IPv6 address,
	// for Bin also Str.
	Eval func(ctx *Context, args []Arg, v *Value) bool
}

// Arg is one argument of a fetch or a converter, as written or as resolved.
type Arg struct {
	Type    keyword.ArgType
	Present bool // written, or implied empty because it is mandatory
	Fold    bool // for a regular expression: upper and lower case are the same

	Str   string     // as written, quotes resolved
	Int   int64      // Int; Time in milliseconds; Size in bytes
	IP    netip.Addr // IPv4, IPv6, and masks as addresses
	Var   Var        // Var
	Path  []uint32   // Field: the numbers of a path of protocol buffer fields
	Regex *Regex     // Regex, after resolving

	// Ref is the object that the name in Str stands for, after resolving: what the Directory gave.
	Ref any

	// Data is what Check prepared for Eval.
	Data any
}

// fetchArg names types of arguments as diagnostics and -dK do. All that is not listed is a string.
var fetchArg = map[keyword.ArgType]string{
	keyword.Int: "integer", keyword.Uint: "integer", keyword.Name: "identifier",
	keyword.IPv4: "IPv4 address", keyword.Mask4: "IPv4 mask", keyword.IPv6: "IPv6 address", keyword.Mask6: "IPv6 mask",
	keyword.Time: "delay", keyword.Size: "size", keyword.Frontend: "frontend", keyword.Backend: "backend",
	keyword.StickTable: "table", keyword.Server: "server", keyword.Users: "user list", keyword.Regex: "regex",
	keyword.Field: "Protocol buffers field number",
}

// ArgName is the name of a type of argument in diagnostics about expressions, and in -dKsmp and -dKcnv.
func ArgName(t keyword.ArgType) string {
	if name, ok := fetchArg[t]; ok {
		return name
	}
	return "string"
}
