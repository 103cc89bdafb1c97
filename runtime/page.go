package runtime

// Services that answer in the place of a server, as logs name them.
const (
	ServiceStats   = "<STATS>"
	ServiceMetrics = "<PROMEX>"
	ServiceCache   = "<CACHE>"
)

// StatsAnswer is a page of the statistics, or what replaces one.
type StatsAnswer struct {
	Status   int    // 200, 303 or 403
	Type     string // content-type
	Refresh  int    // seconds for a refresh header; 0 none
	Location string // of a redirection; "" none
	Parts    Parts  // of the page; nil: it is empty
}

// StatsRequest is a request for a page of the statistics.
type StatsRequest struct {
	Proxy *Proxy // whose page it is
	URI   []byte // begins with the page's own
	Admin bool   // "stats admin" lets the client change servers
	Post  bool   // Body has what is to be changed; else the page is read
	Body  []byte
	Whole bool // Body is all of it
}

// StatsService answers requests for the statistics. It is called on a loop and must not block.
type StatsService func(StatsRequest) StatsAnswer
