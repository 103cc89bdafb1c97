package ssl

import (
	"cmp"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"

	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
)

// updates are the global options of "ocsp-update".
type updates struct {
	mode     tristate
	disabled bool
	min, max int64 // seconds
	proxy    netip.AddrPort
}

// updateState is what is known of the fetching of a response. Times are unix seconds.
type updateState struct {
	queued   bool // it is fetched again and again
	once     bool // it is fetched once more, and then no longer
	fetching bool
	next     int64 // 0: at once
	last     int64 // when one was fetched; 0: never
	fails    int   // in a row
	good     int
	bad      int
	status   updateStatus
	text     string // what stands behind the status
}

// updateStatus is how the last attempt ended.
type updateStatus int

const (
	updateUnknown updateStatus = iota
	updateGood
	updateBadStatus
	updateBadType
	updateRefused
	updateMisplaced
)

func (s updateStatus) String() string {
	return [...]string{"Unknown", "Update successful", "HTTP error", `Missing "ocsp-response" header`, "OCSP response check failure", "Error during insertion"}[s]
}

const (
	updateMargin = 60 // how long before the end of a response the next one is fetched, seconds
	updateReplay = 60 // how long after a failure, at first
)

// fetcher fetches responses, one after the other, on a goroutine of its own. It works on
// what is in the store, with its lock.
type fetcher struct {
	g       *settings
	send    Send
	log     func(text string)
	wake    chan struct{}
	stop    chan struct{}
	started sync.Once
}

// Question is what an authority is asked.
type Question struct {
	Method, URL string
	Body        string
	Via         netip.AddrPort // a proxy; none: it is sent to where the URL leads
}

// Answer is what it says.
type Answer struct {
	Status int
	Kind   string // "content-type"
	Body   []byte
}

// Send asks and waits for the answer: the HTTP client does, which builds upon this package.
type Send func(*Question) (*Answer, error)

// fetcher finds the fetcher, and starts it when it is needed. The lock is held.
func (s *store) fetcher(g *settings) *fetcher {
	if s.fetching == nil {
		s.fetching = &fetcher{g: g, wake: make(chan struct{}, 1), stop: make(chan struct{}), log: func(string) {}}
	}
	return s.fetching
}

// Start begins to fetch responses of authorities, where the configuration wants that. log takes what
// is to be logged about it.
func Start(cfg *runtime.Config, send Send, log func(text string)) {
	g, ok := cfg.Global.SSL.(*settings)
	if !ok {
		return
	}
	g.store.mu.Lock()
	defer g.store.mu.Unlock()
	f := g.store.fetcher(g)
	f.send, f.log = send, log
	if slices.ContainsFunc(g.store.staples.order, func(t *staple) bool { return t.updates.queued }) {
		f.start()
	}
}

// Stop ends what Start has begun.
func Stop(cfg *runtime.Config) {
	if g, ok := cfg.Global.SSL.(*settings); ok && g.store.fetching != nil {
		close(g.store.fetching.stop)
	}
}

func (f *fetcher) start() {
	f.started.Do(func() { go f.run() })
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// now makes a response be fetched at once.
func (f *fetcher) now(t *staple) {
	if u := &t.updates; !u.fetching {
		u.once = !u.queued
		u.queued, u.next = true, 0
	}
	f.start()
}

// follow makes the responses of a certificate be fetched, where that is wanted.
func (s *store) follow(g *settings, e *entry, t *staple) {
	if g.update.disabled || !g.updates(e.conf.update) || t.uri == "" || t.updates.queued || t.updates.fetching {
		return
	}
	t.schedule(g)
	t.updates.queued = true
	if s.fetching != nil { // else Start looks
		s.fetching.start()
	}
}

// release stops the fetching of a response that no certificate in use is sent with, and
// forgets it when no certificate has it any more.
func (s *store) release(t *staple) {
	if t == nil {
		return
	}
	known := false
	for _, e := range s.entries {
		if e.cert == nil || e.cert.staple != t {
			continue
		}
		if len(e.uses) > 0 {
			return
		}
		known = true
	}
	t.updates.queued = false
	if !known {
		delete(s.staples.byKey, string(t.key))
		s.staples.order = slices.DeleteFunc(s.staples.order, func(other *staple) bool { return other == t })
	}
}

// schedule finds when the next response is fetched.
func (t *staple) schedule(g *settings) {
	now, expire := time.Now().Unix(), int64(0)
	r := t.now.Load()
	if r != nil {
		expire = r.expire
	}
	if expire >= updateMargin {
		expire -= updateMargin
	}
	next := min(now+g.update.max, expire)
	if r != nil {
		next = max(next, now+g.update.min)
	}
	t.updates.next, t.updates.fails = next, 0
}

// run fetches what is due.
func (f *fetcher) run() {
	for {
		t, wait := f.due()
		if t != nil {
			f.fetch(t)
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-f.stop:
			timer.Stop()
			return
		case <-f.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// due takes the response whose time has come, or tells how long to wait.
func (f *fetcher) due() (*staple, time.Duration) {
	s := f.g.store
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.staples.waiting()
	if len(list) == 0 {
		return nil, time.Hour
	}
	t := list[0]
	if wait := t.updates.next - time.Now().Unix(); wait > 0 {
		return nil, time.Duration(wait) * time.Second
	}
	t.updates.queued, t.updates.fetching, t.updates.status = false, true, updateUnknown
	return t, 0
}

// waiting are the responses that are to be fetched, the next one first.
func (s *staples) waiting() (list []*staple) {
	for _, t := range s.order {
		if t.updates.queued {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b *staple) int { return cmp.Compare(a.updates.next, b.updates.next) })
	return list
}

// fetch asks for a response and puts it into its place.
func (f *fetcher) fetch(t *staple) {
	der, status, err := f.ask(t)
	s := f.g.store
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &t.updates
	u.fetching = false
	if status == updateUnknown {
		status = updateGood
		if err = s.staples.update(der); err != nil {
			status = updateMisplaced
		}
	}
	u.status, u.text = status, ""
	if status == updateGood {
		u.good++
		u.last = time.Now().Unix()
		t.schedule(f.g)
	} else {
		u.bad++
		if err != nil {
			u.text = err.Error()
		}
		fails := min(u.fails+1, 16)
		t.schedule(f.g)
		u.fails = fails
		u.next = max(u.next, time.Now().Unix()+min(updateReplay<<fails, f.g.update.max))
	}
	u.queued = !u.once
	u.once = false
	f.log(fmt.Sprintf("<OCSP-UPDATE> %s %d \"%s\" %d %d", t.path, u.status, u.describe(), u.bad, u.good))
}

// describe words how the last attempt ended.
func (u *updateState) describe() string {
	if u.text != "" {
		return u.status.String() + " (" + u.text + ")"
	}
	return u.status.String()
}

// ask sends the request (RFC 5019, 5) and checks the answer. The status is updateUnknown when
// it is good so far.
func (f *fetcher) ask(t *staple) ([]byte, updateStatus, error) {
	query := encodeRequest(t.key)
	q := &Question{Method: "POST", URL: t.uri, Body: string(query), Via: f.g.update.proxy}
	if len(query)+len(t.uri) < 255 {
		q.Method, q.Body = "GET", ""
		q.URL += "/" + url.QueryEscape(base64.StdEncoding.EncodeToString(query))
	}
	answer, err := f.send(q)
	switch {
	case err != nil || answer.Status != 200:
		return nil, updateBadStatus, nil
	case !strings.EqualFold(answer.Kind, "application/ocsp-response"):
		return nil, updateBadType, nil
	}
	if err := t.check(answer.Body); err != nil {
		return nil, updateRefused, err
	}
	return answer.Body, updateUnknown, nil
}

// check verifies who has signed a response.
func (t *staple) check(der []byte) error {
	r, err := readOCSP(der)
	switch {
	case err != nil:
		return errors.New("d2i_OCSP_RESPONSE() failed")
	case r.Status != 0:
		return fmt.Errorf("OCSP response not successful (%d: %s)", r.Status, responseStatus(int(r.Status)))
	case r.basic == nil:
		return errors.New("OCSP_response_get1_basic() failed")
	}
	if _, err := ocsp.ParseResponse(der, t.issuer); err != nil {
		return errors.New("OCSP_basic_verify() failed")
	}
	return nil
}

// encodeRequest asks about one certificate (RFC 6960, 4.1.1).
func encodeRequest(id []byte) []byte {
	type request struct{ ID asn1.RawValue }
	type tbs struct{ List []request }
	der, _ := asn1.Marshal(struct{ TBS tbs }{tbs{[]request{{asn1.RawValue{FullBytes: id}}}}})
	return der
}

// update puts a response into the place of the certificate that it is about.
func (s *staples) update(der []byte) error {
	r, key, err := readResponse(der)
	if err != nil {
		return err
	}
	t := s.byKey[string(key)]
	switch {
	case t == nil:
		return errors.New("OCSP single response: Certificate ID does not match any certificate or issuer")
	case r.expire < time.Now().Unix():
		return fmt.Errorf("OCSP single response: no longer valid. Must be valid during at least %ds.", responseSkew)
	}
	t.now.Store(r)
	return nil
}

// updates describes the responses that are fetched.
func (s *staples) updates() (lines []string) {
	list := s.waiting()
	for _, t := range s.order {
		if t.updates.fetching {
			list = slices.Insert(list, 0, t)
		}
	}
	for _, t := range list {
		u := &t.updates
		next, last := u.next, "-"
		if next == 0 {
			next = time.Now().Unix()
		}
		if u.last != 0 {
			last = logTime(u.last)
		}
		lines = append(lines, fmt.Sprintf("%x | %s | %s | %s | %d | %d | %d | %s\n", t.key, t.path, logTime(next), last, u.good, u.bad, u.status, u.describe()))
	}
	return lines
}

func logTime(unix int64) string { return time.Unix(unix, 0).Format("02/Jan/2006:15:04:05 -0700") }

// id takes the ID apart.
func (t *staple) id() (id responseID) {
	asn1.Unmarshal(t.key, &id)
	return id
}

// parseUpdateDelay is "ocsp-update.mindelay" and "ocsp-update.maxdelay".
func parseUpdateDelay(upper bool) func(*config.Loader, *ast.Line) {
	return func(l *config.Loader, line *ast.Line) {
		word, u := line.Arg(0), &of(l).update
		if line.Arg(1) == "" {
			l.Alert(line.Pos, "'%s' expects an integer argument.", word)
			return
		}
		n := int64(leadingInt(line.Arg(1)))
		switch {
		case n < 0:
			l.Alert(line.Pos, "'%s' expects a positive numeric value.", word)
		case upper && u.min > n:
			l.Alert(line.Pos, "'%s' can not be lower than tune.ssl.ocsp-update.mindelay.", word)
		case !upper && n > u.max:
			l.Alert(line.Pos, "'%s' can not be higher than tune.ssl.ocsp-update.maxdelay.", word)
		case upper:
			u.max = n
		default:
			u.min = n
		}
	}
}

// parseUpdateSwitch is "ocsp-update.mode" and "ocsp-update.disable".
func parseUpdateSwitch(set func(*updates, bool)) func(*config.Loader, *ast.Line) {
	return func(l *config.Loader, line *ast.Line) {
		switch line.Arg(1) {
		case "on", "off":
			set(&of(l).update, line.Arg(1) == "on")
		default:
			l.Warn(line.Pos, "'%s' : expecting <on|off>", line.Arg(0))
		}
	}
}

// parseUpdateProxy is "ocsp-update.httpproxy".
func parseUpdateProxy(l *config.Loader, line *ast.Line) {
	if l.TooMany(line, 1, 1) {
		return
	}
	a, err := l.Address(line.Arg(1), config.AddrPort|config.AddrStream, "")
	if err != nil || !a.IP.IsValid() {
		l.List.Alertf(line.Pos, "ocsp-update: Failed to parse destination address in %s", cmp.Or(errText(err), line.Arg(1)))
		l.Alert(line.Pos, "")
		return
	}
	of(l).update.proxy = a.IP
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
