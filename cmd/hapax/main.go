// Command hapax is a load balancer that reads haproxy.cfg.
package main

import (
	"fmt"
	"os"

	"hapax/parser"
	"hapax/parser/diag"
	"hapax/runtime/config"
)

// version is what the program says it is compatible with.
const version = "3.4.0"

// Exit statuses.
const (
	exitOK     = 0
	exitError  = 1
	exitNoBind = 2 // nothing to listen on
)

func main() { os.Exit(run(os.Args)) }

// flags are what the command line says.
type flags struct {
	check, verbose, quiet, diag, zeroWarning bool
	files                                    []string
}

func run(args []string) int {
	f, ok := readFlags(args[1:])
	if !ok || len(f.files) == 0 {
		fmt.Fprintf(os.Stderr, "Usage : %s [-f <cfgfile|cfgdir>]* [-c] [-V] [-q] [-dW] [-dD]\n", args[0])
		return exitError
	}
	tables, err := config.NewTables(domains())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitError
	}
	out := &diag.Writer{W: os.Stderr, PID: os.Getpid(), Version: version, ExecPath: args[0], Quiet: f.quiet, Verbose: f.verbose}
	list := &diag.List{Out: out, Diag: f.diag, Prefix: "config"}
	files, ok := parser.Files(f.files, list)
	if !ok {
		return exitError
	}
	env := parser.NewEnv(os.Environ())
	c, ok := config.Load(tables, files, env, list, config.Options{Predicates: parser.Predicates{Version: version}})
	if !ok {
		return exitError
	}
	if list.Warnings() > 0 {
		if f.zeroWarning || c.Global.ZeroWarning {
			list.Alertf(files[0].Line(0).Pos, "Some warnings were found and 'zero-warning' is set. Aborting.")
			return exitError
		}
		if !f.quiet {
			fmt.Println("Warnings were found.")
		}
	}
	if c.Listens() {
		if !f.check {
			return serve(c, list)
		}
		if f.verbose {
			fmt.Println("Configuration file is valid")
		}
		return exitOK
	}
	if !f.quiet {
		fmt.Println("Configuration file has no error but will not start (no listener) => exit(2).")
	}
	return exitNoBind
}

func readFlags(args []string) (f flags, ok bool) {
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-c":
			f.check = true
		case "-db", "-d":
		case "-V":
			f.verbose = true
		case "-q":
			f.quiet = true
		case "-dW":
			f.zeroWarning = true
		case "-dD":
			f.diag = true
		case "-f":
			i++
			if i == len(args) {
				return f, false
			}
			f.files = append(f.files, args[i])
		default:
			return f, false
		}
	}
	return f, true
}
