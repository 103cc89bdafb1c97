package ring

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// FileError tells what could not be done with the file of a ring.
type FileError struct {
	Stage Stage
	Err   error
}

func (e *FileError) Error() string { return fmt.Sprint(e.Err) }
func (e *FileError) Unwrap() error { return e.Err }

// Stage is how far the use of a file has come.
type Stage uint8

const (
	Opening Stage = iota
	Resizing
	Mapping
)

// Open makes an empty ring of so many bytes in all in a file, in which messages are to be found when the process is gone.
// A file that holds messages is renamed first, and keeps them with the suffix .bak.
func Open(path string, size int) (*Ring, error) {
	rotate(path)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, &FileError{Opening, err}
	}
	defer f.Close()
	if err := f.Truncate(int64(size)); err != nil {
		return nil, &FileError{Resizing, err}
	}
	store, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, &FileError{Mapping, err}
	}
	r := over(store)
	r.shared = true
	return r, nil
}

// rotate renames a file that is a ring with messages, or too small for a ring. What is something else stays: it is
// overwritten. What fails is not told.
func rotate(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	var b [header]byte
	_, err = io.ReadFull(f, b[:])
	f.Close()
	number := func(at int) uint64 { return binary.NativeEndian.Uint64(b[at:]) }
	if err == nil && (number(8) != header || number(headAt) == 0 && number(tailAt) == 1) {
		return
	}
	os.Remove(path + ".bak")
	if os.Rename(path, path+".bak") != nil {
		os.Remove(path + ".bak")
	}
}
