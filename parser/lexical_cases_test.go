package parser

// lexicalCases are files and what HAProxy 3.4.0 says of them with -dD -c, recorded from it; the environment is
// testEnv. Cases whose texts differ on purpose say why in differs.
var lexicalCases = []lexicalCase{
	{config: "global\n.warning foo\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'foo'.",
	}},
	{config: "global\n.warning \"foo bar\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'foo bar'.",
	}},
	{config: "global\n.warning 'foo bar'\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'foo bar'.",
	}},
	{config: "global\n.warning foo\\ bar\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'foo bar'.",
	}},
	{config: "global\n.warning \"a\"'b'c\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'abc'.",
	}},
	{config: "global\n.warning a\"b c\"d\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'ab cd'.",
	}},
	{config: "global\n.warning a\\#b\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a#b'.",
	}},
	{config: "global\n.warning a#b\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a'.",
	}},
	{config: "global\n.warning \"a#b\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a#b'.",
	}},
	{config: "global\n.warning 'a\\nb'\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a\\nb'.",
	}},
	{config: "global\n.warning a\\tb\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a\tb'.",
	}},
	{config: "global\n.warning a\\rb\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a\rb'.",
	}},
	{config: "global\n.warning a\\x41b\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'aAb'.",
	}},
	{config: "global\n.warning a\\x4Gb\n", want: []string{
		"ALERT: parsing [t.cfg:2]: truncated or invalid hexadecimal sequence at position 11:\n  .warning a\\x4Gb\n            ^",
	}},
	{config: "global\n.warning a\\x4\n", want: []string{
		"ALERT: parsing [t.cfg:2]: truncated or invalid hexadecimal sequence at position 11:\n  .warning a\\x4\n            ^",
	}},
	{config: "global\n.warning \"a\\x41\\x42\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'aAB'.",
	}},
	{config: "global\n.warning 'a\\x41'\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a\\x41'.",
	}},
	{config: "global\n.warning \\\"a\\\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '\"a\"'.",
	}},
	{config: "global\n.warning \\'a\\'\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''a''.",
	}},
	{config: "global\n.warning \"\\'a\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''a'.",
	}},
	{config: "global\n.warning '\"a\"'\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '\"a\"'.",
	}},
	{config: "global\n.warning \"\\$ONE\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '$ONE'.",
	}},
	{config: "global\n.warning \\$ONE\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '\\$ONE'.",
	}},
	{config: "global\n.warning $ONE\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '$ONE'.",
	}},
	{config: "global\n.warning \"$ONE\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '1'.",
	}},
	{config: "global\n.warning '$ONE'\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '$ONE'.",
	}},
	{config: "global\n.warning \"${ONE}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '1'.",
	}},
	{config: "global\n.warning \"${ONE}2\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '12'.",
	}},
	{config: "global\n.warning \"$ONE-2\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '1-2'.",
	}},
	{config: "global\n.warning \"$ONE$ONE\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '11'.",
	}},
	{config: "global\n.warning \"${UNSET-def}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'def'.",
	}},
	{config: "global\n.warning \"${EMPTY-def}x\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'x'.",
	}},
	{config: "global\n.warning \"${ONE-def}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '1'.",
	}},
	{config: "global\n.warning \"${UNSET-a b}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a b'.",
	}},
	{config: "global\n.warning \"${UNSET-}x\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'x'.",
	}},
	{config: "global\n.warning \"${UNSET-a\"b}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a\"b'.",
	}},
	{config: "global\n.warning \"${UNSET-$ONE}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '$ONE'.",
	}},
	{config: "global\n.warning \"${LIST}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a b  c'.",
	}},
	{config: "global\n.warning \"${LIST[*]}\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Unexpected argument 'b' for '.warning'. Use quotes if the message should contain spaces.",
	}},
	{config: "global\n.warning \"x${LIST[*]}y\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Unexpected argument 'b' for '.warning'. Use quotes if the message should contain spaces.",
	}},
	{config: "global\n.warning ${LIST[*]}\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '${LIST[*]}'.",
	}},
	{config: "global\n.warning \"${SP[*]}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'x'.",
	}},
	{config: "global\n.warning \"${EMPTY[*]}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''.",
	}},
	{config: "global\n.warning \"${UNSET[*]}\" a\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a'.",
	}},
	{config: "global\n.warning \"${UNSET[*]-d e}\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Unexpected argument 'e' for '.warning'. Use quotes if the message should contain spaces.",
	}},
	{config: "global\n.warning \"${UNSET}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''.",
	}},
	{config: "global\n.warning \"$UNSET\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''.",
	}},
	{config: "global\n.warning \"$EMPTY\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''.",
	}},
	{config: "global\n.warning \"\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''.",
	}},
	{config: "global\n.warning ''\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''.",
	}},
	{config: "global\n.warning \"\" b\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Unexpected argument 'b' for '.warning'. Use quotes if the message should contain spaces.",
	}},
	{config: "global\n.warning a \"\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a'.",
	}},
	{config: "global\n.warning a '' b\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a'.",
	}},
	{config: "global\n.warning \"a\" \"\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a'.",
	}},
	{config: "global\n.warning \"${.LINE}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '2'.",
	}},
	{config: "global\n.warning \"${.FILE}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 't.cfg'.",
	}},
	{config: "global\n.warning \"${.SECTION}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'global'.",
	}},
	{config: "global\n.warning \"$.LINE\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '2'.",
	}},
	{config: "global\n.warning \"${.NOPE}\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: forbidden first char in environment variable name at position 13:\n  .warning \"${.NOPE}\"\n              ^",
	}, differs: "the reference shows the line only up to the end of the name"},
	{config: "global\n.warning \"${1}\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: forbidden first char in environment variable name at position 13:\n  .warning \"${1}\"\n              ^",
	}},
	{config: "global\n.warning \"$\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: forbidden first char in environment variable name at position 12:\n  .warning \"$\"\n             ^",
	}},
	{config: "global\n.warning \"$ \"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: forbidden first char in environment variable name at position 12:\n  .warning \"$ \"\n             ^",
	}},
	{config: "global\n.warning \"${ONE\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched brace in environment variable name at position 12:\n  .warning \"${ONE\"\n             ^",
	}},
	{config: "global\n.warning \"${ONE \"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched brace in environment variable name at position 12:\n  .warning \"${ONE \"\n             ^",
	}},
	{config: "global\n.warning \"${ONE-\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched brace in environment variable name at position 12:\n  .warning \"${ONE-\"\n             ^",
	}},
	{config: "global\n.warning \"${LIST[*}\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: truncated or invalid word expansion sequence at position 17:\n  .warning \"${LIST[*}\"\n                  ^",
	}},
	{config: "global\n.warning \"${LIST[1]}\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: truncated or invalid word expansion sequence at position 17:\n  .warning \"${LIST[1]}\"\n                  ^",
	}},
	{config: "global\n.warning \"${LIST[\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: truncated or invalid word expansion sequence at position 17:\n  .warning \"${LIST[\"\n                  ^",
	}},
	{config: "global\n.warning \"$LIST[*]\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a b  c[*]'.",
	}},
	{config: "global\n.warning \"unterminated\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 10:\n  .warning \"unterminated\n           ^",
	}},
	{config: "global\n.warning 'unterminated\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 10:\n  .warning 'unterminated\n           ^",
	}},
	{config: "global\n.warning \"a\\\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 10:\n  .warning \"a\\\"\n           ^",
	}},
	{config: "global\n.warning \\\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '\\'.",
	}},
	{config: "global\n.warning a\\\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a\\'.",
	}},
	{config: "global\n.warning \\a\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '\\a'.",
	}},
	{config: "global\n.warning \\\\\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '\\'.",
	}},
	{config: "global\n.warning \\\\x41\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '\\x41'.",
	}},
	{config: "global\n.warning \"\\\\\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '\\'.",
	}},
	{config: "global\n.warning a\\zb\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a\\zb'.",
	}},
	{config: "global\n.warning \"a\\zb\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a\\zb'.",
	}},
	{config: "global\n.warning \"$Q\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'it's \"q\"'.",
	}},
	{config: "global\n.warning \"$HOMF\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''.",
	}},
	{config: "global\n.warning \"$LONGNAME_VAT\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''.",
	}},
	{config: "global\n.warning \"${PATG}\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''.",
	}},
	{config: "global\n.warning \"$XYZZY_NOTHING_LIKE\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''.",
	}},
	{config: "global\n.warning a\\x00b\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a'.",
	}},
	{config: "global\n.warning \\x00b\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''.",
	}},
	{config: "global\n.warning a \\x00 b\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a'.",
	}},
	{config: "global\n.warning a b\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Unexpected argument 'b' for '.warning'. Use quotes if the message should contain spaces.",
	}},
	{config: "global\n.warning \"a\tb\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a\tb'.",
	}},
	{config: "global\n.warning a\tb\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Unexpected argument 'b' for '.warning'. Use quotes if the message should contain spaces.",
	}},
	{config: "global\n.warning é\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'é'.",
	}},
	{config: "global\n.warning \"aé\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 10:\n  .warning \"a??\n           ^",
	}},
	{config: "global\n.warning a\"'\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 11:\n  .warning a\"'\n            ^",
	}},
	{config: "global\n.warning \"a'b\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a'b'.",
	}},
	{config: "global\n.warning 'a\"b'\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a\"b'.",
	}},
	{config: "global\n.warning a\\\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a\\'.",
	}},
	{config: "global\n.warning \"$ONE\" # comment\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '1'.",
	}},
	{config: "global\n.warning # comment\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''.",
	}},
	{config: "global\n.warning \"#\" #x\n", want: []string{
		"WARNING: parsing [t.cfg:2]: '#'.",
	}},
	{config: "global\n.warning a \"b\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 12:\n  .warning a \"b\n             ^",
	}},
	{config: ""},
	{config: " \n\n"},
	{config: "# only\n"},
	{config: "global", want: []string{
		"ALERT: parsing [t.cfg:1]: Missing LF on last line, file might have been truncated at position 7.",
	}},
	{config: "global\n daemon", want: []string{
		"ALERT: parsing [t.cfg:2]: Missing LF on last line, file might have been truncated at position 8.",
	}},
	{config: "global\r\n daemon\r\n"},
	{config: "\ufeffglobal\n", want: []string{
		"ALERT: parsing [t.cfg:1]: unknown keyword '\ufeffglobal' out of section.",
	}},
	{config: "global\n daemon\x00foo\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Missing LF on last line, file might have been truncated at position 8.",
	}},
	{config: "global\x00foo\ndaemon\n", want: []string{
		"ALERT: parsing [t.cfg:1]: Stray NUL character at position 7.",
	}},
	{config: "global\n daemon\x00\n # x\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Stray NUL character at position 8.",
	}},
	{config: "global\n.if 1\n.warning a\n.else\n.warning b\n.endif\n", want: []string{
		"WARNING: parsing [t.cfg:3]: 'a'.",
	}},
	{config: "global\n.if 0\n.warning a\n.elif 1\n.warning b\n.elif 1\n.warning c\n.else\n.warning d\n.endif\n", want: []string{
		"WARNING: parsing [t.cfg:5]: 'b'.",
	}},
	{config: "global\n.if 0\n.warning a\n.elif 0\n.warning b\n.else\n.warning d\n.endif\n", want: []string{
		"WARNING: parsing [t.cfg:7]: 'd'.",
	}},
	{config: "global\n.if 0\n.if 1\n.warning a\n.else\n.warning b\n.endif\n.else\n.warning c\n.endif\n", want: []string{
		"WARNING: parsing [t.cfg:9]: 'c'.",
	}},
	{config: "global\n.if 0\n.if bad(\n.endif\n.endif\n"},
	{config: "global\n.if 1\n.elif bad(\n.endif\n"},
	{config: "global\n.if 0\n.elif bad(\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:3]: unparsable conditional expression 'bad(' in '.elif' at position 1:\n  .elif bad(\n        ^",
	}},
	{config: "global\n.if\n.warning a\n.else\n.warning b\n.endif\n", want: []string{
		"WARNING: parsing [t.cfg:5]: 'b'.",
	}},
	{config: "global\n.if \"\"\n.warning a\n.endif\n"},
	{config: "global\n.if 1 # c\n.warning a\n.endif # d\n", want: []string{
		"WARNING: parsing [t.cfg:3]: 'a'.",
	}},
	{config: "global\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:2]: lone '.endif' with no matching '.if'.",
	}},
	{config: "global\n.else\n", want: []string{
		"ALERT: parsing [t.cfg:2]: lone '.else' with no matching '.if'.",
	}},
	{config: "global\n.elif 1\n", want: []string{
		"ALERT: parsing [t.cfg:2]: lone '.elif' with no matching '.if'.",
	}},
	{config: "global\n.if 1\n.else\n.elif 1\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:4]: '.elif' after '.else' is not permitted.",
	}},
	{config: "global\n.if 1\n.else\n.else\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:4]: '.else' after '.else' is not permitted.",
	}},
	{config: "global\n.if 1\n.else x\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:3]: Unexpected argument 'x' for '.else'.",
		"ALERT: parsing [t.cfg:3]: non-terminated '.if' block.",
	}},
	{config: "global\n.if 1\n.endif x\n", want: []string{
		"ALERT: parsing [t.cfg:3]: Unexpected argument 'x' for '.endif'.",
		"ALERT: parsing [t.cfg:3]: non-terminated '.if' block.",
	}},
	{config: "global\n.if 1\n", want: []string{
		"ALERT: parsing [t.cfg:2]: non-terminated '.if' block.",
	}},
	{config: "global\n.if 0\n.foo\n.endif\n"},
	{config: "global\n.foo\n.warning x\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unknown directive '.foo'.",
	}},
	{config: ".foo\n", want: []string{
		"ALERT: parsing [t.cfg:1]: unknown directive '.foo'.",
	}},
	{config: "global\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n", want: []string{
		"ALERT: parsing [t.cfg:100]: non-terminated '.if' block.",
	}},
	{config: "global\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n.endif\n"},
	{config: "global\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n.if 1\n", want: []string{
		"ALERT: parsing [t.cfg:101]: too many nested '.if', max is 100.",
	}},
	{config: "global\n.if streq(\"$ONE\",1)\n.warning yes\n.endif\n", want: []string{
		"WARNING: parsing [t.cfg:3]: 'yes'.",
	}},
	{config: "global\n.if streq(\"$UNSET\",1)\n.warning yes\n.else\n.warning no\n.endif\n", want: []string{
		"WARNING: parsing [t.cfg:5]: 'no'.",
	}},
	{config: "global\n.if defined(ONE)\n.warning yes\n.endif\n", want: []string{
		"WARNING: parsing [t.cfg:3]: 'yes'.",
	}},
	{config: "global\n.if strstr('a b','a ')\n.warning yes\n.endif\n", want: []string{
		"WARNING: parsing [t.cfg:3]: 'yes'.",
	}},
	{config: "global\n.alert a b\n.alert c\n.warning d\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Unexpected argument 'b' for '.alert'. Use quotes if the message should contain spaces.",
		"ALERT: parsing [t.cfg:3]: 'c'.",
	}},
	{config: "global\n.alert\n", want: []string{
		"ALERT: parsing [t.cfg:2]: ''.",
	}},
	{config: "global\n.notice hi\n", want: []string{
		"NOTICE: parsing [t.cfg:2]: 'hi'.",
	}},
	{config: "global\n.notice hi\n.warning x\n", want: []string{
		"NOTICE: parsing [t.cfg:2]: 'hi'.",
		"WARNING: parsing [t.cfg:3]: 'x'.",
	}},
	{config: "global\n.diag hi\n", want: []string{
		"DIAG: parsing [t.cfg:2]: 'hi'.",
	}},
	{config: "global\n.diag a b\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Unexpected argument 'b' for '.diag'. Use quotes if the message should contain spaces.",
	}},
	{config: "global\n.notice a b\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Unexpected argument 'b' for '.notice'. Use quotes if the message should contain spaces.",
	}},
	{config: "global\n.warning \"a b\" c\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Unexpected argument 'c' for '.warning'. Use quotes if the message should contain spaces.",
	}},
	{config: "global\n .warning  x  \n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'x'.",
	}},
	{config: ".warning \"${.SECTION}\"\n", want: []string{
		"WARNING: parsing [t.cfg:1]: ''.",
	}},
	{config: "global\n.warning \"${.SECTION}\"\n.warning \"${.LINE}\"\nlisten foo\n.warning \"${.SECTION}\"\ndefaults\n.warning \"$.SECTION\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'global'.",
		"WARNING: parsing [t.cfg:3]: '3'.",
		"WARNING: parsing [t.cfg:5]: 'foo'.",
		"WARNING: parsing [t.cfg:7]: 'defaults'.",
	}},
	{config: "foo\nbar\n", want: []string{
		"ALERT: parsing [t.cfg:1]: unknown keyword 'foo' out of section.",
		"ALERT: parsing [t.cfg:2]: unknown keyword 'bar' out of section.",
	}},
	{config: "foo\n \"a\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 2:\n  \"a\n  ^",
	}},
	{config: "[foo]\nglobal\n"},
	{config: "[foo\nglobal\n", want: []string{
		"ALERT: parsing [t.cfg:1] : empty scope name is forbidden.",
	}},
	{config: "[]\nglobal\n", want: []string{
		"ALERT: parsing [t.cfg:1] : empty scope name is forbidden.",
	}},
	{config: "[a b]\nglobal\n daemon\n", want: []string{
		"ALERT: parsing [t.cfg:1] : character ' ' is not permitted in a scope name.",
	}},
	{config: "[ab] x\nglobal\n daemon\n.warning x\n", want: []string{
		"ALERT: parsing [t.cfg:1] : character 'x' is not permitted after scope declaration.",
	}},
	{config: "[ab] # x\n"},
	{config: "[a:b.c-d_e]\n"},
	{config: "  [ab]\n"},
	{config: "global\n no\n", want: []string{
		"ALERT: parsing [t.cfg:2]: negation/default currently supported only for options, log, busy-polling, set-dumpable, strict-limits, insecure-fork-wanted and numa-cpu-mapping.",
	}},
	{config: "global\n no foo\n", want: []string{
		"ALERT: parsing [t.cfg:2]: negation/default currently supported only for options, log, busy-polling, set-dumpable, strict-limits, insecure-fork-wanted and numa-cpu-mapping.",
	}},
	{config: "global\n default foo\n", want: []string{
		"ALERT: parsing [t.cfg:2]: negation/default currently supported only for options, log, busy-polling, set-dumpable, strict-limits, insecure-fork-wanted and numa-cpu-mapping.",
	}},
	{config: "no global\n", want: []string{
		"ALERT: parsing [t.cfg:1]: negation/default currently supported only for options, log, busy-polling, set-dumpable, strict-limits, insecure-fork-wanted and numa-cpu-mapping.",
	}},
	{config: "global\n no log\n"},
	{config: "global\n.warning w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16 w17 w18 w19 w20 w21 w22 w23 w24 w25 w26 w27 w28 w29 w30 w31 w32 w33 w34 w35 w36 w37 w38 w39 w40 w41 w42 w43 w44 w45 w46 w47 w48 w49 w50 w51 w52 w53 w54 w55 w56 w57 w58 w59 w60 w61\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Unexpected argument 'w1' for '.warning'. Use quotes if the message should contain spaces.",
	}},
	{config: "global\n.warning w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16 w17 w18 w19 w20 w21 w22 w23 w24 w25 w26 w27 w28 w29 w30 w31 w32 w33 w34 w35 w36 w37 w38 w39 w40 w41 w42 w43 w44 w45 w46 w47 w48 w49 w50 w51 w52 w53 w54 w55 w56 w57 w58 w59 w60 w61 w62\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Unexpected argument 'w1' for '.warning'. Use quotes if the message should contain spaces.",
	}},
	{config: "global\n.warning w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16 w17 w18 w19 w20 w21 w22 w23 w24 w25 w26 w27 w28 w29 w30 w31 w32 w33 w34 w35 w36 w37 w38 w39 w40 w41 w42 w43 w44 w45 w46 w47 w48 w49 w50 w51 w52 w53 w54 w55 w56 w57 w58 w59 w60 w61 w62 w63\n", want: []string{
		"ALERT: parsing [t.cfg:2]: too many words, truncating after word 64, position 248: <w62>.",
	}},
	{config: "global\n.warning w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16 w17 w18 w19 w20 w21 w22 w23 w24 w25 w26 w27 w28 w29 w30 w31 w32 w33 w34 w35 w36 w37 w38 w39 w40 w41 w42 w43 w44 w45 w46 w47 w48 w49 w50 w51 w52 w53 w54 w55 w56 w57 w58 w59 w60 w61 w62 w63 \"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 256:\n  ... w55 w56 w57 w58 w59 w60 w61 w62 w63 \"...\n                                          ^",
	}},
	{config: "global\n.warning word0 word1 word2 word3 word4 word5 word6 word7 word8 word9 word10 word11 word12 word13 word14 word15 word16 word17 word18 word19 word20 word21 word22 word23 word24 word25 word26 word27 word28 word29 word30 word31 word32 word33 word34 word35 word36 word37 word38 word39 word40 word41 word42 word43 word44 word45 word46 word47 word48 word49 word50 word51 word52 word53 word54 word55 word56 word57 word58 word59 word60 word61 word62 word63 word64 word65 word66 word67 word68 word69 word70 word71 word72 word73 word74 word75 word76 word77 word78 word79 word80 word81 word82 word83 word84 word85 word86 word87 word88 word89\n", want: []string{
		"ALERT: parsing [t.cfg:2]: too many words, truncating after word 64, position 434: <word62>.",
	}},
	{config: "global\n.warning aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.",
	}},
	{config: "global\n.warning aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"b\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 3011:\n  ...aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"b...\n                                          ^",
	}},
	{config: "global\n.warning \"baaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 10:\n  .warning \"baaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n           ^",
	}},
	{config: "global\n.warning aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"bcccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 71:\n  .warning aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"bcccccccc\n                                                                        ^",
	}},
	{config: "global\n.warning aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"b\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 81:\n  ...aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"b...\n                                          ^",
	}},
	{config: "global\n.warning aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"b\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 82:\n  ...aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"b...\n                                          ^",
	}},
	{config: "global\n.warning aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"b\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 89:\n  ...aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"b...\n                                          ^",
	}},
	{config: "global\n.warning aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"b\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 90:\n  ...aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"b...\n                                          ^",
	}},
	{config: "global\n.warning aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"bcccccccccc\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 101:\n  ...aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"bcccccccccc...\n                                          ^",
	}},
	{config: "global\n.if 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && foo\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unparsable conditional expression 'foo' in '.if' at position 101:\n  .if ...1 && 1 && 1 && 1 && 1 && 1 && 1 && foo...\n                                            ^",
	}},
	{config: "global\n.if 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && foo || 1 || bar ||baz || zip\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unparsable conditional expression 'foo || 1 || bar ||baz || zip' in '.if' at position 61:\n  .if 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && foo || 1 || bar \n                                                                  ^",
	}},
	{config: "global\n.if 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && foo && 1\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unparsable conditional expression 'foo && 1' in '.if' at position 66:\n  .if 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && foo && 1\n                                                                       ^",
	}},
	{config: "global\n.if 0\n.elif 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && foo\n", want: []string{
		"ALERT: parsing [t.cfg:3]: unparsable conditional expression 'foo' in '.elif' at position 101:\n  .elif ... && 1 && 1 && 1 && 1 && 1 && 1 && foo...\n                                             ^",
	}},
	{config: "global\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:3]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:4]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:5]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:6]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:7]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:8]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:9]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:10]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:11]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:12]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:13]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:14]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:15]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:16]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:17]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:18]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:19]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:20]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:21]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:22]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:23]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:24]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:25]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:26]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:27]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:28]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:29]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:30]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:31]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:32]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:33]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:34]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:35]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:36]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:37]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:38]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:39]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:40]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:41]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:42]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:43]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:44]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:45]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:46]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:47]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:48]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:49]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:50]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:51]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:52]: too many fatal errors (50), stopping now.",
	}},
	{config: "global\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:3]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:4]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:5]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:6]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:7]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:8]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:9]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:10]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:11]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:12]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:13]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:14]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:15]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:16]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:17]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:18]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:19]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:20]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:21]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:22]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:23]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:24]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:25]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:26]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:27]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:28]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:29]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:30]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:31]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:32]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:33]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:34]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:35]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:36]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:37]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:38]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:39]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:40]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:41]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:42]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:43]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:44]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:45]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:46]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:47]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:48]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:49]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:50]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:51]: unmatched quote at position 2:\n  \"x\n  ^",
	}},
	{config: "global\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n \"x\n.warning a\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:3]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:4]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:5]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:6]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:7]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:8]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:9]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:10]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:11]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:12]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:13]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:14]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:15]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:16]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:17]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:18]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:19]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:20]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:21]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:22]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:23]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:24]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:25]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:26]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:27]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:28]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:29]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:30]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:31]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:32]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:33]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:34]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:35]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:36]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:37]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:38]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:39]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:40]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:41]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:42]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:43]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:44]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:45]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:46]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:47]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:48]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:49]: unmatched quote at position 2:\n  \"x\n  ^",
		"ALERT: parsing [t.cfg:50]: unmatched quote at position 2:\n  \"x\n  ^",
	}},
	{config: "global\n.warning \"\"\n.warning \"\"\n.warning \"$UNSET\"\n", want: []string{
		"WARNING: parsing [t.cfg:2]: ''.",
		"WARNING: parsing [t.cfg:3]: ''.",
		"WARNING: parsing [t.cfg:4]: ''.",
	}},
	{config: "global\n \"\" foo\n''\n"},
	{config: "global\n.warning a\n\t.warning b\n\x0b\x0c.warning c\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a'.",
		"WARNING: parsing [t.cfg:3]: 'b'.",
		"WARNING: parsing [t.cfg:4]: 'c'.",
	}},
	{config: "global\n.warning a \r b\n", want: []string{
		"ALERT: parsing [t.cfg:2]: Unexpected argument 'b' for '.warning'. Use quotes if the message should contain spaces.",
	}},
	{config: "global\n.warning a\r b\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'a'.",
	}},
	{config: "global\n.warning \"a\r b\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unmatched quote at position 10:\n  .warning \"a  b\"\n           ^",
	}},
	{config: "global\n setenv A 1\n.warning \"$A\"\n", want: []string{
		"WARNING: parsing [t.cfg:3]: '1'.",
	}},
	{config: "global\n presetenv ONE 2\n.warning \"$ONE\"\n", want: []string{
		"WARNING: parsing [t.cfg:3]: '1'.",
	}},
	{config: "global\n setenv ONE 2\n.warning \"$ONE\"\n", want: []string{
		"WARNING: parsing [t.cfg:3]: '2'.",
	}},
	{config: "global\n unsetenv ONE\n.warning \"${ONE-gone}\"\n", want: []string{
		"WARNING: parsing [t.cfg:3]: 'gone'.",
	}},
	{config: "global\n resetenv LIST\n.warning \"${ONE-gone} ${LIST-gone}\"\n", want: []string{
		"WARNING: parsing [t.cfg:3]: 'gone a b  c'.",
	}},
	{config: "global\n resetenv ONE LIST\n.warning \"$ONE $LIST\"\n", want: []string{
		"WARNING: parsing [t.cfg:3]: '1 a b  c'.",
	}},
	{config: "global\n.if !defined(A)\n setenv A 1\n.warning first\n.else\n.warning second\n.endif\n", want: []string{
		"WARNING: parsing [t.cfg:6]: 'second'.",
	}},
	{config: "global\n setenv A \"x y z\"\n.warning \"${A[*]}\"\n", want: []string{
		"ALERT: parsing [t.cfg:3]: Unexpected argument 'y' for '.warning'. Use quotes if the message should contain spaces.",
	}},
	{config: "global\n.if 1 ||\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unparsable conditional expression '1 ||' in '.if' at position 3:\n  .if 1 ||\n        ^",
	}},
	{config: "global\n.if 1 && 1 &&\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unparsable conditional expression '&& 1 &&' in '.if' at position 3:\n  .if 1 && 1 &&\n        ^",
	}},
	{config: "global\n.if 1 || 1 ||\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unparsable conditional expression '1 || 1 ||' in '.if' at position 3:\n  .if 1 || 1 ||\n        ^",
	}},
	{config: "global\n.if streq(a,b\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:2]: expected ')' in argument 1 of predicate 'streq' used in conditional expression in '.if' at position 10:\n  .if streq(a,b\n               ^",
	}},
	{config: "global\n.if 1 + 1\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unexpected character '+' at the end of conditional expression '1 + 1' in '.if' at position 3:\n  .if 1 + 1\n        ^",
	}},
	{config: "global\n.if (1\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:2]: expected ')' after conditional expression '(1' in '.if' at position 1:\n  .if (1\n      ^",
	}},
	{config: "global\n.if 1 && (0 || foo)\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unparsable conditional expression 'foo)' in '.if' at position 12:\n  .if 1 && (0 || foo)\n                 ^",
	}},
	{config: "global\n.if openssl_version_before(x)\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:2]: invalid argument to conditional expression predicate 'openssl_version_before': 'x' in '.if' at position 26:\n  .if openssl_version_before(x)\n                               ^",
	}},
	{config: "global\n.if   foo(  bar)\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unparsable conditional expression 'foo( bar)' in '.if' at position 1:\n  .if foo( bar)\n      ^",
	}},
	{config: "global\n.if ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))\n.warning yes\n.endif\n", want: []string{
		"WARNING: parsing [t.cfg:3]: 'yes'.",
	}},
	{config: "global\n.if ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))\n.warning yes\n.endif\n", want: []string{
		"ALERT: parsing [t.cfg:2]: unparsable conditional sub-expression '(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))' in '.if' at position 342:\n  .if ...((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((...\n                                            ^",
	}},
	{config: "global\n.if !!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!1\n.warning yes\n.endif\n", want: []string{
		"WARNING: parsing [t.cfg:3]: 'yes'.",
	}},
	{config: ".if streq(\"${UNSET-abc}\",abc)\n.warning yes\n.endif\n", want: []string{
		"WARNING: parsing [t.cfg:2]: 'yes'.",
	}, differs: "the reference reads a line twice that is longer than all before it, and has cut off its default value the first time"},
	{config: "global\n maxconn \"${UNSET-1}\" \"\"\n", want: []string{
		"ALERT: parsing [t.cfg:2]: argument number 2 at position 24 is empty and marks the end of the argument list:\n  maxconn \"${UNSET-1}\" \"\"\n                        ^\nAborting to prevent all subsequent arguments from being silently ignored. If this is caused by an environment variable expansion, please have a look at section 2.3 of the configuration manual to find solutions to address this.",
	}, differs: "the reference points at the variable before the empty argument, and shows the line only up to its default value"},
}
