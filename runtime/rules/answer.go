package rules

import (
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/sticktable"
)

// parseAllow reads allow and accept, which end their rule set.
func parseAllow(*config.Loader, *config.ActionLine) (runtime.Exec, error) {
	return func(*runtime.Stream) runtime.Verdict { return runtime.Stop }, nil
}

// parseReject reads reject: the connection ends without an answer.
func parseReject(*config.Loader, *config.ActionLine) (runtime.Exec, error) {
	return func(*runtime.Stream) runtime.Verdict { return runtime.Abort }, nil
}

// parseReturn reads `return [status <code>] [<payload>] [hdr <name> <format>]*`.
func parseReturn(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	reply, err := l.Reply(&a.Words, 200, a.At)
	if err != nil {
		return nil, err
	}
	reply.Kind = runtime.ReplyLocal
	return func(s *runtime.Stream) runtime.Verdict {
		s.Reply = reply
		return runtime.Done
	}, nil
}

// parseDeny reads deny and tarpit: `[deny_status <code>]` and all that "return" takes. Without a payload the error
// of the proxy is sent.
func parseDeny(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	tarpit := a.Name == "tarpit"
	status := 403
	switch {
	case tarpit:
		status = 500
	case a.Kind != runtime.HTTPReqRules:
		status = 502
	}
	reply, err := readDenial(l, a, status)
	if err != nil {
		return nil, err
	}
	reply.Kind = runtime.ReplyDeny
	if tarpit {
		reply.Kind = runtime.ReplyTarpit
	}
	return func(s *runtime.Stream) runtime.Verdict {
		s.Reply, s.Tarpit = reply, tarpit
		return runtime.Deny
	}, nil
}

// readDenial reads the answer of a denial. The old word "deny_status" alone goes with the proxy's errors, before
// other words it means "status".
func readDenial(l *config.Loader, a *config.ActionLine, status int) (*runtime.Reply, error) {
	const byDefault = "default-errorfiles"
	if condAt(a, 0) {
		w := words(a, byDefault)
		return l.Reply(&w, status, a.At)
	}
	if a.Peek() != "deny_status" {
		return l.Reply(&a.Words, status, a.At)
	}
	if condAt(a, 2) {
		w := words(a, "status", a.PeekAt(1), byDefault)
		a.Skip(2)
		return l.Reply(&w, status, a.At)
	}
	w := words(a, append([]string{"status"}, a.Rest()[1:]...)...)
	reply, err := l.Reply(&w, status, a.At)
	a.Skip(w.Index())
	return reply, err
}

// words makes a cursor over words that stand for those of the line.
func words(a *config.ActionLine, texts ...string) config.Words {
	line := &ast.Line{Pos: a.Pos()}
	for _, t := range texts {
		if t == "" {
			break
		}
		line.Words = append(line.Words, ast.Word{Text: t})
	}
	return config.NewWords(line, 0)
}

// statsRealm is what the statistics ask for users with.
const statsRealm = "HAProxy Statistics"

// parseAuth reads `auth [realm <realm>]`. Without a realm it is the name of the proxy that the rule runs for.
func parseAuth(_ *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	realm, named := a.Proxy.Name, a.Proxy.Caps&runtime.CapDefaults == 0
	if a.Line.Arg(0) == "stats" {
		realm, named = statsRealm, true
	}
	if a.TakeIf("realm") {
		if realm = a.Take(); realm == "" {
			return nil, missingValue("realm")
		}
		named = true
	}
	origin, proxy := challenges(realm)
	return func(s *runtime.Stream) runtime.Verdict {
		origin, proxy := origin, proxy
		if !named {
			px := s.Front
			if s.Ctx.Checkpoint&backSide != 0 {
				px = s.Back
			}
			origin, proxy = challenges(px.Name)
		}
		s.Reply = origin
		if toProxy(s) {
			s.Reply = proxy
		}
		sticktable.CountError(s)
		return runtime.Done
	}, nil
}

// challenges are the answers that ask for a user, as a server does and as a proxy does.
func challenges(realm string) (origin, proxy *runtime.Reply) {
	ask := func(status int, header string) *runtime.Reply {
		return &runtime.Reply{Status: status, Default: true, Kind: runtime.ReplyLocal, Fixed: [][2]string{{header, "Basic realm=\"" + realm + "\""}}}
	}
	return ask(401, "www-authenticate"), ask(407, "proxy-authenticate")
}

// toProxy tells whether the client takes us for a proxy of its own: then credentials are asked for by other headers.
func toProxy(s *runtime.Stream) bool {
	if s.Front.Options&runtime.OptUseProxyHeader == 0 {
		return false
	}
	uri := s.Req.URI()
	return len(uri) > 0 && uri[0] != '/' && uri[0] != '*'
}

// parsePause reads `pause <time>|<expression>`.
func parsePause(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	d, err := readDelay(l, a, "pause")
	if err != nil {
		return nil, err
	}
	rule := a.Rule
	return func(s *runtime.Stream) runtime.Verdict {
		if s.Held == rule {
			if !s.HeldOver {
				return runtime.Wait
			}
			s.Held, s.HeldOver = nil, false
			return runtime.Continue
		}
		wait, ok := d.of(s)
		if !ok || wait <= 0 {
			return runtime.Continue
		}
		s.WaitFor = wait
		return runtime.Wait
	}, nil
}

// inRequest tells whether rules of this kind work on requests.
func inRequest(kind runtime.RulesetKind) bool {
	return kind&(runtime.TCPResRules|runtime.HTTPResRules|runtime.HTTPAfterRules) == 0
}

// placeOf is where rules of a kind find the data of expressions that the reference checks for both sides of a
// proxy in HTTP mode.
func placeOf(kind runtime.RulesetKind, px *runtime.Proxy) sample.Checkpoint {
	if inRequest(kind) {
		return requestPlaces(px)
	}
	var at sample.Checkpoint
	if px.Caps&runtime.CapFront != 0 {
		at |= sample.FrontResHeaders
	}
	if px.Caps&runtime.CapBack != 0 {
		at |= sample.BackResHeaders
	}
	return at
}
