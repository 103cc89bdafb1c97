package config

import (
	"fmt"
	"slices"
	"strings"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/stats/cli"
)

// Tables are all rows of all domains, assembled once for the process.
type Tables struct {
	Domains     []*Domain
	Sections    *keyword.Table[Section]
	Fetches     *keyword.Table[sample.Fetch]
	Converters  *keyword.Table[sample.Converter]
	Options     *keyword.Table[Option]
	BindWords   *keyword.Table[BindWord]
	ServerWords *keyword.Table[ServerWord]
	Aliases     *keyword.Table[logformat.Alias]
	Commands    *cli.Table

	keywords map[Sections]*keyword.Table[Keyword]
	actions  map[runtime.RulesetKind]*keyword.Table[Action]
}

// rulesets are the places that actions are looked up for.
var rulesets = []runtime.RulesetKind{
	runtime.TCPConnRules, runtime.TCPSessRules, runtime.TCPReqRules, runtime.TCPResRules,
	runtime.HTTPReqRules, runtime.HTTPResRules, runtime.HTTPAfterRules, runtime.QUICInitialRules,
}

// NewTables assembles the rows of the domains in their order, and behind them those
// of what is missing. A name that stands twice is an error.
func NewTables(domains []*Domain) (*Tables, error) {
	domains = append(domains[:len(domains):len(domains)], missingDomain(domains))
	t := &Tables{Domains: domains, keywords: map[Sections]*keyword.Table[Keyword]{}, actions: map[runtime.RulesetKind]*keyword.Table[Action]{}}
	var (
		sections   []Section
		keywords   []Keyword
		fetches    []sample.Fetch
		converters []sample.Converter
		options    []Option
		binds      []BindWord
		servers    []ServerWord
		actions    []Action
		aliases    []logformat.Alias
		commands   []cli.Command
	)
	for _, d := range domains {
		sections = append(sections, d.Sections...)
		keywords = append(keywords, d.Keywords...)
		fetches = append(fetches, d.Fetches...)
		converters = append(converters, d.Converters...)
		options = append(options, d.Options...)
		binds = append(binds, d.BindWords...)
		servers = append(servers, d.ServerWords...)
		actions = append(actions, d.Actions...)
		aliases = append(aliases, d.Aliases...)
		commands = append(commands, d.Commands...)
	}
	var err error
	build := func(e error) {
		if err == nil {
			err = e
		}
	}
	var e error
	t.Sections, e = keyword.NewTable(sections)
	build(e)
	t.Fetches, e = keyword.NewTable(fetches)
	build(e)
	t.Converters, e = keyword.NewTable(converters)
	build(e)
	t.Options, e = keyword.NewTable(working(options))
	build(e)
	t.BindWords, e = keyword.NewTable(working(binds))
	build(e)
	t.ServerWords, e = keyword.NewTable(working(servers))
	build(e)
	t.Aliases, e = keyword.NewTable(aliases)
	build(e)
	t.Commands, e = cli.NewTable(commands)
	build(e)
	for i := range sections {
		kind := sections[i].Kind
		of := kind
		if kind&Proxies != 0 {
			of = Proxies
		}
		if t.keywords[of] != nil {
			t.keywords[kind] = t.keywords[of]
			continue
		}
		var rows []Keyword
		for j := range keywords {
			if keywords[j].In&of != 0 {
				rows = append(rows, keywords[j])
			}
		}
		rows = working(rows)
		t.keywords[of], e = keyword.NewTable(rows)
		t.keywords[kind] = t.keywords[of]
		if e != nil {
			build(fmt.Errorf("section %s: %w", sections[i].Name, e))
		}
	}
	for _, kind := range rulesets {
		var rows []Action
		for j := range actions {
			if actions[j].In&kind != 0 {
				rows = append(rows, actions[j])
			}
		}
		rows = working(rows)
		sortActions(kind, rows)
		t.actions[kind], e = keyword.NewTable(rows)
		build(e)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// working leaves out the rows of what is only checked where another row of that name does
// what it says.
func working[T any, P interface {
	*T
	keyword.Row
}](rows []T) []T {
	done := map[string]bool{}
	for i := range rows {
		if d := P(&rows[i]).Keyword(); d.Status != keyword.Missing {
			done[d.Name] = true
		}
	}
	return slices.DeleteFunc(rows, func(row T) bool {
		d := P(&row).Keyword()
		return d.Status == keyword.Missing && done[d.Name]
	})
}

// Keywords is the table of a section; the four kinds of proxies share one.
func (t *Tables) Keywords(in Sections) *keyword.Table[Keyword] { return t.keywords[in] }

// Actions is the table of a rule set.
func (t *Tables) Actions(in runtime.RulesetKind) *keyword.Table[Action] { return t.actions[in] }

// sortActions puts the rows of a rule set into the order in which messages list
// them.
func sortActions(kind runtime.RulesetKind, rows []Action) {
	place := map[string]int{}
	for _, known := range knownActions {
		if known.in != kind {
			continue
		}
		for i, name := range known.actions {
			place[strings.TrimSuffix(name, "(*)")] = i + 1 - len(known.actions)
		}
	}
	slices.SortStableFunc(rows, func(a, b Action) int { return place[a.Name] - place[b.Name] })
}
