package runtime

import "time"

// CheckStatus tells how a health check went, by layer. Section 9.1 of the management guide, "check_status".
type CheckStatus uint8

const (
	CheckUnknown CheckStatus = iota
	CheckInit                // no check ended yet
	CheckNeutral             // ended without a change of the status
	CheckHana                // health analysis counted too many errors of traffic
	CheckSockErr
	CheckL4OK
	CheckL4Timeout
	CheckL4Conn
	CheckL6OK
	CheckL6Timeout
	CheckL6Response
	CheckL7Timeout
	CheckL7Response
	CheckL7OK            // from here on there is a code of layer 5 to 7
	CheckL7Conditionally // 404 with disable-on-404
	CheckL7Status
	CheckProcErr
	CheckProcTimeout
	CheckProcOK
)

var checkStatuses = [...]struct{ name, text string }{
	CheckUnknown:         {"UNK", "Unknown"},
	CheckInit:            {"INI", "Initializing"},
	CheckNeutral:         {"CHECKED", "No status change"},
	CheckHana:            {"HANA", "Health analyze"},
	CheckSockErr:         {"SOCKERR", "Socket error"},
	CheckL4OK:            {"L4OK", "Layer4 check passed"},
	CheckL4Timeout:       {"L4TOUT", "Layer4 timeout"},
	CheckL4Conn:          {"L4CON", "Layer4 connection problem"},
	CheckL6OK:            {"L6OK", "Layer6 check passed"},
	CheckL6Timeout:       {"L6TOUT", "Layer6 timeout"},
	CheckL6Response:      {"L6RSP", "Layer6 invalid response"},
	CheckL7Timeout:       {"L7TOUT", "Layer7 timeout"},
	CheckL7Response:      {"L7RSP", "Layer7 invalid response"},
	CheckL7OK:            {"L7OK", "Layer7 check passed"},
	CheckL7Conditionally: {"L7OKC", "Layer7 check conditionally passed"},
	CheckL7Status:        {"L7STS", "Layer7 wrong status"},
	CheckProcErr:         {"PROCERR", "External check error"},
	CheckProcTimeout:     {"PROCTOUT", "External check timeout"},
	CheckProcOK:          {"PROCOK", "External check passed"},
}

// String is the short name: "L4OK".
func (s CheckStatus) String() string { return checkStatuses[s].name }

// Text is what logs and statistics say: "Layer4 check passed".
func (s CheckStatus) Text() string { return checkStatuses[s].text }

// Ended tells that the status is the result of a check.
func (s CheckStatus) Ended() bool { return s >= CheckNeutral }

// HasCode tells that the check got far enough to yield a code of its protocol.
func (s CheckStatus) HasCode() bool { return s >= CheckL7OK }

// CheckResult is how the last check of a server went. It does not change once it was published.
type CheckResult struct {
	Status   CheckStatus
	Code     int           // of the protocol: HTTP, SMTP, ...; only with Status.HasCode
	Duration time.Duration // from the connection to the result
	Desc     string        // what the server or the system said: "ECONNREFUSED returned by OS (Connection refused)"
	Restored int           // 1 + the outcome that a state file gave; 0: Status tells it
}

// Number is how state files name the status.
func (s CheckStatus) Number() int {
	switch {
	case s >= CheckL7OK:
		return int(s) + 2
	case s >= CheckNeutral:
		return int(s) + 1
	}
	return int(s)
}

// Outcome of a check, as state files number it.
const (
	OutcomeUnknown = iota
	OutcomeNeutral
	OutcomeFailed
	OutcomePassed
	OutcomeConditional
)

// Result is the outcome that a status stands for.
func (s CheckStatus) Result() int {
	switch s {
	case CheckUnknown, CheckInit:
		return OutcomeUnknown
	case CheckNeutral:
		return OutcomeNeutral
	case CheckL4OK, CheckL6OK, CheckL7OK, CheckProcOK:
		return OutcomePassed
	case CheckL7Conditionally:
		return OutcomeConditional
	}
	return OutcomeFailed
}

// Result is the outcome of the check.
func (r *CheckResult) Result() int {
	if r.Restored > 0 {
		return r.Restored - 1
	}
	return r.Status.Result()
}
