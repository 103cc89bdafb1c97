// Package maps lets the runtime API and rules look into maps and pattern files and change them: the commands of
// section 9.3 of the management guide, and the actions add-acl, del-acl, set-map and del-map.
package maps

import (
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/stats/cli"
)

// Domain holds the commands and actions.
var Domain = config.Domain{
	Name:     "map",
	Commands: commands(),
	Actions:  actions(),
}

func commands() []cli.Command {
	var rows []cli.Command
	for _, k := range []kind{acls, maps} {
		rows = append(rows,
			command("add "+k.word, "add an entry to a version, or one for each line of a payload", k.add),
			command("clear "+k.word, "remove all entries of a version", k.clear),
			command("commit "+k.word, "put a version that was prepared in use", k.commit),
			command("del "+k.word, "remove the entries of a key, or one entry", k.remove),
			command("get "+k.word, "what a sample matches", k.look),
			command("prepare "+k.word, "begin a new version", k.prepare),
			command("show "+k.word, "the list, or the entries of a version of one", k.show),
		)
	}
	return append(rows, command("set map", "give the entries of a key, or one entry, another value", set))
}

func command(name, summary string, run func(*cli.Conn, []string) cli.Step) cli.Command {
	return cli.Command{Doc: keyword.Doc{Name: name, Summary: summary, Ref: "9.3"}, Level: cli.Admin, Run: run}
}

func actions() []config.Action {
	const (
		messages = runtime.HTTPReqRules | runtime.HTTPResRules
		all      = messages | runtime.HTTPAfterRules
	)
	key := keyword.Arg{Name: "key", Type: keyword.LogFormat}
	value := keyword.Arg{Name: "value", Type: keyword.LogFormat}
	return []config.Action{
		action("add-acl", "add a pattern to a file unless it is there", messages, parseAdd, "http-request add-acl(virt@blocked) %[src]", key),
		action("del-acl", "remove a pattern from a file", all, parseDelete, "http-request del-acl(virt@blocked) %[src]", key),
		action("set-map", "give a key of a map a value", all, parseSet, "http-request set-map(virt@last) %[src] %[path]", key, value),
		action("del-map", "remove a key from a map", all, parseDelete, "http-request del-map(virt@last) %[src]", key),
	}
}

func action(name, summary string, in runtime.RulesetKind, parse func(*config.Loader, *config.ActionLine) (runtime.Exec, error),
	example string, args ...keyword.Arg) config.Action {
	return config.Action{
		Doc: keyword.Doc{Name: name, Prefix: true, Ref: "4.4", Summary: summary, Args: args,
			Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind :8080\n  " + example + "\n"}}},
		In: in, Parse: parse,
	}
}
