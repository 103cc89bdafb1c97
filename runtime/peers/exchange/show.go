package exchange

import (
	"fmt"
	"strconv"
)

// Names tells what a group itself does not know of its peers.
type Names interface {
	Address(p *Peer) string    // where the peer is
	Connection(p *Peer) string // how it is connected, one line or two, each behind a space or a line feed
}

// AppendState appends all that "show peers" prints of the group, which was made at a date; with texts the dictionaries
// too. A number stands where HAProxy prints an address in its memory.
func (g *Group) AppendState(b []byte, date string, names Names, texts bool) []byte {
	now := g.Clock()
	b = fmt.Appendf(b, "%#x: [%s] id=%s disabled=0 flags=%#x resync_timeout=%s task_calls=%d\n", 1, date, g.Name, uint32(g.flags), until(g.timeout, now), g.Runs)
	for i, p := range g.Peers {
		b = p.appendState(b, i+1, now, names, texts)
	}
	return b
}

func (p *Peer) appendState(b []byte, number int, now int64, names Names, texts bool) []byte {
	where, doing := "remote", "inactive"
	if p.Local {
		where = "local"
	}
	if p.session != nil {
		doing = "active"
	}
	b = fmt.Appendf(b, "  %#x: id=%s(%s,%s) addr=%s app_state=%s learn_state=%s last_status=%s", number, p.Name, where, doing, names.Address(p), p.app, p.learn, StatusText(p.status))
	ago := "<NEVER>"
	if p.handshake > 0 {
		ago = span(now - p.handshake)
	}
	b = fmt.Appendf(b, " last_hdshk=%s\n        reconnect=%s heartbeat=%s", ago, until(p.reconnect, now), until(p.heartbeat, now))
	c := &p.Counts
	b = fmt.Appendf(b, " confirm=%d tx_hbt=%d rx_hbt=%d no_hbt=%d new_conn=%d proto_err=%d coll=%d\n", p.confirm, c.SentBeats, c.Beats, c.NoBeats, c.Connects, c.Errors, c.Collisions)
	b = fmt.Appendf(b, "        flags=%#x", uint32(p.flags))
	if s := p.session; s != nil {
		b = fmt.Appendf(b, " appctx:%#x st0=%d st1=0 task_calls=%d%s", number, s.state, s.calls, names.Connection(p))
		b = appendTable(b, "remote_table", s.remote)
		b = appendTable(b, "last_local_table", s.local)
	}
	if len(p.Tables) > 0 {
		b = append(b, "\n        shared tables:"...)
	}
	for _, st := range p.Tables {
		b = st.appendState(b)
		if !texts {
			b = append(b, "\n        Dictionary cache not dumped (use \"show peers dict\")"...)
			continue
		}
		sent, heard := &dictionary{}, &dictionary{}
		if s := p.session; s != nil {
			sent, heard = &s.sent, &s.heard
		}
		b = appendTexts(append(b, "\n        TX dictionary cache:"...), sent.texts[:], "")
		b = appendTexts(append(b, "\n        RX dictionary cache:"...), heard.texts[:], "-")
	}
	return append(b, '\n')
}

// appendTable names one of the tables of a session.
func appendTable(b []byte, what string, st *Shared) []byte {
	if st == nil {
		return b
	}
	return fmt.Appendf(b, "\n        %s:%#x id=%s local_id=%d remote_id=%d", what, st.LocalID, st.Table.Name, st.LocalID, st.RemoteID)
}

func (st *Shared) appendState(b []byte) []byte {
	walked := 0
	if st.walked {
		walked = 3
	}
	b = fmt.Appendf(b, "\n          %#x local_id=%d remote_id=%d flags=0x%x remote_data=0x%x", st.LocalID, st.LocalID, st.RemoteID, walked, st.data)
	b = fmt.Appendf(b, "\n              last_acked=%d last_pushed=%d last_get=%d teaching_origin=%d update=%d", st.acked, uint32(st.pushed), st.got, uint32(st.origin), uint32(st.update))
	t := st.Table
	return fmt.Appendf(b, "\n              table:%#x id=%s update=%d localupdate=%d refcnt=1", st.LocalID, t.Name, uint32(t.LastChange()), uint32(t.LastLocal()))
}

// appendTexts lists texts with their places, four in a line; none stands for the places that are free, at whose first
// one the list ends if that is "".
func appendTexts(b []byte, texts []string, none string) []byte {
	for i, text := range texts {
		if text == "" {
			if text = none; none == "" {
				break
			}
		}
		if i%4 == 0 {
			b = append(b, "\n        "...)
		}
		b = fmt.Appendf(b, "  %3d -> %s", i, text)
	}
	return b
}

// until is the time until then.
func until(at, now int64) string {
	switch {
	case at == 0:
		return "<NEVER>"
	case now >= at:
		return "<PAST>"
	}
	return span(at - now)
}

// span is a time as people read it: its first two units that are not zero.
func span(ms int64) string {
	var b []byte
	left, shown := ms/1000, 0
	for _, unit := range []struct {
		seconds int64
		name    byte
	}{{24 * 3600, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}} {
		if n := left / unit.seconds; n > 0 && shown < 2 {
			b = append(strconv.AppendInt(b, n, 10), unit.name)
			shown++
		}
		left %= unit.seconds
	}
	if b == nil {
		return "0s"
	}
	return string(b)
}
