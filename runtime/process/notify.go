package process

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// notify tells the service manager about the state of the service, by one
// datagram to the socket that NOTIFY_SOCKET names (sd_notify(3)). Without one,
// nobody wants to know.
func notify(format string, args ...any) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" || path[0] != '/' && path[0] != '@' {
		return
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	unix.Sendto(fd, fmt.Appendf(nil, format, args...), 0, &unix.SockaddrUnix{Name: path})
}

// monotonicMicroseconds is the clock that a service manager compares reloads with.
func monotonicMicroseconds() int64 {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano() / 1000
}
