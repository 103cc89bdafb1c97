package sample

import "testing"

// TestValidity holds the columns that HAProxy 3.4.0 prints with -dKsmp for a fetch of each source.
func TestValidity(t *testing.T) {
	cases := []struct {
		from Source
		want string
	}{
		{Constant, "YYYYYYYYYYYYYYYYYYYYYY"},     // str
		{Internal, "YYYYYYYYYYYYYYYYYYYY.Y"},     // nbsrv
		{Listener, "YYYYYYYYYYYYYYYYYYY..."},     // so_id
		{Frontend, "YYYYYYYYYYYYYYYYYYY..."},     // fe_id
		{ClientAddr, "YYYYYYYYYYYYYYYYYYYY.."},   // src
		{ClientConn, ".YYYYYYYYYYYYYYYYYY..."},   // ssl_fc
		{ReqBuffer, "..YYYYYYYYY..........."},    // req.len
		{ReqHeaders, "..YYYYYYYYY..........."},   // path
		{ReqLine, "..YYYYYYYYYYYYYYYYY..."},      // method
		{BackendProxy, "......YYYYYYYYYYYYYY.."}, // be_id
		{ServerChosen | BackendProxy, "......YYYYYYYYYYYYYY.."},
		{ServerAddr, "...........YYYYYYYYY.."},              // bc_dst
		{ServerConn, "...........YYYYYYYYY.."},              // ssl_bc
		{ResBuffer, "...........YYYYYYY.Y.."},               // res.len
		{ResHeaders, "...........YYYYYYY.Y.."},              // res.hdr
		{ResLine, "...........YYYYYYYYY.."},                 // status
		{ReqFinal, "..YYYYYYYYYYYYYYYYY..."},                // bytes_in
		{ResFinal, ".........YYYYYYYYYY..."},                // bytes_out
		{TxnFinal, "..YYYYYYYYYYYYYYYYY..."},                // txn.timer.total
		{SessionFinal, "YYYYYYYYYYYYYYYYYYY..."},            // fc.timer.total
		{ReqHeaders | ResHeaders, "..YYYYYYYYYYYYYYYY.Y.."}, // hdr
		{ServerChosen, "..........YYYYYYYYYY.."},            // srv_id
		{ReqBody, "....YYYYYYY..........."},                 // of no fetch
		{ResBody, ".............YYYYY.Y.."},                 // of no fetch
		{Tracked, "YYYYYYYYYYYYYYYYYYY..."},                 // of no fetch
	}
	for _, c := range cases {
		got := ""
		for bit := range checkpoints {
			if c.from.ValidAt()&(1<<bit) != 0 {
				got += "Y"
			} else {
				got += "."
			}
		}
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.from, got, c.want)
		}
	}
}
