package logger

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Log profiles say for each step of a stream what is logged and how.

// steps are the moments at which a stream may be logged; origins are those that rules
// of "do-log" add.
var (
	steps   = []string{"accept", "request", "connect", "response", "close"}
	origins = []string{"quic-init", "http-req", "http-res", "http-after-res", "tcp-req-conn", "tcp-req-sess", "tcp-req-cont", "tcp-res-cont"}
)

// Origins of connections that have no stream yet.
const (
	ofConnection = stepRule + 4 // tcp-req-conn
	ofSession    = stepRule + 5 // tcp-req-sess
)

func profileSection() config.Section {
	return config.Section{
		Doc:  keyword.Doc{Name: "log-profile", Ref: "8.3.5", Summary: "what is logged at each step"},
		Kind: config.LogProfile, Start: startProfile,
		Unknown: func(l *config.Loader, line *ast.Line) {
			l.Abort(line.Pos, "unknown keyword '%s' in log-profile section.", line.Arg(0))
		},
	}
}

func profileKeywords() []config.Keyword {
	return []config.Keyword{
		profileRow(config.LogProfile, "log-tag", "8.3.5", "the tag in syslog headers", "log-profile p\n  log-tag web\n", []keyword.Arg{{Name: "tag", Type: keyword.Str}}, func(l *config.Loader, line *ast.Line) {
			if line.Arg(1) == "" {
				l.Alert(line.Pos, "'%s' expects a tag for use in syslog.", line.Arg(0))
				return
			}
			config.State[profiles](l).now.Tag = []byte(line.Arg(1))
		}),
		profileRow(config.LogProfile, "on", "8.3.5", "what is logged at a step", "log-profile p\n  on close format \"%ci\"\n  on any drop\n", []keyword.Arg{{Name: "step", Type: keyword.Enum, Enum: slices.Concat(steps, []string{"error", "any"}, origins)},
			{Name: "drop", Type: keyword.Flag, Opt: true}, {Name: "format", Type: keyword.LogFormat, Joined: true, Opt: true}, {Name: "sd", Type: keyword.LogFormat, Joined: true, Opt: true}}, onStep),
		profileRow(config.Proxies, "log-steps", "4.2", "at which steps is logged", "frontend f\n  log stderr local0\n  bind :8080\n  log-steps accept,close\n", []keyword.Arg{{Name: "steps", Type: keyword.Opaque, Doc: "all, or steps separated by commas"}}, func(l *config.Loader, line *ast.Line) {
			l.Report(line.Pos, logSteps(l, line))
		}),
	}
}

func profileRow(in config.Sections, name, ref, summary, example string, args []keyword.Arg, parse func(*config.Loader, *ast.Line)) config.Keyword {
	return config.Keyword{Doc: keyword.Doc{Name: name, Ref: ref, Summary: summary, Args: args, Examples: []keyword.Example{{Config: example}}}, In: in, Parse: parse}
}

// profiles are the log-profile sections.
type profiles struct {
	named map[string]*runtime.LogProfile
	now   *runtime.LogProfile // the section being read
}

// stepNumber is the number of a step or an origin by its word; "error" and "any" are among them.
func stepNumber(word string) uint8 {
	if i := slices.Index(steps, word); i >= 0 {
		return uint8(stepAccept + i)
	}
	if i := slices.Index(origins, word); i >= 0 {
		return uint8(stepRule + i)
	}
	if word == "error" {
		return stepError
	}
	return stepUnknown
}

func startProfile(l *config.Loader, line *ast.Line) {
	all := config.State[profiles](l)
	all.now = &runtime.LogProfile{Steps: map[uint8]*runtime.ProfileStep{}} // of a header that is refused, the lines are read too
	if l.TooMany(line, 1, 1) {
		return
	}
	name, ok := l.SectionName(line)
	if !ok {
		return
	}
	if !l.KnowFirst(config.LogProfile, line) {
		return
	}
	if all.named == nil {
		all.named = map[string]*runtime.LogProfile{}
	}
	all.now.Name = name
	all.named[name] = all.now
}

// onStep reads `on <step> [drop] [format <format>] [sd <format>]`.
func onStep(l *config.Loader, line *ast.Line) {
	step := line.Arg(1)
	if !slices.Contains(steps, step) && !slices.Contains(origins, step) && step != "error" && step != "any" {
		l.AlertTight(line.Pos, "'%s' expects a log step.\n"+
			"expected values are: 'accept', 'request', 'connect', 'response', 'close', 'error' or 'any'.\n"+
			"Or one of the additional log steps: '%s'.", line.Arg(0), strings.Join(origins, "', '"))
		return
	}
	on := &runtime.ProfileStep{}
	config.State[profiles](l).now.Steps[stepNumber(step)] = on
	w := config.NewWords(line, 2)
	for !w.Done() {
		word := w.Peek()
		if word == "drop" && w.Index() == 2 {
			w.Take()
			on.Drop = true
			continue
		}
		if word != "format" && word != "sd" {
			break
		}
		w.Take()
		text := w.Take()
		if text == "" {
			l.Alert(line.Pos, "'%s %s %s' expects a logformat string.", line.Arg(0), step, word)
			return
		}
		l.For(sample.InLogFormat)
		l.Samples.Alone = true // a profile belongs to no proxy that would resolve them
		f, err := l.Format(text, logformat.ForLog, sample.LogEnd)
		l.Samples.Alone = false
		if err != nil {
			l.Clash(line.Pos, false, "failed to parse logformat: %s.", err)
			return
		}
		if word == "format" {
			on.Format = f
		} else {
			on.SD = f
		}
	}
	if w.Index() == 2 || !w.Done() {
		l.Alert(line.Pos, "'%s %s' expects 'drop', 'format' or 'sd'.", line.Arg(0), step)
	}
}

// logSteps reads `log-steps all|<step>[,<step>...]`.
func logSteps(l *config.Loader, line *ast.Line) error {
	px := l.Proxy
	if px.Caps&runtime.CapFront == 0 {
		return config.Warning(fmt.Sprintf("%s will be ignored because %s '%s' has no frontend capability", line.Arg(0), px.Kind, px.Name))
	}
	list := strings.TrimSuffix(line.Arg(1), ",")
	switch list {
	case "":
		return nil
	case "all":
		px.LogSteps = ^uint32(0)
		return nil
	}
	for _, step := range strings.Split(list, ",") {
		if !slices.Contains(steps, step) && !slices.Contains(origins, step) {
			return fmt.Errorf("invalid log step name (%s). Expected values are: %s", step, strings.Join(slices.Concat(steps, origins), ", "))
		}
		px.LogSteps |= 1 << stepNumber(step)
	}
	return nil
}

// doLog is the action that logs at once.
func doLog() config.Action {
	return config.Action{
		Doc: keyword.Doc{Name: "do-log", Ref: "4.4", Summary: "log now", Args: []keyword.Arg{{Name: "profile", Type: keyword.Name, Joined: true, Opt: true}},
			Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  log stderr local0\n  bind :8080\n  http-request do-log if { path /x }\n"}}},
		In: runtime.TCPConnRules | runtime.TCPSessRules | runtime.TCPReqRules | runtime.TCPResRules | runtime.HTTPReqRules |
			runtime.HTTPResRules | runtime.HTTPAfterRules,
		Parse: func(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
			var profile *runtime.LogProfile
			px := l.Proxy
			for a.TakeIf("profile") {
				name := a.Take()
				if name == "" {
					return nil, fmt.Errorf("action '%s': 'profile' expects argument.", a.Name)
				}
				l.CheckRule(func() error {
					if !l.Known(config.LogProfile, name) {
						return errors.New("do-log action: profile '" + name + "' is invalid")
					}
					profile = config.State[profiles](l).named[name]
					for _, on := range profile.Steps {
						px.FormatNeeds |= on.Need()
					}
					return nil
				})
			}
			step := stepOfRules(a.Kind)
			return func(s *runtime.Stream) runtime.Verdict {
				if p := planOf(s); p != nil {
					p.now(s, step, profile)
				}
				return runtime.Continue
			}, nil
		},
	}
}

// stepOfRules is the step that rules of a kind stand for.
func stepOfRules(kind runtime.RulesetKind) uint8 {
	const first = stepRule + 1 // behind that of rules about QUIC
	for i, k := range []runtime.RulesetKind{runtime.HTTPReqRules, runtime.HTTPResRules, runtime.HTTPAfterRules,
		runtime.TCPConnRules, runtime.TCPSessRules, runtime.TCPReqRules} {
		if kind == k {
			return uint8(first + i)
		}
	}
	return uint8(stepRule + len(origins) - 1)
}
