package command

import (
	"cmp"
	"fmt"
	goruntime "runtime"
	"slices"
	"strings"

	"hapax/stats/cli"
)

var pools = []cli.Command{
	{Doc: doc("show pools", "memory by the size of what it is for"), Run: showPools},
}

// memoryPool is memory for objects of one size.
type memoryPool struct {
	name            string
	size            int
	allocated, used int64 // objects
}

func (p *memoryPool) bytes() int64 { return p.allocated * int64(p.size) }

// memoryPools are the buffers of the loops, and the heap by the classes of its objects.
func (p *Process) memoryPools() (all []memoryPool) {
	if size := p.Config.Global.Tune.BufSize; p.Config.Stats.Buffers != nil && size > 0 {
		used, mapped := p.Config.Stats.Buffers()
		all = append(all, memoryPool{"buffer", size, mapped / int64(size), used / int64(size)})
	}
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	for _, class := range m.BySize {
		if class.Mallocs > 0 {
			live := int64(class.Mallocs - class.Frees)
			all = append(all, memoryPool{fmt.Sprintf("heap%d", class.Size), int(class.Size), live, live})
		}
	}
	return all
}

// showPools is `show pools [byname|bysize|byusage] [match <prefix>] [detailed] [<lines>]`.
func showPools(c *cli.Conn, args []string) cli.Step {
	var order func(a, b memoryPool) int
	prefix, most := "", 0
	for words := args[2:]; len(words) > 0; words = words[1:] {
		switch word := words[0]; {
		case word == "byname":
			order = func(a, b memoryPool) int { return strings.Compare(a.name, b.name) }
		case word == "bysize":
			order = func(a, b memoryPool) int { return cmp.Compare(b.size, a.size) }
		case word == "byusage":
			order = func(a, b memoryPool) int { return cmp.Compare(b.bytes(), a.bytes()) }
		case word == "detailed":
		case word == "match" && len(words) > 1:
			prefix, words = words[1], words[1:]
		case word[0] >= '0' && word[0] <= '9':
			most = number(word)
		default:
			return c.Fail("Expects either 'byname', 'bysize', 'byusage', 'match <pfx>', 'detailed', or a max number of output lines.")
		}
	}
	all := slices.DeleteFunc(process(c).memoryPools(), func(p memoryPool) bool { return !strings.HasPrefix(p.name, prefix) })
	if order != nil {
		slices.SortStableFunc(all, order)
	}
	if most > 0 && most < len(all) {
		all = all[:most]
	}
	c.WriteString("Dumping pools usage. Use SIGQUIT to flush them.\n")
	allocated, used := int64(0), int64(0)
	for _, p := range all {
		c.Printf("  - Pool %s (%d bytes/8) : %d allocated (%d bytes), %d used (~0 by thread caches), needed_avg %d, 0 failures, 1 users\n",
			p.name, p.size, p.allocated, p.bytes(), p.used, p.used)
		allocated, used = allocated+p.bytes(), used+p.used*int64(p.size)
	}
	c.Printf("Total: %d pools, %d bytes allocated, %d used (~0 by thread caches).\n", len(all), allocated, used)
	return nil
}
