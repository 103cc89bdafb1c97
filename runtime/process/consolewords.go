package process

import "hapax/stats/cli"

const promptUsage = `Usage: prompt [help | i | p | timed]*
Changes the default prompt and interactive mode. Available options:
  help    display this help
  i       set to interactive mode only (no prompt, multi-command)
  p       set to prompt+interactive mode (prompt + multi-command)
  timed   toggle displaying the current date in the prompt
Without any argument, toggles between i<->p.
`

// own does a command about the connection itself. fault is what is wrong with it.
func (c *console) own(words []string) (done bool, fault string) {
	on := len(words) > 1 && words[1] == "on"
	modes := map[string]*bool{"expert-mode": &c.expert, "experimental-mode": &c.trial, "mcli-debug-mode": &c.debug}
	switch word := words[0]; word {
	case "prompt":
		return c.changePrompt(words[1:])
	case "quit":
		c.left = true
	case "user":
		c.level = cli.User
	case "operator":
		if c.level < cli.Operator {
			return false, denied
		}
		c.level = cli.Operator
	case "expert-mode", "experimental-mode", "mcli-debug-mode":
		if c.level < cli.Admin {
			return false, denied
		}
		*modes[word] = on
	case "set":
		if len(words) < 2 || words[1] != "severity-output" {
			return false, ""
		}
		return c.changeSeverity(words)
	default:
		return false, ""
	}
	return true, ""
}

func (c *console) changePrompt(words []string) (done bool, fault string) {
	mode, timed := "", false
	for _, word := range words {
		switch word {
		case "i", "p":
			mode = word
		case "timed":
			timed = true
		default:
			return false, promptUsage
		}
	}
	if timed {
		c.timed = !c.timed
		if mode == "" {
			mode = "p"
		}
	}
	c.prompt = mode == "p" || mode == "" && !c.prompt
	return true, ""
}

func (c *console) changeSeverity(words []string) (done bool, fault string) {
	switch value := cli.Arg(words, 2); value {
	case "none":
		c.severity = ""
	case "string", "number":
		c.severity = value
	default:
		return false, "one of 'none', 'number', 'string' is a required argument\n"
	}
	return true, ""
}
