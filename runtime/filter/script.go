package filter

import (
	"slices"

	"hapax/runtime"
)

// placeScripts has the filters of scripts put on each stream of the proxy, each once, in the order in which a side sees them.
func (f *filters) placeScripts(px *runtime.Proxy) {
	var all []*Filter
	for i := range f.all {
		if f.all[i].Kind == Script {
			all = append(all, &f.all[i])
		}
	}
	if len(all) == 0 {
		return
	}
	orders := [2][]int{}
	for side := range orders {
		for _, x := range f.order(side) {
			if i := slices.Index(all, x); i >= 0 && !slices.Contains(orders[side], i) {
				orders[side] = append(orders[side], i)
			}
		}
	}
	px.Attach = func(s *runtime.Stream) { attach(s, all, orders) }
}

// attach makes the filters of a stream. orders tells which of them a side sees, none of them more than once.
func attach(s *runtime.Stream, all []*Filter, orders [2][]int) {
	made := make([]runtime.Filter, len(all))
	for i, x := range all {
		if fl := x.script.Attach(s); fl != nil {
			made[i] = fl
			s.Filters.All = append(s.Filters.All, fl)
		}
	}
	for side, order := range orders {
		for _, i := range order {
			if made[i] != nil {
				s.Filters.Of[side] = append(s.Filters.Of[side], made[i])
			}
		}
	}
}
