package main

import (
	"slices"
	"strconv"
	"strings"
	"syscall"

	"hapax/runtime/anon"
	"hapax/runtime/config"
	"hapax/runtime/process"
)

// flags are what the command line says. Management guide, section 3.
type flags struct {
	process.Options

	files      []string // -f, and what follows --
	dir        string   // -C
	pidfile    string   // -p
	localpeer  string   // -L
	proxyConns int      // -N
	condition  string   // -cc
	keywords   string   // -dK: classes, separated by commas

	check          bool                // -c
	checkCondition bool                // -cc
	ipv4Only       bool                // -4
	diag           bool                // -dD
	zeroWarning    bool                // -dW
	dumpKeywords   bool                // -dK
	dump           *config.DumpOptions // -dC: nil without it
	explain        bool                // -dX: show the lines that messages are about
	unresolved     bool                // -dr

	traces []string // -dt: the arguments

	version string   // -v and its kin, as given: the rest of the line is not looked at
	off     []string // what -de, -dp, -dS, -dG, -dR, -dF and -dV switch off, as enabled() of .if calls it
	on      []string // SERVER-SSL-VERIFY-NONE for -dV
}

// fault is why a command line is refused. An empty alert says that the usage says it all.
type fault struct {
	alert string
	usage bool
}

// memoryFeatures are what -dM may name, or switch off by "no-" and its opposites.
var memoryFeatures = []string{"help", "fail", "merge", "cold-first", "hot-first", "integrity", "global", "cache", "caller", "tag", "poison", "uaf", "backup"}

// unknownMemory finds what is none of them in `[<byte>][,<feature>]*`.
func unknownMemory(text string) string {
	if first, rest, _ := strings.Cut(text, ","); first == "" || first[0] >= '0' && first[0] <= '9' {
		text = rest
	}
	for text != "" {
		var word string
		word, text, _ = strings.Cut(text, ",")
		if !slices.Contains(memoryFeatures, strings.TrimPrefix(word, "no-")) {
			return word
		}
	}
	return ""
}

// takesOne are the flags whose argument is the next word.
const takesOne = "CnmNLfpS"

// readFlags reads a command line without the program's name. As in the reference,
// what follows the letters that tell a flag apart is not looked at: "-Whatever" is -W.
func readFlags(args []string) (f flags, bad *fault) {
	if i := missingArgument(args); i {
		return f, &fault{alert: "failed to copy argv."}
	}
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		switch {
		case word == "" || word[0] != '-':
			return f, &fault{usage: true}
		case word == "--":
			f.files = append(f.files, args...)
			return f, nil
		case strings.HasPrefix(word, "-v"):
			f.version = word
			return f, nil
		case strings.HasPrefix(word, "-d"):
			if bad := f.debug(word[2:], &args); bad != nil {
				return f, bad
			}
		case strings.HasPrefix(word, "-cc"):
			if len(args) == 0 {
				return f, &fault{usage: true}
			}
			f.checkCondition, f.condition, args = true, args[0], args[1:]
		case strings.HasPrefix(word, "-sf"), strings.HasPrefix(word, "-st"):
			f.OldSignal = map[byte]syscall.Signal{'f': syscall.SIGUSR1, 't': syscall.SIGTERM}[word[2]]
			if bad := f.oldPIDs(word, &args); bad != nil {
				return f, bad
			}
		case strings.HasPrefix(word, "-Ws"):
			f.MasterWorker, f.Foreground, f.Systemd = true, true, true
		default:
			if bad := f.letter(word, &args); bad != nil {
				return f, bad
			}
		}
	}
	return f, nil
}

// missingArgument tells whether the last flag lacks its argument.
func missingArgument(args []string) bool {
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "--":
			return false
		case len(a) > 1 && a[0] == '-' && strings.IndexByte(takesOne, a[1]) >= 0:
			if i++; i == len(args) {
				return true
			}
		case strings.HasPrefix(a, "-x"):
			i++
		}
	}
	return false
}

// letter reads the flags that one letter tells apart.
func (f *flags) letter(word string, args *[]string) *fault {
	letter := byte(0)
	if len(word) > 1 {
		letter = word[1]
	}
	switch letter {
	case 'V':
		f.Verbose = true
	case 'c':
		f.check = true
	case 'D':
		f.Daemon = true
	case 'W':
		f.MasterWorker = true
	case 'q':
		f.Quiet = true
	case '4':
		f.ipv4Only = true
	case 'x':
		if len(*args) == 0 {
			return &fault{alert: "Unix socket path expected with the -x flag\n\n", usage: true}
		}
		f.OldSocket, *args = (*args)[0], (*args)[1:]
	default:
		if len(*args) == 0 || strings.IndexByte(takesOne, letter) < 0 {
			return &fault{usage: true}
		}
		value := (*args)[0]
		*args = (*args)[1:]
		switch letter {
		case 'C':
			f.dir = value
		case 'n':
			f.MaxConn = leadingInt(value)
		case 'm':
			f.MemMax = leadingInt(value)
		case 'N':
			f.proxyConns = leadingInt(value)
		case 'L':
			f.localpeer = value
		case 'f':
			f.files = append(f.files, value)
		case 'p':
			f.pidfile = value
		case 'S':
			f.MasterSockets = slices.Insert(f.MasterSockets, 0, value)
		}
	}
	return nil
}

// debug reads what follows -d. Letters without a meaning here are accepted: those
// that tune or show the inside of the reference (-dA, -dL, -dM, -dT, -dZ, -dc,
// -dI, and pollers, splice and the resolver of the C library).
func (f *flags) debug(rest string, args *[]string) *fault {
	letter := byte(0)
	if rest != "" {
		letter = rest[0]
	}
	switch letter {
	case 'b':
		f.Foreground = true
	case 'D':
		f.diag = true
	case 'X':
		f.explain = true
	case 'W':
		f.zeroWarning = true
	case 'C':
		f.dump = &config.DumpOptions{Lines: slices.Contains(strings.Split(rest[1:], ","), "line"), Key: anon.Key(leadingInt(rest[1:]))}
	case 'K':
		f.dumpKeywords, f.keywords = true, rest[1:]
	case 'r':
		f.unresolved = true
	case 'V':
		f.on = append(f.on, "SERVER-SSL-VERIFY-NONE")
	case 'e':
		f.off = append(f.off, "EPOLL")
	case 'p':
		f.off = append(f.off, "POLL")
	case 'S':
		f.off = append(f.off, "SPLICE")
	case 'G':
		f.off = append(f.off, "GETADDRINFO")
	case 'R':
		f.off = append(f.off, "REUSEPORT")
	case 'F':
		f.off = append(f.off, "FAST-FORWARD")
	case 'A':
		if len(rest) == 1 {
			return &fault{alert: "-dA: missing output file name"}
		}
	case 'M':
		if feature := unknownMemory(rest[1:]); feature != "" {
			return &fault{alert: "-dM: unknown pool debugging feature <" + feature + ">"}
		}
	case 'L', 'T', 'Z', 'c', 'I':
	case 't':
		text := rest[1:]
		if text == "" && len(*args) > 0 && !strings.HasPrefix((*args)[0], "-") {
			text, *args = (*args)[0], (*args)[1:]
		}
		f.traces = append(f.traces, text)
	default:
		f.Debug = true
	}
	return nil
}

// oldPIDs reads the process numbers behind -sf and -st.
func (f *flags) oldPIDs(word string, args *[]string) *fault {
	for len(*args) > 0 && !strings.HasPrefix((*args)[0], "-") {
		text := (*args)[0]
		*args = (*args)[1:]
		digits := strings.TrimLeft(text, " \t\n\v\f\r")
		end := len(digits) - len(strings.TrimLeft(digits, "0123456789"))
		pid, err := strconv.Atoi(digits[:end])
		if rest := strings.TrimLeft(digits[end:], " \t\n\v\f\r"); rest != "" {
			return &fault{alert: word + " option: some bytes unconsumed in PID list {" + rest + "}"}
		}
		if err != nil || pid <= 0 {
			return &fault{usage: true}
		}
		f.OldPIDs = append(f.OldPIDs, pid)
	}
	return nil
}

// leadingInt is the number that a text begins with, 0 when it does with none.
func leadingInt(text string) int {
	sign := strings.TrimLeft(text, " \t")
	digits := strings.TrimLeft(sign, "+-")
	end := len(digits) - len(strings.TrimLeft(digits, "0123456789"))
	n, _ := strconv.Atoi(digits[:end])
	if strings.HasPrefix(sign, "-") {
		return -n
	}
	return n
}

// enabled answers enabled() of conditions.
func (f *flags) enabled(option string) bool {
	switch option {
	case "EPOLL", "POLL", "GETADDRINFO", "REUSEPORT", "SPLICE", "FAST-FORWARD":
		return !slices.Contains(f.off, option)
	}
	return slices.Contains(f.on, option)
}
