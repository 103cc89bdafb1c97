package parser

// Predicates answers what the conditions of .if, .elif and -cc ask of the program.
type Predicates struct {
	Version string // "3.4.0": what version_atleast and version_before compare with
	// Features lists what was built in: "+OPENSSL", "-LUA".
	Features []string
	// Enabled answers enabled(POLL), EPOLL, KQUEUE, EVPORTS, SPLICE, GETADDRINFO, REUSEPORT, FAST-FORWARD and
	// SERVER-SSL-VERIFY-NONE. May be nil: nothing is enabled.
	Enabled func(option string) bool
	// SSLVersion is what openssl_version_atleast and openssl_version_before compare with: "3.0.17". Empty: there is
	// no such library, and these predicates are refused.
	SSLVersion string
	// SSLName is the library's name with its version, as ssllib_name_startswith compares it: "OpenSSL 3.0.17".
	SSLName string
	// AWSLC is the number of the AWS-LC interface, 0 when the library is another one: the predicates are refused.
	AWSLC int
}

// Evaluate decides a condition. Variables in text are already replaced. An empty condition is false.
// at is the offset in text that an error is about.
func (p *Predicates) Evaluate(text string, env *Env) (ok bool, at int, err error) {
	return false, 0, nil
}
