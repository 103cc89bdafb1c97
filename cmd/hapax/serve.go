package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/engine"
	"hapax/runtime/logger"
	"hapax/stats"
	"hapax/stats/command"
)

// serve runs a configuration in the foreground until a signal ends it. It
// returns the exit status.
func serve(cfg *runtime.Config, list *diag.List) int {
	table, err := commandTable(domains())
	if err != nil {
		list.Alertf(noPos, "%s", err)
		return exitError
	}
	stats := bindStats(cfg, list, nil)
	if !bindAll(cfg, list, nil) || !stats {
		list.Alertf(noPos, "[haproxy.main()] Some protocols failed to start their listeners! Exiting.")
		return exitError
	}
	e := engine.New(cfg, engine.Options{Stats: pages(cfg)})
	cfg.Stats.Started = time.Now()
	if err := logger.Start(cfg, cfg.Global.NbThread); err != nil {
		list.Alertf(noPos, "%s", err)
		return exitError
	}
	if err := e.Start(); err != nil {
		list.Alertf(noPos, "%s", err)
		return exitError
	}
	control := &command.Process{Config: cfg, Listeners: e.Control(), Streams: e.Streams(), StartLog: func() []byte { return []byte(list.Out.Log()) }}
	if _, err := serveStats(control, table); err != nil {
		list.Alertf(noPos, "%s", err)
		return exitError
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGINT)
	for {
		select {
		case sig := <-signals:
			if sig == syscall.SIGUSR1 {
				e.SoftStop()
				continue
			}
			e.Close()
			return 128 + int(sig.(syscall.Signal))
		case <-e.Stopped():
			e.Close()
			return exitOK
		}
	}
}

// pages makes the service of the statistics page.
func pages(cfg *runtime.Config) runtime.StatsService { return stats.Page(cfg) }

// bindAll opens all listeners; every one that fails is reported.
func bindAll(cfg *runtime.Config, list *diag.List, from engine.Inherited) bool {
	ok := true
	for _, px := range cfg.Proxies {
		if px.Disabled {
			continue
		}
		for _, ln := range px.Listeners {
			ok = report(engine.Bind(ln, from), ln, list) && ok
		}
	}
	return ok
}

// report prints why a listener could not be bound; it returns false when the
// process cannot start without it.
func report(err error, ln *runtime.Listener, list *diag.List) bool {
	if err == nil {
		return true
	}
	if b, ok := err.(*engine.BindError); ok && b.Warning {
		list.Warnf(ln.Bind.Pos, "%s.", err)
		return true
	}
	list.Alertf(ln.Bind.Pos, "%s.", err)
	return false
}

// noPos is the place of what is about no line.
var noPos ast.Pos
