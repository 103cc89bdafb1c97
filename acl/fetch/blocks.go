package fetch

import (
	"errors"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/message"
)

// The fetches internal.htx.* describe a message as the list of blocks in which the reference stores it (HTX): a start
// line, a block for each header, the end of the headers, the data that is buffered, the end of trailers of a chunked
// body. Here they are worked out of the message as it stands, in the order of the wire.

const blockArgDoc = "a number from 0, or head, tail or first"

var blockRows = []sample.Fetch{
	blockRow("internal.htx.nbblks", "how many blocks the message has", sample.Int, "5", func(b blocks) int64 { return int64(b.count()) }),
	blockRow("internal.htx.size", "how many bytes a message may take", sample.Int, "16344", func(b blocks) int64 { return b.room }),
	blockRow("internal.htx.data", "how many bytes the blocks hold", sample.Int, "62", blocks.data),
	blockRow("internal.htx.used", "how many bytes the message takes", sample.Int, "102", blocks.used),
	blockRow("internal.htx.free", "how many bytes are left", sample.Int, "16242", blocks.free),
	blockRow("internal.htx.free_data", "how many bytes are left for one more block", sample.Int, "16234",
		func(b blocks) int64 { return max(0, b.free()-blockEntry) }),
	blockRow("internal.htx.has_eom", "whether the message is complete", sample.Bool, "1", func(b blocks) int64 {
		if b.body.Complete {
			return 1
		}
		return 0
	}),

	blockPartRow("internal.htx_blk.type", "the kind of a block", "head", "HTX_BLK_REQ_SL", sample.Str, func(b blocks, at int, _ *sample.Context) []byte {
		return blockNames[b.kind(at)]
	}),
	{Doc: doc("internal.htx_blk.size", "7.3.7", "how many bytes a block holds", args(keyword.Arg{Name: "block", Type: keyword.Str, Doc: blockArgDoc}),
		"internal.htx_blk.size(1)", blockRequest, "8"), Check: checkBlock, Out: sample.Int, From: sample.ReqHeaders | sample.ResHeaders,
		Eval: func(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
			b, ok := blocksOf(ctx, out)
			if ok {
				out.SetInt(int64(b.size(b.at(a[0].Int))))
			}
			return ok
		}},
	blockPartRow("internal.htx_blk.start_line", "the start line, if a block is one", "0", "POST / HTTP/1.1", sample.Str, startLineOf),
	blockPartRow("internal.htx_blk.hdrname", "the name of the header that a block is", "1", "x-a", sample.Str, func(b blocks, at int, _ *sample.Context) []byte {
		if b.kind(at) != blockHeader {
			return nil
		}
		return b.m.Name(at - 1)
	}),
	blockPartRow("internal.htx_blk.hdrval", "the value of the header that a block is", "1", "b c d", sample.Str, func(b blocks, at int, _ *sample.Context) []byte {
		if b.kind(at) != blockHeader {
			return nil
		}
		return b.m.Value(at - 1)
	}),
	blockPartRow("internal.htx_blk.data", "the data that a block holds", "tail", "hello", sample.Bin, func(b blocks, at int, _ *sample.Context) []byte {
		if b.kind(at) != blockData {
			return nil
		}
		return b.bytes
	}),
}

const blockRequest = "POST / HTTP/1.1\r\nX-A: b c d\r\nContent-Length: 5\r\n\r\nhello"

// blockKind is what a block holds.
type blockKind uint8

const (
	blockNone blockKind = iota
	blockRequestLine
	blockStatusLine
	blockHeader
	blockEndOfHead
	blockData
	blockEndOfTrailers
)

var blockNames = [...][]byte{[]byte("HTX_BLK_UNUSED"), []byte("HTX_BLK_REQ_SL"), []byte("HTX_BLK_RES_SL"), []byte("HTX_BLK_HDR"),
	[]byte("HTX_BLK_EOH"), []byte("HTX_BLK_DATA"), []byte("HTX_BLK_EOT")}

// Sizes that the reference counts with, in bytes, besides those at messageSize.
const (
	blockHeadRoom = 40 // of a buffer, for what describes the message
	blockEntry    = 8  // for what describes a block
)

// blocks is a message seen as blocks.
type blocks struct {
	m     *message.Message
	body  *sample.Body
	bytes []byte // what is buffered of the body
	room  int64
}

// blocksOf gives the blocks of the message in the direction of the evaluation.
func blocksOf(ctx *sample.Context, out *sample.Value) (b blocks, ok bool) {
	if ctx.Checkpoint&sample.WithoutStream != 0 {
		return b, false
	}
	b.m, ok = head(ctx, out)
	if !ok {
		return b, false
	}
	b.body = body(ctx)
	b.bytes = bodyData(ctx, b.body)
	b.room = int64(ctx.Scratch.Most() - blockHeadRoom)
	out.Flags |= sample.MayChange
	return b, true
}

// trailed tells whether trailers, though perhaps none, stand at the end: a chunked message is taken to be there as a whole.
func (b blocks) trailed() bool { return b.m.Flags&message.Chunked != 0 }

func (b blocks) count() int {
	n := 2 + len(b.m.Fields)
	if len(b.bytes) > 0 {
		n++
	}
	if b.trailed() {
		n++
	}
	return n
}

// at is the place of the block that an argument names.
func (b blocks) at(arg int64) int {
	switch arg {
	case tailBlock:
		return b.count() - 1
	case headBlock:
		return 0
	}
	return int(min(arg, int64(b.count())))
}

func (b blocks) kind(at int) blockKind {
	fields := len(b.m.Fields)
	switch {
	case at == 0 && b.m.Flags&message.Response != 0:
		return blockStatusLine
	case at == 0:
		return blockRequestLine
	case at <= fields:
		return blockHeader
	case at == fields+1:
		return blockEndOfHead
	case at == fields+2 && len(b.bytes) > 0:
		return blockData
	case at < b.count():
		return blockEndOfTrailers
	}
	return blockNone
}

func (b blocks) size(at int) int {
	switch b.kind(at) {
	case blockRequestLine, blockStatusLine:
		return startLine + int(b.m.Line[0].Len+b.m.Line[1].Len+b.m.Line[2].Len)
	case blockHeader:
		return int(b.m.Fields[at-1].Name.Len + b.m.Fields[at-1].Value.Len)
	case blockEndOfHead:
		return headEnd
	case blockEndOfTrailers:
		return bodyEnd
	case blockData:
		return len(b.bytes)
	}
	return 0
}

func (b blocks) data() int64 {
	n := 0
	for at := range b.count() {
		n += b.size(at)
	}
	return int64(n)
}

func (b blocks) used() int64 { return b.data() + blockEntry*int64(b.count()) }

func (b blocks) free() int64 { return b.room - b.used() }

func startLineOf(b blocks, at int, ctx *sample.Context) []byte {
	if kind := b.kind(at); kind != blockRequestLine && kind != blockStatusLine {
		return nil
	}
	line := ctx.Scratch.Room()
	for i, part := range b.m.Line {
		if i > 0 {
			line = append(line, ' ')
		}
		line = append(line, b.m.Bytes(part)...)
	}
	return ctx.Scratch.Take(line)
}

func blockRow(name, summary string, out sample.Type, want string, get func(b blocks) int64) sample.Fetch {
	return sample.Fetch{Doc: doc(name, "7.3.7", summary, nil, name, blockRequest, want), Out: out, From: sample.ReqHeaders | sample.ResHeaders,
		Eval: func(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
			b, ok := blocksOf(ctx, v)
			if ok {
				v.Type, v.Int = out, get(b)
			}
			return ok
		}}
}

func blockPartRow(name, summary, arg, want string, out sample.Type, get func(b blocks, at int, ctx *sample.Context) []byte) sample.Fetch {
	return sample.Fetch{Doc: doc(name, "7.3.7", summary, args(keyword.Arg{Name: "block", Type: keyword.Str, Doc: blockArgDoc}), name+"("+arg+")", blockRequest, want),
		Check: checkBlock, Out: out, From: sample.ReqHeaders | sample.ResHeaders,
		Eval: func(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
			b, ok := blocksOf(ctx, v)
			if ok {
				v.SetConst(get(b, b.at(a[0].Int), ctx))
				v.Type = out
			}
			return ok
		}}
}

// Blocks that have a name. The first block is the one where an analysis begins: the head, as long as it is there.
const (
	headBlock = -1
	tailBlock = -2
)

// checkBlock puts the number of the block in Int.
func checkBlock(_ *sample.Compiler, a []sample.Arg) error {
	switch a[0].Str {
	case "":
		return errors.New("a block position is expected (> 0) or a special block name (head, tail, first)")
	case "head", "first":
		a[0].Int = headBlock
	case "tail":
		a[0].Int = tailBlock
	default:
		n := uint32(0)
		for _, ch := range []byte(a[0].Str) {
			if ch < '0' || ch > '9' {
				return errors.New("invalid block position")
			}
			n = n*10 + uint32(ch-'0')
		}
		if int32(n) < 0 {
			return errors.New("block position must not be negative")
		}
		a[0].Int = int64(n)
	}
	return nil
}
