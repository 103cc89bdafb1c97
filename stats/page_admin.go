package stats

import (
	"net/url"
	"strings"

	"hapax/runtime"
	"hapax/runtime/config"
)

// Admin changes servers for the page's forms: health checks take the same path.
type Admin interface {
	SetMaint(*runtime.Server)
	SetDrain(*runtime.Server)
	SetReady(*runtime.Server)
	SetAdmin(srv *runtime.Server, flag runtime.Admin, on bool)
	SetHealth(srv *runtime.Server, state runtime.ServerState, by string)
	SetChecks(srv *runtime.Server, on bool)
	SetAgent(srv *runtime.Server, on bool)
	SetAgentHealth(srv *runtime.Server, up bool, by string)
	EndStreams(*runtime.Server)
}

// What became of a form, as the address that the client is sent to tells it.
const (
	formDone     = "DONE"
	formNothing  = "NONE"
	formPart     = "PART"
	formBad      = "ERRP"
	formTooLarge = "EXCD"
	formDenied   = "DENY"
	formInvalid  = "IVAL"
	formUnknown  = "UNKN"
)

// maxFormKey is how long a name and a value of a form may be together.
const maxFormKey = 2048

// action is one choice of the form. do tells whether it has changed the server, or at least tried.
type action struct {
	name, label string // without a label it is only known for the sake of old clients
	do          func(a Admin, srv *runtime.Server) bool
}

const web = "Web interface"

var formActions = []action{
	{"ready", "Set state to READY", func(a Admin, srv *runtime.Server) bool { a.SetReady(srv); return true }},
	{"drain", "Set state to DRAIN", func(a Admin, srv *runtime.Server) bool { a.SetDrain(srv); return true }},
	{"maint", "Set state to MAINT", func(a Admin, srv *runtime.Server) bool { a.SetMaint(srv); return true }},
	{"dhlth", "Health: disable checks", func(a Admin, srv *runtime.Server) bool { return setChecks(a, srv, false) }},
	{"ehlth", "Health: enable checks", func(a Admin, srv *runtime.Server) bool { return setChecks(a, srv, true) }},
	{"hrunn", "Health: force UP", func(a Admin, srv *runtime.Server) bool { return setHealth(a, srv, runtime.ServerRunning) }},
	{"hnolb", "Health: force NOLB", func(a Admin, srv *runtime.Server) bool { return setHealth(a, srv, runtime.ServerStopping) }},
	{"hdown", "Health: force DOWN", func(a Admin, srv *runtime.Server) bool { return setHealth(a, srv, runtime.ServerStopped) }},
	{"dagent", "Agent: disable checks", func(a Admin, srv *runtime.Server) bool { return setAgent(a, srv, false) }},
	{"eagent", "Agent: enable checks", func(a Admin, srv *runtime.Server) bool { return setAgent(a, srv, true) }},
	{"arunn", "Agent: force UP", func(a Admin, srv *runtime.Server) bool { return setAgentHealth(a, srv, true) }},
	{"adown", "Agent: force DOWN", func(a Admin, srv *runtime.Server) bool { return setAgentHealth(a, srv, false) }},
	{"shutdown", "Kill Sessions", func(a Admin, srv *runtime.Server) bool { a.EndStreams(srv); return true }},
	{"disable", "", func(a Admin, srv *runtime.Server) bool { return setAdmin(a, srv, runtime.ForcedMaint, true) }},
	{"enable", "", func(a Admin, srv *runtime.Server) bool { return setAdmin(a, srv, runtime.ForcedMaint, false) }},
	{"stop", "", func(a Admin, srv *runtime.Server) bool { return setAdmin(a, srv, runtime.ForcedDrain, true) }},
	{"start", "", func(a Admin, srv *runtime.Server) bool { return setAdmin(a, srv, runtime.ForcedDrain, false) }},
}

func setChecks(a Admin, srv *runtime.Server, on bool) bool {
	if srv.CheckOn {
		a.SetChecks(srv, on)
	}
	return srv.CheckOn
}

func setHealth(a Admin, srv *runtime.Server, state runtime.ServerState) bool {
	if srv.Track == nil {
		a.SetHealth(srv, state, web)
	}
	return srv.Track == nil
}

func setAdmin(a Admin, srv *runtime.Server, flag runtime.Admin, on bool) bool {
	if (srv.AdminState.Load()&uint32(flag) != 0) == on {
		return false
	}
	a.SetAdmin(srv, flag, on)
	return true
}

func setAgent(a Admin, srv *runtime.Server, on bool) bool {
	if srv.Agent.On {
		a.SetAgent(srv, on)
	}
	return srv.Agent.On
}

func setAgentHealth(a Admin, srv *runtime.Server, up bool) bool {
	if !srv.Agent.Asked() {
		return false
	}
	a.SetAgentHealth(srv, up, web)
	return true
}

// form is what a client posts: an action on servers of one backend. A nil name was not given.
type form struct {
	back    *string
	action  *string
	servers []string
}

// readForm reads `s=<server>&...&action=<name>&b=<backend>`. Of several actions or backends the last one counts. ok is
// false when a name is too long.
func readForm(body []byte) (f form, ok bool) {
	pairs := strings.Split(string(body), "&")
	if len(pairs) > 1 && pairs[0] == "" {
		pairs = pairs[1:] // Quirk: what begins a form belongs to its first name
		pairs[0] = "&" + pairs[0]
	}
	for i := len(pairs) - 1; i >= 0; i-- {
		if len(pairs[i]) >= maxFormKey {
			return f, false
		}
		key, value, _ := strings.Cut(upToNUL(pairs[i]), "=")
		key, err := url.QueryUnescape(key)
		value, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil {
			break
		}
		value = upToNUL(value)
		switch key = upToNUL(key); {
		case key == "b" && f.back == nil:
			f.back = &value
		case key == "action" && f.action == nil:
			f.action = &value
		case key == "s":
			f.servers = append(f.servers, value)
		}
	}
	return f, true
}

func upToNUL(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}

// apply does what a form asks for and tells what became of it.
func (v *view) apply(body []byte) string {
	f, ok := readForm(body)
	if !ok {
		return formBad
	}
	var px *runtime.Proxy
	if f.back != nil {
		if px = v.backend(*f.back); px == nil {
			return formBad
		}
	}
	var chosen *action
	if f.action != nil {
		if chosen = actionNamed(*f.action); chosen == nil {
			return formBad
		}
	}
	if px == nil || chosen == nil {
		return formNothing
	}
	unknown, changed := 0, 0
	for _, name := range f.servers {
		if srv := px.ServerByName([]byte(name)); srv == nil {
			unknown++
		} else if chosen.do(v.admin, srv) {
			changed++
		}
	}
	switch {
	case unknown+changed == 0:
		return formNothing
	case changed == 0:
		return formBad
	case unknown == 0:
		return formDone
	}
	return formPart
}

func actionNamed(name string) *action {
	for i := range formActions {
		if formActions[i].name == name {
			return &formActions[i]
		}
	}
	return nil
}

// backend finds a backend by its name, or by its number behind "#"; what follows the digits does not count.
func (v *view) backend(name string) *runtime.Proxy {
	number, numbered := strings.CutPrefix(name, "#")
	for _, px := range v.config.AllProxies() {
		switch {
		case px.Caps&runtime.CapBack == 0 || px.Disabled:
		case numbered && px.ID == config.Atol(number), !numbered && px.Name == name:
			return px
		}
	}
	return nil
}

// redirect sends the client of a form back to the page, so that a reload does not send the form again.
func (v *view) redirect(result string) runtime.StatsAnswer {
	location := v.page.URI + ";st=" + result + word(v.up, ";up") + word(v.noRefresh, ";norefresh")
	if v.scope != "" {
		location += "?scope=" + v.scope
	}
	return runtime.StatsAnswer{Status: 303, Type: "text/plain", Location: location}
}

// notices are what the page says about a form: a class of colours, and the text in HTML.
var notices = map[string]struct{ class, text string }{
	formDone:    {"active_up", "Action processed successfully."},
	formNothing: {"active_going_down", "Nothing has changed."},
	formPart: {"active_going_down", "Action partially processed.<br>" +
		"Some server names are probably unknown or ambiguous (duplicated names in the backend)."},
	formBad: {"active_down", "Action not processed because of invalid parameters.<ul><li>The action is maybe unknown.</li>" +
		"<li>Invalid key parameter (empty or too long).</li><li>The backend name is probably unknown or ambiguous (duplicated names).</li>" +
		"<li>Some server names are probably unknown or ambiguous (duplicated names in the backend).</li></ul>"},
	formTooLarge: {"active_down", "<b>Action not processed : the buffer couldn't store all the data.<br>You should retry with less servers at a time.</b>"},
	formDenied:   {"active_down", "<b>Action denied.</b>"},
	formInvalid:  {"active_down", "<b>Invalid requests (unsupported method or chunked encoded request).</b>"},
	formUnknown:  {"active_no_check", "Unexpected result."},
}
