// Package grpc runs a real gRPC server and client with hapax between them. It is a module of its own for
// what it depends on.
//
//	go test ./...                  hapax, built from this tree
//	go test ./... -oracle=PATH     another program, say haproxy
package grpc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
)

var (
	oracle  = flag.String("oracle", "", "the program to test in place of hapax")
	program string
)

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "hapax-grpc")
	if err != nil {
		panic(err)
	}
	if program = *oracle; program == "" {
		program = filepath.Join(dir, "haproxy")
		build := exec.Command("go", "build", "-o", program, "./cmd/hapax")
		build.Dir, build.Stderr = "../..", os.Stderr
		if err := build.Run(); err != nil {
			panic(err)
		}
	}
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

const patience = 60 * time.Second

// site is a program between a gRPC server and its clients: over clear connections, or over TLS on both sides.
type site struct {
	conn *grpc.ClientConn
}

func newSite(t *testing.T, secure bool) *site {
	dir := t.TempDir()
	front, back := listen(t), listen(t)
	cert := certificate(t, filepath.Join(dir, "site.pem"))
	var options []grpc.ServerOption
	bind, server := "proto h2", "proto h2"
	if secure {
		options = append(options, grpc.Creds(credentials.NewServerTLSFromCert(&cert)))
		bind, server = "ssl crt "+filepath.Join(dir, "site.pem")+" alpn h2", "ssl verify none alpn h2"
	}
	gs := grpc.NewServer(options...)
	testpb.RegisterTestServiceServer(gs, interop.NewTestServer())
	go gs.Serve(back)
	t.Cleanup(gs.Stop)
	file := filepath.Join(dir, "haproxy.cfg")
	text := fmt.Sprintf(`defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 10s
frontend f
    bind fd@3 %s
    default_backend b
backend b
    http-reuse always
    server s %s %s
`, bind, back.Addr(), server)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sock, err := front.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-db", "-q", "-f", file)
	cmd.ExtraFiles, cmd.Stderr = []*os.File{sock}, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sock.Close()
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	creds := insecure.NewCredentials()
	if secure {
		creds = credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})
	}
	conn, err := grpc.NewClient(front.Addr().String(), grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &site{conn}
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// certificate makes a key and a certificate, and leaves both in a file.
func certificate(t *testing.T, path string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	model := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, model, model, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestInterop runs the cases that gRPC's own implementations are tested against each other with. They end the
// test process when they fail, and say why.
func TestInterop(t *testing.T) {
	cases := []struct {
		name string
		run  func(context.Context, testpb.TestServiceClient, ...grpc.CallOption)
	}{
		{"empty_unary", interop.DoEmptyUnaryCall},
		{"large_unary", interop.DoLargeUnaryCall},
		{"client_streaming", interop.DoClientStreaming},
		{"server_streaming", interop.DoServerStreaming},
		{"ping_pong", interop.DoPingPong},
		{"empty_stream", interop.DoEmptyStream},
		{"timeout_on_sleeping_server", interop.DoTimeoutOnSleepingServer},
		{"cancel_after_begin", interop.DoCancelAfterBegin},
		{"cancel_after_first_response", interop.DoCancelAfterFirstResponse},
		{"custom_metadata", interop.DoCustomMetadata},
		{"status_code_and_message", interop.DoStatusCodeAndMessage},
		{"special_status_message", interop.DoSpecialStatusMessage},
	}
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "clear", true: "tls"}[secure], func(t *testing.T) {
			s := newSite(t, secure)
			client := testpb.NewTestServiceClient(s.conn)
			for _, c := range cases {
				t.Run(c.name, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					c.run(ctx, client, grpc.WaitForReady(true))
				})
			}
			t.Run("at_once", func(t *testing.T) {
				for range 20 {
					for _, c := range cases[:6] {
						t.Run(c.name, func(t *testing.T) {
							t.Parallel()
							c.run(context.Background(), client, grpc.WaitForReady(true))
						})
					}
				}
			})
		})
	}
}
