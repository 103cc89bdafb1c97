package loop

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Numbers of io_uring.h.
const (
	setupCQSize       = 1 << 3
	setupClamp        = 1 << 4
	setupSubmitAll    = 1 << 7
	setupSingleIssuer = 1 << 12
	setupDeferTaskrun = 1 << 13
	setupNoSQArray    = 1 << 16

	featSingleMmap = 1 << 0
	featNoDrop     = 1 << 1
	featExtArg     = 1 << 8
	featCQESkip    = 1 << 11

	enterGetEvents = 1 << 0
	enterExtArg    = 1 << 3

	sqCQOverflow = 1 << 1

	offSQRing = 0
	offSQEs   = 0x10000000

	registerPbufRing   = 22
	registerSyncCancel = 24

	sqeLink       = 1 << 2
	sqeBufferPick = 1 << 5
	sqeSkip       = 1 << 6 // no completion for success

	opPollAdd     = 6
	opSendmsg     = 9
	opAccept      = 13
	opCancel      = 14
	opConnect     = 16
	opClose       = 19
	opSend        = 26
	opRecv        = 27
	pollMulti     = 1 << 0 // in len
	acceptMulti   = 1 << 0 // in ioprio
	recvPollFirst = 1 << 0
	recvMultishot = 1 << 1
	recvBundle    = 1 << 4 // one completion for bytes in several buffers, since Linux 6.10
	cancelAll     = 1 << 0
	cancelAny     = 1 << 2

	cqeBuffer = 1 << 0
	cqeMore   = 1 << 1
)

type sqe struct {
	opcode   uint8
	flags    uint8
	ioprio   uint16
	fd       int32
	off      uint64
	addr     uint64
	len      uint32
	opFlags  uint32
	userData uint64
	bufGroup uint16
	_        uint16
	_        int32
	_        [2]uint64
}

type cqe struct {
	userData uint64
	res      int32
	flags    uint32
}

type sqOffsets struct {
	head, tail, ringMask, ringEntries, flags, dropped, array, _ uint32
	_                                                           uint64
}

type cqOffsets struct {
	head, tail, ringMask, ringEntries, overflow, cqes, flags, _ uint32
	_                                                           uint64
}

type setupParams struct {
	sqEntries, cqEntries, flags, sqThreadCPU, sqThreadIdle, features, wqFd uint32
	_                                                                      [3]uint32
	sq                                                                     sqOffsets
	cq                                                                     cqOffsets
}

type enterArg struct {
	sigmask   uint64
	sigmaskSz uint32
	_         uint32
	ts        uint64
}

type syncCancel struct {
	addr    uint64
	fd      int32
	flags   uint32
	timeout unix.Timespec
	_       [4]uint64
}

func userData(kind uint64, index, gen uint32) uint64 {
	return kind<<56 | uint64(gen)<<32 | uint64(index)
}

// pollEvents swaps the halves of poll(2) events on big-endian machines, as io_uring wants them.
func pollEvents(events uint32) uint32 {
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		return events<<16 | events>>16
	}
	return events
}
