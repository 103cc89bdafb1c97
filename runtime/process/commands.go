package process

import (
	"strings"

	"hapax/parser/keyword"
	"hapax/runtime/logger"
	"hapax/stats/cli"
)

// Commands are the commands of a serving process about the process itself.
func Commands() []cli.Command {
	return []cli.Command{
		{Doc: keyword.Doc{Name: "_getsocks", Summary: "hand over the listening sockets", Ref: "9.3"}, Run: getSockets},
		{Doc: keyword.Doc{Name: "debug dev log", Summary: "send a message to the global log targets", Ref: "9.3"}, Level: cli.Admin, Run: logMessage},
	}
}

// logMessage sends the rest of the line to the global log targets.
func logMessage(_ *cli.Conn, args []string) cli.Step {
	logger.Server(logger.Info, nil, "%s", strings.Join(args[3:], " "))
	return nil
}
