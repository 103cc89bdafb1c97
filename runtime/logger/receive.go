package logger

import (
	"net/netip"
	"time"

	"hapax/runtime"
	"hapax/runtime/logger/syslog"
)

// Receive sends on a message that came to a log-forward section from an address, which is not valid for UNIX sockets. It
// is called on one of the loops.
func Receive(loop int, px *runtime.Proxy, data []byte, from netip.Addr) {
	p, ok := px.Logger.(*plan)
	if !ok {
		return
	}
	w := p.logger.loops[loop]
	p.logger.config.Stats.CumLogs.Inc()
	m := &w.received
	if *m = syslog.Bare(data); !px.Forward.Bare {
		*m = syslog.Parse(data)
		w.settleHost(m, px.Forward.Host, from)
	}
	p.forward(w, m)
}

// settleHost makes the host of a message what the section wants.
func (w *scribe) settleHost(m *syslog.Message, rule runtime.HostRule, from netip.Addr) {
	if !from.IsValid() || rule == runtime.HostKeep || rule == runtime.HostFill && len(m.Host) > 0 {
		return
	}
	b := w.host[:0]
	if rule == runtime.HostAppend && len(m.Host) > 0 {
		b = append(append(b, m.Host...), ',')
	}
	w.host = from.Unmap().AppendTo(b)
	m.Host = w.host
}

// forward gives a message that was received to all targets. One without priority passes any level.
func (p *plan) forward(w *scribe, m *syslog.Message) {
	level, facility, tag := m.Level, m.Facility, m.Tag
	now := time.Now().UnixMicro()
	n := 0
	for _, t := range p.targets {
		if !t.takes(level) {
			continue
		}
		n++
		m.Level, m.Facility, m.Tag = max(level, t.MinLevel), facility, tag
		if facility < 0 {
			m.Facility = t.Facility
		}
		if t.Profile != nil && len(t.Profile.Tag) > 0 {
			m.Tag = t.Profile.Tag
		}
		form := t.form
		if form == runtime.LogUnset {
			form = formOf(m)
		}
		w.foreign = w.appendHeader(w.foreign[:0], form, m, now)
		w.deliver(t, n, form, w.foreign, m.Data, m.Body)
	}
}

// formOf is the format in which a message can be told with all that it says.
func formOf(m *syslog.Message) runtime.LogFormat {
	switch {
	case len(m.Host) > 0 && (string(m.Time) == "-" || len(m.Time) >= syslog.ISOTimeLen):
		return runtime.LogRFC5424
	case len(m.Host) > 0:
		return runtime.LogRFC3164
	case len(m.Tag) > 0:
		return runtime.LogLocal
	case len(m.Priority) > 0:
		return runtime.LogPriority
	}
	return runtime.LogRaw
}
