// Package cli speaks the protocol of the stats socket: command lines in, answers out. It reads lines, splits them at
// semicolons, collects payloads, finds the command in a table, checks the level and streams the answer at the pace of
// its reader. It knows no command and does no I/O but for Serve. Section 9.3 of the management guide.
package cli

import (
	"fmt"
	"slices"
	"strings"

	"hapax/parser/keyword"
)

// Level is what a connection is allowed to do; each includes those below it.
type Level uint8

const (
	User     Level = iota // read what is not sensitive
	Operator              // read everything, change what has no lasting effect
	Admin                 // everything
)

func (l Level) String() string { return [...]string{"user", "operator", "admin"}[l] }

// Severity is a syslog level; feedback is prefixed with it on request ("set severity-output").
type Severity uint8

const (
	Emerg Severity = iota
	Alert
	Crit
	Err
	Warning
	Notice
	Info
	Debug
)

func (s Severity) String() string {
	return [...]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}[s]
}

// SeverityOutput is how feedback tells its severity.
type SeverityOutput uint8

const (
	SeverityNone   SeverityOutput = iota // not at all
	SeverityNumber                       // "[6]: "
	SeverityString                       // "[info]: "
)

// Step writes the next part of an answer and tells whether the answer is complete. It is called again when the reader
// took what was written before, so an answer of any size takes little memory: write one row, or a few, at a time.
type Step func(c *Conn) (done bool)

// Command is one row of the command table.
type Command struct {
	keyword.Doc          // Name is the words that call it, joined by spaces
	Words       []string // the same words; may be left out when Name is given, and the other way round
	Usage       string   // its line in the help, as it is printed; "" is not listed
	Level       Level    // below it the answer is "Permission denied"
	Master      bool     // valid on the master's socket too
	MasterOnly  bool     // valid only there
	Expert      bool     // wants "expert-mode on"
	Experiment  bool     // wants "experimental-mode on"

	// Run starts the command. args are all words of the line, those of the command included; Arg reads beyond the
	// end. A nil Step means that the answer, if any, was given by Say, Fail or Write.
	Run func(c *Conn, args []string) Step
}

// Arg is word i of a line, "" past its end.
func Arg(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return ""
}

// Table is the commands in the order in which they are looked up.
type Table struct {
	rows []Command
}

// NewTable makes a table that keeps the order of rows. Two rows with the same words are an error.
func NewTable(rows []Command) (*Table, error) {
	t := &Table{rows: rows}
	seen := make(map[string]bool, len(rows))
	for i := range rows {
		r := &rows[i]
		if len(r.Words) == 0 {
			r.Words = strings.Fields(r.Name)
		}
		if len(r.Words) == 0 {
			return nil, fmt.Errorf("cli: row %d has no words", i)
		}
		r.Name = strings.Join(r.Words, " ")
		if seen[r.Name] {
			return nil, fmt.Errorf("cli: command %q is declared twice", r.Name)
		}
		seen[r.Name] = true
		if r.Status == keyword.Missing {
			r.Run = missing
		}
		if r.Run == nil {
			return nil, fmt.Errorf("cli: command %q does nothing", r.Name)
		}
	}
	return t, nil
}

// With is the table with more commands behind its own.
func (t *Table) With(more []Command) (*Table, error) {
	return NewTable(append(slices.Clone(t.rows), more...))
}

// Len returns the number of commands.
func (t *Table) Len() int { return len(t.rows) }

// Row returns command i.
func (t *Table) Row(i int) *Command { return &t.rows[i] }

// Find returns the first command all of whose words start the line, nil when there is none.
func (t *Table) Find(args []string) *Command {
	for i := range t.rows {
		if matched(t.rows[i].Words, args) == len(t.rows[i].Words) {
			return &t.rows[i]
		}
	}
	return nil
}

// matched counts how many of the first words are equal.
func matched(words, args []string) int {
	n := 0
	for n < len(words) && n < len(args) && words[n] == args[n] {
		n++
	}
	return n
}

// missing answers for commands that the reference has and hapax has not. A row's Note tells why it will not.
func missing(c *Conn, args []string) Step {
	row := c.Table.Find(args)
	if row.Note != "" {
		return c.Fail("'" + row.Name + "' has no meaning here: " + row.Note)
	}
	return c.Fail("'" + row.Name + "' is known to HAProxy but not supported by hapax yet")
}
