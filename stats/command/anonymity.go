package command

import (
	"fmt"
	"math/rand/v2"

	"hapax/runtime/anon"
	"hapax/stats/cli"
)

var anonymity = []cli.Command{
	{Doc: doc("set anon on", "hide names and addresses in the answers of the connection"), Run: setAnonOn},
	{Doc: doc("set anon off", "hide nothing"), Run: setAnonOff},
	{Doc: doc("set anon global-key", "drop the key of all connections: as the reference does, whatever key is given"), Run: setGlobalKey},
	{Doc: doc("show anon", "whether names are hidden, and by which key"), Run: showAnon},
	{Doc: doc("debug dev hash", "what a word is shown as"), Run: hash},
}

func setAnonOn(c *cli.Conn, args []string) cli.Step {
	if text := cli.Arg(args, 3); text != "" {
		key := number(text)
		if key < 1 || key > 1<<32-1 {
			return c.Fail("Value out of range (1 to 4294967295 expected).")
		}
		c.AnonKey = uint32(key)
		return nil
	}
	if c.AnonKey = process(c).Config.Global.AnonKey.Load(); c.AnonKey == 0 {
		c.AnonKey = max(rand.Uint32(), 1)
	}
	return nil
}

func setAnonOff(c *cli.Conn, args []string) cli.Step {
	if len(args) > 3 {
		return c.Fail("Key can't be added while disabling anonymized mode")
	}
	c.AnonKey = 0
	return nil
}

// setGlobalKey takes "global-key" itself for the number, as the reference does, which makes it 0.
func setGlobalKey(c *cli.Conn, _ []string) cli.Step {
	if c.Allow(cli.Admin) {
		process(c).Config.Global.AnonKey.Store(0)
	}
	return nil
}

func showAnon(c *cli.Conn, _ []string) cli.Step {
	switch {
	case c.AnonKey == 0:
		return c.Say(cli.Info, "Anonymized mode disabled")
	case c.Level < cli.Operator:
		return c.Say(cli.Info, "Anonymized mode enabled")
	}
	return c.Say(cli.Info, fmt.Sprintf("Anonymized mode enabled\nKey : %d", c.AnonKey))
}

func hash(c *cli.Conn, args []string) cli.Step {
	return c.Say(cli.Info, anon.Key(c.AnonKey).Word(cli.Arg(args, 3)))
}
