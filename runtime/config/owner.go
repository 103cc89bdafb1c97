package config

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"hapax/parser/ast"
)

func chroot(l *Loader, line *ast.Line) error {
	if l.TooMany(line, 1, 1) {
		return nil
	}
	g, dir := &l.Config.Global, line.Arg(1)
	switch {
	case g.Chroot != "":
		return Warning(fmt.Sprintf("'%s' is already specified. Continuing.\n", line.Arg(0)))
	case dir == "":
		return fmt.Errorf("'%s' expects a directory as an argument.\n", line.Arg(0))
	}
	g.Chroot = dir
	info, err := os.Stat(dir)
	switch {
	case os.IsPermission(err):
		l.List.Diagf(line.Pos, "parsing [%s:%d]: '%s': '%s': %s (process is need to be started with root privileges to be able to chroot).",
			line.Pos.File, line.Pos.Line, line.Arg(0), dir, errnoText(syscall.EACCES))
	case err != nil:
		l.List.Diagf(line.Pos, "parsing [%s:%d]: '%s': '%s': %s.", line.Pos.File, line.Pos.Line, line.Arg(0), dir, errnoText(syscall.ENOENT))
	case !info.IsDir():
		l.List.Diagf(line.Pos, "parsing [%s:%d]: '%s': '%s' is not a directory.", line.Pos.File, line.Pos.Line, line.Arg(0), dir)
	}
	return nil
}

func runAsUser(l *Loader, line *ast.Line) {
	if l.TooMany(line, 1, 1) {
		return
	}
	if l.global.uidSet {
		l.Complain(line.Pos, "user/uid already specified. Continuing.")
		return
	}
	id, ok := userID(line.Arg(1))
	if !ok {
		l.Alert(line.Pos, "cannot find user id for '%s' (0:Success)", line.Arg(1))
		return
	}
	l.global.uidSet = true
	l.Config.Global.User, l.Config.Global.UID = line.Arg(1), id
}

func runAsGroup(l *Loader, line *ast.Line) {
	if l.TooMany(line, 1, 1) {
		return
	}
	if l.global.gidSet {
		l.Complain(line.Pos, "gid/group was already specified. Continuing.")
		return
	}
	id, ok := groupID(line.Arg(1))
	if !ok {
		l.Alert(line.Pos, "cannot find group id for '%s' (0:Success)", line.Arg(1))
		return
	}
	l.global.gidSet = true
	l.Config.Global.Group, l.Config.Global.GID = line.Arg(1), id
}

func userID(name string) (int, bool) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, false
	}
	id, err := strconv.Atoi(u.Uid)
	return id, err == nil
}

func groupID(name string) (int, bool) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, false
	}
	id, err := strconv.Atoi(g.Gid)
	return id, err == nil
}

func runAsUID(l *Loader, line *ast.Line) {
	runAsNumber(l, line, "user/uid", "user", &l.global.uidSet, &l.Config.Global.UID)
}

func runAsGID(l *Loader, line *ast.Line) {
	runAsNumber(l, line, "group/gid", "group", &l.global.gidSet, &l.Config.Global.GID)
}

func runAsNumber(l *Loader, line *ast.Line, both, other string, set *bool, id *int) {
	word, value := line.Arg(0), line.Arg(1)
	switch {
	case l.TooMany(line, 1, 1):
		return
	case *set:
		l.Complain(line.Pos, "%s already specified. Continuing.", both)
		return
	case value == "":
		l.Alert(line.Pos, "'%s' expects an integer argument.", word)
		return
	}
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		l.Warn(line.Pos, " %s: string '%s' is not a number.\n   | You might want to use the '%s' parameter to use a system %s name.", word, value, other, other)
		return
	}
	*set, *id = true, int(n)
}
