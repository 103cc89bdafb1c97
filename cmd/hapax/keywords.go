package main

import (
	"fmt"
	"io"
	"strings"

	"hapax/runtime/config"
)

// dumpKeywords lists what the configuration language and the runtime API know, by
// classes (-dK).
func dumpKeywords(w io.Writer, tables *config.Tables, classes string) {
	all := false
	for class := range strings.SplitSeq(classes, ",") {
		switch class {
		case "":
			continue
		case "help":
			fmt.Fprint(w, keywordClasses)
			continue
		case "all":
			all = true
		}
		for _, l := range listings {
			if all || class == l.class {
				fmt.Fprintln(w, "# List of "+l.title+":")
				l.write(w, tables)
			}
		}
	}
}

const keywordClasses = `# List of supported keyword classes:
all: list all keywords
acl: ACL keywords
cfg: configuration keywords
cli: CLI keywords
cnv: sample converter keywords
flt: filter names
smp: sample fetch functions
svc: service names
`

// listings are the classes in the order of their output.
var listings = []struct {
	class, title string
	write        func(io.Writer, *config.Tables)
}{}
