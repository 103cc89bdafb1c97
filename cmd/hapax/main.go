// Command hapax is a load balancer that reads haproxy.cfg and takes the place of
// HAProxy: its flags, exit statuses and messages are the same.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/logger"
	"hapax/runtime/process"
	"hapax/runtime/trace"
)

func main() { os.Exit(run(os.Args)) }

// invocation is one run of the program.
type invocation struct {
	flags
	call   *process.Call
	out    *diag.Writer
	list   *diag.List
	tables *config.Tables
	files  []*ast.File
	env    *parser.Env // as it was at the start
}

func run(args []string) int {
	birth, err := process.Born()
	p := &invocation{call: process.NewCall(args, birth)}
	p.out = &diag.Writer{W: os.Stderr, PID: os.Getpid(), Version: version, ExecPath: args[0]}
	p.list = &diag.List{Out: p.out}
	p.out.Restore(birth.Earlier)
	p.call.Out, p.call.List, p.call.Services = p.out, p.list, services()
	if birth.Log != nil {
		p.out.Also = birth.Log
	}
	if err != nil {
		return p.refuse("%s", err)
	}
	f, bad := readFlags(args[1:])
	p.flags, p.call.Options = f, f.Options
	if f.explain || onTerminal(os.Stderr) {
		p.out.Explain = &diag.Explain{}
	}
	switch {
	case bad != nil:
		if bad.alert != "" {
			p.refuse("%s", bad.alert)
		}
		if bad.usage {
			p.usage()
		}
		return process.ExitFailure
	case f.version != "":
		fmt.Print(versionText(f.version))
		return process.ExitOK
	}
	p.out.Quiet, p.out.Verbose, p.list.Diag = f.Quiet, f.Verbose, f.diag
	p.env = parser.NewEnv(os.Environ())
	p.env.Preset("HAPROXY_STARTUP_VERSION", version)
	if f.checkCondition {
		return p.evaluate()
	}
	if f.dir != "" {
		if err := os.Chdir(f.dir); err != nil {
			return p.refuse("Could not change to directory %s : %s", f.dir, systemText(err))
		}
	}
	return p.start()
}

// refuse says why the program does not start.
func (p *invocation) refuse(format string, args ...any) int {
	p.list.Alertf(ast.Pos{}, format, args...)
	return process.ExitFailure
}

// usage says how the program is called.
func (p *invocation) usage() int {
	fmt.Print(greeting())
	usage(os.Stderr, p.call.Name(), p.proxyConns)
	return process.ExitFailure
}

// evaluate decides the condition of -cc.
func (p *invocation) evaluate() int {
	predicates := p.predicates()
	switch holds, err := predicates.EvaluateArgument(p.condition, p.env); {
	case err != nil:
		p.refuse("%s", err)
		return 2
	case !holds:
		return 1
	}
	return 0
}

func (p *invocation) predicates() parser.Predicates {
	return parser.Predicates{Version: version, Features: slices.Concat(features, detected()), Enabled: p.enabled, SSLVersion: sslVersion, SSLName: sslName}
}

func (p *invocation) loadOptions() config.Options {
	return config.Options{
		Predicates: p.predicates(), Variables: logger.Variables, Lasting: logger.Lasting, MaxConnPerProxy: p.proxyConns,
		MasterWorker: p.MasterWorker, Systemd: p.Systemd, TrustServers: slices.Contains(p.on, "SERVER-SSL-VERIFY-NONE"),
		Unresolved: p.unresolved, Localpeer: p.localpeer, Pidfile: p.pidfile, Start: !p.check,
		IPv4Only: p.ipv4Only, NoSplice: !p.enabled("SPLICE") || !p.enabled("FAST-FORWARD"),
	}
}

// start reads the files far enough to know what kind of process this is, and
// becomes it.
func (p *invocation) start() int {
	var err error
	if p.tables, err = config.NewTables(domains()); err != nil {
		return p.refuse("%s", err)
	}
	if p.call.Role != process.First && !p.call.Reloading() {
		// What the first pass finds was said by the process that started this one.
		p.list.Out = nil
	}
	if p.dump != nil {
		return p.dumpFiles()
	}
	found, ok := p.discover()
	p.list.Out = p.out
	if !ok {
		if p.call.Reloading() {
			return p.keepWorkers(found)
		}
		if found != nil && len(p.files) == 0 {
			return p.usage()
		}
		return process.ExitFailure
	}
	if len(p.MasterSockets) > 0 && !p.MasterWorker {
		return p.refuse("a master CLI socket was defined, but master-worker mode (-W) is not enabled.")
	}
	mode := p.call.Mode(&found.Global)
	p.out.Quiet = mode.Quiet
	if p.check {
		mode = process.Mode{Quiet: mode.Quiet}
	}
	if mode.Daemon || mode.MasterWorker {
		for _, f := range p.files {
			process.KeepSource(f.Name, f.Source)
		}
	}
	switch {
	case mode.Daemon && p.call.Role == process.First && !p.call.Reloading():
		return p.call.Launch()
	case mode.MasterWorker && p.call.Role != process.Worker:
		return p.call.Master(found, mode, true)
	}
	return p.serve(mode)
}

// discover makes the first pass over the files. found is nil when they cannot be
// read at all.
func (p *invocation) discover() (found *runtime.Config, ok bool) {
	p.list.Prefix = "config"
	if p.files, ok = parser.Files(p.flags.files, p.list); !ok {
		return nil, false
	}
	if len(p.files) == 0 {
		return &runtime.Config{}, false
	}
	return config.Discover(p.tables, p.files, p.env.Clone(), p.list, p.loadOptions())
}

// keepWorkers goes on as a master whose new configuration cannot be read.
func (p *invocation) keepWorkers(found *runtime.Config) int {
	what, check := "parse", "global section settings"
	if found == nil {
		found, _ = config.Discover(p.tables, nil, p.env.Clone(), &diag.List{}, p.loadOptions()) // what holds without files
		what, check = "load", "configuration file path"
	}
	p.list.Warnf(ast.Pos{}, "Master failed to %s new configuration and can't start a new worker. Already running worker will be kept. "+
		"Please, check %s and memory limits and reload %s.", what, check, p.call.Name())
	p.list.Prefix = ""
	status := p.call.Master(found, p.call.Mode(&found.Global), false)
	if status != process.ExitOK {
		p.refuse("Master encountered an error in recovery mode, exiting.")
	}
	return status
}

// serve loads the configuration and checks it or runs it.
func (p *invocation) serve(mode process.Mode) int {
	o := p.loadOptions()
	o.Discovered = true
	cfg, ok := config.Load(p.tables, p.files, p.env, p.list, o)
	if !ok {
		return process.ExitFailure
	}
	if status, over := p.trace(cfg); over {
		return status
	}
	p.call.Settle(cfg)
	if p.list.Warnings() > 0 && (p.zeroWarning || cfg.Global.ZeroWarning) {
		return p.refuse("Some warnings were found and 'zero-warning' is set. Aborting.")
	}
	if p.dumpKeywords && p.call.Role != process.Worker {
		dumpKeywords(os.Stdout, p.tables, p.keywords)
	}
	if p.check {
		return p.verdict(cfg)
	}
	return p.call.Serve(cfg, p.env, mode)
}

// trace carries out -dt; over: the program ends with status.
func (p *invocation) trace(cfg *runtime.Config) (status int, over bool) {
	for _, text := range p.traces {
		if text == "help" {
			fmt.Print(trace.Help, "\n")
			return process.ExitOK, true
		}
		if err := trace.Activate(cfg, text); err != nil {
			return p.refuse("config : -dt: %s.", err), true
		}
	}
	return 0, false
}

// dumpFiles is -dC: the lines of the files take the place of the program.
func (p *invocation) dumpFiles() int {
	p.out.Quiet = p.Quiet
	p.list.Prefix = "config"
	var ok bool
	if p.files, ok = parser.Files(p.flags.files, p.list); !ok {
		return process.ExitFailure
	}
	if len(p.files) == 0 {
		return p.usage()
	}
	if !p.Quiet {
		p.dump.W = os.Stdout
	}
	switch {
	case !config.Dump(p.tables, p.files, p.env, p.list, p.loadOptions(), *p.dump):
		return process.ExitFailure
	case p.check:
		return p.verdict(&runtime.Config{})
	}
	return process.ExitOK
}

// verdict ends -c.
func (p *invocation) verdict(cfg *runtime.Config) int {
	say := func(text string) {
		if !p.out.Quiet || p.Verbose {
			fmt.Println(text)
		}
	}
	if p.list.Warnings() > 0 {
		say("Warnings were found.")
	}
	if !cfg.Listens() {
		say("Configuration file has no error but will not start (no listener) => exit(2).")
		return process.ExitNoBind
	}
	if p.Verbose {
		say("Configuration file is valid")
	}
	return process.ExitOK
}

// systemText is the C library's text of a system error.
func systemText(err error) string {
	var e syscall.Errno
	if !errors.As(err, &e) {
		return err.Error()
	}
	text := e.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// onTerminal tells whether somebody is looking.
func onTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
