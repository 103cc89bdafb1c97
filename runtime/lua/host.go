package lua

import (
	"hapax/runtime"
	"hapax/runtime/check"
)

// Host is what scripts reach of the process that serves.
type Host struct {
	Checks    *check.Checks
	Listeners Listeners
	// Fields are the statistics of a proxy, a server or a listener; those of the process for nil.
	Fields func(object any) []Field
	// Run runs a command of the runtime API as an administrator, and gives its answer.
	Run func(line string) string
}

// Listeners starts and stops those of proxies. It waits for the loops, so no loop may wait for it.
type Listeners interface {
	Pause(*runtime.Proxy) bool
	Resume(*runtime.Proxy) bool
	Stop(*runtime.Proxy)
}

// Field is a value by name: an int64, a float64, a string, or nil.
type Field struct {
	Name  string
	Value any
}

// Attach gives the scripts of a configuration their process, before it serves.
func Attach(cfg *runtime.Config, h *Host) {
	if m := of(cfg); m != nil {
		m.host = h
	}
}

// host is the process; there is an error before it serves.
func (c call) host(what string) *Host {
	h := c.st.m.host
	if h == nil {
		c.Errorf("'%s' is not supported by hapax before the process serves", what)
	}
	return h
}

// pushFields pushes a table of fields.
func (c call) pushFields(fields []Field) {
	c.NewTable()
	for _, f := range fields {
		switch v := f.Value.(type) {
		case int64:
			c.PushInt(v)
		case float64:
			c.PushNumber(v)
		case string:
			c.PushString(v)
		default:
			continue
		}
		c.SetField(-2, f.Name)
	}
}

// statistics is the method "get_stats" of a class.
func statistics[T any](class string) method {
	return on(class, "get_stats", func(c call, object T) { c.pushFields(c.host("get_stats").Fields(object)) })
}

// information is `core.get_info()`.
func information(c call) int {
	c.pushFields(c.host("get_info").Fields(nil))
	return 1
}

// pushFault pushes what was wrong, or nil.
func (c call) pushFault(text string) {
	if text == "" {
		c.PushNil()
		return
	}
	c.PushString(text)
}
