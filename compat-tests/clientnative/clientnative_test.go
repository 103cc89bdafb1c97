// Package clientnative drives the runtime API with the library that HAProxy's own Data Plane API and Ingress
// Controller use, unchanged. It is a module of its own for what it depends on.
//
//	go test ./...                  hapax, built from this tree
//	go test ./... -oracle=PATH     another program, say haproxy
package clientnative

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haproxytech/client-native/v6/models"
	"github.com/haproxytech/client-native/v6/runtime"
	"github.com/haproxytech/client-native/v6/runtime/options"
)

var oracle = flag.String("oracle", "", "the program to test in place of hapax")

const configuration = `
global
    stats socket fd@3 level admin
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 10s
frontend f
    bind fd@4
    bind fd@5 ssl crt-list %[1]s/list
    http-request deny if { path -f %[1]s/blocked.acl }
    http-request return status 200 content-type text/plain lf-string "%%[path,map(%[1]s/routes.map,none)]" if { path_beg /map/ }
    default_backend b
backend b
    balance roundrobin
    server s1 %[2]s check inter 1h
    server s2 %[3]s check inter 1h
`

// site is a program with two servers behind it, and the client of its runtime API.
type site struct {
	*testing.T
	api             runtime.Runtime
	dir             string // of the files that the configuration names
	address, secure string // of the frontend, clear and over TLS
}

// TestClient does with the library what a control plane does, and looks at what becomes of it.
func TestClient(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		name string
		run  func(*site)
	}{
		{"process", (*site).process},
		{"stats", (*site).stats},
		{"state", (*site).state},
		{"weight", (*site).weight},
		{"address", (*site).serverAddress},
		{"health", (*site).health},
		{"dynamic", (*site).dynamic},
		{"map", (*site).mapEntries},
		{"map versions", (*site).mapVersions},
		{"acl", (*site).acl},
		{"certificate", (*site).certificate},
		{"new certificate", (*site).newCertificate},
	} {
		t.Run(c.name, func(t *testing.T) {
			own := *s
			own.T = t
			c.run(&own)
		})
	}
}

// newSite starts the program. The test opens all that it listens on, so there is no moment at which it is not there yet.
func newSite(t *testing.T) *site {
	dir := t.TempDir()
	program := *oracle
	if program == "" {
		program = filepath.Join(dir, "haproxy")
		build := exec.Command("go", "build", "-o", program, "./cmd/hapax")
		build.Dir = "../.."
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	s := &site{T: t, dir: dir}
	s.write("site.pem", pair(t, "site.test"))
	s.write("list", dir+"/site.pem\n")
	s.write("blocked.acl", "/blocked\n")
	s.write("routes.map", "/map/a one\n")
	s.write("haproxy.cfg", fmt.Sprintf(configuration, dir, s.origin("s1"), s.origin("s2")))

	socket := filepath.Join(dir, "admin.sock")
	admin, clear, secure := listen(t, "unix", socket), listen(t, "tcp4", "127.0.0.1:0"), listen(t, "tcp4", "127.0.0.1:0")
	s.address, s.secure = clear.Addr().String(), secure.Addr().String()
	cmd := exec.Command(program, "-db", "-q", "-f", filepath.Join(dir, "haproxy.cfg"))
	cmd.Stderr = os.Stderr
	for _, l := range []net.Listener{admin, clear, secure} { // descriptors 3, 4 and 5 there
		file, err := l.(interface{ File() (*os.File, error) }).File()
		s.must(err)
		defer file.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	}
	s.must(cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	api, err := runtime.New(t.Context(), options.Socket(socket), options.MapsDir(dir))
	s.must(err)
	s.api = api
	return s
}

func listen(t *testing.T, network, address string) net.Listener {
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// origin is the address of a server that answers with a name, on a connection for each request: none is left
// that keeps a server from being deleted.
func (s *site) origin(name string) string {
	l := listen(s.T, "tcp4", "127.0.0.1:0")
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		io.WriteString(w, name)
	}))
	return l.Addr().String()
}

// pair makes a certificate of a name, and its key.
func pair(t *testing.T, name string) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	model := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, model, model, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return string(append(cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...))
}

func (s *site) write(name, text string) {
	s.Helper()
	s.must(os.WriteFile(s.path(name), []byte(text), 0o600))
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) equal(what string, got, want any) {
	s.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.Fatalf("%s: %v, want %v", what, got, want)
	}
}

func (s *site) refused(what string, err error) {
	s.Helper()
	if err == nil {
		s.Fatalf("%s: no error", what)
	}
}

// get is the status and the body of an answer.
func (s *site) get(path string) (int, string) {
	s.Helper()
	res, err := http.Get("http://" + s.address + path)
	s.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	s.must(err)
	return res.StatusCode, string(body)
}

// takers counts what each server gets of forty requests.
func (s *site) takers() map[string]int {
	s.Helper()
	n := map[string]int{}
	for range 40 {
		status, name := s.get("/")
		s.equal("status", status, 200)
		n[name]++
	}
	return n
}

// taken looks at who gets requests.
func (s *site) taken(want map[string]int) {
	s.Helper()
	if got := s.takers(); !maps.Equal(got, want) {
		s.Fatalf("requests by server: %v, want %v", got, want)
	}
}

// served looks at the name in the certificate that a client gets.
func (s *site) served(sni, want string) {
	s.Helper()
	conn, err := tls.Dial("tcp", s.secure, &tls.Config{InsecureSkipVerify: true, ServerName: sni})
	s.must(err)
	defer conn.Close()
	s.equal("certificate", conn.ConnectionState().PeerCertificates[0].Subject.CommonName, want)
}

// server looks at how the program tells of a server.
func (s *site) server(name, admin, operational string) *models.RuntimeServer {
	s.Helper()
	server, err := s.api.GetServerState("b", name)
	s.must(err)
	s.equal("state of "+name, server.AdminState+" "+server.OperationalState, admin+" "+operational)
	return server
}

func (s *site) process() {
	version, err := s.api.GetVersion()
	s.must(err)
	s.equal("version", fmt.Sprint(version.Major, version.Minor, version.Patch), "3 4 0")
	if version.Commit == "" {
		s.Error("no commit")
	}
	info, err := s.api.GetInfo()
	s.must(err)
	s.equal("error", info.Error, "")
	if info.Info.Pid == nil || *info.Info.Pid == 0 {
		s.Error("no pid")
	}
	if info.Info.Version != version.Version {
		s.Errorf("version of the info %q, want %q", info.Info.Version, version.Version)
	}
}

func (s *site) stats() {
	s.equal("status", first(s.get("/")), 200)
	stats := s.api.GetStats()
	s.equal("error", stats.Error, "")
	kinds := map[string]string{}
	for _, st := range stats.Stats {
		kinds[st.Type+" "+st.Name] = st.BackendName
		if st.Name == "f" && (st.Stats.ReqTot == nil || *st.Stats.ReqTot == 0) {
			s.Error("the frontend has had no request")
		}
	}
	s.equal("proxies", kinds, map[string]string{"frontend f": "", "backend b": "", "server s1": "b", "server s2": "b"})
}

func first(status int, _ string) int { return status }

func (s *site) state() {
	servers, err := s.api.GetServersState("b")
	s.must(err)
	s.equal("servers", len(servers), 2)
	for _, out := range []string{"maint", "drain"} {
		s.must(s.api.SetServerState("b", "s2", out))
		s.server("s2", out, map[string]string{"maint": "down", "drain": "up"}[out])
		s.taken(map[string]int{"s1": 40})
		s.must(s.api.SetServerState("b", "s2", "ready"))
		s.server("s2", "ready", "up")
	}
	s.must(s.api.DisableServer("b", "s1"))
	s.server("s1", "maint", "down")
	s.taken(map[string]int{"s2": 40})
	s.must(s.api.EnableServer("b", "s1"))
	s.taken(map[string]int{"s1": 20, "s2": 20})
	s.refused("state of no server", s.api.SetServerState("b", "none", "maint"))
}

func (s *site) weight() {
	s.must(s.api.SetServerWeight("b", "s2", "0"))
	s.taken(map[string]int{"s1": 40})
	s.must(s.api.SetServerWeight("b", "s2", "3"))
	if n := s.takers(); n["s2"] < 2*n["s1"] || n["s1"] == 0 {
		s.Errorf("requests at weights 1 and 3: %v", n)
	}
	s.must(s.api.SetServerWeight("b", "s2", "100%"))
	s.taken(map[string]int{"s1": 20, "s2": 20})
}

func (s *site) serverAddress() {
	before := s.server("s2", "ready", "up")
	elsewhere, err := net.ResolveTCPAddr("tcp", s.origin("elsewhere"))
	s.must(err)
	s.must(s.api.SetServerAddr("b", "s2", elsewhere.IP.String(), elsewhere.Port))
	s.equal("port", *s.server("s2", "ready", "up").Port, elsewhere.Port)
	s.taken(map[string]int{"s1": 20, "elsewhere": 20})
	s.must(s.api.SetServerAddr("b", "s2", before.Address, int(*before.Port)))
	s.taken(map[string]int{"s1": 20, "s2": 20})
}

func (s *site) health() {
	s.must(s.api.SetServerHealth("b", "s2", "down"))
	s.server("s2", "ready", "down")
	s.taken(map[string]int{"s1": 40})
	s.must(s.api.SetServerHealth("b", "s2", "stopping"))
	s.server("s2", "ready", "stopping")
	s.must(s.api.SetServerHealth("b", "s2", "up"))
	s.server("s2", "ready", "up")
	s.taken(map[string]int{"s1": 20, "s2": 20})
	s.must(s.api.EnableServerHealth("b", "s2"))
}

func (s *site) dynamic() {
	s.must(s.api.AddServer("b", "s3", s.origin("s3")+" weight 1"))
	s.server("s3", "maint", "down")
	s.refused("server that is there", s.api.AddServer("b", "s3", "127.0.0.1:1"))
	s.must(s.api.EnableServer("b", "s3"))
	if n := s.takers(); len(n) != 3 {
		s.Errorf("requests by server: %v, want all three", n)
	}
	s.refused("deletion of a server in use", s.api.DeleteServer("b", "s3"))
	s.must(s.api.DisableServer("b", "s3"))
	_, err := s.api.ExecuteRaw("wait 10s srv-removable b/s3")
	s.must(err)
	s.must(s.api.DeleteServer("b", "s3"))
	_, err = s.api.GetServerState("b", "s3")
	s.refused("state of a server that is gone", err)
	s.taken(map[string]int{"s1": 20, "s2": 20})
}

// routed looks at what a path is mapped to.
func (s *site) routed(path, want string) {
	s.Helper()
	_, got := s.get(path)
	s.equal("map of "+path, got, want)
}

func (s *site) mapEntries() {
	m, err := s.api.GetMap("routes")
	s.must(err)
	s.equal("file", m.File, s.path("routes.map"))
	entries, err := s.api.ShowMapEntries("routes")
	s.must(err)
	s.equal("entries", len(entries), 1)
	s.equal("entry", entries[0].Key+" "+entries[0].Value, "/map/a one")
	s.routed("/map/a", "one")
	s.must(s.api.AddMapEntry("routes", "/map/b", "two"))
	s.refused("entry that is there", s.api.AddMapEntry("routes", "/map/b", "three"))
	s.routed("/map/b", "two")
	s.must(s.api.SetMapEntry("routes", "/map/b", "three"))
	s.routed("/map/b", "three")
	entry, err := s.api.GetMapEntry("routes", "/map/b")
	s.must(err)
	s.equal("entry", entry.Key+" "+entry.Value, "/map/b three")
	s.must(s.api.DeleteMapEntry("routes", "/map/b"))
	s.routed("/map/b", "none")
	s.refused("deletion of no entry", s.api.DeleteMapEntry("routes", "/map/b"))
	s.must(s.api.AddMapPayload("routes", "/map/c four\n/map/d five"))
	s.routed("/map/d", "five")
	s.must(s.api.ClearMap("routes", false))
	s.routed("/map/a", "none")
}

func (s *site) mapVersions() {
	s.must(s.api.AddMapEntry("routes", "/map/old", "old"))
	version, err := s.api.PrepareMap("routes")
	s.must(err)
	_, err = s.api.ExecuteRaw("add map @" + version + " " + s.path("routes.map") + " /map/new new")
	s.must(err)
	s.routed("/map/new", "none")
	s.must(s.api.CommitMap(version, "routes"))
	s.routed("/map/new", "new")
	s.routed("/map/old", "none")
	var many models.MapEntries // more than the library sends at a time
	for i := range 1000 {
		many = append(many, &models.MapEntry{Key: fmt.Sprintf("/map/%d", i), Value: fmt.Sprint("value", i)})
	}
	s.must(s.api.AddMapPayloadVersioned("routes", many))
	s.routed("/map/999", "value999")
}

// barred looks at whether a path is in the ACL.
func (s *site) barred(path string, want bool) {
	s.Helper()
	s.equal("denied "+path, first(s.get(path)) == http.StatusForbidden, want)
}

func (s *site) acl() {
	files, err := s.api.GetACLFiles()
	s.must(err)
	id := ""
	for _, f := range files {
		if f.StorageName == s.path("blocked.acl") {
			id = f.ID
		}
	}
	entries, err := s.api.GetACLFilesEntries(id)
	s.must(err)
	s.equal("entries", len(entries), 1)
	s.equal("entry", entries[0].Value, "/blocked")
	s.barred("/other", false)
	s.must(s.api.AddACLFileEntry(id, "/other"))
	s.barred("/other", true)
	entry, err := s.api.GetACLFileEntry(id, "/other")
	s.must(err)
	s.equal("entry", entry.Value, "/other")
	s.must(s.api.DeleteACLFileEntry(id, "/other"))
	s.barred("/other", false)
	s.refused("deletion of no entry", s.api.DeleteACLFileEntry(id, "/other"))
	s.must(s.api.AddACLAtomic("#"+id, models.ACLFilesEntries{{Value: "/third"}, {Value: "/fourth"}}))
	s.barred("/blocked", false)
	s.barred("/fourth", true)
}

func (s *site) certificate() {
	file := s.path("site.pem")
	s.served("", "site.test")
	s.must(s.api.SetCertEntry(file, pair(s.T, "renewed.test")))
	s.served("", "site.test")
	s.must(s.api.CommitCertEntry(file))
	s.served("", "renewed.test")
	s.must(s.api.SetCertEntry(file, pair(s.T, "never.test")))
	s.must(s.api.AbortCertEntry(file))
	s.refused("commit of nothing", s.api.CommitCertEntry(file))
	s.refused("what is no certificate", s.api.SetCertEntry(file, "nonsense"))
	s.served("", "renewed.test")
	cert, err := s.api.ShowCertificate(file)
	s.must(err)
	s.equal("certificate", cert.Status+" "+cert.Subject+" "+cert.SubjectAlternativeNames, "Used /CN=renewed.test DNS:renewed.test")
	s.refused("deletion of one in use", s.api.DeleteCertEntry(file))
}

func (s *site) newCertificate() {
	file, list := s.path("other.pem"), s.path("list")
	s.must(s.api.NewCertEntry(file))
	s.refused("new one that is there", s.api.NewCertEntry(file))
	s.must(s.api.SetCertEntry(file, pair(s.T, "other.test")))
	s.must(s.api.CommitCertEntry(file))
	s.served("other.test", "renewed.test")
	s.must(s.api.AddCrtListEntry(list, models.SslCrtListEntry{File: file, SNIFilter: []string{"other.test"}}))
	s.served("other.test", "other.test")
	entries, err := s.api.ShowCrtListEntries(list)
	s.must(err)
	s.equal("entries", len(entries), 2)
	s.must(s.api.DeleteCrtListEntry(list, file, nil))
	s.served("other.test", "renewed.test")
	s.must(s.api.DeleteCertEntry(file))
	certs, err := s.api.ShowCerts()
	s.must(err)
	for _, c := range certs {
		if strings.HasSuffix(c.StorageName, "other.pem") {
			s.Error("the certificate is still there")
		}
	}
}
