//go:build race

package counter

// Own is a Counter with one writer. The race detector knows of no reader that may see an old value: with it, Own is a
// Counter.
type Own struct{ Counter }

func (c *Own) Next() uint64 { return c.v.Add(1) }
func (c *Own) Dec()         { c.v.Add(^uint64(0)) }
func (c *Own) Set(n uint64) { c.v.Store(n) }
