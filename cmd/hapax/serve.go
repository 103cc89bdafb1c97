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
)

// serve runs a configuration in the foreground until a signal ends it. It
// returns the exit status.
func serve(cfg *runtime.Config, list *diag.List) int {
	if !bindAll(cfg, list) {
		return exitError
	}
	e := engine.New(cfg, engine.Options{})
	cfg.Stats.Started = time.Now()
	if err := logger.Start(cfg, cfg.Global.NbThread); err != nil {
		list.Alertf(noPos, "%s", err)
		return exitError
	}
	if err := e.Start(); err != nil {
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

// bindAll opens all listeners; every one that fails is reported.
func bindAll(cfg *runtime.Config, list *diag.List) bool {
	ok := true
	for _, px := range cfg.Proxies {
		if px.Disabled {
			continue
		}
		for _, ln := range px.Listeners {
			switch err := engine.Bind(ln, nil).(type) {
			case nil:
			case *engine.BindError:
				if err.Warning {
					list.Warnf(ln.Bind.Pos, "%s.", err)
					continue
				}
				list.Alertf(ln.Bind.Pos, "%s.", err)
				ok = false
			default:
				list.Alertf(ln.Bind.Pos, "%s.", err)
				ok = false
			}
		}
	}
	if !ok {
		list.Alertf(noPos, "[haproxy.main()] Some protocols failed to start their listeners! Exiting.")
	}
	return ok
}

// noPos is the place of what is about no line.
var noPos ast.Pos
