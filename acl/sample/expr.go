package sample

import "hapax/parser/keyword"

// Eval evaluates the expression. It reports whether there is a value. Without one, MayChange in
// out.Flags says that there may be one once more data has come; with Context.Final it never is set.
//
// out may hold anything before. Its bytes are valid as told at Value.
func (e *Expr) Eval(ctx *Context, out *Value) bool {
	saved := ctx.Iter
	ctx.Iter = Cursor{}
	ok := e.eval(ctx, out)
	ctx.Iter = saved
	return ok
}

// EvalAs is Eval with a cast of the result. The value is then final: MayChange is not set.
func (e *Expr) EvalAs(ctx *Context, t Type, out *Value) bool {
	if !e.Eval(ctx, out) || !Cast(ctx, out, t) {
		return false
	}
	out.Flags &^= MayChange
	return true
}

// Iter is the place of a caller that takes the occurrences of an expression one by one.
type Iter struct{ cursor Cursor }

// Next evaluates the expression at its next occurrence. While it gives a value whose Flags have NotLast
// there are further ones. An occurrence that the converters refuse gives no value but leaves NotLast
// set when others follow.
func (e *Expr) Next(ctx *Context, it *Iter, out *Value) bool {
	saved := ctx.Iter
	ctx.Iter = it.cursor
	ctx.Iter.On = true
	ok := e.eval(ctx, out)
	it.cursor = ctx.Iter
	ctx.Iter = saved
	return ok
}

func (e *Expr) eval(ctx *Context, out *Value) bool {
	f := e.Fetch
	out.Flags = 0
	ok := false
	if f.Dir != AsRule && f.Dir != ctx.Dir {
		dir := ctx.Dir
		ctx.Dir = f.Dir
		ok = f.Eval(ctx, e.Args, out)
		ctx.Dir = dir
	} else {
		ok = f.Eval(ctx, e.Args, out)
	}
	if ctx.Final {
		out.Flags &^= MayChange
	}
	return ok && e.Convert(ctx, out)
}

// Convert puts a value through the converters alone.
func (e *Expr) Convert(ctx *Context, v *Value) bool {
	for i := range e.steps {
		s := &e.steps[i]
		if !Cast(ctx, v, s.conv.In) || !s.conv.Eval(ctx, s.args, v) {
			return false
		}
	}
	return true
}

// Out is the type that the expression gives, as far as it can be told without evaluating it.
func (e *Expr) Out() Type {
	next := Any
	for i := len(e.steps) - 1; i >= 0; i-- {
		conv := e.steps[i].conv
		t := next
		if conv.Out != Same {
			if CastFree(conv.Out, next) {
				t = conv.Out
			}
			return t
		}
		if !CastFree(Any, next) {
			return next
		}
		next = conv.In
	}
	if CastFree(e.Fetch.Out, next) {
		return e.Fetch.Out
	}
	return next
}

// From is where the expression takes its data from.
func (e *Expr) From() Source { return e.Fetch.From }

// ValidAt is the set of checkpoints where the expression can be evaluated.
func (e *Expr) ValidAt() Checkpoint { return e.Fetch.From.ValidAt() }

// Converted tells whether the expression has converters.
func (e *Expr) Converted() bool { return len(e.steps) > 0 }

// Supported tells whether all its parts are: an expression with a missing one is never evaluated.
func (e *Expr) Supported() bool {
	if e.Fetch.Status == keyword.Missing {
		return false
	}
	for i := range e.steps {
		if e.steps[i].conv.Status == keyword.Missing {
			return false
		}
	}
	return true
}
