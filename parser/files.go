package parser

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"hapax/parser/ast"
	"hapax/parser/diag"
)

// maxStream bounds what is read from a file that has no size: a pipe, a device.
const maxStream = 10 << 20

// Files reads the files that the -f options and trailing arguments name: a directory stands for the regular files
// in it whose names end in .cfg, in the order of the locale "C", hidden ones left out. It returns false after an
// error, which is in list. All names are looked at before any file is read.
func Files(paths []string, list *diag.List) ([]*ast.File, bool) {
	var names []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			fail(list, "Cannot open configuration file/directory "+path, err)
			return nil, false
		}
		if !info.IsDir() {
			names = append(names, path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			fail(list, "Cannot open configuration directory "+path, err)
			return nil, false
		}
		for _, e := range entries {
			// Only the first ".cfg" of a name is looked at: it has to be its end.
			if at := strings.Index(e.Name(), ".cfg"); e.Name()[0] == '.' || at < 0 || at+len(".cfg") != len(e.Name()) {
				continue
			}
			name := path + "/" + e.Name()
			info, err := os.Stat(name)
			if err != nil {
				fail(list, "Cannot open configuration file "+path, err)
				return nil, false
			}
			if info.Mode().IsRegular() {
				names = append(names, name)
			}
		}
	}
	files := make([]*ast.File, 0, len(names))
	for _, name := range names {
		source, ok := read(name, list)
		if !ok {
			return nil, false
		}
		files = append(files, Parse(name, source))
	}
	return files, true
}

// read returns the content of one file.
func read(name string, list *diag.List) (string, bool) {
	info, err := os.Stat(name)
	if err != nil {
		fail(list, "stat() failed for configuration file "+name, err)
		return "", false
	}
	f, err := os.Open(name)
	if err != nil {
		fail(list, "Could not open configuration file "+name, err)
		return "", false
	}
	defer f.Close()
	limit := int64(1<<32 - 2) // what offsets of 32 bits reach
	if info.Size() == 0 {
		limit = maxStream
	}
	var b strings.Builder
	b.Grow(int(min(info.Size(), limit)) + 1)
	// A read error ends a file like its end does; what lacks then is the line feed of the last line.
	n, _ := io.Copy(&b, io.LimitReader(f, limit+1))
	if n > limit {
		list.Alertf(ast.Pos{File: name}, "Loading %s: input is too large %dMB, limited to %dMB. Exiting.", name, n>>20, limit>>20)
		return "", false
	}
	return b.String(), true
}

// fail reports a file that cannot be used, with the operating system's own words.
func fail(list *diag.List, what string, err error) {
	reason := err.Error()
	var no syscall.Errno
	var path *fs.PathError
	switch {
	case errors.As(err, &no):
		reason = errnoText(no)
	case errors.As(err, &path):
		reason = path.Err.Error()
	}
	list.Alertf(ast.Pos{}, "%s : %s", what, reason)
}

// errnoText is the C library's text, which starts in upper case.
func errnoText(no syscall.Errno) string {
	text := no.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
