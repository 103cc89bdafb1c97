package convert

import (
	"golang.org/x/sys/unix"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var debugRows = []sample.Converter{
	{Doc: doc("debug", "writes the sample to an output of the process, and gives it on as it is", args(
		opt(keyword.Arg{Name: "prefix", Type: keyword.Str}),
		opt(keyword.Arg{Name: "destination", Type: keyword.Str, Default: "buf0", Doc: "stdout or stderr; rings are missing"})),
		"str(x),debug(p,stderr)", "x"),
		Check: checkDebug, In: sample.Any, Out: sample.Same, Eval: debug},
}

// checkDebug leaves the descriptor to write to in the second argument.
func checkDebug(c *sample.Compiler, a []sample.Arg) error {
	switch to := a[1].Str; to {
	case "stdout":
		a[1].Int = int64(unix.Stdout)
	case "stderr":
		a[1].Int = int64(unix.Stderr)
	default:
		if to == "" {
			to = "buf0"
		}
		if c.Missing != nil {
			c.Missing("converter", &keyword.Doc{Name: "debug to '" + to + "'", Status: keyword.Missing})
		}
	}
	return nil
}

func debug(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	mark := ctx.Scratch.Mark()
	text := ctx.Scratch.Borrow()
	*text = *v
	text.Flags |= sample.Const
	shown := sample.Cast(ctx, text, sample.Str)
	b := append(append(ctx.Scratch.Room(), "[debug] "...), a[0].Str...)
	b = append(append(append(b, ": type="...), v.Type.String()...), ' ')
	if shown {
		b = append(b, '<')
		for _, c := range text.Bytes {
			if c < ' ' || c > '~' {
				c = '.'
			}
			b = append(b, c)
		}
		b = append(b, '>')
	} else {
		b = append(b, "(undisplayable)"...)
	}
	ctx.Scratch.Return()
	writeNow(int(a[1].Int), append(b, '\n'))
	ctx.Scratch.Rewind(mark)
	return true
}

// writeNow writes what a descriptor takes at once: nobody waits for a slow reader.
func writeNow(fd int, b []byte) {
	p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	if n, _ := unix.Poll(p[:], 0); n == 1 && p[0].Revents&unix.POLLOUT != 0 {
		unix.Write(fd, b)
	}
}
