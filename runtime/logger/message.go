package logger

import "hapax/runtime"

// send gives a message to all targets. now is the wall clock in µs, sd the structured
// data, empty for none. s is the stream that it is about, nil for other messages; profile
// is the one of "do-log", nil for those of the targets.
func (p *plan) send(w *scribe, level int, now int64, sd, body []byte, s *runtime.Stream, profile *runtime.LogProfile) {
	for _, t := range p.targets {
		if !t.takes(level) {
			continue
		}
		by := profile
		if by == nil {
			by = t.Profile
		}
		if by != nil {
			w.byProfile(t, by, level, now, sd, body, s)
			continue
		}
		w.deliver(t, t.form, w.header(&w.heads[t.index], t, t.tag, max(level, t.MinLevel), now), sd, body)
	}
}

// takes tells whether a message of a level goes to the target, and counts it for samples.
func (t *target) takes(level int) bool {
	return level <= t.Level && (t.sample == nil || t.sample.Take())
}

// byProfile sends a message as a profile wants it at the step of the stream.
func (w *scribe) byProfile(t *target, by *runtime.LogProfile, level int, now int64, sd, body []byte, s *runtime.Stream) {
	head, tag := &w.heads[t.index], t.tag
	if len(by.Tag) > 0 {
		head, tag = &w.tagged, by.Tag
		head.second = -1
	}
	if s != nil {
		if step := stepOf(by, s.LogStep); step != nil {
			if step.Drop {
				return
			}
			w.other = w.other[:0]
			if step.Format != nil {
				w.other = step.Format.Append(w.other, &s.Ctx)
				body = w.other
			}
			if n := len(w.other); step.SD != nil {
				w.other = step.SD.Append(w.other, &s.Ctx)
				sd = w.other[n:]
				if step.Format != nil {
					body = w.other[:n]
				}
			}
		}
	}
	w.deliver(t, t.form, w.header(head, t, tag, max(level, t.MinLevel), now), sd, body)
}

// stepOf is what a profile says about a step, or about any; nil when it says nothing.
func stepOf(by *runtime.LogProfile, step uint8) *runtime.ProfileStep {
	if step == stepKilled {
		step = stepError
	}
	if x := by.Steps[step]; x != nil {
		return x
	}
	return by.Steps[stepUnknown]
}

// deliver hands a message that is not empty to the target. sd is for the format that has a place for it.
func (w *scribe) deliver(t *target, form runtime.LogFormat, head, sd, body []byte) {
	if len(body) == 0 {
		return
	}
	if form != runtime.LogRFC5424 {
		sd = nil
	} else {
		sd = w.structured(sd)
	}
	for len(body) > 0 && (body[len(body)-1] == '\n' || body[len(body)-1] == 0) {
		body = body[:len(body)-1]
	}
	if !t.Sender.Send(w.loop, t.MaxLen, head, sd, body) {
		t.Dropped.Add(1)
	}
}

// structured gives the structured data as it stands before the message.
func (w *scribe) structured(sd []byte) []byte {
	for len(sd) > 0 && sd[len(sd)-1] == ' ' {
		sd = sd[:len(sd)-1]
	}
	if len(sd) == 0 {
		return noData
	}
	w.sd = append(append(w.sd[:0], sd...), ' ')
	return w.sd
}

var noData = []byte("- ")
