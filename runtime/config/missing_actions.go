package config

import "hapax/runtime"

// knownActions are the actions of each rule set in the order that messages list them; "(*)" marks those that match
// by their start. The built-in ones of tcp rules stand first, and messages about them begin with texts of their own.
var knownActions = []struct {
	in      runtime.RulesetKind
	actions []string
}{
	{runtime.TCPConnRules, []string{
		"accept", "reject", "capture", "expect-proxy", "expect-netscaler-cip", "track-sc(*)", "sc-add-gpc(*)",
		"sc-inc-gpc(*)", "sc-inc-gpc0(*)", "sc-inc-gpc1(*)", "sc-set-gpt(*)", "sc-set-gpt0(*)",
		"set-var-fmt(*)", "set-var(*)", "unset-var(*)", "do-log", "set-dst", "set-dst-port", "set-fc-mark",
		"set-fc-tos", "set-mark", "set-src", "set-src-port", "set-tos", "silent-drop",
	}},
	{runtime.TCPSessRules, []string{
		"accept", "reject", "capture", "expect-proxy", "expect-netscaler-cip", "track-sc(*)", "sc-add-gpc(*)",
		"sc-inc-gpc(*)", "sc-inc-gpc0(*)", "sc-inc-gpc1(*)", "sc-set-gpt(*)", "sc-set-gpt0(*)",
		"set-var-fmt(*)", "set-var(*)", "unset-var(*)", "attach-srv", "do-log", "set-dst", "set-dst-port",
		"set-fc-mark", "set-fc-tos", "set-mark", "set-src", "set-src-port", "set-tos", "silent-drop",
	}},
	{runtime.TCPReqRules, []string{
		"accept", "reject", "capture", "expect-proxy", "expect-netscaler-cip", "track-sc(*)", "set-retries",
		"set-log-level", "set-nice", "switch-mode", "use-service", "sc-add-gpc(*)", "sc-inc-gpc(*)",
		"sc-inc-gpc0(*)", "sc-inc-gpc1(*)", "sc-set-gpt(*)", "sc-set-gpt0(*)", "do-resolve(*)",
		"send-spoe-group", "set-var-fmt(*)", "set-var(*)", "unset-var(*)", "do-log", "set-bc-mark",
		"set-bc-tos", "set-dst", "set-dst-port", "set-fc-mark", "set-fc-tos", "set-mark", "set-src",
		"set-src-port", "set-tos", "silent-drop", "set-bandwidth-limit", "set-priority-class",
		"set-priority-offset",
	}},
	{runtime.TCPResRules, []string{
		"accept", "close", "reject", "set-log-level", "set-nice", "sc-add-gpc(*)", "sc-inc-gpc(*)",
		"sc-inc-gpc0(*)", "sc-inc-gpc1(*)", "sc-set-gpt(*)", "sc-set-gpt0(*)", "send-spoe-group",
		"set-var-fmt(*)", "set-var(*)", "unset-var(*)", "do-log", "set-fc-mark", "set-fc-tos", "set-mark",
		"set-tos", "silent-drop", "set-bandwidth-limit",
	}},
	{runtime.HTTPReqRules, []string{
		"wait-for-handshake", "set-retries", "set-log-level", "set-nice", "use-service", "sc-add-gpc(*)",
		"sc-inc-gpc(*)", "sc-inc-gpc0(*)", "sc-inc-gpc1(*)", "sc-set-gpt(*)", "sc-set-gpt0(*)",
		"do-resolve(*)", "cache-use", "send-spoe-group", "add-acl(*)", "add-header", "add-headers-bin",
		"allow", "auth", "capture", "del-acl(*)", "del-header", "del-headers-bin", "del-map(*)", "deny",
		"disable-l7-retry", "do-log", "early-hint", "normalize-uri", "pause", "redirect", "reject",
		"replace-header", "replace-path", "replace-pathq", "replace-uri", "replace-value", "return",
		"set-header", "set-headers-bin", "set-map(*)", "set-method", "set-path", "set-pathq", "set-query",
		"set-uri", "strict-mode", "tarpit", "track-sc(*)", "set-timeout", "wait-for-body", "set-var-fmt(*)",
		"set-var(*)", "unset-var(*)", "set-bc-mark", "set-bc-tos", "set-dst", "set-dst-port", "set-fc-mark",
		"set-fc-tos", "set-mark", "set-src", "set-src-port", "set-tos", "silent-drop", "set-bandwidth-limit",
		"set-priority-class", "set-priority-offset",
	}},
	{runtime.HTTPResRules, []string{
		"set-log-level", "set-nice", "sc-add-gpc(*)", "sc-inc-gpc(*)", "sc-inc-gpc0(*)", "sc-inc-gpc1(*)",
		"sc-set-gpt(*)", "sc-set-gpt0(*)", "cache-store", "send-spoe-group", "add-acl(*)", "add-header",
		"add-headers-bin", "allow", "capture", "del-acl(*)", "del-header", "del-headers-bin", "del-map(*)",
		"deny", "do-log", "pause", "redirect", "replace-header", "replace-value", "return", "set-header",
		"set-headers-bin", "set-map(*)", "set-status", "strict-mode", "track-sc(*)", "set-timeout",
		"wait-for-body", "set-var-fmt(*)", "set-var(*)", "unset-var(*)", "set-fc-mark", "set-fc-tos",
		"set-mark", "set-tos", "silent-drop", "set-bandwidth-limit",
	}},
	{runtime.HTTPAfterRules, []string{
		"set-log-level", "sc-add-gpc(*)", "sc-inc-gpc(*)", "sc-inc-gpc0(*)", "sc-inc-gpc1(*)", "sc-set-gpt(*)",
		"sc-set-gpt0(*)", "add-header", "add-headers-bin", "allow", "capture", "del-acl(*)", "del-header",
		"del-headers-bin", "del-map(*)", "do-log", "replace-header", "replace-value", "set-header",
		"set-headers-bin", "set-map(*)", "set-status", "strict-mode", "set-var-fmt(*)", "set-var(*)",
		"unset-var(*)",
	}},
}
