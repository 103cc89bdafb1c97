package check

import (
	"syscall"

	"hapax/runtime"
	"hapax/runtime/transport"
)

// connectionFailed decides by what happened to the connection: an error, or the end
// of the time.
func (ck *Check) connectionFailed(err error, expired bool) {
	desc := ck.where()
	if errno, ok := err.(syscall.Errno); ok {
		desc = errnoText(errno) + desc
	} else if err != nil {
		desc = err.Error() + desc
	}
	status := runtime.CheckSockErr
	switch {
	case !ck.up && expired && !transport.Asking(ck.conn.Layer()):
		status = runtime.CheckL4Timeout
	case !ck.up && ck.conn.Layer() != nil && err != nil && !isErrno(err):
		status = runtime.CheckL6Response
	case !ck.up && err != nil && ck.inet:
		status = runtime.CheckL4Conn
	case expired:
		status = runtime.CheckL7Timeout
		if ck.current != nil {
			if e, ok := ck.current.do.(*expect); ok && e.timeout != runtime.CheckUnknown {
				status = e.timeout
			}
		}
	}
	ck.decide(status, desc)
}

func isErrno(err error) bool { _, ok := err.(syscall.Errno); return ok }

// errnoNames are the errors of the system that are told by their names. An unreachable
// network is none of them: the kernel refuses to connect before it has tried.
var errnoNames = map[syscall.Errno]string{
	syscall.ECONNREFUSED: "ECONNREFUSED", syscall.ECONNRESET: "ECONNRESET", syscall.EHOSTUNREACH: "ENETUNREACH",
	syscall.ENOMEM: "ENOMEM", syscall.EBADF: "EBADF", syscall.EFAULT: "EFAULT",
	syscall.EINVAL: "EINVAL", syscall.ENOTCONN: "ENCONN", syscall.ENOTSOCK: "ENSOCK", syscall.ENOBUFS: "ENOBUFS", syscall.EPIPE: "EPIPE",
}

// errnoText is "ECONNREFUSED returned by OS (Connection refused)".
func errnoText(errno syscall.Errno) string {
	name := "General socket error"
	if n, ok := errnoNames[errno]; ok {
		name = n + " returned by OS"
	}
	return name + " (" + sentence(errno) + ")"
}

// sentence is the C library's text of an error: it begins with a capital.
func sentence(errno syscall.Errno) string {
	text := errno.Error()
	return string(text[0]&^0x20) + text[1:]
}
