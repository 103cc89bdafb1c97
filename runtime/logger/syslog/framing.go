package syslog

import (
	"bytes"
	"errors"
)

// ErrFraming is a stream that does not say where its messages end.
var ErrFraming = errors.New("neither a length nor a priority begins the message")

// Next finds the first message of a stream: it gives it and how many bytes it takes. With n = 0 and no error more bytes
// are needed. lines says that messages are lines whatever they begin with; most is the longest one that is taken.
func Next(in []byte, lines bool, most int) (message []byte, n int, err error) {
	switch {
	case len(in) == 0:
		return nil, 0, nil
	case lines || in[0] == '<':
		return nextLine(in, most)
	case in[0] >= '1' && in[0] <= '9':
		return nextCounted(in, most)
	}
	return nil, 0, ErrFraming
}

// nextLine takes what a line feed ends, and a carriage return before it.
func nextLine(in []byte, most int) (message []byte, n int, err error) {
	end := bytes.IndexByte(in[:min(len(in), most)], '\n')
	switch {
	case end >= 0:
		return bytes.TrimSuffix(in[:end], []byte{'\r'}), end + 1, nil
	case len(in) >= most:
		return nil, 0, ErrFraming
	}
	return nil, 0, nil
}

// nextCounted takes as many bytes as the number before a space says.
func nextCounted(in []byte, most int) (message []byte, n int, err error) {
	length := 0
	for i, c := range in {
		switch {
		case c == ' ':
			if len(in)-i-1 < length {
				return nil, 0, nil
			}
			return in[i+1 : i+1+length], i + 1 + length, nil
		case c < '0' || c > '9':
			return nil, 0, ErrFraming
		}
		if length = 10*length + int(c-'0'); length > most {
			return nil, 0, ErrFraming
		}
	}
	return nil, 0, nil
}
