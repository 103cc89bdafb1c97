package boot_test

// The test stands outside of the package: what it imports would be initialized before it.
import (
	"os"
	"os/exec"
	"testing"

	"hapax/runtime/process/boot"
)

// The soft limit is told as it was at exec, not as Go raised it.
func TestDescriptors(t *testing.T) {
	if os.Getenv("BOOT_CHILD") != "" {
		if boot.Descriptors.Soft != 200 || boot.Descriptors.Hard < 300 {
			t.Fatalf("told %+v", boot.Descriptors)
		}
		return
	}
	cmd := exec.Command("/bin/sh", "-c", `ulimit -S -n 200; exec "$0" -test.run=TestDescriptors`, os.Args[0])
	cmd.Env = append(os.Environ(), "BOOT_CHILD=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
