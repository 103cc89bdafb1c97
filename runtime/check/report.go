package check

import (
	"fmt"
	"strings"
	"time"

	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/balance"
)

// report tells a change of a server to the terminal and to the logs.
func (c *Checks) report(srv *runtime.Server, level int, text string) {
	c.opt.Print(diag.Warning, text+".")
	c.opt.Log(level, srv.Proxy, text+".")
}

// alertBackend tells that a backend lost its last server.
func (c *Checks) alertBackend(px *runtime.Proxy) {
	c.opt.Print(diag.Alert, fmt.Sprintf("%s '%s' has no server available!", px.Kind, px.Name))
	c.opt.Log(levelEmerg, px, fmt.Sprintf("%s %s has no server available!", px.Kind, px.Name))
}

// title begins each message about a server.
func title(srv *runtime.Server) string {
	if srv.Backup {
		return "Backup Server " + srv.Proxy.Name + "/" + srv.Name
	}
	return "Server " + srv.Proxy.Name + "/" + srv.Name
}

// String is the cause as it follows the new state.
func (w cause) String() string {
	switch {
	case w.check != nil:
		return w.check.info()
	case w.text != "":
		return ", " + w.text
	}
	return ""
}

// via names the tracked server unless the change was the server's own.
func via(srv *runtime.Server, forced bool) string {
	if forced || srv.Track == nil {
		return ""
	}
	return " via " + srv.Track.Proxy.Name + "/" + srv.Track.Name
}

// more ends a message about a change that concerns the whole backend: what is left
// of it, and how many requests changed their queue.
func more(srv *runtime.Server, moved int, forced bool) string {
	act, bck := balance.Counts(srv.Proxy)
	backup := ""
	if bck > 0 && act == 0 {
		backup = " Running on backup."
	}
	queued := srv.Queued.Load()
	if stateOf(srv) == runtime.ServerStopped {
		return fmt.Sprintf("%s. %d active and %d backup servers left.%s %d sessions active, %d requeued, %d remaining in queue",
			via(srv, forced), act, bck, backup, srv.Current.Load(), moved, queued)
	}
	return fmt.Sprintf("%s. %d active and %d backup servers online.%s %d sessions requeued, %d total in queue",
		via(srv, forced), act, bck, backup, moved, queued)
}

// info is the result of the last check as messages about the server end with it.
func (ck *Check) info() string {
	var b strings.Builder
	fmt.Fprintf(&b, ", reason: %s", ck.status.Text())
	if ck.status.HasCode() {
		fmt.Fprintf(&b, ", code: %d", ck.code)
	}
	if ck.desc != "" {
		b.WriteString(`, info: "`)
		quote(&b, ck.desc)
		b.WriteByte('"')
	}
	if ck.duration >= 0 {
		fmt.Fprintf(&b, ", check duration: %dms", ck.duration/time.Millisecond)
	}
	return b.String()
}

// quote writes what a server said: what cannot be printed, or would end the text,
// becomes its number.
func quote(b *strings.Builder, text string) {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < 32 || c > 126 || c == '<' || c == '>' || c == '"' {
			fmt.Fprintf(b, "<%02X>", c)
		} else {
			b.WriteByte(c)
		}
	}
}

// reportCheck tells the result of a check ("option log-health-checks").
func (ck *Check) reportCheck() {
	srv := ck.srv
	backup, result, side := "", "failed", "DOWN"
	if srv.Backup {
		backup = "backup "
	}
	switch ck.status.Result() {
	case runtime.OutcomePassed:
		result = "succeeded"
	case runtime.OutcomeConditional:
		result = "conditionally succeeded"
	}
	now := ck.snapshot()
	health, of := now.Health, now.Rise
	if health >= now.Rise {
		health, of, side = health-now.Rise+1, now.Fall, "UP"
		if srv.UserWeight.Load() == 0 {
			side = "DRAIN"
		}
	}
	text := fmt.Sprintf("%s check for %sserver %s/%s %s%s, status: %d/%d %s", ck.name(), backup, srv.Proxy.Name, srv.Name, result, ck.info(), health, of, side)
	ck.checks.report(srv, levelNotice, text)
}
