package maps

import (
	"errors"

	"hapax/acl/logformat"
	"hapax/acl/pattern"
	"hapax/runtime"
	"hapax/runtime/config"
)

// line is what the actions read: the collection that the parentheses of the action's word name, nil when there is none of
// that name in the whole configuration, and formats.
type line struct {
	ref        *pattern.Ref
	key, value *logformat.Format
}

// parse reads the formats of a key and, with valued, of a value. The collection is looked up when the whole configuration
// was read: it may be used further down in the file only.
func parse(l *config.Loader, a *config.ActionLine, valued bool) (*line, error) {
	key := a.Take()
	value := ""
	if valued {
		value = a.Take()
	}
	switch {
	case valued && value == "":
		return nil, errors.New("expects exactly 2 arguments")
	case key == "":
		return nil, errors.New("expects exactly 1 arguments")
	}
	x, name := new(line), ""
	if n := len("set-map("); len(a.Name) > n {
		name = a.Name[n : len(a.Name)-1]
	}
	l.Later(func() {
		if x.ref = l.Config.Patterns.Lookup(name); x.ref != nil {
			x.ref.ChangedByTraffic()
		}
	})
	var err error
	if x.key, err = l.Format(key, 0, a.At); err == nil && valued {
		x.value, err = l.Format(value, 0, a.At)
	}
	return x, err
}

// text evaluates a format. Entries outlive the stream, so it is a copy.
func text(s *runtime.Stream, f *logformat.Format) string {
	s.Ctx.Scratch.Reset()
	return string(f.Append(s.Ctx.Scratch.Room(), &s.Ctx))
}

// exec makes an action that changes the collection. One that does not exist is left alone.
func (x *line) exec(change func(r *pattern.Ref, s *runtime.Stream)) runtime.Exec {
	return func(s *runtime.Stream) runtime.Verdict {
		if x.ref != nil {
			change(x.ref, s)
		}
		return runtime.Continue
	}
}

func parseAdd(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	x, err := parse(l, a, false)
	if err != nil {
		return nil, err
	}
	return x.exec(func(r *pattern.Ref, s *runtime.Stream) { r.Put(text(s, x.key), nil) }), nil
}

func parseSet(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	x, err := parse(l, a, true)
	if err != nil {
		return nil, err
	}
	return x.exec(func(r *pattern.Ref, s *runtime.Stream) {
		key, value := text(s, x.key), text(s, x.value)
		r.Put(key, &value)
	}), nil
}

func parseDelete(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	x, err := parse(l, a, false)
	if err != nil {
		return nil, err
	}
	return x.exec(func(r *pattern.Ref, s *runtime.Stream) { r.Delete(text(s, x.key)) }), nil
}
