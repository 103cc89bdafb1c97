package engine

import (
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/cache"
	"hapax/runtime/loop"
	"hapax/runtime/message"
)

// answerCached makes what a cache has the response of the stream: it goes the way of a server's.
func (s *stream) answerCached() outcome {
	s.Service = runtime.ServiceCache
	s.serve()
	s.setEnd(runtime.EndLocal)
	if s.out == nil {
		s.out = s.w.loop.Buffer()
	}
	parts, err := cache.Respond(&s.Stream, s.out.Data, s.resFields)
	if err != nil {
		return s.answerWith(s.errorReply(500))
	}
	s.out.Data = s.Res.Buf
	s.parts = parts
	s.Ctx.ResBody = sample.Body{Complete: true, Own: true}
	if parts != nil {
		s.takeBody()
	}
	s.resHead = true
	s.outAt, s.outEnd = len(s.out.Data), len(s.out.Data)
	s.Status, s.ServerStatus = int(s.Res.Status), int(s.Res.Status)
	s.Ctx.Res, s.Ctx.ResVersion = &s.Res, s.Req.VersionNumber()
	s.ReqToServer += headSize(&s.Req)
	s.ResFromServer += headSize(&s.Res)
	s.toCli.chunkedIn = s.Res.Flags&(message.Chunked|message.BodylessResponse) == message.Chunked
	s.toCli.dec.StartFramed()
	s.toCli.dec.Finish()
	s.countStatus(s.Status)
	s.runResponse()
	return end
}

// takeBody takes as much of the body as a buffer holds, for the rules to see it.
func (s *stream) takeBody() {
	s.resBody = s.w.loop.Buffer()
	room := cap(s.resBody.Data) - s.w.limits.rewrite
	b, last := s.resBody.Data[:0:room], false
	for !last && len(b) < room {
		b, last = s.parts(b)
	}
	if s.resBody.Data = b; last {
		s.parts = nil
	}
	s.Ctx.ResBody = sample.Body{Data: b, Complete: last, Own: true}
}

// sendCached sends the head of such a response, and begins with its body.
func (s *stream) sendCached(head *loop.Buffer) {
	switch {
	case s.requestCut():
		s.parts = nil
		if head != nil {
			head.Release() // nobody is told
		}
	case s.toCli.skip:
		s.parts = nil
		flush(&s.c.sock, head)
	case s.resBody == nil:
		s.sendPart(head, nil)
	default:
		s.sendPart(head, s.resBody.Data)
		if s.parts != nil {
			if s.phase == full {
				s.listen() // to notice a client that leaves
			}
			s.giveParts()
			return
		}
	}
	s.replyDone()
}
