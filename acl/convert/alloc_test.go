package convert

import (
	"testing"

	"hapax/acl/sample"
)

// allocating are the converters that ask for memory, and why.
var allocating = map[string]string{
	"regsub":      "package regexp gives the offsets of groups in new memory; TestRegsubAllocatesNothing has those without",
	"aes_cbc_dec": library, "aes_cbc_enc": library, "aes_gcm_dec": library, "aes_gcm_enc": library,
	"digest": library, "hmac": library, "jwt_verify": library,
	"debug": "it writes",
}

const library = "the cryptographic library makes its state, as that of the reference does"

// TestExamplesAllocateNothing holds every other row to its examples.
func TestExamplesAllocateNothing(t *testing.T) {
	c := compiler(t)
	ctx := newContext(c)
	for i := range Rows {
		row := &Rows[i]
		if allocating[row.Name] != "" {
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

func TestRegsubAllocatesNothing(t *testing.T) {
	c := compiler(t)
	ctx := newContext(c)
	for _, text := range []string{"str(/a//b),regsub(/+,-,g)", "str(/api/v1/x),regsub(^/api/v[0-9]+,)", "str(Foo),regsub(O,a,ig)", `str(a.b),regsub('[.]b$',<\0>)`} {
		e, err := c.ParseWord(text)
		if err != nil {
			t.Fatal(err)
		}
		resolve(t, c)
		var v sample.Value
		fetch := testing.AllocsPerRun(50, func() { e.Fetch.Eval(ctx, e.Args, &v) }) // that of the tests allocates
		if n := testing.AllocsPerRun(50, func() {
			ctx.Scratch.Reset()
			e.EvalAs(ctx, sample.Str, &v)
		}); n > fetch {
			t.Errorf("%s: %v allocations", text, n-fetch)
		}
	}
}
