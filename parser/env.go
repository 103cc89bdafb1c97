package parser

import (
	"errors"
	"strings"

	"hapax/parser/keyword"
)

// Env is the environment that variables of a configuration are looked up in. It starts as the process's own and is
// changed by the global keywords setenv, presetenv, unsetenv and resetenv. It keeps the order of its variables,
// which suggestions and `show env` depend on.
type Env struct {
	entries []string       // "NAME=value"
	index   map[string]int // name -> index in entries
}

// NewEnv makes an environment from "NAME=value" strings as os.Environ returns them.
func NewEnv(entries []string) *Env {
	e := &Env{index: make(map[string]int, len(entries))}
	for _, entry := range entries {
		if name, value, ok := strings.Cut(entry, "="); ok {
			e.Set(name, value)
		}
	}
	return e
}

// Clone returns an independent copy.
func (e *Env) Clone() *Env { return NewEnv(e.entries) }

// Lookup returns the value of a variable and whether it is set.
func (e *Env) Lookup(name string) (string, bool) {
	i, ok := e.index[name]
	if !ok {
		return "", false
	}
	return e.entries[i][len(name)+1:], true
}

// ErrName is what Set and Unset return for a name that no variable can have, in the operating system's words.
var ErrName = errors.New("Invalid argument")

// Set sets a variable.
func (e *Env) Set(name, value string) error {
	if name == "" || strings.ContainsAny(name, "=") {
		return ErrName
	}
	if i, ok := e.index[name]; ok {
		e.entries[i] = name + "=" + value
		return nil
	}
	e.index[name] = len(e.entries)
	e.entries = append(e.entries, name+"="+value)
	return nil
}

// Preset sets a variable that is not set yet.
func (e *Env) Preset(name, value string) error {
	if _, ok := e.index[name]; ok {
		return nil
	}
	return e.Set(name, value)
}

// Unset removes a variable; one that is not set is no error.
func (e *Env) Unset(name string) error {
	if name == "" || strings.ContainsAny(name, "=") {
		return ErrName
	}
	i, ok := e.index[name]
	if !ok {
		return nil
	}
	delete(e.index, name)
	e.entries = append(e.entries[:i], e.entries[i+1:]...)
	for name, at := range e.index {
		if at > i {
			e.index[name] = at - 1
		}
	}
	return nil
}

// Reset removes every variable that is not named in keep.
func (e *Env) Reset(keep []string) {
	kept := Env{index: make(map[string]int)}
	for _, entry := range e.entries {
		name, value, _ := strings.Cut(entry, "=")
		for _, k := range keep {
			if k == name {
				kept.Set(name, value)
			}
		}
	}
	*e = kept
}

// Entries returns all variables as "NAME=value", in the order they were set. The caller does not change it.
func (e *Env) Entries() []string { return e.entries }

// suggest returns the name of a set variable that resembles name, or "".
func (e *Env) suggest(name string) string {
	s := keyword.NewSuggester(name)
	for _, entry := range e.entries {
		known, _, _ := strings.Cut(entry, "=")
		s.Try(known)
	}
	return s.Best()
}
