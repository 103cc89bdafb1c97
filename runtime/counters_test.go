package runtime

import (
	"reflect"
	"testing"
)

// TestCounterLayout holds the counters of two loops apart: each shard ends with as many bytes as a cache line has, which nobody
// uses, so that no loop writes to a line that another one counts in.
func TestCounterLayout(t *testing.T) {
	const line = 64
	for _, shard := range []any{LoopCounters{}, FrontCounters{}, BackCounters{}} {
		typ := reflect.TypeOf(shard)
		last := typ.Field(typ.NumField() - 1)
		if last.Name != "_" || last.Type.Size() < line {
			t.Errorf("%s ends with %s of %d bytes", typ, last.Name, last.Type.Size())
		}
		if end := last.Offset + last.Type.Size(); end != typ.Size() {
			t.Errorf("%s goes on behind its last field", typ)
		}
	}
}
