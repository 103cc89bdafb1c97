package process

import (
	"strings"
	"testing"
)

// What the master's socket answers, as HAProxy 3.4.0 does. MASTER and WORKER stand
// for their process numbers.
var consoleTalks = []struct{ in, want string }{
	{"show version\n", "3.4.0\n\n"},
	{"show version;show version\n", "3.4.0\n\n3.4.0\n\n"},
	{"@1 show version\n", "3.4.0\n\n"},
	{"@!WORKER show version\n", "3.4.0\n\n"},
	{"@ show version\n", "3.4.0\n\n"},
	{"@0 show cli level\n", "admin\n\n"},
	{"@2 show version\n", "Can't find the target PID matching the prefix '@2'\n"},
	{"@!MASTER show version\n", "Can't find the target PID matching the prefix '@!MASTER'\n"},
	{"prompt\nshow version\nprompt\nshow version\n", "master> 3.4.0\n\nmaster> 3.4.0\n\n"},
	{"prompt\n@1\n@master\nquit\nshow version\n", "master> WORKER> master> master> "},
	{"prompt n\n", consoleUsage},
	{"prompt;expert-mode on;experimental-mode on;mcli-debug-mode on;expert-mode off\n", "master> master(e)> master(xe)> master(xed)> master(xd)> "},
	{"user;@1 show cli level\nshow cli level\noperator\n", "user\n\nuser\n\nPermission denied!\n"},
	{"operator;expert-mode on\n", "Permission denied!\n"},
	{"operator;@1 disable frontend f\n", "Permission denied\n\n"},
	{"@1 echo a\\;b\n", "a;b\n\n"},
	{"set severity-output number;@1 get weight x/y\n", "[3]: No such backend.\n\n"},
	{"prompt\n@1 get var proc.x <<END\n\nEND\n", "master> + + Variable not found.\n\nmaster> "},
	{"prompt\nuser <<\nshow version\n\n", "master> + + 3.4.0\n\nmaster> "},
	{"@@1 show version\n", "3.4.0\n\n"},
	{"prompt\n@@1\n", "master> \n> master> "},
	{"prompt\n@@1\nshow version\nquit\nshow version\n", "master> 3.4.0\n\nmaster> "},
}

const consoleUsage = `Usage: prompt [help | i | p | timed]*
Changes the default prompt and interactive mode. Available options:
  help    display this help
  i       set to interactive mode only (no prompt, multi-command)
  p       set to prompt+interactive mode (prompt + multi-command)
  timed   toggle displaying the current date in the prompt
Without any argument, toggles between i<->p.
`

func TestConsole(t *testing.T) {
	s := newSite(t, "")
	c := s.start("-W", "-db", "-S", s.path("master.sock"))
	c.says(1, "Loading success.")
	names := strings.NewReplacer("MASTER", strings.Fields(s.ask("master.sock", "show proc"))[5], "WORKER", worker(s.ask("master.sock", "show proc"), "# workers"))
	for _, talk := range consoleTalks {
		if got := s.ask("master.sock", strings.TrimSuffix(names.Replace(talk.in), "\n")); got != names.Replace(talk.want) {
			t.Errorf("%q:\n got %q\nwant %q", talk.in, got, names.Replace(talk.want))
		}
	}
}
