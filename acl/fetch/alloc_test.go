package fetch

import (
	"testing"

	"hapax/acl/sample"
)

// allocating are the fetches that ask for memory, and why.
var allocating = map[string]string{
	"src_is_local": kernel, "dst_is_local": kernel, "fc_src_is_local": kernel, "fc_dst_is_local": kernel,
}

const kernel = "the kernel is asked, with an address in new memory"

// TestExamplesAllocateNothing holds every other row to its examples.
func TestExamplesAllocateNothing(t *testing.T) {
	for i := range Rows {
		row := &Rows[i]
		if allocating[row.Name] != "" {
			continue
		}
		for _, x := range row.Examples {
			ctx, c := context(t, x.Req), compiler(t)
			e, err := c.ParseWord(x.Expr)
			if err != nil {
				t.Fatalf("%s: %v", x.Expr, err)
			}
			for _, u := range c.Take() {
				u.Arg.Ref = userlist{}
			}
			var v sample.Value
			if n := testing.AllocsPerRun(50, func() {
				ctx.Scratch.Reset()
				e.Eval(ctx, &v)
			}); n != 0 {
				t.Errorf("%s: %v allocations", x.Expr, n)
			}
		}
	}
}
