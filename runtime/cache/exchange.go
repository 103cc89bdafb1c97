package cache

import (
	"bytes"
	"crypto/sha1"
	"slices"
	"strconv"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/message"
)

// Exchange is what caches do in one stream. It stands in Stream.Cache and is kept for the stream's next use.
type Exchange struct {
	keyed   bool // a "cache-use" rule has looked
	key     key
	varied  bool // the request's variant is known
	variant variant
	consent consent

	from *Cache // that answers; nil: none
	hit  *Entry
	same bool // the client has it already: 304
	at   int  // how much of the body was sent

	into  *Cache // that stores the response; nil: none
	store *Entry

	parts runtime.Parts // body, made once
	uri   []byte        // memory for the text of the key
}

// of gives the stream's exchange.
func of(s *runtime.Stream) *Exchange {
	if x, ok := s.Cache.(*Exchange); ok {
		return x
	}
	x := new(Exchange)
	x.parts = x.body
	s.Cache = x
	return x
}

// Use is the action "cache-use": it finds an entry that answers the request.
func (c *Cache) Use(s *runtime.Stream) {
	x := of(s)
	x.consent.ofRequest(&s.Req)
	if !x.index(&s.Req) || x.consent.ignored {
		return
	}
	counts := counters(s)
	counts.Lookups.Inc()
	c.mu.Lock()
	e := c.find(x.key, s.Ctx.Now.Unix(), func(of signature) (variant, bool) {
		x.variant, x.varied = variantOf(&s.Req, of)
		return x.variant, x.varied
	})
	if e != nil {
		c.hold(e)
	}
	c.mu.Unlock()
	if e == nil {
		if c.Vary {
			x.variant, x.varied = variantOf(&s.Req, byAll)
		}
		return
	}
	x.from, x.hit, x.same = c, e, unchanged(&s.Req, e)
	counts.Hits.Inc()
}

// inFront tells whether a rule of the frontend is at work.
func inFront(s *runtime.Stream) bool {
	return s.Ctx.Checkpoint&(sample.FrontReqHeaders|sample.FrontResHeaders) != 0
}

func counters(s *runtime.Stream) *runtime.CacheCounters {
	if inFront(s) {
		return &s.Session.Counters(s.Loop).Cache
	}
	return &s.Back.Live.Back[s.Loop].Cache
}

// index makes the key of the request: its URI, made absolute by the host. Requests of HTTP/2 have such a URI already.
func (x *Exchange) index(m *message.Message) bool {
	target := m.Target()
	if len(target) == 0 {
		return false
	}
	x.uri = x.uri[:0]
	if m.Flags&message.HasAuthority == 0 {
		host := m.FindID(message.Host, 0)
		if host < 0 {
			return false
		}
		x.uri = append(append(x.uri, "https://"...), m.Value(host)...)
	}
	x.uri = append(x.uri, target...)
	x.key, x.keyed = sha1.Sum(x.uri), true
	return true
}

// Answers tells whether the stream's response comes from a cache.
func Answers(s *runtime.Stream) bool {
	x, ok := s.Cache.(*Exchange)
	return ok && x.hit != nil
}

// Respond makes the response of the cache that of the stream, in buf, whose capacity counts, and fields. What follows is made by the
// parts that it returns; nil: nothing does.
func Respond(s *runtime.Stream, buf []byte, fields []message.Field) (runtime.Parts, error) {
	x := s.Cache.(*Exchange)
	e, m := x.hit, &s.Res
	if len(e.head.Buf) > cap(buf) || len(e.head.Fields) > cap(fields) {
		return nil, message.ErrNoRoom
	}
	*m = e.head
	m.Buf = append(buf[:0], e.head.Buf...)
	m.Fields = append(fields[:0], e.head.Fields...)
	m.Method = s.Method
	m.HeadLen = uint32(len(m.Buf))
	age := min(max(s.Ctx.Now.Unix()-e.validated, 0)+e.age, mostAge)
	var number [20]byte
	if err := m.Add("age", strconv.AppendInt(number[:0], age, 10)); err != nil {
		return nil, err
	}
	if x.same {
		if err := m.SetStatus(304, []byte("Not Modified")); err != nil {
			return nil, err
		}
	}
	if x.same || s.Method == message.HEAD {
		m.Flags |= message.BodylessResponse
		return nil, nil
	}
	if e.body == 0 {
		return nil, nil
	}
	return x.parts, nil
}

// body is the Parts of an entry.
func (x *Exchange) body(dst []byte) ([]byte, bool) {
	const piece = 16 * blockSize
	before := len(dst)
	if cap(dst) == before {
		dst = slices.Grow(dst, piece)
	}
	dst = x.from.read(dst, min(piece, cap(dst)-before), x.hit, x.at)
	x.at += len(dst) - before
	return dst, x.at == x.hit.body
}

// Store is the action "cache-store": it keeps the head of the response as it is now; Write adds the body.
func (c *Cache) Store(s *runtime.Stream) {
	x := of(s)
	switch {
	case !x.keyed, x.hit != nil, s.Req.Flags&message.Version11 == 0:
		return
	case s.Method != message.GET:
		c.invalidate(s, x)
		return
	case s.Res.Status != 200, !inFront(s) && s.Coding.Response != nil && s.Front.Compression != nil && s.Front.Compression.Filters[runtime.Download]:
		return // what the frontend compresses came to it from here
	case s.Res.Flags&message.ContentLength != 0 && s.Res.BodyLength > uint64(c.MaxObject):
		return
	}
	x.consent.ofResponse(&s.Res)
	by, ok := varies(&s.Res)
	if !ok || by != 0 && (!c.Vary || !x.varied) || s.Res.Find("vary", 0) >= 0 && !c.Vary || !x.consent.storable || !x.consent.cookies {
		return
	}
	c.keep(s, x, by)
}

// keep makes the entry.
func (c *Cache) keep(s *runtime.Stream, x *Exchange, by signature) {
	m, now := &s.Res, s.Ctx.Now.Unix()
	v := x.variant
	v.reduce(by)
	used, said := lifetime(m, c.MaxAge, now)
	age, at, ok := ageOf(m)
	if !ok || at >= 0 && age > said {
		return
	}
	if by&byEncoding != 0 {
		if v.encodings, ok = encodingOf(m); !ok {
			return
		}
	}
	if at >= 0 {
		m.Remove(at)
	}
	head := *m
	head.Fields = append([]message.Field(nil), m.Fields...)
	if head.MoveTo(make([]byte, 0, m.Stored())) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.begin(x.key, v, now)
	if e == nil {
		return
	}
	e.head, e.age, e.validated, e.expires, e.modified = head, age, now, now+used, modified(m, now)
	e.tag = bytes.Clone(m.GetID(message.ETag))
	e.size = headSize(m)
	if e.size > c.MaxObject || !c.grow(e) {
		c.remove(e)
		c.release(e)
		return
	}
	x.into, x.store = c, e
}

// headSize is what an entry counts for its head: the reference's entries have a fixed part, and a number before each line.
func headSize(m *message.Message) int {
	const fixed, mark, end = 172, 4, 1
	n := fixed + mark + mark + end
	for i := range m.Line {
		n += int(m.Line[i].Len)
	}
	for i := range m.Fields {
		n += mark + int(m.Fields[i].Name.Len+m.Fields[i].Value.Len)
	}
	return n
}

// Forget is Store where the body does not come to the cache: what another method has changed is forgotten all the same.
func (c *Cache) Forget(s *runtime.Stream) {
	if x := of(s); x.keyed && x.hit == nil && s.Req.Flags&message.Version11 != 0 && s.Method != message.GET {
		c.invalidate(s, x)
	}
}

// invalidate forgets what a request with another method has changed. Section 4.4 of RFC 9111.
func (c *Cache) invalidate(s *runtime.Stream, x *Exchange) {
	switch s.Method {
	case message.OPTIONS, message.HEAD, message.TRACE:
		return
	}
	if s.Status < 200 || s.Status >= 400 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if all := c.entries[x.key]; len(all) > 0 {
		c.remove(all[0])
	}
}

// Stores gives the exchange of a stream whose response is being stored; nil: it is not.
func Stores(s *runtime.Stream) *Exchange {
	if x, ok := s.Cache.(*Exchange); ok && x.store != nil {
		return x
	}
	return nil
}

// Write adds to the body of the entry. One that becomes too large is given up.
func (x *Exchange) Write(p []byte) {
	if x.store != nil && !x.into.write(x.store, p) {
		x.Abandon()
	}
}

// Complete lets the entry be used.
func (x *Exchange) Complete() {
	if x.store == nil {
		return
	}
	x.into.mu.Lock()
	x.store.complete = true
	x.into.release(x.store)
	x.into.mu.Unlock()
	x.store = nil
}

// Abandon gives up an entry that did not become complete.
func (x *Exchange) Abandon() {
	if x.store == nil {
		return
	}
	x.into.mu.Lock()
	x.into.remove(x.store)
	x.into.release(x.store)
	x.into.mu.Unlock()
	x.store = nil
}

// Leave makes the exchange ready for another stream.
func (x *Exchange) Leave() {
	x.Abandon()
	if x.hit != nil {
		x.from.mu.Lock()
		x.from.release(x.hit)
		x.from.mu.Unlock()
	}
	*x = Exchange{parts: x.parts, uri: x.uri}
}
