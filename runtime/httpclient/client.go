package httpclient

import (
	"net/netip"
	"sync"

	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/ssl"
)

// Client sends requests. It may be used from any goroutine.
type Client struct {
	cfg      *runtime.Config
	settings *settings
	px       *runtime.Proxy // serves them
	engine   Engine         // nil: nothing runs yet
	trusts   sync.Once
	asks     *Client // sends what asks about certificates; nil: this is it
}

// Engine serves connections of the program's own.
type Engine interface {
	// JoinInner takes in the proxy that serves them.
	JoinInner(px *runtime.Proxy)
	// Serve serves what comes over a socket as if a client had connected to dst by the listener. dst learns the path of a
	// URL alone, unless it is a proxy.
	Serve(ln *runtime.Listener, fd int, dst netip.AddrPort, proxy bool)
}

// Of is the client of a configuration; nil when it has none.
func Of(cfg *runtime.Config) *Client {
	c, _ := cfg.Client.(*Client)
	return c
}

// Start lets the client of a configuration send.
func Start(cfg *runtime.Config, engine Engine) {
	if c := Of(cfg); c != nil {
		for _, one := range [...]*Client{c, c.asks} {
			engine.JoinInner(one.px)
			one.engine = engine
		}
	}
}

// The names of the listeners of the proxy: the scheme decides by which of them a request comes.
const (
	clear  = "http"
	secret = "https"
)

// plain sends a request to where its connection went.
const plain = `
	option http-buffer-request
	retry-on conn-failure empty-response response-timeout
	server http 0.0.0.0
`

// encrypted does so by TLS, as all servers of the configuration have it.
const encrypted = `
	use-server <HTTPSCLIENT> if { so_name https }
	server https 0.0.0.0 ssl verify none alpn h2,http/1.1 weight 0
`

// resolving looks up the name of a host whose address is not known.
const resolving = `
	http-request set-var(txn.hc_ip) dst if { dst 0.0.0.0 }
	http-request do-resolve(txn.hc_ip,RESOLVERS) hdr(Host),host_only if { var(txn.hc_ip) -m ip 0.0.0.0 }
	http-request return status 503 if { var(txn.hc_ip) -m ip 0.0.0.0 }
	http-request capture var(txn.hc_ip) len 40
	http-request set-dst var(txn.hc_ip)
`

// logFormat is "option httplog" without the names of servers.
const logFormat = "%ci:%cp [%tr] %ft -/- %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"

// newClient makes a client whose proxy has a name, and further lines.
func newClient(l *config.Loader, s *settings, name, lines string) (*Client, error) {
	c := &Client{cfg: l.Config, settings: s}
	var err error
	c.px, err = c.proxy(l, name, lines)
	return c, err
}

// proxy makes the proxy that serves the requests. What global lines say of all servers may be wrong, which nobody is
// told of: then there is no TLS.
func (c *Client) proxy(l *config.Loader, name, lines string) (px *runtime.Proxy, err error) {
	s := c.settings
	for _, more := range []string{encrypted, ""} {
		px, err = l.Inner(name, []string{clear, secret}, lines+plain+more, func(px *runtime.Proxy) {
			px.Retries, px.Timeout.Connect = s.retries, s.connect
			px.LogGlobal, px.LogFormat.Text = true, logFormat
			for i, srv := range px.Servers {
				srv.Name = []string{"<HTTPCLIENT>", "<HTTPSCLIENT>"}[i]
			}
		})
		if err == nil {
			break
		}
	}
	return px, err
}

// encrypts tells whether requests can be sent by TLS.
func (c *Client) encrypts() bool { return len(c.px.Servers) > 1 }

// trust loads the authorities that certificates must lead to. Those of the system are many, and few programs ever ask
// for them.
func (c *Client) trust() {
	c.trusts.Do(func() {
		if c.encrypts() && !c.settings.trusting {
			ssl.Trust(c.cfg, c.px.Servers[1], c.settings.authorities)
		}
	})
}
