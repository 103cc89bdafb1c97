package command

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/stats/cli"
)

var host = []cli.Command{
	{Doc: doc("show libs", "the program's files in memory"), Level: cli.Operator, Run: showLibs},
	{Doc: doc("show dev", "what the program is made of and runs on"), Run: showDev},
}

// showLibs lists the files that code of the process comes from, with their addresses.
func showLibs(c *cli.Conn, _ []string) cli.Step {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil
	}
	defer f.Close()
	type span struct{ from, to uint64 }
	spans, names := map[string]*span{}, []string(nil)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 6 || words[5][0] != '/' {
			continue
		}
		low, high, _ := strings.Cut(words[0], "-")
		from, _ := strconv.ParseUint(low, 16, 64)
		to, _ := strconv.ParseUint(high, 16, 64)
		if s := spans[words[5]]; s != nil {
			s.to = to
			continue
		}
		spans[words[5]] = &span{from, to}
		names = append(names, words[5])
	}
	for _, name := range names {
		s := spans[name]
		c.Printf("0x%012x-0x%012x (0x%07x) %s\n", s.from, s.to-1, s.to-s.from, name)
	}
	return nil
}

func showDev(c *cli.Conn, args []string) cli.Step {
	if len(args) > 2 {
		return c.Fail("This command takes no argument.")
	}
	c.Printf("HAProxy version %s\nBuild options:\n", runtime.Version)
	if b, ok := debug.ReadBuildInfo(); ok {
		c.Printf("  Built with %s compiler version %s\n", "Go", b.GoVersion)
		for _, dep := range b.Deps {
			c.Printf("  Built with %s %s\n", dep.Path, dep.Version)
		}
	}
	var u unix.Utsname
	unix.Uname(&u)
	text := func(b [65]byte) string { return unix.ByteSliceToString(b[:]) }
	c.Printf("Platform info:\n  OS name: %s\n  OS release: %s\n  OS version: %s\n  OS architecture: %s\n  node name: %s\n",
		text(u.Sysname), text(u.Release), text(u.Version), text(u.Machine), text(u.Nodename))
	c.Printf("Process info:\n  pid: %d\n  cmdline: %s \n", os.Getpid(), strings.Join(os.Args, " "))
	c.Printf("  identity:                -runtime-   \n      uid:             %-12d\n      gid:             %-12d\n", os.Getuid(), os.Getgid())
	c.Printf("  limits:                  -runtime-   \n")
	for _, l := range []struct {
		name string
		what int
	}{{"fd", unix.RLIMIT_NOFILE}, {"ram", unix.RLIMIT_DATA}} {
		var r unix.Rlimit
		unix.Getrlimit(l.what, &r)
		c.Printf("      %-16s %-12s\n      %-16s %-12s\n", l.name+" limit (soft):", limitText(r.Cur), l.name+" limit (hard):", limitText(r.Max))
	}
	return nil
}

func limitText(n uint64) string {
	if n == unix.RLIM_INFINITY {
		return "unlimited"
	}
	return fmt.Sprint(n)
}
