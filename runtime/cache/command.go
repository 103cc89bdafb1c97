package cache

import (
	"time"

	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/stats/cli"
)

func commands() []cli.Command {
	return []cli.Command{{Doc: keyword.Doc{Name: "show cache", Ref: "9.3", Summary: "show cache status"}, Level: cli.Admin, Run: showCache}}
}

// configured is what a connection of the socket belongs to.
type configured interface{ RunningConfig() *runtime.Config }

// showCache lists the caches and what they hold: section 9.3 "show cache". Of entries that vary it tells the first one of each request.
func showCache(c *cli.Conn, _ []string) cli.Step {
	caches, _ := c.Owner.(configured).RunningConfig().Caches.([]*Cache)
	var keys []key
	begun := false
	return func(c *cli.Conn) bool {
		for len(caches) > 0 && !c.Full() {
			switch of := caches[0]; {
			case !begun:
				keys, begun = of.summary(c), true
			case len(keys) > 0:
				of.tell(c, keys[0])
				keys = keys[1:]
			default:
				caches, begun = caches[1:], false
			}
		}
		return len(caches) == 0
	}
}

// summary tells about the cache as a whole and gives the keys of what it holds now.
func (c *Cache) summary(to *cli.Conn) []key {
	c.mu.Lock()
	defer c.mu.Unlock()
	to.Printf("%p: %s (shctx:%p, available blocks:%d)\n", c, c.Name, &c.blocks, c.blocks.total-c.busy)
	keys := make([]key, 0, len(c.entries))
	for k := range c.entries {
		keys = append(keys, k)
	}
	return keys
}

// tell tells about the entry of a key, if it is still there and fresh.
func (c *Cache) tell(to *cli.Conn, k key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.entries[k]
	if now := time.Now().Unix(); len(all) > 0 && all[0].expires > now {
		e := all[0]
		to.Printf("%p hash:%d vary:0x%08x%016x%016x size:%d (%d blocks), refcount:%d, expire:%d\n", e, k.number(),
			uint32(e.variant.encodings), e.variant.referer, e.variant.origin, e.size, len(e.blocks), e.users, e.expires-now)
	}
}

// number is what the key is told as.
func (k *key) number() uint32 {
	return uint32(k[0]) | uint32(k[1])<<8 | uint32(k[2])<<16 | uint32(k[3])<<24
}
