package acl

// predefined are the ACLs that every proxy knows (configuration manual, 7.4). One of the same name in the
// configuration takes its place.
var predefined = []struct {
	name  string
	words []string
}{
	{"TRUE", []string{"always_true"}},
	{"FALSE", []string{"always_false"}},
	{"LOCALHOST", []string{"src", "127.0.0.1/8", "::1"}},
	{"HTTP", []string{"req.proto_http"}},
	{"HTTP_1.0", []string{"req.ver", "1.0"}},
	{"HTTP_1.1", []string{"req.ver", "1.1"}},
	{"HTTP_2.0", []string{"req.ver", "2.0"}},
	{"HTTP_3.0", []string{"req.ver", "3.0"}},
	{"METH_CONNECT", []string{"method", "CONNECT"}},
	{"METH_DELETE", []string{"method", "DELETE"}},
	{"METH_GET", []string{"method", "GET", "HEAD"}},
	{"METH_HEAD", []string{"method", "HEAD"}},
	{"METH_OPTIONS", []string{"method", "OPTIONS"}},
	{"METH_POST", []string{"method", "POST"}},
	{"METH_PUT", []string{"method", "PUT"}},
	{"METH_TRACE", []string{"method", "TRACE"}},
	{"HTTP_URL_ABS", []string{"url_reg", "^[^/:]*://"}},
	{"HTTP_URL_SLASH", []string{"url_beg", "/"}},
	{"HTTP_URL_STAR", []string{"url", "*"}},
	{"HTTP_CONTENT", []string{"req.hdr_val(content-length)", "gt", "0"}},
	{"RDP_COOKIE", []string{"req.rdp_cookie_cnt", "gt", "0"}},
	{"REQ_CONTENT", []string{"req.len", "gt", "0"}},
	{"WAIT_END", []string{"wait_end"}},
}

// Predefined gives the names of the ACLs that every proxy knows.
func Predefined() []string {
	names := make([]string, len(predefined))
	for i, p := range predefined {
		names[i] = p.name
	}
	return names
}
