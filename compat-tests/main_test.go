package compat

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"hapax/compat-tests/refuse"
)

var (
	oracle = flag.String("oracle", "", "run the golden cases on this program (a haproxy) instead of hapax")
	update = flag.Bool("update", false, "write what was seen into the golden cases (with -oracle) and the generated tables into GRAMMAR.md and README.md")
)

// hapax is the path of the program under test. Its file is named as distributions
// name it: the name of the process and the tag of its logs follow from it.
var hapax string

func TestMain(m *testing.M) {
	refuse.Become()
	flag.Parse()
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hapax")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	hapax = filepath.Join(dir, "haproxy")
	if *oracle != "" {
		hapax = *oracle
	} else if out, err := exec.Command("go", "build", "-o", hapax, "hapax/cmd/hapax").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}
	if set := flag.Lookup("test.parallel"); set.Value.String() == set.DefValue {
		flag.Set("test.parallel", "8") // cases mostly wait for timeouts
	}
	return m.Run()
}
