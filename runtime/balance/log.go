package balance

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/config"
)

// PickLog chooses the server of a log backend that gets a message; nil: none can. ctx is
// what "balance log-hash" evaluates its converters in.
func PickLog(px *runtime.Proxy, ctx *sample.Context, message []byte) *runtime.Server {
	switch b := px.LB.(type) {
	case *random: // one draw: servers of logs have no load to be compared
		if b.totals.Load().weight == 0 {
			return nil
		}
		return b.near(rand.Uint32(), nil)
	case *hashMap:
		return b.ofMessage(px, ctx, message)
	}
	return px.LB.Pick(nil, nil)
}

// ofMessage chooses by a hash of what the converters make of a message.
func (b *hashMap) ofMessage(px *runtime.Proxy, ctx *sample.Context, message []byte) *runtime.Server {
	places := *b.places.Load()
	if len(places) == 0 {
		return nil
	}
	defer ctx.Scratch.Reset()
	v := ctx.Scratch.Borrow()
	defer ctx.Scratch.Return()
	*v = sample.Value{Type: sample.Str, Bytes: message}
	if !px.Balance.Args.(*Params).Expr.Convert(ctx, v) || !sample.Cast(ctx, v, sample.Bin) {
		return nil
	}
	return places[b.kind.Sum(v.Bytes)%uint32(len(places))]
}

// CompileLogHash compiles the converters of "balance log-hash", which are put behind a string to be an expression.
func CompileLogHash(l *config.Loader, px *runtime.Proxy) error {
	if kind, _ := px.Balance.HashType.(HashType); kind.Consistent {
		return errors.New(`unsupported hash method (from "hash-type")`)
	}
	p := *px.Balance.Args.(*Params)
	px.Balance.Args = &p
	l.For(sample.InLogFormat)
	l.Samples.Pos = px.Pos
	e, _, err := l.Samples.Parse([]string{"str(dummy)," + p.Text})
	l.Samples.Take() // nothing that stands outside of it can be named
	switch {
	case err != nil:
		return fmt.Errorf("%w (from converter list argument in \"balance log-hash\")", err)
	case !sample.Castable(e.Out(), sample.Bin):
		return errors.New(`invalid output type at the end of converter list for "balance log-hash" directive`)
	}
	p.Expr = e
	return nil
}
