package message

// CookieValue finds the next cookie of the given name (empty: of any name) in the value of a Cookie
// header, or of a Set-Cookie header when list is false: there only the first name=value counts, and a
// comma does not end the name. It gives the value and what is left of the header to search on in.
// Cookies without an equal sign and attributes that begin with a dollar sign are passed over.
func CookieValue(header []byte, name string, list bool) (value, rest []byte, ok bool) {
	for len(header) > len(name)+1 {
		var c pair
		c, header = cutPair(header, list)
		if !c.named || c.dollar {
			continue
		}
		if name == "" || string(c.name) == name {
			return c.value, header, true
		}
		if !list {
			break
		}
	}
	return nil, nil, false
}

// CookieName finds the name of the next cookie in the value of a Cookie header, or of a Set-Cookie
// header when list is false, and gives what is left to search on in.
func CookieName(header []byte, list bool) (name, rest []byte, ok bool) {
	for len(header) > 1 {
		var c pair
		c, header = cutPair(header, false)
		if !c.named || c.dollar {
			continue
		}
		if !list {
			header = nil
		}
		return c.name, header, true
	}
	return nil, nil, false
}

// pair is one name=value of a cookie header.
type pair struct {
	name, value []byte
	named       bool // an equal sign is there, with something behind the name
	dollar      bool // an attribute of the cookie before it (RFC 2965)
}

// cutPair takes the first name=value off header, with its delimiter.
func cutPair(header []byte, list bool) (p pair, rest []byte) {
	begin := 0
	for begin < len(header) && isBlank(header[begin]) {
		begin++
	}
	equal, nameEnd := begin, begin
	for equal < len(header) {
		c := header[equal]
		if c == '=' || c == ';' || list && c == ',' {
			break
		}
		equal++
		if !isBlank(c) {
			nameEnd = equal
		}
	}
	p.name = header[begin:nameEnd]
	p.dollar = begin < len(header) && header[begin] == '$'
	next := equal
	if equal < len(header) && header[equal] == '=' {
		p.named = true
		from := equal + 1
		for from < len(header) && isBlank(header[from]) {
			from++
		}
		next = from + cookieValueEnd(header[from:])
		end := next
		for end > from && isBlank(header[end-1]) {
			end--
		}
		p.value = header[from:end]
	}
	if next < len(header) {
		next++
	}
	return p, header[next:]
}

// cookieValueEnd finds the end of a cookie's value: the first comma or semicolon outside quotes.
func cookieValueEnd(s []byte) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ',', ';':
			return i
		case '"':
			i = quoteEnd(s, i)
		}
	}
	return len(s)
}

// CookieValueEnd finds the end of a cookie's value: the first comma or semicolon outside quotes.
func CookieValueEnd(s []byte) int { return cookieValueEnd(s) }

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// Cookies walks over the cookies of one name in all Cookie fields of a request, or all Set-Cookie fields
// of a response. Make one with Message.Cookies.
type Cookies struct {
	fields Values
	name   string
	rest   []byte
	list   bool
	value  []byte
}

// Cookies walks over the cookies named name, empty for all of them.
func (m *Message) Cookies(name string) Cookies {
	if m.Flags&Response != 0 {
		return Cookies{fields: m.Values("set-cookie"), name: name}
	}
	return Cookies{fields: m.Values("cookie"), name: name, list: true}
}

// Next goes to the next cookie and tells whether there is one.
func (c *Cookies) Next() bool {
	for {
		var ok bool
		if c.value, c.rest, ok = CookieValue(c.rest, c.name, c.list); ok {
			return true
		}
		if !c.fields.Next() {
			return false
		}
		c.rest = c.fields.Bytes()
	}
}

// Value is the value of the current cookie, quotes included.
func (c *Cookies) Value() []byte { return c.value }
