package process

import (
	"os"
	goruntime "runtime"
	"runtime/debug"
	"runtime/metrics"
)

// garbageRoom is how much a small heap may grow before the collector runs: with the least that
// Go allows, 4 MB, it ran after every seventy handshakes, which cost a tenth of their time and
// a third of it on a busy machine.
const garbageRoom = 16 << 20

// paceCollector sets the pace of the collector by the size of the heap, again after each of its
// cycles. A large heap doubles, as ever. Who says GOGC decides himself.
func paceCollector() {
	if os.Getenv("GOGC") == "" {
		setPace()
		onNextCycle()
	}
}

// pulse is garbage from the start: its finalizer runs once in a cycle.
type pulse struct{ _ *pulse }

func onNextCycle() {
	goruntime.SetFinalizer(&pulse{}, func(*pulse) {
		setPace()
		onNextCycle()
	})
}

func setPace() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	debug.SetGCPercent(pace(live[0].Value.Uint64()))
}

// pace is how many percent a heap of so many bytes may grow.
func pace(live uint64) int {
	const least, most = 100, 400
	return int(min(max(garbageRoom*100/max(live, 1), least), most))
}
