package check

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"hapax/acl/pattern"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/message"
)

// expectLine is what the words of an expect line have told so far.
type expectLine struct {
	*reader
	rule   *rule
	expect *expect

	pattern, onSuccess, onError string // are compiled when the whole line is read
}

// expect reads `expect [min-recv <n>] [!] <match> <pattern> ...`.
func (rd *reader) expect() (*rule, error) {
	rd.Skip(1)
	if rd.Done() {
		return nil, errors.New("expects at least a matching pattern as arguments")
	}
	e := &expect{minRecv: -1}
	line := &expectLine{reader: rd, rule: &rule{do: e}, expect: e}
	for !rd.Done() {
		if err := line.word(); err != nil {
			return nil, err
		}
	}
	if err := line.compile(); err != nil {
		return nil, err
	}
	e.head = rd.set.headOf(line.rule)
	return line.rule, nil
}

// word reads one word of the line with what belongs to it.
func (x *expectLine) word() error {
	word, inverse := x.negation()
	if word == "" {
		x.Skip(1)
		word = x.Peek()
	}
	isHTTP := x.line == "http-check"
	words := matchWords
	if isHTTP {
		words = httpMatchWords
	}
	if kind, ok := words[word]; ok {
		return x.match(word, kind)
	}
	switch {
	case !optionWords[word] && isHTTP:
		return fmt.Errorf("'only supports min-recv, [!]string', '[!]rstring', '[!]string-lf', '[!]status', '[!]rstatus', [!]hdr, [!]fhdr or comment but got '%s' as argument.", word)
	case !optionWords[word]:
		return fmt.Errorf("'only supports min-recv, '[!]binary', '[!]string', '[!]rstring', '[!]string-lf''[!]rbinary', '[!]binary-lf' or comment but got '%s' as argument.", word)
	case inverse:
		return fmt.Errorf("[!] not supported with '%s'", word)
	case word == "custom":
		return x.custom()
	}
	return x.option(word)
}

// negation takes the marks in front of a word: each turns the meaning of the whole line.
func (x *expectLine) negation() (word string, inverse bool) {
	word = strings.TrimLeft(x.Peek(), "!")
	marks := len(x.Peek()) - len(word)
	if marks%2 == 1 {
		x.expect.not = !x.expect.not
	}
	return word, marks > 0
}

// match reads what is looked for.
func (x *expectLine) match(word string, kind match) error {
	if x.expect.kind != matchNone {
		return errors.New("only one pattern expected")
	}
	x.expect.kind = kind
	if kind == matchHeader {
		return x.header(x.expect, word)
	}
	if x.pattern = x.PeekAt(1); x.pattern == "" {
		return fmt.Errorf("'%s' expects a <pattern> as argument", word)
	}
	x.Skip(2)
	return nil
}

func (x *expectLine) custom() error {
	if x.expect.kind != matchNone {
		return errors.New("only one pattern expected")
	}
	x.expect.kind = matchCustom
	x.Skip(1)
	return nil
}

// option reads one setting and its value.
func (x *expectLine) option(word string) (err error) {
	value, e := x.PeekAt(1), x.expect
	if value == "" {
		kind := "a string"
		switch word {
		case "min-recv":
			kind = "a integer"
		case "status-code":
			kind = "an expression"
		}
		return fmt.Errorf("'%s' expects %s as argument", word, kind)
	}
	switch word {
	case "min-recv":
		n := leading(value)
		if n < -1 || n > math.MaxInt32 {
			return fmt.Errorf("'%s' expects -1 or an integer from 0 to INT_MAX", word)
		}
		e.minRecv = int(n)
	case "comment":
		x.rule.comment = value
	case "on-success":
		x.onSuccess = value
	case "on-error":
		x.onError = value
	case "status-code":
		e.code, err = x.expression(value, "status-code")
	case "ok-status":
		e.ok, err = status(word, value, "'L4OK', 'L6OK', 'L7OK' or 'L7OKC'",
			runtime.CheckL7OK, runtime.CheckL7Conditionally, runtime.CheckL6OK, runtime.CheckL4OK)
	case "error-status":
		e.bad, err = status(word, value, "'L4CON', 'L6RSP', 'L7RSP' or 'L7STS'",
			runtime.CheckL7Response, runtime.CheckL7Status, runtime.CheckL7Conditionally, runtime.CheckL6Response, runtime.CheckL4Conn)
	case "tout-status":
		e.timeout, err = status(word, value, "'L4TOUT', 'L6TOUT' or 'L7TOUT'",
			runtime.CheckL7Timeout, runtime.CheckL6Timeout, runtime.CheckL4Timeout)
	}
	x.Skip(2)
	return err
}

// compile makes of the texts of the line what they stand for.
func (x *expectLine) compile() (err error) {
	if x.onSuccess != "" {
		if x.expect.onSuccess, err = x.format(x.onSuccess); err != nil {
			return err
		}
	}
	if x.onError != "" {
		if x.expect.onError, err = x.format(x.onError); err != nil {
			return err
		}
	}
	return x.reader.pattern(x.expect, x.pattern)
}

// headOf is where the evaluation of an expect rule that is about to be added starts again when more data came: see expect.head.
func (s *ruleset) headOf(r *rule) *rule {
	head := r
	for _, previous := range slices.Backward(s.rules) {
		if other, ok := previous.do.(*expect); ok {
			if other.not {
				head = previous
			}
		} else if previous.onWire() {
			break
		}
	}
	return head
}

var matchWords = map[string]match{
	"string": matchString, "rstring": matchRegex, "string-lf": matchFormat,
	"binary": matchBinary, "rbinary": matchBinaryRegex, "binary-lf": matchBinaryFormat,
}

var httpMatchWords = map[string]match{
	"string": matchBody, "rstring": matchBodyRegex, "string-lf": matchBodyFormat,
	"status": matchStatus, "rstatus": matchStatusRegex, "hdr": matchHeader, "fhdr": matchHeader,
}

var optionWords = map[string]bool{
	"min-recv": true, "custom": true, "comment": true, "on-success": true, "on-error": true,
	"ok-status": true, "error-status": true, "status-code": true, "tout-status": true,
}

// leading is the number at the start of text, 0 without one.
func leading(text string) int64 {
	n, _ := sample.ReadInt(text)
	return n
}

// status finds a status by its short name, in any case.
func status(word, name, list string, among ...runtime.CheckStatus) (runtime.CheckStatus, error) {
	for _, s := range among {
		if message.EqualFold(s.String(), name) {
			return s, nil
		}
	}
	return 0, fmt.Errorf("'%s' only supports %s status (got '%s').", word, list, name)
}

// pattern reads the text that an expect rule compares with.
func (rd *reader) pattern(e *expect, text string) (err error) {
	switch e.kind {
	case matchNone:
		return errors.New("pattern not found")
	case matchString, matchBody:
		e.data = []byte(text)
	case matchBinary:
		if e.data, err = pattern.ParseHex(text); err != nil {
			return fmt.Errorf("invalid binary string (%w)", err)
		}
	case matchRegex, matchBinaryRegex, matchStatusRegex, matchBodyRegex:
		e.regex, err = sample.CompileMatcher(text, false)
	case matchFormat, matchBinaryFormat, matchBodyFormat:
		e.format, err = rd.format(text)
	case matchStatus:
		e.codes, err = statusRanges(text)
	}
	return err
}

// statusRanges reads "200,300-399".
func statusRanges(text string) (codes [][2]int, err error) {
	number := func() int {
		n := 0
		for text != "" && text[0] >= '0' && text[0] <= '9' {
			n = min(n*10+int(text[0]-'0'), math.MaxInt32)
			text = text[1:]
		}
		return n
	}
	for whole := text; ; text = text[1:] {
		low := number()
		high := low
		if strings.HasPrefix(text, "-") {
			text = text[1:]
			high = number()
		}
		if low > high {
			return nil, fmt.Errorf("invalid range of status codes '%s'", whole)
		}
		codes = append(codes, [2]int{low, high})
		if text == "" {
			return codes, nil
		}
		if text[0] != ',' {
			return nil, fmt.Errorf("invalid character '%c' in the list of status codes", text[0])
		}
	}
}

// header reads `hdr|fhdr name|name-lf [-m <how>] <name> [value|value-lf [-m <how>] <value>]`.
func (rd *reader) header(e *expect, word string) error {
	m := &headerMatch{whole: word == "fhdr"}
	e.header = m
	name := rd.PeekAt(1)
	if rd.PeekAt(2) == "" || name != "name" && name != "name-lf" {
		return fmt.Errorf("'%s' expects at the name keyword as first argument followed by a pattern", word)
	}
	rd.Skip(2)
	if err := rd.how(&m.name, word, name == "name-lf"); err != nil {
		return err
	}
	if rd.Done() {
		return errors.New("unexpected error, undefined header name pattern")
	}
	if err := rd.text(&m.name, name == "name-lf", true); err != nil {
		return err
	}
	value := rd.Peek()
	if value != "value" && value != "value-lf" {
		m.anyValue = true
		return nil
	}
	rd.Skip(1)
	if err := rd.how(&m.value, word, value == "value-lf"); err != nil {
		return err
	}
	if rd.Done() {
		return fmt.Errorf("'%s' expect a pattern with the value keyword", word)
	}
	return rd.text(&m.value, value == "value-lf", false)
}

// how reads "-m <method>".
func (rd *reader) how(t *textMatch, word string, format bool) error {
	if rd.Peek() != "-m" {
		return nil
	}
	rd.Skip(1)
	switch method := rd.Take(); method {
	case "":
		return fmt.Errorf("'%s' : '-m' expects at a matching pattern ('str', 'beg', 'end', 'sub' or 'reg')", word)
	case "str":
	case "beg":
		t.how = beginning
	case "end":
		t.how = ending
	case "sub":
		t.how = within
	case "reg":
		if format {
			return fmt.Errorf("'%s': log-format string is not supported with a regex matching method", word)
		}
		t.how = byRegex
	default:
		return fmt.Errorf("'%s' : '-m' only supports 'str', 'beg', 'end', 'sub' or 'reg' (got '%s')", word, method)
	}
	return nil
}

func (rd *reader) text(t *textMatch, format, fold bool) (err error) {
	text := rd.Take()
	switch {
	case t.how == byRegex:
		t.regex, err = sample.CompileMatcher(text, fold)
	case format:
		t.format, err = rd.format(text)
	default:
		t.text = []byte(text)
	}
	return err
}
