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
	{Doc: doc("http_first_req", "7.3.6", "whether this is the first request of its connection", "1"),
		Dir: sample.Request, Out: sample.Bool, From: sample.ReqLine, Eval: of(firstRequest)},
	{Doc: doc("txn.status", "7.3.7", "the status of the response as it is now", "299"),
		Dir: sample.Response, Out: sample.Int, From: sample.ResLine, Eval: ofHTTP(func(s *runtime.Stream) int64 { return int64(s.Status) })},
	{Doc: doc("server_status", "7.3.7", "the status that the server sent; 0 when none did", "200"),
		Dir: sample.Response, Out: sample.Int, From: sample.ResLine, Eval: ofHTTP(func(s *runtime.Stream) int64 { return int64(s.ServerStatus) })},
	{Doc: doc("txn.id32", "7.3.2", "the number of the stream in 32 bits", "7"),
		Out: sample.Int, From: sample.Internal, Eval: number(func(s *runtime.Stream) int64 { return int64(uint32(s.ID)) })},
	{Doc: doc("txn.conn_retries", "7.3.3", "how often the connection to a server was tried again", "1"),
		Out: sample.Int, From: sample.ServerAddr, Eval: number(func(s *runtime.Stream) int64 { return int64(s.RetriesDone) })},
	{Doc: doc("txn.redispatched", "7.3.3", "whether the stream went to another server in the end", "0"),
		Out: sample.Bool, From: sample.ServerAddr, Eval: truth(func(s *runtime.Stream) bool { return s.Redispatched })},
	{Doc: doc("txn.sess_term_state", "7.3.2", "the two flags that tell how the stream ended", "--"),
		Out: sample.Str, From: sample.Internal, Eval: termination},
	{Doc: doc("internal.strm.is_htx", "7.3.8", "whether the stream carries HTTP", "1"),
		Out: sample.Bool, From: sample.Internal, Eval: truth(speaksHTTP)},

	{Doc: doc("last_rule_file", "7.3.2", "the file of the last rule that ended a rule set", "f.cfg"),
		Out: sample.Str, From: sample.Internal, Eval: text(lastRuleFile)},
	{Doc: doc("last_rule_line", "7.3.2", "the line of the last rule that ended a rule set", "12"),
		Out: sample.Int, From: sample.Internal, Eval: of(lastRuleLine)},
	{Doc: doc("last_entity", "7.3.2", "file and line of the last rule that ended a rule set", "f.cfg:12"),
		Out: sample.Str, From: sample.Internal, Eval: rulePlace(func(s *runtime.Stream) *runtime.Rule { return s.LastRule })},
	{Doc: doc("waiting_entity", "7.3.2", "what the processing waits for: file and line of a rule, or http-buffer-request", ""),
		Out: sample.Str, From: sample.Internal, Eval: waitingEntity},

	{Doc: doc("cur_client_timeout", "7.3.3", "the client timeout in force, in milliseconds", "9000"),
		Out: sample.Int, From: sample.Frontend, Eval: number(func(s *runtime.Stream) int64 {
			return first(s.Timeouts.Client, s.Front.Timeout.Client).Milliseconds()
		})},
	{Doc: doc("cur_connect_timeout", "7.3.3", "the connect timeout in force, in milliseconds", "2000"),
		Out: sample.Int, From: sample.BackendProxy, Eval: number(func(s *runtime.Stream) int64 {
			return first(s.Timeouts.Connect, s.Back.Timeout.Connect).Milliseconds()
		})},
	{Doc: doc("cur_queue_timeout", "7.3.3", "the queue timeout in force, in milliseconds", "2000"),
		Out: sample.Int, From: sample.BackendProxy, Eval: number(func(s *runtime.Stream) int64 {
			return first(s.Timeouts.Queue, queueTimeout(s.Back)).Milliseconds()
		})},
	{Doc: doc("cur_server_timeout", "7.3.3", "the server timeout in force, in milliseconds; 0 before the connection to a server stands", "6000"),
		Out: sample.Int, From: sample.BackendProxy, Eval: number(serverTimeout)},
	{Doc: doc("cur_tarpit_timeout", "7.3.3", "the tarpit timeout in force, in milliseconds", "2000"),
		Out: sample.Int, From: sample.Frontend | sample.BackendProxy, Eval: number(func(s *runtime.Stream) int64 {
			return first(s.Timeouts.Tarpit, tarpitTimeout(s.Back)).Milliseconds()
		})},
	{Doc: doc("cur_tunnel_timeout", "7.3.3", "the tunnel timeout in force, in milliseconds", "0"),
		Out: sample.Int, From: sample.BackendProxy, Eval: number(func(s *runtime.Stream) int64 {
			return first(s.Timeouts.Tunnel, s.Back.Timeout.Tunnel).Milliseconds()
		})},

	{Doc: doc("req.bytes_in", "7.3.4", "bytes received from the client", "40"),
		Out: sample.Int, From: sample.ReqFinal, Eval: number(func(s *runtime.Stream) int64 { return s.BytesIn })},
	{Doc: doc("req.bytes_out", "7.3.4", "bytes sent to the server", "41"),
		Out: sample.Int, From: sample.ReqFinal, Eval: number(func(s *runtime.Stream) int64 { return s.ReqToServer })},
	{Doc: doc("res.bytes_in", "7.3.4", "bytes received from the server", "42"),
		Out: sample.Int, From: sample.ResFinal, Eval: number(func(s *runtime.Stream) int64 { return s.ResFromServer })},
	{Doc: doc("res.bytes_out", "7.3.4", "bytes sent to the client", "43"),
		Out: sample.Int, From: sample.ResFinal, Eval: number(func(s *runtime.Stream) int64 { return s.BytesOut })},
	{Doc: doc("bytes_in", "7.3.4", "bytes received from the client", "40"),
		Out: sample.Int, From: sample.ReqFinal, Eval: number(func(s *runtime.Stream) int64 { return s.BytesIn })},
	{Doc: doc("bytes_out", "7.3.4", "bytes received from the server", "42"),
		Out: sample.Int, From: sample.ResFinal, Eval: number(func(s *runtime.Stream) int64 { return s.ResFromServer })},
}

var conditionConverters = []sample.Converter{
	{Doc: example("when", "7.3.1", "keeps the sample under a condition", "str(x),when(error)", "x",
		keyword.Arg{Name: "condition", Type: keyword.Str, Doc: "error, normal, forwarded, toapplet, processed, stopping or acl; negated by an exclamation mark"},
		keyword.Arg{Name: "acl", Type: keyword.Str, Opt: true},
		keyword.Arg{Name: "unused", Type: keyword.Str, Opt: true}),
		Check: checkWhen, In: sample.Any, Out: sample.Any, Eval: when},
}

func speaksHTTP(s *runtime.Stream) bool { return s.Ctx.Front.HTTP != 0 }

// ofHTTP makes an Eval of a number that only streams that carry HTTP have.
func ofHTTP(get func(s *runtime.Stream) int64) evalFunc {
	return of(func(s *runtime.Stream, out *sample.Value) bool {
		out.SetInt(get(s))
		return speaksHTTP(s)
	})
}

func firstRequest(s *runtime.Stream, out *sample.Value) bool {
	out.SetBool(s.FirstRequest)
	return speaksHTTP(s)
}

func termination(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	s, ok := ctx.Owner.(*runtime.Stream)
	b := ctx.Scratch.Alloc(2)
	if !ok || b == nil {
		return false
	}
	b[0], b[1] = s.End.Cause, s.End.State
	out.SetStr(b)
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

func serverTimeout(s *runtime.Stream) int64 {
	if s.Time.Connect == 0 && s.Timeouts.Server == 0 {
		return 0
	}
	return first(s.Timeouts.Server, s.Back.Timeout.Server).Milliseconds()
}

// occasion is a condition that when() knows by name.
type occasion struct {
	name  string
	holds func(ctx *sample.Context, s *runtime.Stream) bool
}

func occasions() []occasion {
	return []occasion{
		{"error", func(_ *sample.Context, s *runtime.Stream) bool { return logger.Failed(s) }},
		{"normal", func(_ *sample.Context, s *runtime.Stream) bool { return !logger.Failed(s) }},
		{"forwarded", forwarded},
		{"toapplet", toApplet},
		{"processed", func(ctx *sample.Context, s *runtime.Stream) bool { return forwarded(ctx, s) || toApplet(ctx, s) }},
		{"stopping", func(_ *sample.Context, s *runtime.Stream) bool { return stopping(s) }},
		{"acl", nil},
	}
}

// forwarded tells whether a connection to a server was at least tried.
func forwarded(ctx *sample.Context, _ *runtime.Stream) bool {
	st := running(ctx)
	return st != nil && (st.link != nil || st.linkErr != nil)
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
