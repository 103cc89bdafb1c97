package check

import (
	"fmt"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// program is what a proxy says of checks by programs.
type program struct {
	on            bool // "option external-check"
	command, path string
}

// programKeywords are the lines about checks by programs.
func programKeywords() []config.Keyword {
	const example = "global\n  external-check\n  insecure-fork-wanted\nbackend b\n  option external-check\n  external-check path /usr/bin:/bin\n" +
		"  external-check command true\n  server s 127.0.0.1:80 check\n"
	examples := []keyword.Example{{Config: example}}
	return []config.Keyword{
		{
			Doc: keyword.Doc{Name: "external-check", Ref: "4.2", Summary: "the program that checks servers, and where it is looked for", Args: []keyword.Arg{
				{Name: "setting", Type: keyword.Enum, Enum: []string{"command", "path"}}, {Name: "value", Type: keyword.File}}, Examples: examples},
			In: config.Proxies, Parse: parseProgram,
		},
		{
			Doc: keyword.Doc{Name: "external-check", Ref: "3.1", Summary: "allow checks by programs",
				Args: []keyword.Arg{{Name: "preserve-env", Type: keyword.Flag, Opt: true}}, Examples: examples},
			In: config.Global, Parse: allowPrograms,
		},
		{
			Doc: keyword.Doc{Name: "insecure-fork-wanted", Ref: "3.1", Summary: "let programs be run without being root", Examples: examples},
			In:  config.Global, No: true, Parse: func(l *config.Loader, line *ast.Line) {
				l.Config.Global.InsecureFork = !l.TooMany(line, 1, 0) && line.Modifier != ast.No
			},
		},
	}
}

func allowPrograms(l *config.Loader, line *ast.Line) {
	if l.TooMany(line, 1, 1) {
		return
	}
	g := &l.Config.Global
	g.ExternalCheck = true
	switch value := line.Arg(1); value {
	case "":
	case "preserve-env":
		g.KeepEnvironment = true
	default:
		l.Alert(line.Pos, "'%s' only supports 'preserve-env' as an argument, found '%s'.", line.Arg(0), value)
	}
}

func parseProgram(l *config.Loader, line *ast.Line) {
	word, setting, value := line.Arg(0), line.Arg(1), line.Arg(2)
	switch {
	case setting == "":
		l.Report(line.Pos, fmt.Errorf("missing argument after '%s'.\n", word))
	case setting != "command" && setting != "path":
		l.Alert(line.Pos, "'%s' only supports 'command' and 'path'. but got '%s'.", word, setting)
	case l.TooMany(line, 1, 2):
	case value == "":
		l.Alert(line.Pos, "missing argument after '%s'.", setting)
	case setting == "command":
		settingsOf(l.Proxy).program.command = value
	default:
		settingsOf(l.Proxy).program.path = value
	}
}

// externalOption makes the servers of a proxy be checked by a program.
func externalOption() config.Option {
	return config.Option{
		Doc: keyword.Doc{Name: "external-check", Ref: "4.2", Summary: "check by a program", Examples: []keyword.Example{
			{Config: "global\n  external-check preserve-env\n  insecure-fork-wanted\nbackend b\n  option external-check\n  external-check command /bin/true\n  server s 127.0.0.1:80 check\n"}}},
		Caps: runtime.CapBack,
		Parse: func(l *config.Loader, line *ast.Line) {
			settingsOf(l.Proxy).choose(nil)
			l.TooMany(line, 2, 0)
		},
	}
}

// rules is the rule set of checks by the program.
func (p program) rules() *ruleset {
	return &ruleset{kind: kindProgram, rules: []*rule{{do: &execution{command: p.command, path: p.path}}}, settled: true}
}

// check tells what the lines of a proxy lack for checks by programs.
func (p program) check(l *config.Loader, px *runtime.Proxy) {
	if p.on {
		const option = "option external-check"
		if !l.Config.Global.ExternalCheck {
			l.List.Alertf(px.Pos, "Proxy '%s' : '%s' unable to find required 'global.external-check'.", px.Name, option)
		}
		if p.command == "" {
			l.List.Alertf(px.Pos, "Proxy '%s' : '%s' unable to find required 'external-check command'.", px.Name, option)
		}
		if !l.Config.Global.InsecureFork {
			l.List.Warnf(px.Pos, "Proxy '%s' : 'insecure-fork-wanted' not enabled in the global section, '%s' will likely fail.", px.Name, option)
		}
	}
	unused := func(setting string) {
		l.List.Warnf(px.Pos, "'external-check %s' will be ignored for %s '%s' (requires 'option external-check').", setting, px.Kind, px.Name)
	}
	if p.command != "" {
		if !p.on {
			unused("command")
		}
		if p.path == "" && !strings.HasPrefix(p.command, "/") {
			l.List.Alertf(px.Pos, "Proxy '%s': 'external-check command' does not have a leading '/' and 'external-check path' is not set.", px.Name)
		}
	}
	if p.path != "" && !p.on {
		unused("path")
	}
}
