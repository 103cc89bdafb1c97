package config

import (
	"maps"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// ownTables gives the loader tables of its own: those of the process are shared by all configurations.
func (l *Loader) ownTables() *Tables {
	if !l.scripted {
		t := *l.Tables
		t.actions = maps.Clone(t.actions)
		l.Tables, l.scripted = &t, true
	}
	return l.Tables
}

// DeclareFetch makes a fetch known that a script of this configuration has registered.
func (l *Loader) DeclareFetch(row sample.Fetch) (err error) {
	t := l.ownTables()
	t.Fetches, err = keyword.With(t.Fetches, row)
	l.Samples.Fetches = t.Fetches
	return err
}

// DeclareConverter makes a converter known that a script of this configuration has registered.
func (l *Loader) DeclareConverter(row sample.Converter) (err error) {
	t := l.ownTables()
	t.Converters, err = keyword.With(t.Converters, row)
	l.Samples.Converters = t.Converters
	return err
}

// DeclareAction makes an action of one kind of rule set known that a script of this configuration has registered.
func (l *Loader) DeclareAction(kind runtime.RulesetKind, row Action) (err error) {
	t := l.ownTables()
	t.actions[kind], err = keyword.With(t.actions[kind], row)
	return err
}
