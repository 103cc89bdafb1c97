package logger

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
