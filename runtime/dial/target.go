package dial

import (
	"syscall"

	"hapax/runtime"
	"hapax/runtime/loop"
)

// Target is an address as something to connect to.
func Target(a *runtime.Addr) (loop.Addr, error) {
	path := a.Path
	switch a.Family {
	case runtime.FamilyIPv4, runtime.FamilyIPv6:
		return loop.AddrFrom(a.IP), nil
	case runtime.FamilyUnix:
	case runtime.FamilyAbstractZ:
		path = "\x00" + path
	case runtime.FamilyAbstract: // padded to the full length
		const pathLen = 108
		name := make([]byte, pathLen)
		copy(name[1:], path)
		path = string(name)
	default:
		return loop.Addr{}, syscall.EADDRNOTAVAIL
	}
	to, err := loop.UnixAddr(path)
	if err != nil {
		err = syscall.EINVAL
	}
	return to, err
}
