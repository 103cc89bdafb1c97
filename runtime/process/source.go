package process

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// KeepSource lets the processes that this one starts read a configuration again
// that came through a pipe ("-f /dev/stdin", "-f /dev/fd/63"): the descriptor gets a
// file in memory with what was read.
func KeepSource(path, text string) {
	fd, ok := descriptorOf(path)
	if !ok {
		return
	}
	if info, err := os.Stat(path); err != nil || info.Mode().IsRegular() {
		return
	}
	memory, err := unix.MemfdCreate("configuration", unix.MFD_CLOEXEC)
	if err != nil {
		return
	}
	defer unix.Close(memory)
	for text != "" {
		n, err := unix.Write(memory, []byte(text))
		if err != nil {
			return
		}
		text = text[n:]
	}
	unix.Dup3(memory, fd, 0)
}

// descriptorOf is the descriptor of this process that a path stands for.
func descriptorOf(path string) (fd int, ok bool) {
	if path == "/dev/stdin" {
		return 0, true
	}
	for _, folder := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if number, found := strings.CutPrefix(path, folder); found {
			fd, err := strconv.Atoi(number)
			return fd, err == nil && fd >= 0
		}
	}
	return 0, false
}
