package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ruleScenarios are the rows about rules and maps.
var ruleScenarios = []scenario{
	{name: "200 rules, keep-alive: CPU us per request", config: threads(1, manyRules()), measure: shop, format: micros},
	{name: "map of 1,000,000 strings: CPU seconds to load", config: mapped("str"), prepare: writeStrings, measure: loading, format: seconds},
	{name: "map of 1,000,000 strings: MiB of memory", config: mapped("str"), prepare: writeStrings, measure: memory, format: whole},
	{name: "map of 1,000,000 strings: CPU us per request", config: mapped("str"), prepare: writeStrings, measure: shop, format: micros},
	{name: "map of 100,000 networks: CPU seconds to load", config: mapped("ip"), prepare: writeNetworks, measure: loading, format: seconds},
	{name: "map of 100,000 networks: MiB of memory", config: mapped("ip"), prepare: writeNetworks, measure: memory, format: whole},
	{name: "map of 100,000 networks: CPU us per request", config: mapped("ip"), prepare: writeNetworks, measure: shop, format: micros},
	{name: "stick table, 1,000,000 keys: CPU us per request", config: threads(1, tracking), measure: keepAlive, format: micros},
}

// tracking is a frontend that limits the rate of each of very many clients.
const tracking = `frontend f
    bind %s
    stick-table type integer size 1m expire 1h store http_req_rate(10s)
    http-request track-sc0 rand(1000000)
    http-request deny if { sc_http_req_rate(0) gt 1000 }
    default_backend b
backend b
    server s %s
`

// manyRules is a frontend with 200 rules, of which a request meets nearly all: 50 each about headers, paths, regular
// expressions and networks.
func manyRules() string {
	var b strings.Builder
	b.WriteString("frontend f\n    bind %s\n")
	for i := range 50 {
		fmt.Fprintf(&b, "    http-request set-header x-tenant-class c%d if { req.hdr(x-tenant) tenant%d }\n", i, i)
		fmt.Fprintf(&b, "    http-request deny if { path_beg /forbidden%d/ }\n", i)
		fmt.Fprintf(&b, "    http-request set-var(txn.shop) int(%d) if { path_reg ^/shop%d/[a-z]+/[0-9]{1,6}$ }\n", i, i)
		fmt.Fprintf(&b, "    http-request set-log-level debug if { src 10.%d.0.0/16 192.168.%d.0/24 }\n", i, i)
	}
	return b.String() + "    default_backend b\nbackend b\n    server s %s\n"
}

// mapped is a frontend that asks a map about each request, by a header or by the address of the client. MAPS is where
// the maps are.
func mapped(kind string) string {
	ask := "req.hdr(host),map_str(MAPS/strings.map,none)"
	if kind == "ip" {
		ask = "req.hdr_ip(x-client),map_ip(MAPS/networks.map,none)"
	}
	return threads(1, "frontend f\n    bind %s\n    http-request set-header x-found %%["+ask+"]\n    default_backend b\nbackend b\n    server s %s\n")
}

func writeStrings(dir string) error {
	return writeMap(filepath.Join(dir, "strings.map"), 1_000_000, func(i int) string {
		return fmt.Sprintf("host%d.example.org backend%d", i, i%100)
	})
}

func writeNetworks(dir string) error {
	return writeMap(filepath.Join(dir, "networks.map"), 100_000, func(i int) string {
		n := i * 40503
		return fmt.Sprintf("%d.%d.%d.0/24 country%d", 1+n>>16%223, n>>8&255, n&255, i%200)
	})
}

// writeMap writes a map that is not there yet.
func writeMap(path string, lines int, line func(i int) string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for i := range lines {
		fmt.Fprintln(w, line(i))
	}
	return w.Flush()
}

func shop(b *bench, p *process, _ float64) (float64, error) {
	return b.perRequest(p, "-c64", "-t1", "-H", "Host: host654321.example.org", "-H", "X-Client: 10.20.30.40", "-H", "X-Tenant: tenant49", p.url("/shop49/shoes/123456"))
}

// loading is the CPU that the program took until it had answered once.
func loading(_ *bench, p *process, _ float64) (float64, error) {
	if err := p.request(); err != nil {
		return 0, err
	}
	t, err := p.cpu()
	return t.Seconds(), err
}

// memory is what the program holds once it has answered.
func memory(_ *bench, p *process, _ float64) (float64, error) {
	if err := p.request(); err != nil {
		return 0, err
	}
	n, err := p.resident()
	return float64(n) / (1 << 20), err
}

func seconds(v float64) string { return fmt.Sprintf("%.2f", v) }
