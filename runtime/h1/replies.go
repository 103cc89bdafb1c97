package h1

import (
	"strconv"

	"hapax/runtime/message"
)

// Reply is one of the built-in answers (manual, 4.2: errorfile lists their codes).
type Reply struct {
	Status int
	Reason string
	Body   string
	// Raw is the whole answer as the protocol engine sends it for a message that it could not parse:
	// with its own spelling of the header names, and with no rule applied.
	Raw string

	length string // of Body, in digits
	closes bool
}

// Replies are the built-in answers, by status.
var Replies = []Reply{
	reply(200, "OK", "Service ready.", false),
	reply(400, "Bad request", "Your browser sent an invalid request.", true),
	reply(401, "Unauthorized", "You need a valid user and password to access this content.", false),
	reply(403, "Forbidden", "Request forbidden by administrative rules.", false),
	reply(404, "Not Found", "The resource could not be found.", false),
	reply(405, "Method Not Allowed", "A request was made of a resource using a request method not supported by that resource.", false),
	reply(407, "Unauthorized", "You need a valid user and password to access this content.", false),
	reply(408, "Request Time-out", "Your browser didn't send a complete request in time.", true),
	reply(410, "Gone", "The resource is no longer available and will not be available again.", false),
	reply(413, "Payload Too Large", "The request entity exceeds the maximum allowed.", false),
	reply(414, "URI Too Long", "The URI provided was too long for the server to process.", false),
	reply(421, "Misdirected Request", "Request sent to a non-authoritative server.", false),
	reply(422, "Unprocessable Content", "The server cannot process the contained instructions.", false),
	reply(425, "Too Early", "Your browser sent early data.", false),
	reply(429, "Too Many Requests", "You have sent too many requests in a given amount of time.", false),
	reply(431, "Request Header Fields Too Large", "Request Header Fields Too Large.", false),
	reply(500, "Internal Server Error", "An internal server error occurred.", false),
	reply(501, "Not Implemented", "The server does not support the functionality required to fulfill the request.", false),
	reply(502, "Bad Gateway", "The server returned an invalid or incomplete response.", false),
	reply(503, "Service Unavailable", "No server is available to handle this request.", false),
	reply(504, "Gateway Time-out", "The server didn't respond in time.", false),
}

func reply(status int, reason, text string, closes bool) Reply {
	r := Reply{Status: status, Reason: reason, closes: closes}
	title := strconv.Itoa(status) + " " + reason
	r.Body = "<html><body><h1>" + title + "</h1>\n" + text + "\n</body></html>\n"
	r.length = strconv.Itoa(len(r.Body))
	r.Raw = "HTTP/1.1 " + title + "\r\nContent-length: " + r.length + "\r\nCache-Control: no-cache\r\n"
	if closes {
		r.Raw += "Connection: close\r\n"
	}
	r.Raw += "Content-Type: text/html\r\n\r\n" + r.Body
	return r
}

// ReplyFor gives the built-in answer with that status, the one for 500 when there is none.
func ReplyFor(status int) *Reply {
	fallback := &Replies[0]
	for i := range Replies {
		switch Replies[i].Status {
		case status:
			return &Replies[i]
		case 500:
			fallback = &Replies[i]
		}
	}
	return fallback
}

// Fill makes m, which must be empty, the head of the answer, for a stream to apply its rules to and to
// send with an Encoder. method is that of the request. The body is r.Body.
func (r *Reply) Fill(m *message.Message, method message.Method) error {
	if err := m.SetStatusLine("HTTP/1.1", r.Status, r.Reason); err != nil {
		return err
	}
	m.Method = method
	m.Flags |= message.Version11 | message.LengthKnown | message.ContentLength
	m.BodyLength = uint64(len(r.Body))
	if method == message.HEAD {
		m.Flags |= message.BodylessResponse
	}
	if err := m.AddString("content-length", r.length); err != nil {
		return err
	}
	if err := m.AddString("cache-control", "no-cache"); err != nil {
		return err
	}
	if r.closes {
		if err := m.AddString("connection", "close"); err != nil {
			return err
		}
	}
	return m.AddString("content-type", "text/html")
}
