// Package keyword holds what every row of every table has in common, whatever it does: a name, a summary, the
// manual's section, arguments, a status and examples. Listings, the Markdown tables of the grammar and suggestions
// for misspelt words are made from these. It contains no implementation of any keyword.
package keyword

// Status tells what a keyword does here.
type Status uint8

const (
	Full    Status = iota // works as the manual says
	Inert                 // accepted, and has no meaning here; Doc.Note says why
	Missing               // known by name: a configuration that uses it is refused with a clear message
)

func (s Status) String() string { return [...]string{"full", "inert", "missing"}[s] }

// Example shows a keyword at work, and a test runs it.
type Example struct {
	Config string // lines of a configuration, or one expression's line
	Expr   string // a sample expression, for fetches and converters
	Req    string // what the expression is evaluated on: an HTTP request or response, or raw bytes
	Want   string // the value that the expression yields
}

// Doc is the part that rows of all tables share; they embed it.
type Doc struct {
	Name     string // as written in a configuration, several words separated by one space: "timeout client"
	Prefix   bool   // the word may go on after Name: "sc-inc-gpc0" matches "sc-inc-gpc0(1)"; listed as "Name(*)"
	Summary  string // one line, no full stop
	Ref      string // section of the reference manual: "7.3.6"
	Since    string // version that brought it, where the manual says so
	Status   Status
	Note     string // what is not obvious; for Inert, why it has no meaning here
	Args     []Arg
	Examples []Example
}

// Keyword returns the shared part. Embedding promotes it, which makes every row type a Row.
func (d *Doc) Keyword() *Doc { return d }

// Row is what a table holds pointers to.
type Row interface{ Keyword() *Doc }
