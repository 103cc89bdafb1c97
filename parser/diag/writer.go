package diag

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// logSize bounds what is kept of the start: the same 64 KiB that `show startup-logs` has always given back.
const logSize = 64 << 10

// introduction begins the notice that tells the version.
const introduction = "haproxy version is "

// Writer prints diagnostics as `[ALERT]    (pid) : text` and keeps them for `show startup-logs`.
// Any goroutine may print; its fields are changed by the one that starts the program.
type Writer struct {
	W        io.Writer // standard error; nil prints nothing
	Also     io.Writer // gets the same text, Quiet or not: a worker's master; nil: nobody
	PID      int
	Version  string // "3.4.0"
	ExecPath string // the program's own path; empty leaves its line out
	Quiet    bool   // -q: nothing is printed, the log is kept all the same
	Verbose  bool   // -V: wins over Quiet
	Running  bool   // the start is over: no introduction and nothing is kept any more

	// Explain, if any, tells below each message what it is about.
	Explain *Explain

	mu         sync.Mutex // guards what follows
	introduced bool
	log        strings.Builder
}

// Print prints one diagnostic. The first alert or warning of a start is introduced by two notices that tell the
// program's version and path.
func (w *Writer) Print(d Diagnostic) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d.Severity != Notice && !w.introduced && !w.Running {
		w.introduced = true
		w.print(Notice, introduction+w.Version, "\n")
		if w.ExecPath != "" {
			w.print(Notice, "path to executable is "+w.ExecPath, "\n")
		}
	}
	end := "\n"
	if d.Unended {
		end = ""
	}
	w.print(d.Severity, d.Text, end)
	if w.Explain != nil && w.W != nil && (!w.Quiet || w.Verbose) {
		io.WriteString(w.W, w.Explain.Text(d))
	}
}

func (w *Writer) print(s Severity, text, end string) {
	head := fmt.Sprintf("%-10s (%d) : ", "["+s.String()+"]", w.PID)
	text = strings.TrimSuffix(text, "\n") + end
	if !w.Running {
		if size := len(head) + len(text); w.log.Len()+size <= logSize {
			w.log.WriteString(head + text)
		}
	}
	if w.W != nil && (!w.Quiet || w.Verbose) {
		io.WriteString(w.W, head+text)
	}
	if w.Also != nil {
		io.WriteString(w.Also, head+text)
	}
}

// Log returns what was printed, or would have been without Quiet, since the program started.
func (w *Writer) Log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// Keep adds to the log what another process of the same start has printed.
func (w *Writer) Keep(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.log.Len()+len(text) <= logSize {
		w.log.WriteString(text)
	}
}

// Rewrite gives the log another content.
func (w *Writer) Rewrite(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log.Reset()
	w.log.WriteString(text)
}

// Restore puts text before what this start has said: the log of the process that this one continues. What that one
// has introduced needs no other introduction.
func (w *Writer) Restore(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	own := w.log.String()
	w.log.Reset()
	w.log.WriteString(text + own)
	w.introduced = w.introduced || strings.Contains(text, introduction)
}
