package main

import (
	"fmt"
	"io"
)

// usage lists the flags, as tools and fingers know them.
func usage(w io.Writer, program string, proxyConns int) {
	fmt.Fprintf(w, `Usage : %s [-f <cfgfile|cfgdir>]* [ -vdVD ] [ -n <maxconn> ] [ -N <maxpconn> ]
        [ -p <pidfile> ] [ -m <max megs> ] [ -C <dir> ] [-- <cfgfile>*]
        -v displays version ; -vv shows known build options.
        -vq/-vqs/-vqb only displays version, short version, branch.
        -d enters debug mode ; -db only disables background mode.
        -dM[<byte>,help,...] debug memory (no effect here)
        -dt activate traces on stderr; see '-dt help'
        -V enters verbose mode (disables quiet mode)
        -D goes daemon ; -C changes to <dir> before loading files.
        -W master-worker mode.
        -Ws master-worker mode with systemd notify support.
        -q quiet mode : don't display messages
        -c check mode : only check config files and exit
        -cc check condition : evaluate a condition and exit
        -4 force resolvers to consider IPv4 responses only
        -n sets the maximum total # of connections (uses ulimit -n)
        -m limits the usable amount of memory (in MB)
        -N sets the default, per-proxy maximum # of connections (%d)
        -L set local peer name (default to hostname)
        -p writes pids of all children to this file
        -dC[[key],line] display the configuration file, if there is a key, the file will be anonymised
        -de disables epoll() usage even when available (no effect here)
        -dp disables poll() usage even when available (no effect here)
        -dS disables splice usage
        -dG disables getaddrinfo() usage (no effect here)
        -dR disables SO_REUSEPORT usage (no effect here)
        -dL dumps loaded object files after config checks (no effect here)
        -dA[file] collects libs into a tar file at <file> (no effect here)
        -dc dumps the list of selected and evicted CPUs (no effect here)
        -dK{class[,...]} dump registered keywords (use 'help' for list)
        -dr ignores server address resolution failures
        -dV disables SSL verify on servers side
        -dW fails if any warning is emitted
        -dD diagnostic mode : warn about suspicious configuration statements
        -dX shows the lines that messages are about (always on a terminal)
        -dF disable fast-forward
        -dI enable insecure fork (no effect here)
        -dZ disable zero-copy forwarding (no effect here)
        -dT disable kTLS (no effect here)
        -sf/-st [pid ]* finishes/terminates old pids.
        -x <unix_socket> get listening sockets from a unix socket
        -S <bind>[,<bind options>...] new master CLI

`, program, proxyConns)
}
