package keyword

import "strings"

// ArgType says how an argument is written and read.
type ArgType uint8

const (
	Str        ArgType = iota // any word
	Int                       // signed 64-bit integer
	Uint                      // integer that cannot be negative
	Size                      // bytes, with k, m or g
	Time                      // duration, with us, ms, s, m, h or d
	Bool                      // "on" or "off"
	Enum                      // one of Arg.Enum
	Flag                      // the argument's own name: present or absent
	Name                      // identifier: letters, digits, - _ . :
	Addr                      // address of any family, with a port where one makes sense
	IPv4                      // IPv4 address
	IPv6                      // IPv6 address
	Mask4                     // IPv4 mask
	Mask6                     // IPv6 mask
	Regex                     // regular expression
	File                      // path of a file
	Frontend                  // name of a frontend
	Backend                   // name of a backend
	Server                    // name of a server, with its backend where needed
	StickTable                // name of a stick table
	Users                     // name of a userlist
	Map                       // name of a map or acl file
	Var                       // variable with its scope: "txn.name"
	Sample                    // sample expression
	LogFormat                 // log format
	Condition                 // "if" or "unless" with a condition
	Field                     // number of a protocol buffer field: "1.2.3"
	Header                    // name of an HTTP header field
	Code                      // HTTP status, or a set of them
	Opaque                    // text with a grammar of its own, told in Doc
)

var argNames = [...]string{"string", "integer", "integer", "size", "time", "on|off", "enum", "flag", "name", "address", "ipv4",
	"ipv6", "mask4", "mask6", "regex", "file", "frontend", "backend", "server", "table", "userlist", "map", "var", "sample",
	"log-format", "condition", "field", "header", "status", "text"}

func (t ArgType) String() string { return argNames[t] }

// Arg is one argument of a keyword, a fetch, a converter or an action.
type Arg struct {
	Name    string
	Type    ArgType
	Opt     bool     // may be left out
	Many    bool     // may be repeated
	Default string   // what an absent one means; empty when there is no such value
	Enum    []string // the words of type Enum, in the order that messages list them
	Missing []string // words of Enum that the reference knows and that are refused here
	Doc     string   // unit, range or meaning where name and type do not tell
	Joined  bool     // written behind its name as one option: "maxconn <n>" among a bind line's options
}

// Usage writes arguments as the manual does: `<name> [<size>] [<opt> ...]`.
func Usage(args []Arg) string {
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		word := "<" + a.Name + ">"
		switch {
		case a.Type == Flag:
			word = a.Name
		case a.Type == Enum && len(a.Enum) > 0 && len(a.Enum) <= 6:
			word = "{ " + strings.Join(a.Enum, " | ") + " }"
		}
		if a.Joined && a.Type != Flag {
			word = a.Name + " <" + a.Type.String() + ">"
		}
		if a.Many {
			word += "*"
		}
		if a.Opt {
			word = "[" + word + "]"
		}
		b.WriteString(word)
	}
	return b.String()
}
