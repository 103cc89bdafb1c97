package acl

import (
	"errors"
	"fmt"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

// Loader is what the fetch acl() asks of sample.Compiler.LookUp: the compiler of the configuration that is
// being read and the ACLs of the current proxy.
type Loader interface {
	ACLs() (*Compiler, *Set)
}

// Fetches are the rows of this package.
var Fetches = []sample.Fetch{{
	Doc: keyword.Doc{
		Name:    "acl",
		Ref:     "7.3.2",
		Summary: "true when all ACLs in the list pass, an exclamation mark before a name negates it",
		Args: []keyword.Arg{
			{Name: "name", Type: keyword.Str},
			{Name: "name", Type: keyword.Str, Opt: true, Many: true},
		},
		Examples: []keyword.Example{{Expr: "acl(TRUE,!FALSE)", Want: "1"}},
	},
	Check: checkNested,
	Out:   sample.Bool,
	From:  sample.Constant,
	Eval:  evalNested,
}}

// checkNested compiles the list into a condition of one alternative.
func checkNested(c *sample.Compiler, args []sample.Arg) error {
	loader, ok := c.LookUp.(Loader)
	if !ok {
		return errors.New("ACLs are only known to proxies")
	}
	compiler, set := loader.ACLs()
	cond := &Cond{Pos: c.Pos, suites: make([][]term, 1)}
	for i := range args {
		if !args[i].Present {
			break
		}
		name, neg := strings.CutPrefix(args[i].Str, "!")
		a, err := compiler.named(set, name)
		if err != nil {
			return fmt.Errorf("ACL '%s' not found", name)
		}
		cond.suites[0] = append(cond.suites[0], term{a, neg})
	}
	args[0].Data = cond
	c.Reads |= cond.Reads()
	return nil
}

func evalNested(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
	res := args[0].Data.(*Cond).test(ctx)
	if res == Miss {
		return false
	}
	out.SetBool(res == Pass)
	return true
}

// nested gives the condition inside an acl() fetch, nil for another expression.
func nested(e *sample.Expr) *Cond {
	if len(e.Args) == 0 {
		return nil
	}
	c, _ := e.Args[0].Data.(*Cond)
	return c
}
