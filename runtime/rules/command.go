package rules

import (
	"fmt"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/stats/cli"
)

var commands = []cli.Command{
	{Doc: keyword.Doc{Name: "set var", Summary: "give a variable of the process the value of an expression or a format", Ref: "9.3"},
		Level: cli.Operator, Experiment: true, Run: setVar},
}

// setVar is `set var <name> [expr|fmt] <expression>|<format>`.
func setVar(c *cli.Conn, args []string) cli.Step {
	name, kind, text := cli.Arg(args, 2), cli.Arg(args, 3), cli.Arg(args, 4)
	switch {
	case name == "":
		return c.Fail("Missing process-wide variable identifier.")
	case kind == "":
		return c.Fail("Missing either 'expr', 'fmt' or expression.")
	case text == "":
		kind, text = "expr", kind
	case kind != "expr" && kind != "fmt":
		return c.Failf("'set var': arg type must be either 'expr' or 'fmt' but got '%s'.", kind)
	}
	cfg := c.Owner.(interface{ RunningConfig() *runtime.Config }).RunningConfig()
	if err := setVarNow(cfg, name, kind == "fmt", text); err != nil {
		return c.Fail(err.Error())
	}
	return nil
}

func setVarNow(cfg *runtime.Config, name string, format bool, text string) error {
	l := config.Aside(cfg, sample.InCLI, "CLI")
	v, cond, err := variable(l, "set-var("+name+")", "set-var")
	if err != nil {
		return err
	}
	if v.Scope == sample.ProcScope {
		cfg.ProcVars.Declare(v.ID)
	}
	w := config.NewWords(&ast.Line{Pos: ast.Pos{File: "CLI"}, Words: []ast.Word{{Text: text}}}, 0)
	var value evaluator
	if format {
		value, err = readFormatAt(l, &w, sample.CLIParser)
	} else {
		value, err = readExprAt(l, &w, name, sample.CLIParser)
	}
	switch {
	case err != nil:
		return err
	case v.Scope != sample.ProcScope:
		return fmt.Errorf("'set var': cannot set variable '%s', only scope 'proc' is permitted here.", name)
	}
	if err := l.ResolveAside("CLI"); err != nil {
		return err
	}
	setOutside(cfg, "CLI", sample.CLIParser, v, cond, value)
	return nil
}
