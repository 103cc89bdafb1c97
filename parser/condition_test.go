package parser

import (
	"strings"
	"testing"
)

func TestConditions(t *testing.T) {
	env := NewEnv(testEnv)
	for _, c := range conditionCases {
		ok, err := testPredicates.EvaluateArgument(c.text, env)
		status, fails := 1, ""
		switch {
		case err != nil:
			status, fails = 2, err.Error()
		case ok:
			status = 0
		}
		if status != c.status || fails != c.fails {
			t.Errorf("%q: got %d %q, want %d %q", c.text, status, fails, c.status, c.fails)
		}
	}
}

func TestConditionDepth(t *testing.T) {
	env := NewEnv(nil)
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{strings.Repeat("(", 300) + "1" + strings.Repeat(")", 300), true},
		{strings.Repeat("(", 600) + "1" + strings.Repeat(")", 600), false},
		{strings.Repeat("1 && ", 1000) + "1", true},
		{strings.Repeat("1 && ", 1100) + "1", false},
		{strings.Repeat("0 || ", 1000) + "1", true},
		{strings.Repeat("0 || ", 1100) + "1", false},
		{strings.Repeat("!", 5000) + "1", true},
	} {
		ok, at, err := testPredicates.Evaluate(c.text, env)
		if ok != c.ok || (err == nil) != c.ok || at > len(c.text) {
			t.Errorf("%s: %v at %d, %v", abbreviate(c.text), ok, at, err)
		}
	}
}

func FuzzCondition(f *testing.F) {
	for _, c := range conditionCases {
		f.Add(c.text)
	}
	env := NewEnv(testEnv)
	f.Fuzz(func(t *testing.T, text string) {
		ok, at, err := testPredicates.Evaluate(text, env)
		if at < 0 || at > len(text) || err != nil && ok {
			t.Fatalf("%q: %v at %d, %v", text, ok, at, err)
		}
		negated, _, err2 := testPredicates.Evaluate("!("+text+")", env)
		if err == nil && err2 == nil && strings.Trim(text, " \t") != "" && negated == ok {
			t.Fatalf("%q and its negation are both %v", text, ok)
		}
		testPredicates.EvaluateArgument(text, env)
	})
}
