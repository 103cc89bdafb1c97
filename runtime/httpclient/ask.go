package httpclient

import (
	"errors"
	"time"

	"hapax/runtime/ssl"
)

const (
	longestAsk = 30 * time.Second // until an authority has answered
	maxAnswer  = 64 << 10         // bytes of its answer
)

var (
	errLate = errors.New("the answer takes too long")
	errLong = errors.New("the answer is too long")
)

// Ask asks an authority about a certificate and waits for its answer.
func (c *Client) Ask(q *ssl.Question) (*ssl.Answer, error) {
	if c == nil {
		return nil, errStopped
	}
	r := &Request{Method: q.Method, URL: q.URL, Body: q.Body, Via: q.Via}
	if q.Body != "" {
		r.Header = "content-type: application/ocsp-request\r\n"
	}
	x, err := c.asks.Send(r)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	a := &ssl.Answer{}
	for end := time.Now().Add(longestAsk); time.Now().Before(end); {
		part, data, err := x.Next(patience)
		switch {
		case err != nil:
			return nil, err
		case part == Head:
			a.Status, a.Kind = int(x.Response().Status), string(x.Response().Get("content-type"))
		case part == Body && len(a.Body)+len(data) > maxAnswer:
			return nil, errLong
		case part == Body:
			a.Body = append(a.Body, data...)
		case part == End:
			return a, nil
		}
	}
	return nil, errLate
}
