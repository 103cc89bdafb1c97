package command

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hapax/runtime"
	"hapax/stats/cli"
)

var descriptors = []cli.Command{
	{Doc: doc("show fd", "descriptors of the process"), Level: cli.Operator, Run: showFD},
	{Doc: doc("debug dev fd", "descriptors that belong to no listener, client or server"), Level: cli.Operator, Run: debugFD},
}

// showFD is `show fd [-!plcfbsd]* [num]`: pipes and the like, listeners, connections: of frontends, of backends, to
// servers, to no server.
func showFD(c *cli.Conn, args []string) cli.Step {
	const kinds = "plcfbsd"
	words, wanted := args[2:], ""
	if len(words) > 0 && strings.IndexByte("!-", words[0][0]) >= 0 {
		wanted = kinds
	}
	for len(words) > 0 && (words[0][0] < '0' || words[0][0] > '9') {
		not := false
		for _, b := range []byte(words[0]) {
			switch {
			case b == '!' || b == '-':
				not = !not
			case strings.IndexByte(kinds, b) < 0:
				return c.Fail("Invalid FD type\n")
			case not:
				wanted = strings.ReplaceAll(wanted, string(b), "")
			default:
				wanted += string(b)
			}
		}
		words = words[1:]
	}
	if wanted == "" {
		wanted = kinds
	}
	only := -1
	if len(words) > 0 {
		_, after, slash := strings.Cut(words[0], "/")
		if !slash {
			after = words[0]
		}
		if after != "" {
			only = number(after)
		}
	}
	s := process(c).Streams
	if s == nil {
		return nil
	}
	known := s.Descriptors()
	numbers := openDescriptors()
	return rows(func(c *cli.Conn) bool {
		if len(numbers) == 0 {
			return false
		}
		fd := numbers[0]
		numbers = numbers[1:]
		if only >= 0 && fd != only {
			return true
		}
		i, found := slices.BinarySearchFunc(known, fd, func(d runtime.Descriptor, fd int) int { return d.FD - fd })
		var d runtime.Descriptor
		if found {
			d = known[i]
		}
		if kind, text := describe(&d, found); kind == "" || strings.ContainsAny(wanted, kind) {
			c.Printf("%7d : %s\n", fd, cmp.Or(text, target(fd)))
		}
		return true
	})
}

// describe tells what a socket is: the letters of "show fd" that it goes by, and its text.
func describe(d *runtime.Descriptor, known bool) (kind, text string) {
	threads := fmt.Sprintf("tmask=%#x ", uint64(1)<<max(d.Loop, 0))
	switch {
	case !known:
		return "p", ""
	case d.Listener != nil:
		return "l", fmt.Sprintf("l.st=%s fe=%s fam=%s", listenerState(d.Listener), d.Listener.Proxy.Name, family(&d.Listener.Addr))
	case d.Front != nil:
		return "cf", threads + fmt.Sprintf("back=0 fe=%s mux=%s", d.Front.Name, d.Mux)
	case d.Server != nil:
		return "cbs", threads + fmt.Sprintf("back=1 px=%s sv=%s mux=%s", d.Server.Proxy.Name, d.Server.Name, d.Mux)
	}
	return "cd", threads
}

func listenerState(l *runtime.Listener) string {
	return [...]string{"INI", "RDY", "FUL", "PAU", "ZOM"}[l.State.Load()]
}

func family(a *runtime.Addr) string {
	switch a.Family {
	case runtime.FamilyIPv4:
		return fmt.Sprintf("ipv4 lport=%d", a.IP.Port())
	case runtime.FamilyIPv6:
		return fmt.Sprintf("ipv6 lport=%d", a.IP.Port())
	}
	return "unix"
}

// openDescriptors are the descriptors that the process has open now.
func openDescriptors() (numbers []int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// target is what the system says that a descriptor is.
func target(fd int) string {
	text, _ := os.Readlink(filepath.Join("/proc/self/fd", strconv.Itoa(fd)))
	return text
}

// debugFD lists the descriptors that belong to no listener, client or server.
func debugFD(c *cli.Conn, _ []string) cli.Step {
	s := process(c).Streams
	if s == nil {
		return nil
	}
	known := map[int]bool{}
	for _, d := range s.Descriptors() {
		known[d.FD] = true
	}
	for _, fd := range openDescriptors() {
		if text := target(fd); !known[fd] && text != "" {
			c.Printf("%5d %s\n", fd, text)
		}
	}
	return nil
}
