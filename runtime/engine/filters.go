package engine

import (
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/logger"
	"hapax/runtime/sticktable"
)

// attachFront puts the frontend's filters on the stream, and attachBack the backend's. Filters that see the request begin then.
func (s *stream) attachFront() outcome {
	if s.req.rule == 0 {
		s.req.rule = 1 // not again after a wait
		s.Front.Attach(&s.Stream)
	}
	s.point(sample.FrontReqContent, sample.Request)
	return s.beginFilters(upload)
}

func (s *stream) attachBack() outcome {
	if s.req.rule == 0 {
		s.req.rule = 1
		before := [2]int{len(s.Filters.Of[upload]), len(s.Filters.Of[download])}
		s.Back.Attach(&s.Stream)
		for side := range before {
			s.Filters.Back[side] = len(s.Filters.Of[side]) - before[side]
		}
	}
	s.point(sample.BackReqContent, sample.Request)
	return s.beginFilters(upload)
}

// beginResponse lets filters that see the response begin. As on the reference, those of the backend begin twice where the
// frontend has some too.
func (s *stream) beginResponse() outcome {
	first := s.filtersBegun[download] == 0
	s.point(sample.BackResContent, sample.Response)
	o := s.beginFilters(download)
	if first && o == next && s.Front.Attach != nil {
		all := s.Filters.Of[download]
		for _, x := range all[len(all)-s.Filters.Back[download]:] {
			x.Begin(download)
		}
	}
	return o
}

// beginFilters goes on with those of a side that have not begun.
func (s *stream) beginFilters(side int) outcome {
	for all := s.Filters.Of[side]; s.filtersBegun[side] < len(all); s.filtersBegun[side]++ {
		if o := s.obey(side, all[s.filtersBegun[side]].Begin(side)); o != next {
			return o
		}
	}
	return next
}

// filterRequest and filterResponse show the heads of messages to the filters.
func (s *stream) filterRequest() outcome {
	s.point(sample.BackReqHeaders, sample.Request)
	return s.filterHead(upload, &s.req)
}

func (s *stream) filterResponse() outcome {
	s.point(sample.FrontResHeaders, sample.Response)
	return s.filterHead(download, &s.res)
}

// logFiltered lets a line that waits for nothing more be written before filters change the response.
func (s *stream) logFiltered() outcome {
	if len(s.Filters.Of[download]) > 0 {
		logger.Responded(&s.Stream)
	}
	return next
}

func (s *stream) filterHead(side int, l *lane) outcome {
	for all := s.Filters.Of[side]; l.rule < len(all); l.rule++ {
		if o := s.obey(side, all[l.rule].Head(side)); o != next {
			return o
		}
	}
	return next
}

// obey does what a filter says.
func (s *stream) obey(side int, p runtime.Passing) outcome {
	switch p {
	case runtime.Passes:
		return next
	case runtime.Holds:
		if d := s.takeWake(side); d > 0 {
			s.waits, s.WaitFor = forRule, d
			s.timer.After(d)
		}
		return wait
	}
	if side == upload {
		return s.filterFailed(400)
	}
	return s.filterFailed(502)
}

// takeWake is when a filter of a side wants to be asked again; 0: it did not say.
func (s *stream) takeWake(side int) time.Duration {
	d := s.Filters.Wake[side]
	s.Filters.Wake[side] = 0
	return d
}

// filterFailed ends a stream that a filter wants no more. A response that has come is cut off; else the status is answered.
func (s *stream) filterFailed(status int) outcome {
	s.stopWaiting()
	s.setEnd(runtime.EndProxy)
	if !s.http || s.replied || s.Status > 0 && s.filtersBegun[download] == len(s.Filters.Of[download]) {
		return s.cut()
	}
	if status == 400 {
		s.front().FailedReq.Inc()
	} else {
		sticktable.CountFailure(&s.Stream)
	}
	s.dropServer()
	return s.answerWith(s.errorReply(status))
}

// endFilters tells the filters that have begun on a side that nothing more is done with it.
func (s *stream) endFilters(side int) {
	for _, x := range s.Filters.Of[side][:s.filtersBegun[side]] {
		x.End(side)
	}
	s.filtersBegun[side] = 0
}
