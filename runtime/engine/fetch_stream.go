package engine

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"hapax/acl"
	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/logger"
)

var streamFetches = []sample.Fetch{
	{Doc: doc("server_status", "7.3.7", "the status that the server sent; 0 when none did", "200"),
		Dir: sample.Response, Out: sample.Int, From: sample.ResLine, Eval: of(serverStatus)},
	{Doc: doc("internal.strm.is_htx", "7.3.7", "whether the stream carries HTTP", "1"),
		Out: sample.Bool, From: sample.Internal, Eval: truth(speaksHTTP)},
	{Doc: doc("last_rule_file", "7.3.2", "the file of the last rule that ended a rule set", "f.cfg"),
		Out: sample.Str, From: sample.Internal, Eval: text(lastRuleFile)},
	{Doc: doc("last_rule_line", "7.3.2", "the line of the last rule that ended a rule set", "12"),
		Out: sample.Int, From: sample.Internal, Eval: of(lastRuleLine)},
	{Doc: doc("last_entity", "7.3.2", "file and line of the last rule that ended a rule set", "f.cfg:12"),
		Out: sample.Str, From: sample.Internal, Eval: rulePlace(func(s *runtime.Stream) *runtime.Rule { return s.LastRule })},
	{Doc: doc("waiting_entity", "7.3.2", "what the processing waits for: file and line of a rule, or http-buffer-request", ""),
		Out: sample.Str, From: sample.Internal, Eval: waitingEntity},
	{Doc: doc("cpu_usage_proc", "7.3.2", "percent of the last half second that the threads were busy, the mean of all", "0"),
		Out: sample.Int, From: sample.Internal, Eval: number(busy)},
	{Doc: doc("cpu_usage_grp", "7.3.2", "the same for the threads of the group: all", "0"),
		Out: sample.Int, From: sample.Internal, Eval: number(busy)},
	{Doc: doc("cpu_usage_thr", "7.3.2", "percent of the last half second that the thread was busy", ""),
		Out: sample.Int, From: sample.Internal, Eval: threadBusy},
	{Doc: doc("spoe.engine-id", "7.3.2", "the unique name of the SPOE engine whose messages the stream carries", ""),
		Out: sample.Str, From: sample.Internal, Eval: engineID},
}

var conditionConverters = []sample.Converter{
	{Doc: example("when", "7.3.1", "keeps the sample under a condition", "str(x),when(error)", "x",
		keyword.Arg{Name: "condition", Type: keyword.Str, Doc: "error, normal, forwarded, toapplet, processed, stopping or acl; negated by an exclamation mark"},
		keyword.Arg{Name: "acl", Type: keyword.Str, Opt: true},
		keyword.Arg{Name: "unused", Type: keyword.Str, Opt: true}),
		Check: checkWhen, In: sample.Any, Out: sample.Any, Eval: when},
}

func speaksHTTP(s *runtime.Stream) bool { return s.Ctx.Front.HTTP != 0 }

func serverStatus(s *runtime.Stream, out *sample.Value) bool {
	out.SetInt(int64(s.ServerStatus))
	return speaksHTTP(s)
}

func busy(s *runtime.Stream) int64 { return int64(100 - s.Config.Stats.IdlePercent()) }

func threadBusy(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	st := running(ctx)
	if st == nil {
		return false
	}
	out.SetInt(int64(100 - st.w.loop.Stats().IdlePct.Load()))
	return true
}

func engineID(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	st := running(ctx)
	if st == nil || st.c.ask == nil {
		return false
	}
	out.SetText(st.c.ask.agent.Engine)
	return true
}

func lastRuleFile(s *runtime.Stream) string {
	if s.LastRule == nil {
		return ""
	}
	return s.LastRule.Pos.File
}

func lastRuleLine(s *runtime.Stream, out *sample.Value) bool {
	if s.LastRule == nil {
		return false
	}
	out.SetInt(int64(s.LastRule.Pos.Line))
	return true
}

// rulePlace makes an Eval of where a rule stands.
func rulePlace(rule func(s *runtime.Stream) *runtime.Rule) evalFunc {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		s, ok := ctx.Owner.(*runtime.Stream)
		if !ok {
			return false
		}
		r := rule(s)
		if r == nil {
			return false
		}
		b := append(append(ctx.Scratch.Room(), r.Pos.File...), ':')
		out.SetStr(ctx.Scratch.Take(strconv.AppendInt(b, int64(r.Pos.Line), 10)))
		return true
	}
}

var heldRule = rulePlace(func(s *runtime.Stream) *runtime.Rule { return s.Held })

func waitingEntity(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
	if st := running(ctx); st != nil && st.waits == forBody {
		out.SetText("http-buffer-request")
		return true
	}
	return heldRule(ctx, args, out)
}

// occasion is a condition that when() knows by name.
type occasion struct {
	name  string
	holds func(ctx *sample.Context, s *runtime.Stream) bool
}

func occasions() []occasion {
	return []occasion{
		{"stopping", func(_ *sample.Context, s *runtime.Stream) bool { return s.Config.Stats.Stopping.Load() }},
		{"normal", func(_ *sample.Context, s *runtime.Stream) bool { return !logger.Failed(s) }},
		{"error", func(_ *sample.Context, s *runtime.Stream) bool { return logger.Failed(s) }},
		{"forwarded", forwarded},
		{"toapplet", toApplet},
		{"processed", func(ctx *sample.Context, s *runtime.Stream) bool { return forwarded(ctx, s) || toApplet(ctx, s) }},
		{"acl", nil},
	}
}

// forwarded tells whether a connection to a server was at least tried.
func forwarded(ctx *sample.Context, _ *runtime.Stream) bool {
	st := running(ctx)
	return st != nil && st.dialed
}

// toApplet tells whether something in the process answered in the place of a server.
func toApplet(_ *sample.Context, s *runtime.Stream) bool { return s.Service != "" }

// checkWhen leaves what decides in the first argument, and in its Int whether that is negated.
func checkWhen(c *sample.Compiler, args []sample.Arg) error {
	name, negated := strings.CutPrefix(args[0].Str, "!")
	if negated {
		args[0].Int = 1
	}
	var known []string
	for _, o := range occasions() {
		if known = append(known, o.name); o.name != name {
			continue
		}
		args[0].Data = o.holds
		if o.holds == nil {
			return checkWhenACL(c, args)
		}
		return nil
	}
	return fmt.Errorf("expects a supported keyword among {%s} but got '%s'", strings.Join(known, ","), name)
}

// checkWhenACL makes a condition of the ACL that the second argument names.
func checkWhenACL(c *sample.Compiler, args []sample.Arg) error {
	name := args[1].Str
	if name == "" {
		return errors.New("'acl' selector requires an extra argument with the ACL name")
	}
	loader, ok := c.LookUp.(acl.Loader)
	if !ok {
		return errors.New("'acl' selector may only be used in the context of a proxy")
	}
	compiler, set := loader.ACLs()
	cond, err := compiler.Cond(set, []string{"if", name})
	if err != nil || strings.HasPrefix(name, "!") {
		return fmt.Errorf("ACL '%s' not found", name)
	}
	args[0].Data = func(ctx *sample.Context, _ *runtime.Stream) bool { return cond.Eval(ctx) == acl.Pass }
	return nil
}

func when(ctx *sample.Context, args []sample.Arg, _ *sample.Value) bool {
	s, ok := ctx.Owner.(*runtime.Stream)
	if !ok {
		return false
	}
	holds := args[0].Data.(func(*sample.Context, *runtime.Stream) bool)
	return holds(ctx, s) != (args[0].Int != 0)
}
