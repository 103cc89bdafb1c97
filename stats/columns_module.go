package stats

import (
	"hapax/runtime"
	"hapax/stats/counter"
)

// moduleColumns are the columns behind the "-": those of TLS, HTTP/3, QUIC, HTTP/2 and HTTP/1.
var moduleColumns = []Column{
	{Name: "ssl_sess", Desc: "Total number of ssl sessions established", On: Any, Get: handshakes(func(c *runtime.TLSCounters) *counter.Counter { return &c.Sess })},
	{Name: "ssl_reused_sess", Desc: "Total number of ssl sessions reused", On: Any, Get: handshakes(func(c *runtime.TLSCounters) *counter.Counter { return &c.Reused })},
	{Name: "ssl_failed_handshake", Desc: "Total number of failed handshake", On: Any, Get: handshakes(func(c *runtime.TLSCounters) *counter.Counter { return &c.Failed })},
	{Name: "ssl_ocsp_staple", Desc: "Total number of stapled OCSP responses", On: Any, Get: absent},
	{Name: "ssl_failed_ocsp_staple", Desc: "Total number of failed OCSP stapling (expired or error)", On: Any, Get: absent},
	{Name: "h3_data", Desc: "Total number of DATA frames received", On: Proxies, Get: absent},
	{Name: "h3_headers", Desc: "Total number of HEADERS frames received", On: Proxies, Get: absent},
	{Name: "h3_cancel_push", Desc: "Total number of CANCEL_PUSH frames received", On: Proxies, Get: absent},
	{Name: "h3_push_promise", Desc: "Total number of PUSH_PROMISE frames received", On: Proxies, Get: absent},
	{Name: "h3_max_push_id", Desc: "Total number of MAX_PUSH_ID frames received", On: Proxies, Get: absent},
	{Name: "h3_goaway", Desc: "Total number of GOAWAY frames received", On: Proxies, Get: absent},
	{Name: "h3_settings", Desc: "Total number of SETTINGS frames received", On: Proxies, Get: absent},
	{Name: "h3_no_error", Desc: "Total number of H3_NO_ERROR errors received", On: Proxies, Get: absent},
	{Name: "h3_general_protocol_error", Desc: "Total number of H3_GENERAL_PROTOCOL_ERROR errors received", On: Proxies, Get: absent},
	{Name: "h3_internal_error", Desc: "Total number of H3_INTERNAL_ERROR errors received", On: Proxies, Get: absent},
	{Name: "h3_stream_creation_error", Desc: "Total number of H3_STREAM_CREATION_ERROR errors received", On: Proxies, Get: absent},
	{Name: "h3_closed_critical_stream", Desc: "Total number of H3_CLOSED_CRITICAL_STREAM errors received", On: Proxies, Get: absent},
	{Name: "h3_frame_unexpected", Desc: "Total number of H3_FRAME_UNEXPECTED errors received", On: Proxies, Get: absent},
	{Name: "h3_frame_error", Desc: "Total number of H3_FRAME_ERROR errors received", On: Proxies, Get: absent},
	{Name: "h3_excessive_load", Desc: "Total number of H3_EXCESSIVE_LOAD errors received", On: Proxies, Get: absent},
	{Name: "h3_id_error", Desc: "Total number of H3_ID_ERROR errors received", On: Proxies, Get: absent},
	{Name: "h3_settings_error", Desc: "Total number of H3_SETTINGS_ERROR errors received", On: Proxies, Get: absent},
	{Name: "h3_missing_settings", Desc: "Total number of H3_MISSING_SETTINGS errors received", On: Proxies, Get: absent},
	{Name: "h3_request_rejected", Desc: "Total number of H3_REQUEST_REJECTED errors received", On: Proxies, Get: absent},
	{Name: "h3_request_cancelled", Desc: "Total number of H3_REQUEST_CANCELLED errors received", On: Proxies, Get: absent},
	{Name: "h3_request_incomplete", Desc: "Total number of H3_REQUEST_INCOMPLETE errors received", On: Proxies, Get: absent},
	{Name: "h3_message_error", Desc: "Total number of H3_MESSAGE_ERROR errors received", On: Proxies, Get: absent},
	{Name: "h3_connect_error", Desc: "Total number of H3_CONNECT_ERROR errors received", On: Proxies, Get: absent},
	{Name: "h3_version_fallback", Desc: "Total number of H3_VERSION_FALLBACK errors received", On: Proxies, Get: absent},
	{Name: "pack_decompression_failed", Desc: "Total number of QPACK_DECOMPRESSION_FAILED errors received", On: Proxies, Get: absent},
	{Name: "qpack_encoder_stream_error", Desc: "Total number of QPACK_ENCODER_STREAM_ERROR errors received", On: Proxies, Get: absent},
	{Name: "qpack_decoder_stream_error", Desc: "Total number of QPACK_DECODER_STREAM_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_rxbuf_full", Desc: "Total number of cancelled reception due to full receiver buffer", On: Proxies, Get: absent},
	{Name: "quic_dropped_pkt", Desc: "Total number of dropped packets", On: Proxies, Get: absent},
	{Name: "quic_dropped_pkt_bufoverrun", Desc: "Total number of dropped packets because of buffer overrun", On: Proxies, Get: absent},
	{Name: "quic_dropped_parsing_pkt", Desc: "Total number of dropped packets upon parsing error", On: Proxies, Get: absent},
	{Name: "quic_socket_full", Desc: "Total number of EAGAIN error on sendto() calls", On: Proxies, Get: absent},
	{Name: "quic_sendto_err", Desc: "Total number of error on sendto() calls, EAGAIN excepted", On: Proxies, Get: absent},
	{Name: "quic_sendto_err_unknwn", Desc: "Total number of error on sendto() calls not explicitly listed", On: Proxies, Get: absent},
	{Name: "quic_sent_pkt", Desc: "Total number of sent packets", On: Proxies, Get: absent},
	{Name: "quic_lost_pkt", Desc: "Total number of lost sent packets", On: Proxies, Get: absent},
	{Name: "quic_too_short_dgram", Desc: "Total number of too short dgrams with Initial packets", On: Proxies, Get: absent},
	{Name: "quic_retry_sent", Desc: "Total number of Retry sent", On: Proxies, Get: absent},
	{Name: "quic_retry_validated", Desc: "Total number of validated Retry tokens", On: Proxies, Get: absent},
	{Name: "quic_retry_error", Desc: "Total number of Retry tokens errors", On: Proxies, Get: absent},
	{Name: "quic_half_open_conn", Desc: "Total number of half open connections", On: Proxies, Get: absentGauge},
	{Name: "quic_hdshk_fail", Desc: "Total number of handshake failures", On: Proxies, Get: absent},
	{Name: "quic_stless_rst_sent", Desc: "Total number of stateless reset packet sent", On: Proxies, Get: absent},
	{Name: "quic_conn_migration_done", Desc: "Total number of connection migration proceeded", On: Proxies, Get: absent},
	{Name: "quic_transp_err_no_error", Desc: "Total number of NO_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_internal_error", Desc: "Total number of INTERNAL_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_connection_refused", Desc: "Total number of CONNECTION_REFUSED errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_flow_control_error", Desc: "Total number of FLOW_CONTROL_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_stream_limit_error", Desc: "Total number of STREAM_LIMIT_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_stream_state_error", Desc: "Total number of STREAM_STATE_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_final_size_error", Desc: "Total number of FINAL_SIZE_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_frame_encoding_error", Desc: "Total number of FRAME_ENCODING_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_transport_parameter_error", Desc: "Total number of TRANSPORT_PARAMETER_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_connection_id_limit", Desc: "Total number of CONNECTION_ID_LIMIT_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_protocol_violation_error", Desc: "Total number of PROTOCOL_VIOLATION errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_invalid_token", Desc: "Total number of INVALID_TOKEN errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_application_error", Desc: "Total number of APPLICATION_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_crypto_buffer_exceeded", Desc: "Total number of CRYPTO_BUFFER_EXCEEDED errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_key_update_error", Desc: "Total number of KEY_UPDATE_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_aead_limit_reached", Desc: "Total number of AEAD_LIMIT_REACHED errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_no_viable_path", Desc: "Total number of NO_VIABLE_PATH errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_crypto_error", Desc: "Total number of CRYPTO_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_transp_err_unknown_error", Desc: "Total number of UNKNOWN_ERROR errors received", On: Proxies, Get: absent},
	{Name: "quic_data_blocked", Desc: "Total number of received DATA_BLOCKED frames", On: Proxies, Get: absent},
	{Name: "quic_stream_data_blocked", Desc: "Total number of received STREAM_DATA_BLOCKED frames", On: Proxies, Get: absent},
	{Name: "quic_streams_blocked_bidi", Desc: "Total number of received STREAMS_BLOCKED_BIDI frames", On: Proxies, Get: absent},
	{Name: "quic_streams_blocked_uni", Desc: "Total number of received STREAMS_BLOCKED_UNI frames", On: Proxies, Get: absent},
	{Name: "quic_ncbuf_gap_limit", Desc: "Total number of failures to add to ncbuf because of gap size limit", On: Proxies, Get: absent},
	{Name: "h2_headers_rcvd", Desc: "Total number of received HEADERS frames", On: Proxies, Get: frames(func(c *runtime.H2Counters) *counter.Own { return &c.Headers })},
	{Name: "h2_data_rcvd", Desc: "Total number of received DATA frames", On: Proxies, Get: frames(func(c *runtime.H2Counters) *counter.Own { return &c.Data })},
	{Name: "h2_settings_rcvd", Desc: "Total number of received SETTINGS frames", On: Proxies, Get: frames(func(c *runtime.H2Counters) *counter.Own { return &c.Settings })},
	{Name: "h2_rst_stream_rcvd", Desc: "Total number of received RST_STREAM frames", On: Proxies, Get: frames(func(c *runtime.H2Counters) *counter.Own { return &c.Resets })},
	{Name: "h2_goaway_rcvd", Desc: "Total number of received GOAWAY frames", On: Proxies, Get: frames(func(c *runtime.H2Counters) *counter.Own { return &c.GoAways })},
	{Name: "h2_detected_conn_protocol_errors", Desc: "Total number of connection protocol errors", On: Proxies, Get: frames(func(c *runtime.H2Counters) *counter.Own { return &c.ConnErrors })},
	{Name: "h2_detected_strm_protocol_errors", Desc: "Total number of stream protocol errors", On: Proxies, Get: frames(func(c *runtime.H2Counters) *counter.Own { return &c.StreamErrors })},
	{Name: "h2_rst_stream_resp", Desc: "Total number of RST_STREAM sent on detected error", On: Proxies, Get: frames(func(c *runtime.H2Counters) *counter.Own { return &c.ResetsSent })},
	{Name: "h2_goaway_resp", Desc: "Total number of GOAWAY sent on detected error", On: Proxies, Get: frames(func(c *runtime.H2Counters) *counter.Own { return &c.GoAwaysSent })},
	{Name: "h2_open_connections", Desc: "Count of currently open connections", On: Proxies, Get: h2Gauge(func(c *runtime.H2Counters) *counter.Own { return &c.Open })},
	{Name: "h2_backend_open_streams", Desc: "Count of currently open streams", On: Proxies, Get: h2Gauge(func(c *runtime.H2Counters) *counter.Own { return &c.OpenStreams })},
	{Name: "h2_total_connections", Desc: "Total number of connections", On: Proxies, Get: frames(func(c *runtime.H2Counters) *counter.Own { return &c.Conns })},
	{Name: "h2_backend_total_streams", Desc: "Total number of streams", On: Proxies, Get: frames(func(c *runtime.H2Counters) *counter.Own { return &c.Streams })},
	{Name: "h1_open_connections", Desc: "Count of currently open connections", On: Proxies, Get: colH1Conns},
	{Name: "h1_open_streams", Desc: "Count of currently open streams", On: Proxies, Get: colH1Streams},
	{Name: "h1_total_connections", Desc: "Total number of connections", On: Proxies, Get: colH1ConnsTotal},
	{Name: "h1_total_streams", Desc: "Total number of streams", On: Proxies, Get: colH1StreamsTotal},
	{Name: "h1_bytes_in", Desc: "Total number of bytes received", On: Proxies, Get: colH1In},
	{Name: "h1_bytes_out", Desc: "Total number of bytes send", On: Proxies, Get: colH1Out},
	{Name: "h1_spliced_bytes_in", Desc: "Total number of bytes received using kernel splicing", On: Proxies, Get: colSplicedIn},
	{Name: "h1_spliced_bytes_out", Desc: "Total number of bytes sendusing kernel splicing", On: Proxies, Get: colSplicedOut},
}

// frames is a counter of HTTP/2.
func frames(of func(*runtime.H2Counters) *counter.Own) func(*Row) Field {
	return func(r *Row) Field { return u64(counting, h2(r, of)) }
}

// h2Gauge is how many HTTP/2 connections, or streams, there are now.
func h2Gauge(of func(*runtime.H2Counters) *counter.Own) func(*Row) Field {
	return func(r *Row) Field { return u64(gauge, uint64(max(int64(h2(r, of)), 0))) }
}

// h2 sums a counter of HTTP/2. Listeners and servers do not count theirs apart.
func h2(r *Row, of func(*runtime.H2Counters) *counter.Own) uint64 {
	sum := uint64(0)
	switch r.On {
	case Frontend:
		for c := range r.Proxy.FrontCounters() {
			sum += of(&c.H2).Load()
		}
	case Backend:
		for i := range r.Proxy.Live.Back {
			sum += of(&r.Proxy.Live.Back[i].H2).Load()
		}
	}
	return sum
}

// handshakes is a counter of TLS handshakes.
func handshakes(of func(*runtime.TLSCounters) *counter.Counter) func(*Row) Field {
	return func(r *Row) Field {
		switch r.On {
		case Frontend:
			return u64(counting, of(&r.Proxy.Live.TLSFront).Load())
		case Backend:
			return u64(counting, of(&r.Proxy.Live.TLSBack).Load())
		case Server:
			return u64(counting, of(&r.Server.TLSStats).Load())
		}
		return u64(counting, of(&r.Listener.TLSStats).Load())
	}
}
