package check

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"hapax/parser/diag"
	"hapax/runtime"
)

// notUsed takes the place of an argument that has no meaning; in the environment that is empty.
const notUsed = "NOT_USED"

const shell = "/bin/sh"

// Exit codes of programs that did not end by themselves, as statistics tell them.
const (
	codeKilled     = -1
	codeNotStarted = 255
)

// execution runs the program of a backend: its exit status is the result. Section 4.2 "external-check command".
type execution struct {
	command string // a path, or a name that is looked for in path
	path    string // the PATH of the program
}

// process is one run of the program. It is started and awaited on a goroutine of its own: a fork takes longer than a
// loop may stand still.
type process struct {
	mu     sync.Mutex
	proc   *os.Process // nil until it runs; guarded by mu
	killed bool        // guarded by mu
}

func (x *execution) run(ck *Check, r *rule) verdict {
	ck.current = r
	srv, px := ck.srv, ck.srv.Proxy
	limit := srv.Inter
	if t := px.Timeout; t.Check > 0 && t.Connect > 0 {
		limit = min(limit, t.Connect)
	}
	g := &ck.checks.cfg.Global
	if !g.InsecureFork && unix.Geteuid() != 0 {
		text := sentence(unix.EAGAIN)
		ck.checks.opt.Print(diag.Alert, "Failed to fork process for external health check (likely caused by missing 'insecure-fork-wanted'): "+text+". Aborting.")
		return ck.decide(runtime.CheckSockErr, text)
	}
	ck.timer.After(limit)
	cmd := x.prepare(srv, g)
	p := &process{}
	ck.process = p
	go func() {
		code, err := p.run(cmd, g)
		ck.post(func() { p.over(ck, code, err) })
	}()
	return await
}

// prepare makes the arguments and the environment of the program.
func (x *execution) prepare(srv *runtime.Server, g *runtime.Global) *exec.Cmd {
	px := srv.Proxy
	proxyAddr, proxyPort := ownAddress(px)
	addr, port := serverAddress(srv)
	tls := "0"
	if srv.Encrypted() {
		tls = "1"
	}
	proto := "tcp"
	if px.Mode == runtime.ModeHTTP {
		proto = "h1"
		if srv.Proto == runtime.ProtoH2 {
			proto = "h2"
		}
	}
	env := []string{"PATH=" + x.path}
	for _, v := range [...][2]string{
		{"PROXY_NAME", px.Name}, {"PROXY_ID", strconv.Itoa(px.ID)}, {"PROXY_ADDR", proxyAddr}, {"PROXY_PORT", proxyPort},
		{"SERVER_NAME", srv.Name}, {"SERVER_ID", strconv.Itoa(srv.ID)}, {"SERVER_ADDR", addr}, {"SERVER_PORT", port},
		{"SERVER_MAXCONN", strconv.Itoa(int(srv.MaxConn.Load()))}, {"SERVER_CURCONN", strconv.Itoa(int(srv.Current.Load()))},
		{"SERVER_SSL", tls}, {"SERVER_PROTO", proto},
	} {
		if v[1] == notUsed {
			v[1] = ""
		}
		env = append(env, "HAPROXY_"+v[0]+"="+v[1])
	}
	if g.KeepEnvironment {
		env = append(os.Environ(), env...)
	}
	cmd := &exec.Cmd{Path: x.find(), Args: []string{x.command, proxyAddr, proxyPort, addr, port}, Env: env}
	if !g.Quiet {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	}
	return cmd
}

// find looks for the program as execvp(3) does.
func (x *execution) find() string {
	if strings.Contains(x.command, "/") {
		return x.command
	}
	for _, dir := range filepath.SplitList(x.path) {
		if path := filepath.Join(dir, x.command); unix.Access(path, unix.X_OK) == nil {
			return path
		}
	}
	return x.command
}

// ownAddress is where the first socket of the proxy listens that programs can be told of.
func ownAddress(px *runtime.Proxy) (addr, port string) {
	for _, ln := range px.Listeners {
		switch ln.Addr.Family {
		case runtime.FamilyIPv4, runtime.FamilyIPv6:
			return ipAddress(ln.Addr.IP)
		case runtime.FamilyUnix:
			return ln.Addr.Path, notUsed
		case runtime.FamilyFD:
			if addr, port, ok := boundTo(ln.Addr.FD); ok {
				return addr, port
			}
		}
	}
	return notUsed, notUsed
}

// boundTo is where a socket listens that was inherited.
func boundTo(fd int) (addr, port string, ok bool) {
	name, _ := unix.Getsockname(fd)
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(a.Addr).String(), strconv.Itoa(a.Port), true
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(a.Addr).String(), strconv.Itoa(a.Port), true
	case *unix.SockaddrUnix:
		return a.Name, notUsed, !strings.HasPrefix(a.Name, "@")
	}
	return "", "", false
}

// serverAddress is where the server is now.
func serverAddress(srv *runtime.Server) (addr, port string) {
	switch a := srv.Addr.Load(); a.Family {
	case runtime.FamilyIPv4, runtime.FamilyIPv6:
		return ipAddress(a.IP)
	case runtime.FamilyUnix:
		return a.Path, notUsed
	case runtime.FamilyAbstract, runtime.FamilyAbstractZ:
		return "", notUsed
	}
	return "", ""
}

func ipAddress(ip netip.AddrPort) (addr, port string) {
	return ip.Addr().String(), strconv.Itoa(int(ip.Port()))
}

// run starts the program and waits for its end.
func (p *process) run(cmd *exec.Cmd, g *runtime.Global) (code int, err error) {
	err = p.start(cmd, g)
	if errors.Is(err, unix.ENOEXEC) { // a script that does not name its interpreter is one of the shell
		args := append([]string{shell, cmd.Path}, cmd.Args[1:]...)
		cmd = &exec.Cmd{Path: shell, Args: args, Env: cmd.Env, Stdin: cmd.Stdin, Stdout: cmd.Stdout, Stderr: cmd.Stderr}
		err = p.start(cmd, g)
	}
	if err != nil {
		return codeNotStarted, err
	}
	cmd.Wait() // its error is the state
	if state := cmd.ProcessState; state != nil && state.Exited() {
		return state.ExitCode(), nil
	}
	return codeKilled, nil
}

// start runs the program without the descriptors of this process, and with the limit on them that this one began with.
func (p *process) start(cmd *exec.Cmd, g *runtime.Global) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed {
		return os.ErrProcessDone
	}
	const firstOwn = 3 // behind the standard ones
	unix.CloseRange(firstOwn, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if err := cmd.Start(); err != nil {
		return err
	}
	p.proc = cmd.Process
	unix.Prlimit(p.proc.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: g.BootFiles, Max: g.BootMaxFiles}, nil)
	return nil
}

// kill ends the program, if it runs, and tells its number.
func (p *process) kill() (pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killed = true
	if p.proc == nil {
		return 0
	}
	p.proc.Signal(unix.SIGTERM)
	return p.proc.Pid
}

// over ends the check by what the program says, unless the check has not waited for it.
func (p *process) over(ck *Check, code int, err error) {
	if ck.process != p {
		return
	}
	ck.process = nil
	if err != nil {
		var errno syscall.Errno
		errors.As(err, &errno)
		ck.checks.opt.Print(diag.Alert, "Failed to exec process for external health check: "+sentence(errno)+". Aborting.")
	}
	ck.answer = code
	status := runtime.CheckProcErr
	if code == 0 {
		status = runtime.CheckProcOK
	}
	ck.decide(status, "")
	ck.finish()
}

// expire ends the wait for the program.
func (p *process) expire(ck *Check) {
	ck.process, ck.answer = nil, 0
	if pid := p.kill(); pid != 0 {
		ck.checks.opt.Print(diag.Warning, fmt.Sprintf("kill %d", pid))
	}
	ck.decide(runtime.CheckProcTimeout, "")
}
