package resolver

import (
	"errors"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// kind is the kind of record that is asked for.
type kind = dnsmessage.Type

const (
	kindA    = dnsmessage.TypeA
	kindAAAA = dnsmessage.TypeAAAA
	kindSRV  = dnsmessage.TypeSRV
)

// reply is a message of a name server.
type reply struct {
	id     uint16
	name   string // asked for
	kind   kind
	fault  fault
	cname  bool
	found  []found
	extras map[string]netip.Addr // addresses of targets, with answers of kind SRV
}

// found is one record of an answer.
type found struct {
	addr         netip.Addr // of an A or AAAA record
	target       string     // of a SRV record
	port, weight uint16
}

// fault is why a reply is no answer.
type fault uint8

const (
	sound    fault = iota
	noName         // NXDOMAIN
	refused        // REFUSED
	empty          // no record
	badCName       // an alias that leads nowhere
	failed         // another status
	invalid        // not what was asked for
	cut            // truncated
	tooBig         // more than was announced
)

var errMessage = errors.New("not an answer")

// question makes the message that asks for a name.
func question(id uint16, name string, want kind, payload int) ([]byte, error) {
	n, err := dnsmessage.NewName(name + ".")
	if err != nil {
		return nil, err
	}
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: id, RecursionDesired: true})
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	if err := b.Question(dnsmessage.Question{Name: n, Type: want, Class: dnsmessage.ClassINET}); err != nil {
		return nil, err
	}
	if err := b.StartAdditionals(); err != nil {
		return nil, err
	}
	var h dnsmessage.ResourceHeader
	if err := h.SetEDNS0(payload, dnsmessage.RCodeSuccess, false); err != nil {
		return nil, err
	}
	if err := b.OPTResource(h, dnsmessage.OPTResource{}); err != nil {
		return nil, err
	}
	return b.Finish()
}

// parse reads a message of at most payload bytes. With an error the id alone may be known.
func parse(data []byte, payload int) (reply, error) {
	var m reply
	var p dnsmessage.Parser
	h, err := p.Start(data)
	if err != nil {
		return m, err
	}
	m.id = h.ID
	if !h.Response {
		return m, errMessage
	}
	q, err := p.Question()
	if err != nil {
		return m, err
	}
	if p.SkipAllQuestions() != nil {
		return m, errMessage
	}
	m.name, m.kind = plainName(q.Name), q.Type
	switch {
	case len(data) > payload:
		m.fault = tooBig
	case h.Truncated:
		m.fault = cut
	case h.RCode == dnsmessage.RCodeNameError:
		m.fault = noName
	case h.RCode == dnsmessage.RCodeRefused:
		m.fault = refused
	case h.RCode != dnsmessage.RCodeSuccess:
		m.fault = failed
	default:
		return m, m.records(&p)
	}
	return m, nil
}

// records reads the answers, which may begin with aliases of the name, and the additional records.
func (m *reply) records(p *dnsmessage.Parser) error {
	name := m.name
	count := 0
	for {
		h, err := p.AnswerHeader()
		if err == dnsmessage.ErrSectionDone {
			break
		}
		if err != nil {
			return err
		}
		count++
		own := plainName(h.Name) == name
		switch {
		case h.Type == dnsmessage.TypeCNAME && own:
			r, err := p.CNAMEResource()
			if err != nil {
				return err
			}
			name, m.cname = plainName(r.CNAME), true
			continue
		case !own && (h.Type == m.kind || h.Type == dnsmessage.TypeCNAME):
			m.fault = badCName
			return nil
		case h.Type != m.kind:
			if err := p.SkipAnswer(); err != nil {
				return err
			}
			continue
		}
		f, err := readRecord(p, h.Type)
		if err != nil {
			return err
		}
		m.found = append(m.found, f)
	}
	switch {
	case count == 0:
		m.fault = empty
	case len(m.found) == 0 && m.cname:
		m.fault = badCName
	case len(m.found) == 0:
		m.fault = empty
	}
	return m.additional(p)
}

func readRecord(p *dnsmessage.Parser, k kind) (found, error) {
	switch k {
	case kindA:
		r, err := p.AResource()
		return found{addr: netip.AddrFrom4(r.A)}, err
	case kindAAAA:
		r, err := p.AAAAResource()
		return found{addr: netip.AddrFrom16(r.AAAA)}, err
	case kindSRV:
		r, err := p.SRVResource()
		return found{target: plainName(r.Target), port: r.Port, weight: r.Weight}, err
	}
	return found{}, errMessage
}

// additional keeps the addresses of targets, so that they need not be asked for.
func (m *reply) additional(p *dnsmessage.Parser) error {
	if m.kind != kindSRV || p.SkipAllAuthorities() != nil {
		return nil
	}
	for {
		h, err := p.AdditionalHeader()
		if err != nil {
			return nil
		}
		if h.Type != kindA && h.Type != kindAAAA {
			if p.SkipAdditional() != nil {
				return nil
			}
			continue
		}
		f, err := readRecord(p, h.Type)
		if err != nil {
			return nil
		}
		if m.extras == nil {
			m.extras = map[string]netip.Addr{}
		}
		m.extras[plainName(h.Name)] = f.addr
	}
}

// plainName is a name in lower case, without the dot at its end.
func plainName(n dnsmessage.Name) string {
	return strings.ToLower(strings.TrimSuffix(n.String(), "."))
}
