package convert

import (
	"slices"
	"testing"

	"hapax/acl/sample"
)

// allocating are the converters that ask for memory. The reference does so too for those of its cryptographic library and
// for tokens; debug writes. Package regexp gives groups in new memory, and package netip takes addresses as strings.
var allocating = []string{
	"regsub", "rfc7239_field", "rfc7239_is_valid", "rfc7239_n2nn", "rfc7239_n2np", "date",
	"aes_cbc_dec", "aes_cbc_enc", "aes_gcm_dec", "aes_gcm_enc", "debug", "digest", "hmac", "jwt_verify"}

// TestExamplesAllocateNothing holds every other row to its examples.
func TestExamplesAllocateNothing(t *testing.T) {
	c := compiler(t)
	ctx := newContext(c)
	for i := range Rows {
		row := &Rows[i]
		if slices.Contains(allocating, row.Name) {
			continue
		}
		for _, ex := range row.Examples {
			e, err := c.ParseWord(ex.Expr)
			if err != nil {
				t.Fatal(err)
			}
			resolve(t, c)
			var v sample.Value
			fetch := testing.AllocsPerRun(50, func() { e.Fetch.Eval(ctx, e.Args, &v) }) // those of the tests allocate
			if n := testing.AllocsPerRun(50, func() {
				ctx.Scratch.Reset()
				e.EvalAs(ctx, sample.Str, &v)
			}); n > fetch {
				t.Errorf("%s: %v allocations", ex.Expr, n-fetch)
			}
		}
	}
}
