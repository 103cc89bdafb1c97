package process

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Launch starts the program again in the background and waits until it serves.
// It returns the exit status of this process, which tells whether it does.
func (c *Call) Launch() int {
	ready, theirs, err := os.Pipe()
	if err != nil {
		c.alertf("[%s.main()] Cannot create pipe for getting the status of child process: %s.", c.Name(), err)
		return ExitFailure
	}
	before := earlier(c.Out.Log())
	pid, err := c.program.start(Birth{Role: Daemon}, map[int]*os.File{birthReady: theirs, birthEarlier: before}, true)
	theirs.Close()
	before.Close()
	if err != nil {
		c.alertf("[%s.main()] Cannot fork.", c.Name())
		return ExitFailure
	}
	if n, _ := ready.Read(make([]byte, 1)); n > 0 {
		return ExitOK
	}
	var ws syscall.WaitStatus
	if _, err := wait4(pid, &ws, 0); err != nil {
		c.alertf("[%s.main()] waitpid() failed: %s", c.Name(), err)
		return ExitFailure
	}
	status := exitStatus(ws)
	c.alertf("Process %d exited with code %d (%s)", pid, status, statusText(status))
	if status == 128+int(syscall.SIGTERM) {
		return ExitOK
	}
	return status
}

// wait4 is wait4(2), signals or not.
func wait4(pid int, ws *syscall.WaitStatus, options int) (int, error) {
	for {
		n, err := syscall.Wait4(pid, ws, options, nil)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// serving tells the launcher of a daemon that it can go.
func (c *Call) serving() {
	if c.Ready != nil {
		c.Ready.WriteString("READY\n")
		c.Ready.Close()
		c.Ready = nil
	}
}

// detach puts the null device in place of the terminal.
func detach() error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	for fd := range 3 {
		if err := unix.Dup3(int(null.Fd()), fd, 0); err != nil {
			return err
		}
	}
	return nil
}
