package diag

import (
	"fmt"
	"strings"

	"hapax/parser/ast"
)

// List collects the diagnostics of one load, or of one start, and passes each on to its Writer at once.
// The zero List collects silently. It is used by one goroutine at a time.
type List struct {
	Prefix string  // put before each message with " : ": "config" while a configuration is read, else empty
	Out    *Writer // may be nil
	Diag   bool    // -dD: diagnostics of severity Diag are taken, else dropped

	all      []Diagnostic
	fatal    int
	alerts   int
	warnings int
	aborted  bool
	once     map[string]bool
}

// Adopt takes over what another list has collected and printed: it counts as said, and
// refuses or aborts nothing here.
func (l *List) Adopt(other *List) {
	l.all = append(l.all, other.all...)
	l.alerts += other.alerts
	l.warnings += other.warnings
}

// Once returns true the first time it is called with key: for advice that is worth giving once only.
func (l *List) Once(key string) bool {
	if l.once[key] {
		return false
	}
	if l.once == nil {
		l.once = make(map[string]bool)
	}
	l.once[key] = true
	return true
}

// Add takes one diagnostic.
func (l *List) Add(d Diagnostic) {
	switch d.Severity {
	case Diag:
		if !l.Diag {
			return
		}
		l.warnings++
	case Warning:
		l.warnings++
	case Alert:
		l.alerts++
	}
	if d.Fatal {
		l.fatal++
	}
	if d.Abort {
		l.aborted = true
	}
	if head, _, cut := strings.Cut(d.Text, "\x00"); cut { // shown as a character: nothing behind it was ever printed
		d.Text, d.Unended = head, true
	}
	if l.Prefix != "" {
		d.Text = l.Prefix + " : " + d.Text
	}
	l.all = append(l.all, d)
	if l.Out != nil {
		l.Out.Print(d)
	}
}

// Alert adds an error after which reading goes on, in the shape `parsing [file:line] : text`.
func (l *List) Alert(pos ast.Pos, format string, args ...any) {
	l.Add(Diagnostic{Severity: Alert, Pos: pos, Text: At(pos, format, args...), Fatal: true})
}

// Abort adds an error after which nothing more is read, in the shape `parsing [file:line] : text`.
func (l *List) Abort(pos ast.Pos, format string, args ...any) {
	l.Add(Diagnostic{Severity: Alert, Pos: pos, Text: At(pos, format, args...), Fatal: true, Abort: true})
}

// Warn adds a warning in the shape `parsing [file:line] : text`.
func (l *List) Warn(pos ast.Pos, format string, args ...any) {
	l.Add(Diagnostic{Severity: Warning, Pos: pos, Text: At(pos, format, args...)})
}

// Alertf adds an error whose text is complete as given: checks of a whole proxy, which name no line, and shapes
// of their own.
func (l *List) Alertf(pos ast.Pos, format string, args ...any) {
	l.Add(Diagnostic{Severity: Alert, Pos: pos, Text: fmt.Sprintf(format, args...), Fatal: true})
}

// Warnf adds a warning whose text is complete as given.
func (l *List) Warnf(pos ast.Pos, format string, args ...any) {
	l.Add(Diagnostic{Severity: Warning, Pos: pos, Text: fmt.Sprintf(format, args...)})
}

// Noticef adds a notice whose text is complete as given.
func (l *List) Noticef(pos ast.Pos, format string, args ...any) {
	l.Add(Diagnostic{Severity: Notice, Pos: pos, Text: fmt.Sprintf(format, args...)})
}

// Diagf adds a message that is printed with -dD only; the text is complete as given.
func (l *List) Diagf(pos ast.Pos, format string, args ...any) {
	l.Add(Diagnostic{Severity: Diag, Pos: pos, Text: fmt.Sprintf(format, args...)})
}

// All returns what was collected, in order. The caller does not change it.
func (l *List) All() []Diagnostic { return l.all }

// Fatal returns how many diagnostics refuse the configuration.
func (l *List) Fatal() int { return l.fatal }

// Alerts returns how many errors were added, fatal or not.
func (l *List) Alerts() int { return l.alerts }

// Warnings returns how many warnings were added, those of -dD included: what -dW refuses.
func (l *List) Warnings() int { return l.warnings }

// Aborted tells whether a diagnostic said that nothing more is to be read.
func (l *List) Aborted() bool { return l.aborted }

// Failed tells whether the configuration is refused.
func (l *List) Failed() bool { return l.fatal > 0 || l.aborted }

// String gives the texts, one after the other, without labels: what an error value or a test wants.
func (l *List) String() string {
	var b strings.Builder
	for i, d := range l.all {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(d.Severity.String() + ": " + strings.TrimSuffix(d.Text, "\n"))
	}
	return b.String()
}

// Complainf adds an alert that refuses nothing, whose text is complete as given.
func (l *List) Complainf(pos ast.Pos, format string, args ...any) {
	l.Add(Diagnostic{Severity: Alert, Pos: pos, Text: fmt.Sprintf(format, args...)})
}

// Stop ends the reading, behind what was said already.
func (l *List) Stop() { l.aborted = true }
