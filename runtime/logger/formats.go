package logger

import "strings"

// The formats of "option httplog" and its kin (section 8.2).
const (
	HTTPFormat    = `%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r`
	HTTPSFormat   = HTTPFormat + ` %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc`
	HTTPCLFFormat = `%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl`
	TCPFormat     = `%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq`
	TCPCLFFormat  = `%{+Q}o %{-Q}ci - - [%T] "TCP " 000 %B "" "" %cp %ms %ft %b %s %Th %Tw %Tc %Tt %U %ts-- %ac %fc %bc %sc %rc %sq %bq "" "" `
)

// Variables are the formats by the names that configurations may refer to them with.
var Variables = [][2]string{
	{"HAPROXY_HTTP_CLF_LOG_FMT", HTTPCLFFormat},
	{"HAPROXY_HTTP_LOG_FMT", HTTPFormat},
	{"HAPROXY_HTTPS_LOG_FMT", HTTPSFormat},
	{"HAPROXY_TCP_CLF_LOG_FMT", TCPCLFFormat},
	{"HAPROXY_TCP_LOG_FMT", TCPFormat},
}

// Lasting are further formats that configurations may refer to. Unlike those of Variables they stay in the environment of
// the process.
var Lasting = [][2]string{{"HAPROXY_KEYLOG_FC_LOG_FMT", keyLog("fc", " ")}, {"HAPROXY_KEYLOG_BC_LOG_FMT", keyLog("bc", "  ")}}

// keyLog is the format that logs the secrets of a connection with TLS, fc or bc, as tools read them (SSLKEYLOGFILE).
func keyLog(side, gap string) string {
	random := " %[ssl_" + side + "_client_random,hex] "
	text := "CLIENT_RANDOM %[ssl_" + side + "_client_random,hex]" + gap + "%[ssl_" + side + "_session_key,hex]\n"
	secret := func(label, name string) string { return label + random + "%[ssl_" + side + "_" + name + "]" }
	lines := []string{secret("CLIENT_EARLY_TRAFFIC_SECRET", "client_early_traffic_secret")}
	for _, part := range []string{"handshake_traffic_secret", "traffic_secret_0"} {
		for _, peer := range []string{"client", "server"} {
			name := peer + "_" + part
			lines = append(lines, secret(strings.ToUpper(name), name))
		}
	}
	lines = append(lines, secret("EXPORTER_SECRET", "exporter_secret"), secret("EARLY_EXPORTER_SECRET", "early_exporter_secret"))
	return text + strings.Join(lines, "\n")
}

// lineOf names the line that set a format, as messages do.
func lineOf(format string) string {
	switch format {
	case HTTPFormat:
		return "option httplog"
	case HTTPCLFFormat:
		return "option httplog clf"
	case HTTPSFormat:
		return "option httpslog"
	case TCPFormat:
		return "option tcplog"
	case TCPCLFFormat:
		return "option tcplog clf"
	}
	return "log-format"
}
