package main

import (
	"fmt"
	goruntime "runtime"
	"strings"

	"golang.org/x/sys/unix"

	"hapax/runtime/dial"
	"hapax/runtime/loop"
	"hapax/runtime/lua"
)

const (
	// version is the release of HAProxy that the program takes the place of: what
	// it says where tools look for one.
	version = "3.4.0"
	branch  = "3.4"
	date    = "2026/06/03" // of that release

	// What files and tools ask about the TLS library is answered as by the one that
	// the words, names and numbers of runtime/ssl are those of.
	sslVersion = "3.0.22"
	sslName    = "OpenSSL " + sslVersion
)

// features are what "feature(X)" of conditions and -vv claim: a file that depends
// on one of those with a plus works.
var features = strings.Fields("-51DEGREES +ACCEPT4 -ACME -BACKTRACE -CLOSEFROM +CPU_AFFINITY +CRYPT_H -DEVICEATLAS -DL -ECH -ENGINE +EPOLL -EVPORTS " +
	"+GETADDRINFO +HAVE_TCP_MD5SIG -KQUEUE -KTLS -LIBATOMIC +LIBCRYPT +LINUX_CAP +LINUX_SPLICE +LINUX_TPROXY +LUA -MATH -MEMORY_PROFILING " +
	"-NETFILTER +NS -OBSOLETE_LINKER +OPENSSL -OPENSSL_AWSLC -OPENSSL_WOLFSSL -OT -PCRE +PCRE2 -PCRE2_JIT -PCRE_JIT +POLL +PRCTL -PROCCTL -PROMEX " +
	"-PTHREAD_EMULATION -QUIC -QUIC_OPENSSL_COMPAT +RT -SHM_OPEN +SLZ +SSL -STATIC_PCRE -STATIC_PCRE2 +TFO +THREAD -THREAD_DUMP +TPROXY -TRACE " +
	"-WURFL -ZLIB")

// detected are features that depend on the system.
func detected() []string {
	if dial.CanSign() {
		return []string{"+HAVE_WORKING_TCP_MD5SIG"}
	}
	return nil
}

// greeting is what -v prints. Tools read the version from the first line.
func greeting() string {
	text := "HAProxy version " + version + " " + date + " - hapax, a load balancer that reads haproxy.cfg\n" +
		"Status: not the original program: an independent implementation of it in Go.\n"
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		text += fmt.Sprintf("Running on: %s %s %s %s\n", unix.ByteSliceToString(u.Sysname[:]), unix.ByteSliceToString(u.Release[:]),
			unix.ByteSliceToString(u.Version[:]), unix.ByteSliceToString(u.Machine[:]))
	}
	return text
}

// versionText is what a flag that begins with -v prints.
func versionText(flag string) string {
	switch flag {
	case "-vq", "-vqs":
		return version + "\n"
	case "-vqb":
		return branch + "\n"
	}
	if strings.HasPrefix(flag, "-vv") {
		return greeting() + build()
	}
	return greeting()
}

// build is what -vv adds: what the program is made of and can do.
func build() string {
	loopName, other := loopName()
	return fmt.Sprintf(`Build options : 
  TARGET  = %s-%s
  CC      = %s
  CFLAGS  = 
  OPTIONS = 
  DEBUG   = 

Feature list : %s
Detected feature list : %s

Default settings :
  bufsize = 16384, maxrewrite = 1024, maxpollevents = 200

Built with multi-threading support (MAX_TGROUPS=1, MAX_THREADS=1024, default=%d).
Built with SSL library version : %s (words and names; the protocol is crypto/tls of %s)
Running on SSL library version : %s (words and names; the protocol is crypto/tls of %s)
SSL library supports TLS extensions : yes
SSL library supports SNI : yes
SSL library default verify directory : /etc/ssl/certs
SSL library supports : TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3
Built with Lua version : %s
Built with network namespace support.
Built with transparent proxy support using: IP_TRANSPARENT IPV6_TRANSPARENT
Compression algorithms supported : identity("identity"), deflate("deflate"), raw-deflate("deflate"), gzip("gzip")
Built with regular expressions of Go (RE2) and of regexp2 where RE2 has not enough
Encrypted password support via crypt(3): yes

Available polling systems :
%sTotal: %d (%d usable), will use %s.

Available multiplexer protocols :
(protocols marked as <default> cannot be specified using 'proto' keyword)
  <default> : mode=HTTP  side=FE|BE  mux=H1    flags=HTX
         h1 : mode=HTTP  side=FE|BE  mux=H1    flags=HTX|NO_UPG
  <default> : mode=TCP   side=FE|BE  mux=PASS  flags=
       none : mode=TCP   side=FE|BE  mux=PASS  flags=NO_UPG

Available services : none
Available filters :

`, goruntime.GOOS, goruntime.GOARCH, goruntime.Version(), strings.Join(features, " "), strings.Join(detected(), " "), goruntime.NumCPU(),
		sslName, goruntime.Version(), sslName, goruntime.Version(), lua.Version, other.table, other.total, other.usable, loopName)
}

// engines tells about the engines of the event loop.
type engines struct {
	table         string
	total, usable int
}

// loopName is the engine that loops of this process will use, found by making one.
func loopName() (name string, all engines) {
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	all.total = 2
	for _, e := range []struct {
		kind       string
		preference int
	}{{loop.Uring, 400}, {loop.Epoll, 300}} {
		result := "FAILED"
		if l, err := loop.New(loop.Options{Engine: e.kind}); err == nil {
			result = "OK"
			all.usable++
			if name == "" {
				name = l.Name()
			}
			l.Close()
		}
		all.table += fmt.Sprintf("%11s : pref=%d,  test result %s\n", e.kind, e.preference, result)
	}
	return name, all
}
