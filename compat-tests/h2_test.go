package compat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frames is the HTTP/2 side of a peer: what it says and hears is frames.
type frames struct {
	*http2.Framer
	head    bytes.Buffer
	encoder *hpack.Encoder

	// The last DATA frame.
	id   uint32
	end  bool
	body []byte

	ping [8]byte // the last one

	to      io.Writer
	holding bool
	held    bytes.Buffer // what is said between hold and flush
}

// Write takes what the Framer says.
func (f *frames) Write(p []byte) (int, error) {
	if f.holding {
		return f.held.Write(p)
	}
	return f.to.Write(p)
}

// flush sends what was held at once.
func (f *frames) flush() {
	f.holding = false
	f.to.Write(f.held.Bytes())
	f.held.Reset()
}

// settingNames are the settings that "h2" takes.
var settingNames = map[string]http2.SettingID{
	"table": http2.SettingHeaderTableSize, "push": http2.SettingEnablePush, "max": http2.SettingMaxConcurrentStreams,
	"window": http2.SettingInitialWindowSize, "frame": http2.SettingMaxFrameSize, "connect": http2.SettingEnableConnectProtocol,
}

// startH2 makes a peer speak HTTP/2: the side that opened the connection says the preface, the other one expects it.
func (c *peer) startH2(args []string) error {
	c.SetDeadline(time.Now().Add(patience))
	c.h2 = &frames{to: c}
	c.h2.Framer = http2.NewFramer(c.h2, c.r)
	c.h2.AllowIllegalWrites = true
	c.h2.encoder = hpack.NewEncoder(&c.h2.head)
	c.h2.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if c.accepted {
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(c.r, preface); err != nil || string(preface) != http2.ClientPreface {
			return fmt.Errorf("no preface: %q, %w", preface, err)
		}
	} else if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		return err
	}
	settings, err := settingsOf(args)
	if err != nil {
		return err
	}
	return c.h2.WriteSettings(settings...)
}

func settingsOf(args []string) ([]http2.Setting, error) {
	var settings []http2.Setting
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		v, err := strconv.Atoi(value)
		if err != nil || settingNames[name] == 0 {
			return nil, errScript
		}
		settings = append(settings, http2.Setting{ID: settingNames[name], Val: uint32(v)})
	}
	return settings, nil
}

// stepH2 is a step of a peer that speaks HTTP/2.
func (s *script) stepH2(c *peer, verb, line string, args []string, rest string) error {
	if verb == "h2" {
		return c.startH2(args)
	}
	if c.h2 == nil {
		return errScript
	}
	c.SetDeadline(time.Now().Add(patience))
	if verb == "frame" || verb == "body" {
		got, err := c.nextFrame()
		if verb == "body" {
			got, err = c.joinData(got, err, rest)
		}
		if err != nil {
			got += ending(err)
		}
		s.say(line, s.masked(got))
		return nil
	}
	if verb == "settings" {
		settings, err := settingsOf(args)
		if err != nil {
			return err
		}
		c.h2.WriteSettings(settings...)
		return nil
	}
	if verb == "hold" {
		c.h2.holding = true
		return nil
	}
	if verb == "flush" {
		c.h2.flush()
		return nil
	}
	if verb == "ping" {
		c.h2.WritePing(false, [8]byte{})
		return nil
	}
	if verb == "pinged" {
		data, err := c.waitPing()
		if err != nil {
			data = ending(err)
		}
		s.say(line, data)
		return nil
	}
	if verb == "pong" {
		c.h2.WritePing(true, c.h2.ping)
		return nil
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	id := uint32(n)
	rest = strings.TrimSpace(strings.TrimPrefix(rest, args[0]))
	switch verb {
	case "headers", "data":
		tail, end := strings.CutPrefix(rest, "end")
		if verb == "headers" {
			c.h2.writeHead(id, end, strings.TrimSpace(tail))
			return nil
		}
		b, err := text(strings.TrimPrefix(tail, " "))
		if err != nil {
			return err
		}
		for len(b) > 1<<14 {
			c.h2.WriteData(id, false, b[:1<<14])
			b = b[1<<14:]
		}
		c.h2.WriteData(id, end, b)
	case "rst", "goaway", "window":
		v, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		switch verb {
		case "rst":
			c.h2.WriteRSTStream(id, http2.ErrCode(v))
		case "goaway":
			c.h2.WriteGoAway(id, http2.ErrCode(v), nil)
		default:
			c.h2.WriteWindowUpdate(id, uint32(v))
		}
	}
	return nil
}

// writeHead sends the fields of a head, given as "name: value | name: value".
func (f *frames) writeHead(id uint32, end bool, list string) {
	f.head.Reset()
	for field := range strings.SplitSeq(list, " | ") {
		at := strings.Index(field[min(1, len(field)):], ":") + 1
		if at == 0 {
			continue
		}
		f.encoder.WriteField(hpack.HeaderField{Name: field[:at], Value: strings.TrimSpace(field[at+1:])})
	}
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: f.head.Bytes(), EndStream: end, EndHeaders: true})
}

// nextFrame is the next frame that is no SETTINGS, WINDOW_UPDATE or PING: how those come is the program's own affair.
func (c *peer) nextFrame() (string, error) {
	for {
		fr, err := c.h2.ReadFrame()
		var se http2.StreamError
		if errors.As(err, &se) {
			return fmt.Sprintf("HEADERS %d: %v\n", se.StreamID, se.Cause), nil
		}
		if err != nil {
			return "", err
		}
		switch fr := fr.(type) {
		case *http2.SettingsFrame:
			if !fr.IsAck() {
				c.h2.WriteSettingsAck()
			}
		case *http2.WindowUpdateFrame, *http2.PingFrame:
		case *http2.MetaHeadersFrame:
			var out strings.Builder
			fmt.Fprintf(&out, "HEADERS %d%s\n", fr.StreamID, endMark(fr.StreamEnded()))
			for _, field := range fr.Fields {
				fmt.Fprintf(&out, "%s: %s\n", field.Name, field.Value)
			}
			return out.String(), nil
		case *http2.DataFrame:
			c.h2.body, c.h2.end, c.h2.id = append(c.h2.body[:0], fr.Data()...), fr.StreamEnded(), fr.StreamID
			return fmt.Sprintf("DATA %d%s\n%s", fr.StreamID, endMark(fr.StreamEnded()), visible(fr.Data())), nil
		case *http2.RSTStreamFrame:
			return fmt.Sprintf("RST_STREAM %d %s\n", fr.StreamID, fr.ErrCode), nil
		case *http2.GoAwayFrame:
			return fmt.Sprintf("GOAWAY %d %s\n", fr.LastStreamID, fr.ErrCode), nil
		default:
			return fmt.Sprintf("%s\n", fr.Header()), nil
		}
	}
}

// waitPing reads up to a question whether the peer is there.
func (c *peer) waitPing() (string, error) {
	for {
		fr, err := c.h2.ReadFrame()
		if err != nil {
			return "", err
		}
		if ping, ok := fr.(*http2.PingFrame); ok && !ping.IsAck() {
			c.h2.ping = ping.Data
			return fmt.Sprintf("PING %x", ping.Data), nil
		}
	}
}

// joinData reads DATA frames of one stream until its end, or until so many bytes came: how a proxy cuts a body is its
// own affair. Credit for them is given back, but not for the last one: the program may close after it, and bytes that
// reach a closed connection turn its end into a reset.
func (c *peer) joinData(first string, err error, length string) (string, error) {
	most := 1 << 30
	if length != "" {
		most, _ = strconv.Atoi(length)
	}
	var all []byte
	for err == nil {
		if !strings.HasPrefix(first, "DATA ") {
			return fmt.Sprintf("DATA %d\n%s%s", c.h2.id, visible(all), first), nil
		}
		all = append(all, c.h2.body...)
		if n := uint32(len(c.h2.body)); n > 0 && !c.h2.end {
			c.h2.WriteWindowUpdate(0, n)
			c.h2.WriteWindowUpdate(c.h2.id, n)
		}
		if c.h2.end || len(all) >= most {
			return fmt.Sprintf("DATA %d%s\n%s", c.h2.id, endMark(c.h2.end), visible(all)), nil
		}
		first, err = c.nextFrame()
	}
	return fmt.Sprintf("DATA %d\n%s", c.h2.id, visible(all)), err
}

func endMark(end bool) string {
	if end {
		return " end"
	}
	return ""
}
