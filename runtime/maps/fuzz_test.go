package maps_test

import (
	"os"
	"strings"
	"testing"

	"hapax/runtime"
	"hapax/runtime/maps"
	"hapax/stats/cli"
)

// FuzzCommands makes sure that no line and no payload ends the process, whatever was added before.
func FuzzCommands(f *testing.F) {
	data, err := os.ReadFile("testdata/commands.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, line := range strings.Split(string(data), "\n") {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			f.Add(command, "k v\nw")
		}
	}
	table, err := cli.NewTable(maps.Domain.Commands)
	if err != nil {
		f.Fatal(err)
	}
	owner := process{loadIn(f, "testdata", "maps.cfg")}
	f.Fuzz(func(t *testing.T, line, payload string) {
		c := &cli.Conn{Table: table, Owner: owner, Level: cli.Admin}
		ask(c, line+" <<\n"+payload+"\n\n")
	})
}

// loadIn reads a configuration with a folder as the working directory, and comes back: the processes that fuzz start
// where this one is.
func loadIn(f *testing.F, dir, name string) *runtime.Config {
	here, err := os.Getwd()
	if err != nil {
		f.Fatal(err)
	}
	if err := os.Chdir(dir); err != nil {
		f.Fatal(err)
	}
	defer os.Chdir(here)
	return load(f, name)
}
