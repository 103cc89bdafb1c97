package h1

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"

	"hapax/runtime/message"
)

// WebSocketKey is the value of Sec-WebSocket-Key: 16 random bytes in base64 (RFC 6455, 4.1). The zero
// value stands for none.
type WebSocketKey [24]byte

// newWebSocketKey makes a key for a handshake that has none.
func newWebSocketKey() (key WebSocketKey) {
	var random [16]byte
	rand.Read(random[:])
	base64.StdEncoding.Encode(key[:], random[:])
	return key
}

// accept is the value of Sec-WebSocket-Accept that answers the key.
func (key WebSocketKey) accept() (answer [28]byte) {
	const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	var both [len(key) + len(guid)]byte
	copy(both[copy(both[:], key[:]):], guid)
	sum := sha1.Sum(both[:])
	base64.StdEncoding.Encode(answer[:], sum[:])
	return answer
}

// KeyOf gives the key of a WebSocket handshake, the zero key when m has none.
func KeyOf(m *message.Message) (key WebSocketKey) {
	for i := m.FindID(message.SecWebSocketKey, 0); i >= 0; i = m.FindID(message.SecWebSocketKey, i+1) {
		if v := m.Value(i); len(v) == len(key) {
			return WebSocketKey(v)
		}
	}
	return key
}

const webSocketHandshake = message.ConnUpgrade | message.UpgradeWebSocket

// webSocketKey tells whether a WebSocket handshake carries its key, or the answer to the key that was
// made for it. Other messages pass.
func (p *Parser) webSocketKey(m *message.Message) bool {
	if m.Flags&webSocketHandshake != webSocketHandshake {
		return true
	}
	if !p.response {
		return KeyOf(m) != WebSocketKey{}
	}
	i := m.FindID(message.SecWebSocketAccept, 0)
	if i < 0 {
		return false
	}
	if p.key == (WebSocketKey{}) {
		return true
	}
	answer := p.key.accept()
	return message.EqualFold(m.Value(i), answer[:])
}

// appendWebSocketKey completes a WebSocket handshake that lacks its key or its answer: a peer that
// speaks another version of HTTP has none.
func (e *Encoder) appendWebSocketKey(out []byte) []byte {
	if e.haveKey || e.flags&webSocketHandshake != webSocketHandshake {
		return out
	}
	if e.flags&message.Response != 0 {
		answer := e.Key.accept()
		out = append(out, "Sec-Websocket-Accept: "...)
		out = append(out, answer[:]...)
	} else {
		e.Key = newWebSocketKey()
		out = append(out, "Sec-Websocket-Key: "...)
		out = append(out, e.Key[:]...)
	}
	return append(out, '\r', '\n')
}
