package fetch

import (
	crand "crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var internalRows = []sample.Fetch{
	{Doc: doc("date", "7.3.2", "the current date since the epoch, with an offset in seconds", args(
		opt(keyword.Arg{Name: "offset", Type: keyword.Int, Default: "0", Doc: "seconds"}),
		opt(keyword.Arg{Name: "unit", Type: keyword.Str, Default: "s", Doc: "s, ms or us"})), "date,bool", "", "1"),
		Check: checkDate, Out: sample.Int, From: sample.Constant, Eval: date},
	{Doc: doc("date_us", "7.3.2", "the microseconds part of the current date", nil, "date_us,div(1000000)", "", "0"),
		Out: sample.Int, From: sample.Constant, Eval: dateMicros},
	{Doc: doc("hostname", "7.3.2", "the name of the machine", nil, "hostname,length,bool", "", "1"),
		Out: sample.Str, From: sample.Constant, Eval: hostname},
	{Doc: doc("nbproc", "7.3.2", "the number of processes: always 1", nil, "nbproc", "", "1"),
		Out: sample.Int, From: sample.Constant, Eval: one},
	{Doc: doc("pid", "7.3.2", "the number of the process", nil, "pid,bool", "", "1"),
		Out: sample.Int, From: sample.Constant, Eval: pid},
	{Doc: doc("proc", "7.3.2", "the position of the process: always 1", nil, "proc", "", "1"),
		Out: sample.Int, From: sample.Constant, Eval: one},
	{Doc: doc("rand", "7.3.2", "a random integer below a limit", args(
		opt(keyword.Arg{Name: "limit", Type: keyword.Int, Default: "4294967296"})), "rand(1)", "", "0"),
		Out: sample.Int, From: sample.Constant, Eval: random},
	{Doc: doc("uuid", "7.3.2", "a new UUID", args(
		opt(keyword.Arg{Name: "version", Type: keyword.Int, Default: "4", Doc: "4 or 7"})), "uuid,length", "", "36"),
		Check: checkUUID, Out: sample.Str, From: sample.Constant, Eval: newUUID},
	{Doc: doc("wait_end", "7.3.5", "true once nothing more is waited for", nil, "wait_end", "", "1"),
		Out: sample.Bool, From: sample.Internal, Eval: waitEnd},
}

// units of time that a date can be asked in, by the word for it; how many make a second.
var dateUnits = map[string]int64{"s": 1, "ms": 1000, "us": 1000000}

func checkDate(_ *sample.Compiler, a []sample.Arg) error {
	if !a[1].Present {
		return nil
	}
	perSecond, ok := dateUnits[a[1].Str]
	if !ok {
		return fmt.Errorf("expects 's', 'ms' or 'us', got '%s'", a[1].Str)
	}
	a[1].Int = perSecond
	return nil
}

// now is the clock of the loop, or the system's where no loop runs yet.
func now(ctx *sample.Context) time.Time {
	if ctx.Now.IsZero() {
		return time.Now()
	}
	return ctx.Now
}

func date(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	t := now(ctx)
	n := t.Unix() + a[0].Int
	if per := a[1].Int; per > 1 {
		n = n*per + int64(t.Nanosecond())*per/1_000_000_000
	}
	out.SetInt(n)
	out.Flags |= sample.MayChange
	return true
}

func dateMicros(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	out.SetInt(int64(now(ctx).Nanosecond() / 1000))
	out.Flags |= sample.MayChange
	return true
}

var machine = func() []byte {
	name, _ := os.Hostname()
	return []byte(name)
}()

func hostname(_ *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	out.SetConst(machine)
	return true
}

func one(_ *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	out.SetInt(1)
	return true
}

func pid(_ *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	out.SetInt(int64(os.Getpid()))
	return true
}

func random(_ *sample.Context, a []sample.Arg, out *sample.Value) bool {
	n := uint64(rand.Uint32())
	if a[0].Present {
		n = n * uint64(a[0].Int) >> 32
	}
	out.SetInt(int64(n))
	out.Flags |= sample.MayChange
	return true
}

func checkUUID(_ *sample.Compiler, a []sample.Arg) error {
	if a[0].Present && a[0].Int != 4 && a[0].Int != 7 {
		return fmt.Errorf("Unsupported UUID version: '%d'", a[0].Int)
	}
	return nil
}

// newUUID makes a UUID of version 4 or 7 (RFC 9562).
func newUUID(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	b, s := ctx.Scratch.Alloc(16), ctx.Scratch.Alloc(36)
	if b == nil || s == nil {
		return false
	}
	crand.Read(b)
	version := byte(4)
	if a[0].Present && a[0].Int == 7 {
		version = 7
		ms := uint64(time.Now().UnixMilli())
		binary.BigEndian.PutUint32(b, uint32(ms>>16))
		binary.BigEndian.PutUint16(b[4:], uint16(ms))
	}
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	for i, part := 0, []int{0, 4, 6, 8, 10, 16}; i < 5; i++ {
		at := 2*part[i] + i
		hex.Encode(s[at:], b[part[i]:part[i+1]])
		if i < 4 {
			s[at+2*(part[i+1]-part[i])] = '-'
		}
	}
	out.SetStr(s)
	out.Flags |= sample.MayChange
	return true
}

// waitEnd has a value only when nothing more can come.
func waitEnd(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	if !ctx.Final {
		out.Flags |= sample.MayChange
		return false
	}
	out.SetBool(true)
	return true
}
