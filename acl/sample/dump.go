package sample

import (
	"io"
	"slices"
	"strings"

	"hapax/parser/keyword"
)

// signature writes a keyword with its arguments as -dKsmp and -dKcnv do: "name(string[,integer])".
func signature(d *keyword.Doc) string {
	if len(d.Args) == 0 {
		return d.Name
	}
	var b strings.Builder
	b.WriteString(d.Name + "(")
	optional := false
	args := expand(d.Args)
	for i, a := range args {
		if a.Opt && !optional {
			b.WriteByte('[')
			optional = true
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(ArgName(a.Type))
	}
	if optional {
		b.WriteByte(']')
	}
	return b.String() + ")"
}

// ConverterLine is the line of -dKcnv. Its arrow points from the output to the input, as it always did.
func ConverterLine(c *Converter) string {
	return signature(&c.Doc) + ": " + c.Out.String() + " => " + c.In.String()
}

// FetchLine is the line of -dKsmp: a column for each checkpoint, then the keyword.
func FetchLine(f *Fetch) string {
	var b strings.Builder
	b.WriteString("[ ")
	valid := f.From.ValidAt()
	for bit := range checkpoints {
		if valid&(1<<bit) != 0 {
			b.WriteString("Y ")
		} else {
			b.WriteString(". ")
		}
	}
	return b.String() + "] " + signature(&f.Doc) + ": " + f.Out.String()
}

// WriteFetches prints the table of -dKsmp: the names of the checkpoints over their columns, then the rows by name. Missing ones are left out.
func WriteFetches(w io.Writer, t *keyword.Table[Fetch]) error {
	var b strings.Builder
	for row := 0; row <= checkpoints+1; row++ {
		b.WriteByte('#')
		b.WriteString(strings.Repeat(" ", max(checkpoints+1-row, 0)))
		slash := "/ "
		if row > checkpoints {
			slash = " |"
		}
		b.WriteString(strings.Repeat(slash, min(row, checkpoints)))
		if row < checkpoints {
			b.WriteString("_.")
			b.WriteString(strings.Repeat("-", checkpoints-row))
			b.WriteString(" " + checkpointNames[row] + "\n")
		} else {
			b.WriteString(" \n")
		}
	}
	lines := make(map[string]string, t.Len())
	for i := range t.Len() {
		if f := t.Row(i); f.Status != keyword.Missing {
			lines[f.Name] = FetchLine(f)
		}
	}
	return writeSorted(w, &b, lines)
}

// WriteConverters prints the table of -dKcnv, by name.
func WriteConverters(w io.Writer, t *keyword.Table[Converter]) error {
	lines := make(map[string]string, t.Len())
	for i := range t.Len() {
		if c := t.Row(i); c.Status != keyword.Missing {
			lines[c.Name] = ConverterLine(c)
		}
	}
	return writeSorted(w, new(strings.Builder), lines)
}

func writeSorted(w io.Writer, b *strings.Builder, lines map[string]string) error {
	names := make([]string, 0, len(lines))
	for name := range lines {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.WriteString(lines[name] + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
