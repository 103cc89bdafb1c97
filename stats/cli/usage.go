package cli

import (
	"cmp"
	"slices"
	"strings"

	"hapax/parser/keyword"
)

// Three commands close every list, whatever the level.
const always = "  help [<command>]                        : list matching or all commands\n" +
	"  prompt [help | n | i | p | timed ]*     : toggle interactive mode with prompt\n" +
	"  quit                                    : disconnect\n"

// maxMatches is how many commands a misspelt one is compared with in the answer.
const maxMatches = 5

// Usage answers a line that is no command with those that it might have meant: the ones closest to the words behind
// the longest start that some command has, else all that have this start.
func (c *Conn) Usage(args []string) {
	head := "Unknown command: '" + Arg(args, 0) + "', but maybe one of the following ones is a better match:\n"
	c.Say(Info, head+c.list(args))
}

// Help lists the commands that match the words behind "help", or all.
func (c *Conn) Help(args []string) {
	c.Say(Info, "The following commands are valid at this level:\n"+c.list(args))
}

func (c *Conn) list(args []string) string {
	length := 0
	for i := range c.Table.rows {
		if row := &c.Table.rows[i]; c.listed(row) {
			length = max(length, matched(row.Words, args))
		}
	}
	rows := c.closest(args, length)
	if rows == nil {
		for i := range c.Table.rows {
			row := &c.Table.rows[i]
			if c.listed(row) && row.Usage != "" && matched(row.Words, args) >= length {
				rows = append(rows, row)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b *Command) int { return strings.Compare(a.Usage, b.Usage) })
	var b strings.Builder
	for _, row := range rows {
		b.WriteString("  " + row.Usage + "\n")
	}
	b.WriteString(always)
	return b.String()
}

// listed tells whether the help shows a command now.
func (c *Conn) listed(row *Command) bool {
	return c.knows(row) && (!row.Expert || c.Expert) && (!row.Experiment || c.Experiment)
}

// closest finds commands that are spelt nearly like args from word number length on; nil when args has no such word
// or none is close enough.
func (c *Conn) closest(args []string, length int) []*Command {
	if Arg(args, length) == "" {
		return nil
	}
	type match struct {
		row      *Command
		distance int
	}
	sign, size := signature(args, length)
	var best []match
	for i := range c.Table.rows {
		row := &c.Table.rows[i]
		if !c.listed(row) || row.Usage == "" || matched(row.Words, args) < length {
			continue
		}
		other, more := signature(row.Words, length)
		d := sign.Distance(&other)
		if d >= 5*(size+more)/2 || len(best) == maxMatches && d >= best[maxMatches-1].distance {
			continue
		}
		if len(best) == maxMatches {
			best = best[:maxMatches-1]
		}
		best = append(best, match{row, d})
		slices.SortStableFunc(best, func(a, b match) int { return cmp.Compare(a.distance, b.distance) })
	}
	var rows []*Command
	for _, m := range best {
		if m.distance > 5*best[0].distance/2 {
			break
		}
		rows = append(rows, m.row)
	}
	return rows
}

// maxWords is how many words of a line take part in the comparison.
const maxWords = 5

func signature(words []string, from int) (fp keyword.Fingerprint, size int) {
	for i := from; i < len(words) && i < maxWords; i++ {
		fp.Add(words[i])
		size += len(words[i])
	}
	return fp, size
}
