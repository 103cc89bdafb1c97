package engine

import "hapax/runtime"

// claim lets others use a shared connection that the stream has chosen or made, as far as
// the backend's http-reuse allows. Section 4.2 "http-reuse": a stream that is held up holds
// up those of other clients, so safe does not mix them.
func (s *stream) claim(k *link, fresh bool) {
	switch mode := s.Back.Reuse; {
	case k.private, mode == runtime.ReuseSafe:
		s.c.conn().own(k)
	case mode == runtime.ReuseAlways || !fresh:
		s.w.offer(k)
	}
}

// own makes a connection one that only the client uses.
func (c *client) own(k *link) {
	if k.owner != nil {
		return
	}
	k.owner = c
	p := &c.owned
	for *p != nil {
		p = &(*p).nextOwned
	}
	*p = k
}

// disown ends that.
func (k *link) disown() {
	c := k.owner
	if c == nil {
		return
	}
	k.wake()
	for p := &c.owned; *p != nil; p = &(*p).nextOwned {
		if *p == k {
			*p = k.nextOwned
			break
		}
	}
	k.owner, k.nextOwned = nil, nil
}

// keepOwn keeps an idle connection for the client's next requests, as long as there are no
// more of them than "max-session-srv-conns" allows.
func (c *client) keepOwn(k *link) {
	if c.closed || c.end != nil || int(c.idleOwned) >= c.Front.MaxOwnConns {
		k.abort()
		return
	}
	c.own(k)
	k.resting = true
	c.idleOwned++
	k.srv.Stats[k.w.id].IdleOwned.Inc()
}

// wake ends the rest of a connection that its client keeps idle.
func (k *link) wake() {
	if k.resting {
		k.resting = false
		k.owner.idleOwned--
		k.srv.Stats[k.w.id].IdleOwned.Dec()
	}
}

// ownLink finds a connection of the client's own that leads to the server and was made for
// the same. As in the reference, it does not wait for one that is on its way.
func (s *stream) ownLink(srv *runtime.Server, key []byte) *link {
	c := s.c.conn()
	for k := c.owned; k != nil; k = k.nextOwned {
		if k.srv != srv || !k.up || k.key() != string(key) || !k.carries() {
			continue
		}
		k.wake()
		return k
	}
	return nil
}

// dropIdle closes the connections to a server that the client keeps idle.
func (c *client) dropIdle(srv *runtime.Server) {
	for k := c.owned; k != nil; {
		next := k.nextOwned
		if k.resting && k.srv == srv {
			k.abort()
		}
		k = next
	}
}

// dropOwned closes the connections that nobody else may use, or leaves those in use to
// themselves.
func (c *client) dropOwned() {
	for k := c.owned; k != nil; k = c.owned {
		if k.resting {
			k.abort()
			continue
		}
		k.disown()
	}
}
