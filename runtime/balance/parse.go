package balance

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseAlgorithm reads the words behind "balance".
func parseAlgorithm(words []string) (algo string, p *Params, err error) {
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	p = &Params{}
	name := arg(0)
	switch {
	case name == "":
		return Random, p, nil
	case name == RoundRobin, name == StaticRR, name == LeastConn, name == First, name == Source, name == Sticky:
		return name, p, nil
	case strings.HasPrefix(name, Random):
		p.Draws, err = drawsOf(name[len(Random):])
		return Random, p, err
	case name == URI:
		return URI, p, p.parseURI(words)
	case name == URLParam:
		if p.Name = arg(1); p.Name == "" {
			return "", nil, errors.New("url_param requires an URL parameter name.")
		}
		if w := arg(2); w != "" && w != "check_post" {
			return "", nil, fmt.Errorf("url_param only accepts 'check_post' modifier (got '%s').", w)
		}
		return URLParam, p, nil
	case name == Hash:
		if p.Text = arg(1); p.Text == "" {
			return "", nil, errors.New("hash requires a sample expression.")
		}
		if w := arg(2); w != "" {
			return "", nil, fmt.Errorf("hash takes no other argument (got '%s').", w)
		}
		return Hash, p, nil
	case strings.HasPrefix(name, Header+"("):
		field, _, closed := strings.Cut(name[len(Header)+1:], ")")
		if !closed || field == "" {
			return "", nil, errors.New("hdr requires an http header field name.")
		}
		if w := arg(1); w != "" && w != "use_domain_only" {
			return "", nil, fmt.Errorf("%s only accepts 'use_domain_only' modifier (got '%s').", name, w)
		}
		p.Name, p.DomainOnly = strings.ToLower(field), arg(1) != ""
		return Header, p, nil
	case strings.HasPrefix(name, RDPCookie):
		rest := name[len(RDPCookie):]
		p.Name = "mstshash"
		if rest != "" {
			cookie, _, closed := strings.Cut(strings.TrimPrefix(rest, "("), ")")
			if rest[0] != '(' || !closed || cookie == "" {
				return "", nil, errors.New("rdp-cookie : missing cookie name.")
			}
			p.Name = cookie
		}
		return RDPCookie, p, nil
	case name == LogHash:
		if p.Text = arg(1); p.Text == "" {
			return "", nil, errors.New("log-hash requires a converter list.")
		}
		return LogHash, p, nil
	}
	return "", nil, errors.New("only supports 'roundrobin', 'static-rr', 'leastconn', 'source', 'uri', 'url_param', 'hash', 'hdr(name)', " +
		"'rdp-cookie(name)', 'log-hash' and 'sticky' options.")
}

// drawsOf reads "(n)" behind random. Whatever else follows the word is ignored, as the reference does.
func drawsOf(text string) (int, error) {
	const usual = 2
	if !strings.HasPrefix(text, "(") || strings.HasPrefix(text, "()") {
		return usual, nil
	}
	n, rest := number0(text[1:])
	switch {
	case rest == "":
		return 0, errors.New("random : missing closing parenthesis.")
	case rest[0] != ')':
		return 0, fmt.Errorf("random : unexpected character '%c' after argument.", rest[0])
	case n < 1:
		return 0, errors.New("random : number of draws must be at least 1.")
	}
	return n, nil
}

// number0 reads a number at the start of text, in C's notation: 0x is hexadecimal, a leading 0 octal.
func number0(text string) (n int, rest string) {
	for end := len(text); end > 0; end-- {
		if v, err := strconv.ParseInt(strings.TrimPrefix(text[:end], "+"), 0, 32); err == nil && !strings.Contains(text[:end], "_") {
			return int(v), text[end:]
		}
	}
	return 0, text
}

// leading reads the decimal number at the start of text, 0 when there is none.
func leading(text string) int {
	for end := len(text); end > 0; end-- {
		if v, err := strconv.Atoi(strings.TrimLeft(text[:end], " ")); err == nil {
			return v
		}
	}
	return 0
}

func (p *Params) parseURI(words []string) error {
	for i := 1; i < len(words); i++ {
		switch word := words[i]; word {
		case "len", "depth":
			value := ""
			if i++; i < len(words) {
				value = words[i]
			}
			n := leading(value)
			if n <= 0 {
				return fmt.Errorf("uri : '%s' expects a positive integer (got '%s').", word, value)
			}
			if word == "len" {
				p.Len = n
			} else {
				p.Depth = n
			}
		case "whole":
			p.Whole = true
		case "path-only":
			p.PathOnly = true
		default:
			return fmt.Errorf("uri only accepts parameters 'len', 'depth', 'path-only', and 'whole' (got '%s').", word)
		}
	}
	return nil
}
