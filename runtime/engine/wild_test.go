package engine

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"hapax/runtime"
)

// wildServer answers in HTTP/2 with frames that mostly make sense, and often do not.
type wildServer struct {
	c    net.Conn
	fr   *http2.Framer
	r    *rand.Rand
	head bytes.Buffer
	enc  *hpack.Encoder
}

// serve treats one connection.
func (s *wildServer) serve() {
	defer s.c.Close()
	s.c.SetDeadline(time.Now().Add(patience))
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(s.c, preface); err != nil {
		return
	}
	s.fr = http2.NewFramer(s.c, s.c)
	s.fr.AllowIllegalWrites = true
	s.enc = hpack.NewEncoder(&s.head)
	if s.r.IntN(20) > 0 {
		s.fr.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: uint32(s.r.IntN(4))},
			http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(s.r.IntN(1 << (4 + s.r.IntN(27))))},
			http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: uint32(s.r.IntN(2))})
	}
	for {
		f, err := s.fr.ReadFrame()
		if err != nil {
			return
		}
		id := f.Header().StreamID
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				s.fr.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			for range 1 + s.r.IntN(8) {
				if !s.act(id) {
					return
				}
			}
		case *http2.DataFrame:
			if s.r.IntN(8) > 0 && len(f.Data()) > 0 {
				s.fr.WriteWindowUpdate(id, uint32(len(f.Data())))
				s.fr.WriteWindowUpdate(0, uint32(len(f.Data())))
			}
		}
		if s.r.IntN(60) == 0 && !s.act(id) {
			return
		}
	}
}

// act sends one frame about a stream; false: the connection ends.
func (s *wildServer) act(id uint32) bool {
	r := s.r
	if r.IntN(12) == 0 {
		id += uint32(r.IntN(5)) - 2
	}
	end := r.IntN(3) == 0
	switch r.IntN(22) {
	case 0:
		s.fr.WriteRSTStream(id, http2.ErrCode(r.IntN(15)))
	case 1:
		s.fr.WriteGoAway(uint32(r.IntN(8)), http2.ErrCode(r.IntN(3)), nil)
	case 2:
		s.fr.WriteWindowUpdate(id*uint32(r.IntN(2)), uint32(r.IntN(1<<(1+r.IntN(30)))))
	case 3:
		s.fr.WriteSettings(http2.Setting{ID: http2.SettingID(r.IntN(8)), Val: uint32(r.IntN(1 << r.IntN(31)))})
	case 4:
		s.fr.WritePing(r.IntN(2) == 0, [8]byte{})
	case 5:
		junk := make([]byte, 1+r.IntN(40))
		for i := range junk {
			junk[i] = byte(r.IntN(256))
		}
		s.fr.WriteRawFrame(http2.FrameType(r.IntN(12)), http2.Flags(r.IntN(256)), id, junk)
	case 6:
		if r.IntN(3) == 0 {
			return false
		}
	case 7, 8, 9, 10, 11, 12, 13:
		s.writeHead(id, end)
	default:
		s.fr.WriteDataPadded(id, end, bytes.Repeat([]byte("x"), r.IntN(1<<r.IntN(14))), make([]byte, r.IntN(2)*r.IntN(255)))
	}
	return true
}

// writeHead sends a head, or trailers.
func (s *wildServer) writeHead(id uint32, end bool) {
	r := s.r
	s.head.Reset()
	put := func(name, value string) { s.enc.WriteField(hpack.HeaderField{Name: name, Value: value}) }
	if r.IntN(6) > 0 {
		put(":status", []string{"200", "200", "200", "404", "204", "304", "103", "101", "99", "2000"}[r.IntN(10)])
	}
	for range r.IntN(4) {
		switch r.IntN(6) {
		case 0:
			put("content-length", fmt.Sprint(r.IntN(3000)))
		case 1:
			put("Upper", "x")
		case 2:
			put("connection", "close")
		case 3:
			put("x-long", strings.Repeat("v", r.IntN(20000)))
		default:
			put("x-a", "b")
		}
	}
	block := s.head.Bytes()
	if r.IntN(15) == 0 && len(block) > 0 {
		block[r.IntN(len(block))] ^= 1 << r.IntN(8)
	}
	cut := len(block)
	if r.IntN(5) == 0 || cut > 16384 {
		cut = r.IntN(min(len(block), 16384) + 1)
	}
	s.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block[:cut], EndStream: end, EndHeaders: cut == len(block)})
	if cut < len(block) {
		s.fr.WriteContinuation(id, r.IntN(10) > 0, block[cut:])
	}
}

// TestWildServers lets clients ask servers that break the rules of HTTP/2: each request ends in time, and nothing is
// left behind.
func TestWildServers(t *testing.T) {
	const clients, each = 8, 30
	seed := seed()
	engines(t, func(t *testing.T, engine string) {
		origin, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer origin.Close()
		go func() {
			for n := uint64(0); ; n++ {
				c, err := origin.Accept()
				if err != nil {
					return
				}
				go (&wildServer{c: c, r: rand.New(rand.NewPCG(seed, n))}).serve()
			}
		}()
		rig := start(t, engine, origin.Addr().String(), func(fe, be *runtime.Proxy) {
			be.Servers[0].Proto = runtime.ProtoH2
			be.Reuse = runtime.ReuseAlways
			be.Timeout.Server, be.Timeout.Connect = 300*time.Millisecond, 300*time.Millisecond
			be.RetryOn.Set, be.RetryOn.ConnFailure, be.RetryOn.EmptyResponse = true, true, true
		})
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(1000+i)))
				client := &http.Client{Transport: &http.Transport{DisableKeepAlives: r.IntN(2) == 0}, Timeout: patience}
				defer client.CloseIdleConnections()
				for range each {
					var body io.Reader
					if r.IntN(2) == 0 {
						body = strings.NewReader(strings.Repeat("y", r.IntN(1<<r.IntN(18))))
					}
					req, _ := http.NewRequest([]string{"GET", "POST", "HEAD"}[r.IntN(3)], "http://"+rig.addr+"/", body)
					res, err := client.Do(req)
					if err == nil {
						_, err = io.Copy(io.Discard, res.Body)
						res.Body.Close()
					}
					if ne, ok := err.(net.Error); ok && ne.Timeout() {
						t.Errorf("a request did not end: %v", err)
						rig.tellStreams(t)
					}
				}
			})
		}
		wg.Wait()
		(&torture{T: t, rig: rig}).leftovers()
	})
}

// tellStreams tells what the streams wait for that are there.
func (r *rig) tellStreams(t *testing.T) {
	for _, w := range r.workers {
		w.ask(func() {
			for s := w.streams.head; s != nil; s = s.nextLive {
				t.Logf("phase %v, waits %v until %d (now %d), request step %d of %d, response step %d of %d, replied %v, head of response %v, retries %d",
					s.phase, s.waits, s.timer.Deadline(), w.loop.Now(), s.req.at, len(s.req.steps), s.res.at, len(s.res.steps), s.replied, s.resHead, s.RetriesDone)
				if s.link != nil && s.link.ex != nil {
					x := s.link.ex
					t.Logf("  stream %d, up %v, fresh %v, queued %d, of %d exchanges, connection speaks %v", x.ch.st.ID, x.up, x.fresh, x.ch.queued, x.of.n, x.of.speaks())
				}
			}
		})
	}
}
