package config

import (
	goruntime "runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/userlist"
)

func userlistSections() []Section {
	return []Section{{Doc: doc("userlist", "12.2", "users, passwords and groups"), Kind: Userlist, Start: startUserlist}}
}

func userlistKeywords() []Keyword {
	in := func(name, summary string, args []keyword.Arg, parse func(*Loader, *ast.Line)) Keyword {
		d := doc(name, "12.2", summary)
		d.Args = args
		return Keyword{Doc: d, In: Userlist, Parse: parse}
	}
	return []Keyword{
		in("group", "a group of users", []keyword.Arg{{Name: "name", Type: keyword.Name}, {Name: "users", Type: keyword.Str, Joined: true, Opt: true}}, group),
		in("user", "a user", []keyword.Arg{{Name: "name", Type: keyword.Str}, {Name: "password", Type: keyword.Str, Joined: true, Opt: true},
			{Name: "insecure-password", Type: keyword.Str, Joined: true, Opt: true}, {Name: "groups", Type: keyword.Str, Joined: true, Opt: true}}, userLine),
	}
}

// globalInUserlist reads a line that belongs into the global section: the reference takes the words that are registered
// for that one in a userlist too, and nothing is read behind an error in them.
func (l *Loader) globalInUserlist(line *ast.Line) bool {
	row, _ := l.Tables.Keywords(Global).Match(line.Arg)
	if row == nil || !slices.Contains(registered(Global, "global"), firstWord(row.Name)) {
		return false
	}
	before := l.List.Fatal()
	if row.Parse != nil {
		row.Parse(l, line)
	}
	if l.List.Fatal() > before {
		l.List.Stop()
	}
	if row.Status == keyword.Missing {
		l.missed(row.Dormant, row.Name)
	}
	return true
}

// groupUsers are the users that "group" lines name: users may come later.
type groupUsers struct {
	list  *runtime.Userlist
	group string
	users []string
}

func startUserlist(l *Loader, line *ast.Line) {
	name := line.Arg(1)
	if name == "" {
		l.AlertTight(line.Pos, "'%s' expects <name> as arguments.", line.Arg(0))
		return
	}
	if l.TooMany(line, 1, 1) {
		return
	}
	if c, bad := invalidChar(name); bad {
		l.AlertTight(line.Pos, "character '%c' is not permitted in '%s' name '%s'.", c, line.Arg(0), name)
		return
	}
	if l.Config.Userlists[name] != nil {
		l.WarnTight(line.Pos, "ignoring duplicated userlist '%s'.", name)
		return
	}
	l.userlist = &runtime.Userlist{Name: name}
	l.Config.Userlists[name] = l.userlist
	l.userlists = append(l.userlists, l.userlist)
}

func group(l *Loader, line *ast.Line) {
	name := line.Arg(1)
	if name == "" {
		l.AlertTight(line.Pos, "'%s' expects <name> as arguments.", line.Arg(0))
		return
	}
	if c, bad := invalidChar(name); bad {
		l.AlertTight(line.Pos, "character '%c' is not permitted in '%s' name '%s'.", c, line.Arg(0), name)
		return
	}
	list := l.userlist
	if list == nil {
		return
	}
	if list.HasGroup(name) {
		l.WarnTight(line.Pos, "ignoring duplicated group '%s' in userlist '%s'.", name, list.Name)
		return
	}
	g := groupUsers{list: list, group: name}
	for i := 2; line.Arg(i) != ""; i += 2 {
		if line.Arg(i) != "users" {
			l.AlertTight(line.Pos, "'%s' only supports 'users' option.", line.Arg(0))
			return
		}
		if g.users != nil {
			l.AlertTight(line.Pos, "'users' option already defined in '%s' name '%s'.", line.Arg(0), name)
			return
		}
		g.users = splitNames(line.Arg(i + 1))
	}
	list.Groups = append(list.Groups, name)
	l.groups = append(l.groups, g)
}

func userLine(l *Loader, line *ast.Line) {
	name := line.Arg(1)
	if name == "" {
		l.AlertTight(line.Pos, "'%s' expects <name> as arguments.", line.Arg(0))
		return
	}
	list := l.userlist
	if list == nil {
		return
	}
	if list.User([]byte(name)) != nil {
		l.WarnTight(line.Pos, "ignoring duplicated user '%s' in userlist '%s'.", name, list.Name)
		return
	}
	u := &runtime.User{Name: name}
	list.Users = append(list.Users, u)
	for i := 2; line.Arg(i) != ""; i += 2 {
		value := line.Arg(i + 1)
		switch line.Arg(i) {
		case "password":
			u.Password = value
			l.warnSlowHash(line.Pos, value)
		case "insecure-password":
			u.Password, u.Insecure = value, true
		case "groups":
			u.Groups = splitNames(value)
		default:
			l.AlertTight(line.Pos, "'%s' only supports 'password', 'insecure-password' and 'groups' options.", line.Arg(0))
			return
		}
	}
}

// slowHash is how much a check of a password may cost: each request with a wrong one pays for it, and all others wait.
const slowHash = 10 * time.Millisecond

// warnSlowHash tries a hash. It looks at the processor's time, which is the same on a busy machine.
func (l *Loader) warnSlowHash(at ast.Pos, hash string) {
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	begin := threadTime()
	userlist.Check(hash, nil)
	if cost := threadTime() - begin; cost >= slowHash {
		l.WarnTight(at, "the hash algorithm used for this password takes %d milliseconds to verify, which can have devastating performance and stability impacts. Please hash this password using a lighter algorithm (one that is compatible with web usage).", cost.Milliseconds())
	}
}

// threadTime is the processor's time that this thread has used.
func threadTime() time.Duration {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.Nano())
}

// splitNames cuts a list at its commas; empty names are no names.
func splitNames(text string) []string {
	return slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return s == "" })
}

// resolveUsers brings users and groups together; false after an error, which ends
// the checks.
func (l *Loader) resolveUsers() bool {
	for i := len(l.userlists) - 1; i >= 0; i-- {
		list := l.userlists[i]
		for j := len(list.Users) - 1; j >= 0; j-- {
			u := list.Users[j]
			for _, g := range u.Groups {
				if !list.HasGroup(g) {
					l.List.Alertf(ast.Pos{}, "userlist '%s': no such group '%s' specified in user '%s'", list.Name, g, u.Name)
					return false
				}
			}
		}
		for j := len(l.groups) - 1; j >= 0; j-- {
			g := l.groups[j]
			if g.list != list {
				continue
			}
			for _, name := range g.users {
				u := list.User([]byte(name))
				if u == nil {
					l.List.Alertf(ast.Pos{}, "userlist '%s': no such user '%s' specified in group '%s'", list.Name, name, g.group)
					return false
				}
				if !slices.Contains(u.Groups, g.group) {
					u.Groups = append(u.Groups, g.group)
				}
			}
		}
	}
	return true
}
