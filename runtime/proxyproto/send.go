package proxyproto

import (
	"encoding/binary"
	"net/netip"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/proxyproto/header"
	"hapax/runtime/ssl/x509text"
)

// Append appends the header that a connection of the stream to its server begins with.
func Append(dst []byte, s *runtime.Stream, srv *runtime.Server) []byte {
	ctx := &s.Ctx
	if srv.SendProxy&runtime.SendProxyV2 == 0 {
		return header.AppendV1(dst, ctx.Src, ctx.Dst)
	}
	ctx.Checkpoint, ctx.Dir, ctx.Final = sample.SetServer, sample.Request, true // the request is there still
	h := header.V2{Buf: dst}
	h.Begin(ctx.Src, ctx.Dst)
	own(&h, s, srv)
	client := s.Session.TLS
	if srv.SendProxy&runtime.SendProxyChecksum != 0 {
		h.Checksum()
	}
	if client != nil && client.ALPN() != "" {
		h.Add(header.TypeALPN, client.Info().ALPN)
	}
	if srv.SendProxy&runtime.SendProxyAuthority != 0 {
		authority(&h, s.Session)
	}
	if srv.SendProxy&runtime.SendProxyUniqueID != 0 {
		h.Add(header.TypeUniqueID, uniqueID(s))
	}
	if srv.SendProxy&runtime.SendProxySSL != 0 {
		describe(&h, client, srv.SendProxy)
	}
	if space := s.Session.NetNamespace(); space != nil {
		h.Add(header.TypeNetNS, []byte(space.Name))
	}
	h.End()
	return h.Buf
}

// AppendLocal appends the header of a connection that is nobody else's: of a health
// check. src and to are its own addresses.
func AppendLocal(dst []byte, s *runtime.Stream, srv *runtime.Server, src, to netip.AddrPort) []byte {
	if srv.SendProxy&runtime.SendProxyV2 == 0 {
		return header.AppendV1(dst, src, to)
	}
	if !s.Config.Global.PP2NeverSendLocal {
		src, to = netip.AddrPort{}, netip.AddrPort{}
	}
	h := header.V2{Buf: dst}
	h.Begin(src, to)
	own(&h, s, srv)
	if srv.SendProxy&runtime.SendProxyChecksum != 0 {
		h.Checksum()
	}
	if srv.SendProxy&runtime.SendProxySSL != 0 {
		describe(&h, nil, srv.SendProxy)
	}
	h.End()
	return h.Buf
}

// own adds the extensions that the configuration words. They do not see the request, which
// the reference has handed on when it evaluates them.
func own(h *header.V2, s *runtime.Stream, srv *runtime.Server) {
	req := s.Ctx.Req
	s.Ctx.Req = nil
	defer func() { s.Ctx.Req = req }()
	for i := range srv.ProxyTLVs {
		t := &srv.ProxyTLVs[i]
		at := h.Open(t.Type)
		s.Ctx.Scratch.Reset()
		h.Buf = t.Format.Append(h.Buf, &s.Ctx)
		h.Close(at)
	}
}

// authority passes on the name of the client's own header, or that of its handshake.
func authority(h *header.V2, sess *runtime.Session) {
	if sess.Told != nil {
		if value, _, found := find(sess.Told.TLVs, header.TypeAuthority); found {
			h.Add(header.TypeAuthority, value)
			return
		}
	}
	if sess.TLS != nil && sess.TLS.SNI() != "" {
		h.Add(header.TypeAuthority, sess.TLS.Info().SNI)
	}
}

// uniqueID makes the unique id of the stream unless it has one.
func uniqueID(s *runtime.Stream) []byte {
	if f := s.Front.UniqueIDFormat.Format; f != nil && len(s.UniqueID) == 0 {
		s.Ctx.Scratch.Reset()
		s.UniqueID = f.Append(s.UniqueID[:0], &s.Ctx)
	}
	return s.UniqueID
}

// describe adds what is known of the client's TLS; nil: it speaks in clear.
func describe(h *header.V2, client runtime.TLSState, want runtime.SendProxy) {
	at := h.Open(header.TypeSSL)
	const bits, verify = 0, 1 // places in the value
	h.Buf = append(h.Buf, 0, 0, 0, 0, 0)
	if client != nil {
		what := byte(header.ClientTLS)
		text := func(kind byte, value string) {
			if value != "" {
				inner := h.Open(kind)
				h.Buf = append(h.Buf, value...)
				h.Close(inner)
			}
		}
		text(header.TypeSSLVersion, client.Version())
		mine, theirs := client.Certificates()
		if theirs != nil {
			what |= header.ClientCertSess
			binary.BigEndian.PutUint32(h.Buf[at+verify:], uint32(client.VerifyResult()))
			if !client.Resumed() {
				what |= header.ClientCertConn
			}
			if want&runtime.SendProxyCN != 0 {
				text(header.TypeSSLName, x509text.CommonName(theirs))
			}
		}
		if mine != nil && want&runtime.SendProxyKeyAlg != 0 {
			text(header.TypeSSLKeyAlg, x509text.KeyAlgorithm(mine))
		}
		if mine != nil && want&runtime.SendProxySigAlg != 0 {
			text(header.TypeSSLSigAlg, x509text.SignatureAlgorithm(mine))
		}
		if want&runtime.SendProxyCipher != 0 {
			text(header.TypeSSLCipher, client.Cipher())
		}
		h.Buf[at+bits] = what
	}
	h.Close(at)
}
