package compress

import (
	"hapax/runtime"
	"hapax/runtime/message"
)

// Announce changes the head of a message whose payload goes out compressed by a. The flags of the message stay as they are: they
// tell how it came.
func Announce(m *message.Message, a *runtime.Algorithm) error {
	if m.Flags&message.Chunked == 0 {
		if err := m.AddString("transfer-encoding", "chunked"); err != nil {
			return err
		}
	}
	if m.Flags&message.ContentLength != 0 {
		m.RemoveAllID(message.ContentLengthHeader)
	}
	if err := weaken(m); err != nil {
		return err
	}
	if err := vary(m); err != nil {
		return err
	}
	if a.Form == runtime.Identity {
		return nil
	}
	return m.AddString("content-encoding", a.Token)
}

// weaken makes a strong ETag a weak one: the bytes are not the same any more.
func weaken(m *message.Message) error {
	at := m.FindID(message.ETag, 0)
	if at < 0 {
		return nil
	}
	if tag := m.Value(at); len(tag) == 0 || tag[0] != '"' {
		return nil
	}
	return m.Extend(at, "W/", "")
}

// vary tells caches that the response depends on Accept-Encoding.
func vary(m *message.Message) error {
	last := -1
	for v := m.Values("vary"); v.Next(); last = v.Field {
		if message.EqualFold(v.Bytes(), "accept-encoding") {
			return nil
		}
	}
	switch {
	case last < 0:
		return m.AddString("vary", "Accept-Encoding")
	case len(m.Value(last)) == 0:
		return m.Extend(last, "", "Accept-Encoding")
	}
	return m.Extend(last, "", ",Accept-Encoding")
}
