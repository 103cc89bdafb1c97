package runtime

// Services that answer in the place of a server, as logs name them.
const (
	ServiceStats   = "<STATS>"
	ServiceMetrics = "<PROMEX>"
)

// StatsAnswer is a page of the statistics, or what replaces one.
type StatsAnswer struct {
	Status   int    // 200, 303 or 403
	Type     string // content-type
	Refresh  int    // seconds for a refresh header; 0 none
	Location string // of a redirection; "" none
	Body     []byte
}

// StatsService makes a page of the statistics of px for the given URI, which
// begins with the page's own. It is called on a loop and must not block.
type StatsService func(px *Proxy, uri []byte) StatsAnswer
