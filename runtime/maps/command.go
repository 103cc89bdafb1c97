package maps

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"hapax/acl/pattern"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/stats/cli"
)

// owner is what the owner of a connection to a stats socket answers.
type owner interface {
	RunningConfig() *runtime.Config
}

func patterns(c *cli.Conn) *pattern.Refs { return c.Owner.(owner).RunningConfig().Patterns }

// kind is what a command is about: it finds a file that is only used as the other only where that does no harm.
type kind struct {
	word string // in commands
	name string // in messages
	use  pattern.Use
}

var (
	acls = kind{"acl", "ACL", pattern.ACL}
	maps = kind{"map", "map", pattern.Map}
)

// find looks a collection up by "#<id>" or by the name of its file.
func find(c *cli.Conn, name string) *pattern.Ref {
	id, numbered := strings.CutPrefix(name, "#")
	if !numbered {
		return patterns(c).Lookup(name)
	}
	n, err := strconv.Atoi(id)
	if err != nil && id != "" {
		return nil
	}
	return patterns(c).LookupID(n)
}

func (k kind) unknown(c *cli.Conn) cli.Step {
	return c.Failf("Unknown %s identifier. Please use #<id> or <file>.", k.name)
}

func (k kind) missing(c *cli.Conn) cli.Step { return c.Failf("Missing %s identifier.", k.name) }

// used finds a collection that is used as this kind.
func (k kind) used(c *cli.Conn, name string) *pattern.Ref {
	if r := find(c, name); r != nil && r.UsedBy()&k.use != 0 {
		return r
	}
	return nil
}

// version cuts "@<version>" off the arguments behind a command's words.
func version(args []string) (n uint32, given bool, rest []string) {
	text, given := strings.CutPrefix(cli.Arg(args, 2), "@")
	if !given {
		return 0, false, args
	}
	return digits(text), true, append(args[:2:2], args[3:]...)
}

// digits reads the number that a text begins with, as far as it goes.
func digits(text string) (n uint32) {
	for i := 0; i < len(text) && text[i]-'0' <= 9; i++ {
		n = n*10 + uint32(text[i]-'0')
	}
	return n
}

// show lists the collections of a kind, or the entries of one.
func (k kind) show(c *cli.Conn, args []string) cli.Step {
	if cli.Arg(args, 2) == "" {
		return k.list(c)
	}
	n, given, args := version(args)
	r := k.used(c, cli.Arg(args, 2))
	if r == nil {
		return k.unknown(c)
	}
	if !given {
		n, _ = r.Versions()
	}
	entries := r.Entries(n)
	return func(c *cli.Conn) (done bool) {
		for len(entries) > 0 && !c.Full() {
			e := entries[0]
			entries = entries[1:]
			if e.Gone() {
				continue
			}
			b := append(append(e.AppendID(c.Buffer()), ' '), e.Key...)
			if v, ok := e.Value(); ok {
				b = append(append(b, ' '), v...)
			}
			c.SetBuffer(append(b, '\n'))
		}
		return len(entries) == 0
	}
}

func (k kind) list(c *cli.Conn) cli.Step {
	c.WriteString("# id (file) description\n")
	all := patterns(c).All()
	return func(c *cli.Conn) (done bool) {
		for len(all) > 0 && !c.Full() {
			r := all[0]
			all = all[1:]
			if r.UsedBy()&k.use == 0 {
				continue
			}
			current, next := r.Versions()
			c.Printf("%d (%s) %s. curr_ver=%d next_ver=%d entry_cnt=%d\n", r.ID(), r.Name(), r.Display(), current, next, r.Count())
		}
		return len(all) == 0
	}
}

// look tells what a sample matches, for each way in which the collection is matched.
func (k kind) look(c *cli.Conn, args []string) cli.Step {
	if cli.Arg(args, 3) == "" {
		return c.Failf("Missing %s identifier and/or key.", k.name)
	}
	r := find(c, args[2])
	if r == nil {
		return k.unknown(c)
	}
	ctx := &sample.Context{Scratch: sample.NewScratch(0), Final: true}
	for _, s := range r.Sets() {
		k.report(c, ctx, s, args[3])
	}
	return nil
}

func (k kind) report(c *cli.Conn, ctx *sample.Context, s *pattern.Set, text string) {
	var v sample.Value
	ctx.Scratch.Reset()
	v.SetConst([]byte(text))
	e := s.Lookup(ctx, &v)

	found, key := "match", "pattern"
	if k.use == pattern.Map {
		found, key = "found", "key"
	}
	folding := "sensitive"
	if s.Flags()&pattern.IgnoreCase != 0 {
		folding = "insensitive"
	}
	c.Printf("type=%s, case=%s", s.Method(), folding)
	if e == nil {
		c.Printf(", %s=no\n", found)
		return
	}
	index := "list"
	if s.Indexed(e) {
		index = "tree"
	}
	c.Printf(", %s=yes, idx=%s, %s=\"%s\"", found, index, key, e.Key)
	if k.use == pattern.Map {
		if value, ok := e.Value(); ok && s.Out() != sample.Any {
			c.Printf(", value=\"%s\", type=\"%s\"", value, s.ValueType(value))
		} else {
			c.WriteString(", value=none")
		}
	}
	c.WriteString("\n")
}

// add puts one entry, or one for each line of the payload, into a version.
func (k kind) add(c *cli.Conn, args []string) cli.Step {
	n, given, args := version(args)
	name, key, value, payload := cli.Arg(args, 2), cli.Arg(args, 3), cli.Arg(args, 4), c.Payload
	switch {
	case k.use == pattern.Map && (payload == "" && value == "" || name == ""):
		return c.Fail("'add map' expects three parameters (map identifier, key and value) or one parameter (map identifier) and a payload")
	case k.use == pattern.ACL && key == "":
		return c.Fail("'add acl' expects two parameters: ACL identifier and pattern.")
	}
	r := find(c, name)
	if r == nil {
		return k.unknown(c)
	}
	current, next := r.Versions()
	switch {
	case given && int32(n-next) > 0:
		return c.Failf("Version number in the future, please use 'prepare %s' before.", k.word)
	case k.use == pattern.ACL && r.Valued():
		return c.Fail("This ACL is shared with a map containing samples. You must use the command 'add map' to add values.")
	}
	if !given {
		n = current
	}
	if payload == "" {
		if err := k.insert(r, n, key, value); err != nil {
			return c.Failf("%s.", err)
		}
		return nil
	}
	for payload != "" {
		i := strings.IndexAny(payload, " \t")
		if i < 0 && k.use == pattern.Map {
			return c.Failf("Missing value for key '%s'.", payload)
		}
		if i < 0 {
			i = len(payload)
		}
		key, payload = payload[:i], strings.TrimLeft(payload[i:], " \t")
		value, payload, _ = strings.Cut(payload, "\n")
		if err := k.insert(r, n, key, value); err != nil {
			return c.Failf("%s.", err)
		}
	}
	return nil
}

func (k kind) insert(r *pattern.Ref, version uint32, key, value string) error {
	if k.use == pattern.ACL {
		return r.Add(version, key, nil)
	}
	return r.Add(version, key, &value)
}

// address reads "#0x...", which names one entry.
func address(key string) (id string, named bool, ok bool) {
	if !strings.HasPrefix(key, "#0x") {
		return "", false, false
	}
	n, err := strconv.ParseInt(key[1:], 0, 64)
	return fmt.Sprintf("%#x", n), true, err == nil
}

const malformed = "Malformed identifier. Please use #<id> or <file>."

// set gives the entries of a key, or one entry, another value.
func set(c *cli.Conn, args []string) cli.Step {
	if cli.Arg(args, 4) == "" {
		return c.Fail("'set map' expects three parameters: map identifier, key and value.")
	}
	r := find(c, args[2])
	if r == nil {
		return maps.unknown(c)
	}
	id, named, ok := address(args[3])
	var err error
	switch {
	case !named:
		current, _ := r.Versions()
		err = r.Change(current, args[3], args[4])
	case !ok:
		return c.Fail(malformed)
	default:
		err = errors.New("key or pattern not found")
		if e := r.ByID(id); e != nil {
			err = r.ChangeEntry(e, args[4])
		}
	}
	if err != nil {
		return c.Failf("%s.", err)
	}
	return nil
}

// remove takes the entries of a key, or one entry, out of the collection.
func (k kind) remove(c *cli.Conn, args []string) cli.Step {
	if cli.Arg(args, 3) == "" {
		return c.Failf("This command expects two parameters: %s identifier and key.", k.name)
	}
	r := k.used(c, args[2])
	if r == nil {
		return maps.unknown(c)
	}
	id, named, ok := address(args[3])
	switch {
	case !named:
		ok = r.Delete(args[3])
	case !ok:
		return c.Fail(malformed)
	default:
		e := r.ByID(id)
		ok = e != nil && r.DeleteEntry(e)
	}
	if !ok {
		return c.Fail("Key not found.")
	}
	return nil
}

func (k kind) clear(c *cli.Conn, args []string) cli.Step {
	n, given, args := version(args)
	if cli.Arg(args, 2) == "" {
		return k.missing(c)
	}
	r := k.used(c, args[2])
	if r == nil {
		return k.unknown(c)
	}
	if !given {
		n, _ = r.Versions()
	}
	r.Clear(n)
	return nil
}

func (k kind) prepare(c *cli.Conn, args []string) cli.Step {
	r := k.used(c, cli.Arg(args, 2))
	if r == nil {
		return k.unknown(c)
	}
	return c.Say(cli.Info, fmt.Sprintf("New version created: %d", r.Prepare()))
}

func (k kind) commit(c *cli.Conn, args []string) cli.Step {
	n, given, args := version(args)
	switch {
	case !given:
		return c.Fail("Missing version number.")
	case cli.Arg(args, 2) == "":
		return k.missing(c)
	}
	r := k.used(c, args[2])
	switch {
	case r == nil:
		return k.unknown(c)
	case !r.Commit(n):
		return c.Fail("Version number out of range.")
	}
	return nil
}
