package stats

import (
	"hapax/runtime"
	"hapax/runtime/lua"
)

// ScriptFields are the statistics that scripts may ask for: of a proxy, a server or a listener, or of the process for nil.
// A proxy that has both sides tells that of its backend.
func ScriptFields(cfg *runtime.Config, object any) (all []lua.Field) {
	if object == nil {
		p := newInfo(cfg)
		for i := range infoColumns {
			f := infoColumns[i].Get(p)
			all = append(all, lua.Field{Name: infoColumns[i].Name, Value: f.value()})
		}
		return all
	}
	r := Row{}
	switch o := object.(type) {
	case *runtime.Proxy:
		r.On, r.Proxy = Frontend, o
		if o.Caps&runtime.CapBack != 0 {
			r.On, r.Legends = Backend, true
		}
	case *runtime.Server:
		r.On, r.Proxy, r.Server, r.Legends = Server, o.Proxy, o, true
	case *runtime.Listener:
		r.On, r.Proxy, r.Listener, r.Legends = Listener, o.Proxy, o, true
	}
	r.at(cfg)
	for i := range proxyColumns {
		f := proxyColumns[i].Value(&r)
		all = append(all, lua.Field{Name: proxyColumns[i].Name, Value: f.value()})
	}
	return all
}

// value is that of the field: an int64, a float64, a string, or nil.
func (f *Field) value() any {
	switch f.Format {
	case S32, U32, U64:
		return f.Int
	case Float:
		return f.Float
	case Str:
		return f.Str
	}
	return nil
}
