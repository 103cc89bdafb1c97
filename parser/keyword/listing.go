package keyword

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteSorted lists names below a heading as the -dK listings do: in the order of their bytes, each line behind
// indent.
func WriteSorted(w io.Writer, heading, indent string, names []string) {
	names = slices.Clone(names)
	slices.Sort(names)
	fmt.Fprintln(w, heading)
	for _, name := range names {
		fmt.Fprintln(w, indent+name)
	}
}

// Markdown writes a table with one row for each of docs, in their order. Notes and the state of what does not work
// stand behind the summary.
func Markdown(w io.Writer, docs []*Doc) {
	fmt.Fprint(w, "| keyword | arguments | section | what it does |\n|---|---|---|---|\n")
	for _, d := range docs {
		name := d.Name
		if d.Prefix {
			name += "(*)"
		}
		what := d.Summary
		if d.Status != Full {
			what = strings.TrimSpace("**" + d.Status.String() + "** " + what)
		}
		if d.Note != "" {
			what = strings.TrimSpace(what + " (" + d.Note + ")")
		}
		arguments := ""
		if len(d.Args) > 0 {
			arguments = "`" + Usage(d.Args) + "`"
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", cell(name), cell(arguments), d.Ref, cell(what))
	}
}

// cell keeps a bar from ending a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

// Docs returns the shared parts of a table's rows in declared order.
func (t *Table[T]) Docs() []*Doc { return t.docs }

// Fill puts content between the lines `<!-- begin NAME -->` and `<!-- end NAME -->` of a document. It fails when
// they are not there.
func Fill(document, name, content string) (string, error) {
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	head, rest, found := strings.Cut(document, begin)
	if !found {
		return "", fmt.Errorf("no line %q", strings.TrimSpace(begin))
	}
	at := strings.Index(rest, end)
	if at < 0 {
		return "", fmt.Errorf("no line %q", end)
	}
	return head + begin + content + rest[at:], nil
}
