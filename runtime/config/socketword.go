package config

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"hapax/parser/keyword"
	"hapax/runtime"
)

// What the kernel is told of TCP sockets, of both sides.

// md5Key reads the password of "tcp-md5sig".
func md5Key(w *Words) (string, error) {
	key := w.Take()
	switch {
	case key == "":
		return "", fmt.Errorf("'tcp-md5sig' : missing TCP MD5 signature password")
	case len(key) > unix.TCP_MD5SIG_MAXKEYLEN:
		return "", fmt.Errorf("'tcp-md5sig' : password too long (at most %d characters expected)", unix.TCP_MD5SIG_MAXKEYLEN)
	}
	return key, nil
}

// congestion reads the algorithm of "cc".
func congestion(w *Words) (string, error) {
	name := w.Take()
	if name == "" {
		return "", fmt.Errorf("'cc' : missing TCP congestion control algorithm")
	}
	return name, nil
}

func socketDoc(name, ref, summary string) keyword.Doc {
	d := doc(name, ref, summary)
	d.Args = arg("value", keyword.Str)
	return d
}

// bindSocketWords are options of bind lines.
func bindSocketWords() []BindWord {
	return []BindWord{
		{Doc: socketDoc("cc", "5.1", "how congestion is met"), Parse: func(_ *Loader, w *Words, b *runtime.Bind) (err error) {
			b.Congestion, err = congestion(w)
			return err
		}},
		{Doc: socketDoc("tcp-md5sig", "5.1", "the password that signs segments"), Parse: func(_ *Loader, w *Words, b *runtime.Bind) (err error) {
			b.MD5Key, err = md5Key(w)
			return err
		}},
		{Doc: socketDoc("label", "5.1", "a name that groups sockets"), Parse: func(_ *Loader, w *Words, b *runtime.Bind) error {
			if b.Label = w.Take(); b.Label == "" {
				return fmt.Errorf("'label' : missing label")
			}
			return nil
		}},
	}
}

// serverSocketWords are options of server lines.
func serverSocketWords() []ServerWord {
	return []ServerWord{
		{Doc: socketDoc("cc", "5.2", "how congestion is met"), NotDynamic: true, Parse: func(_ *Loader, w *Words, srv *runtime.Server) (err error) {
			srv.Congestion, err = congestion(w)
			return err
		}},
		{Doc: socketDoc("tcp-md5sig", "5.2", "the password that signs segments"), NotDynamic: true, Parse: func(_ *Loader, w *Words, srv *runtime.Server) error {
			if family := srv.Addr.Load(); family == nil || family.Family != runtime.FamilyIPv4 && family.Family != runtime.FamilyIPv6 {
				if w.Take() == "" {
					return fmt.Errorf("'tcp-md5sig' : missing TCP MD5 signature password")
				}
				return nil
			}
			key, err := md5Key(w)
			srv.MD5Key = key
			return err
		}},
		serverFlag("check-via-socks4", "check through the SOCKS4 proxy", func(srv *runtime.Server) { srv.CheckViaSocks = true }),
		{Doc: keyword.Doc{Name: "socks4", Ref: "5.2", Summary: "connect through a SOCKS4 proxy", Args: arg("address", keyword.Addr)}, NotDynamic: true, Parse: socks4},
	}
}

func socks4(l *Loader, w *Words, srv *runtime.Server) error {
	value := w.Take()
	if value == "" {
		return errors.New("'socks4' expects <addr>:<port> as argument.\n")
	}
	a, err := l.Address(value, AddrResolve|AddrPort|AddrNeedPort|AddrStream, "")
	if err != nil {
		return fmt.Errorf("'socks4 %s' : %s\n", value, err)
	}
	srv.Socks = a.IP
	return nil
}
