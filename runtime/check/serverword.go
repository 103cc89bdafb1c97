package check

import (
	"errors"
	"fmt"
	"time"

	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// missingWords are options of servers whose checks are not made: the agent, and those
// that speak another protocol or go over the pool. Their arguments are checked.
func missingWords() []config.ServerWord {
	value := []keyword.Arg{{Name: "value", Type: keyword.Str}}
	word := func(name, summary string, parse func(l *config.Loader, value string, srv *runtime.Server) error) config.ServerWord {
		return config.ServerWord{
			Doc:   keyword.Doc{Name: name, Ref: "5.2", Summary: summary, Status: keyword.Missing, Args: value},
			Parse: func(l *config.Loader, w *config.Words, srv *runtime.Server) error { return parse(l, w.Take(), srv) },
		}
	}
	wants := func(name, what string) func(*config.Loader, string, *runtime.Server) error {
		return func(_ *config.Loader, value string, _ *runtime.Server) error {
			if value == "" {
				return errors.New("'" + name + "' " + what)
			}
			return nil
		}
	}
	return []config.ServerWord{
		healthcheckWord(),
		word("agent-addr", "where the agent is asked", func(l *config.Loader, value string, _ *runtime.Server) error {
			if value == "" {
				return errors.New("'agent-addr' expects an address as argument.")
			}
			if _, err := l.Address(value, config.AddrResolve|config.AddrStream, ""); err != nil {
				return fmt.Errorf("parsing agent-addr failed. Check if '%s' is correct address.", value)
			}
			return nil
		}),
		word("agent-inter", "time between questions to the agent", agentInter),
		word("agent-port", "the port of the agent", wants("agent-port", "expects a port number as argument.")),
		word("agent-send", "what the agent is sent", wants("agent-send", "expects a string as argument.")),
		word("check-alpn", "protocols that checks offer", wants("check-alpn", ": missing the comma-delimited ALPN protocol suite")),
		word("check-pool-conn-name", "the name of connections that checks take from the pool", wants("check-pool-conn-name", ": missing value")),
		word("check-proto", "the protocol of checks", func(_ *config.Loader, value string, _ *runtime.Server) error {
			switch value {
			case "":
				return errors.New("'check-proto' : missing value")
			case "h1", "h2", "none", "fcgi", "spop":
				return nil
			}
			return fmt.Errorf("'check-proto' :  unknown MUX protocol '%s'", value)
		}),
		word("init-state", "the state of the server at start", func(_ *config.Loader, value string, _ *runtime.Server) error {
			switch value {
			case "none", "fully-up", "up", "down", "fully-down":
				return nil
			}
			return fmt.Errorf("'init-state' expects one of 'none', 'fully-up', 'up', 'down', or 'fully-down' but got '%s'", value)
		}),
	}
}

func agentInter(l *config.Loader, value string, srv *runtime.Server) error {
	if value == "" {
		return errors.New("'agent-inter' expects a delay as argument.")
	}
	d, fault := l.Time(value, time.Millisecond)
	switch {
	case fault == nil && d == 0:
		return fmt.Errorf("invalid value 0 for argument 'agent-inter' of server %s.", srv.Name)
	case fault == nil && config.SuspiciouslySmall(value):
		n := d.Milliseconds()
		return config.Warning(fmt.Sprintf("'agent-inter %d' in server '%s' is suspiciously small for a value in milliseconds. Please use an explicit unit ('%dms') if that was the intent", n, srv.Name, n))
	case fault == nil:
		return nil
	case fault.Over:
		return fmt.Errorf("timer overflow in argument <%s> to <agent-inter> of server %s, maximum value is 2147483647 ms (~24.8 days).", value, srv.Name)
	case fault.Under:
		return fmt.Errorf("timer underflow in argument <%s> to <agent-inter> of server %s, minimum non-null value is 1 ms.", value, srv.Name)
	}
	return fmt.Errorf("unexpected character '%c' in 'agent-inter' argument of server %s.", fault.Char, srv.Name)
}
