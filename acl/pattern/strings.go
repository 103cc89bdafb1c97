package pattern

import (
	"bytes"
	"hash/maphash"
	"math/bits"

	"hapax/runtime/message"
)

var seed = maphash.MakeSeed()

// stringTable is a hash table with open addressing from texts to entries. Its slots are numbers, so that the
// collector has nothing to scan in them.
type stringTable struct {
	texts   []string
	entries []*Entry
	slots   []uint32 // index into entries plus one, 0 when free
	shift   uint     // 64 minus the number of bits of a slot's index
	fold    bool
}

func newStringTable(n int, fold bool) stringTable {
	size := bits.Len(uint(n)*4/3) + 1
	return stringTable{
		texts:   make([]string, 0, n),
		entries: make([]*Entry, 0, n),
		slots:   make([]uint32, 1<<size),
		shift:   uint(64 - size),
		fold:    fold,
	}
}

// hash is the same for texts that differ only in case, with fold.
func hash(b []byte, fold bool) uint64 {
	if !fold {
		return maphash.Bytes(seed, b)
	}
	var low [64]byte
	sum := uint64(0)
	for len(b) > len(low) {
		sum = bits.RotateLeft64(sum, 5) ^ maphash.Bytes(seed, lower(low[:0], b[:len(low)]))
		b = b[len(low):]
	}
	return bits.RotateLeft64(sum, 5) ^ maphash.Bytes(seed, lower(low[:0], b))
}

// lower appends b with its ASCII letters in lower case.
func lower(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, foldByte(c))
	}
	return dst
}

func foldByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// put adds an entry under text. Entries of the same text are found in the order they were put.
func (t *stringTable) put(e *Entry, text string) {
	t.texts = append(t.texts, text)
	t.entries = append(t.entries, e)
	i := int(hash(viewBytes(text), t.fold) >> t.shift)
	for t.slots[i] != 0 {
		i = (i + 1) & (len(t.slots) - 1)
	}
	t.slots[i] = uint32(len(t.entries))
}

// get finds the first live entry of the text b.
func (t *stringTable) get(b []byte) *Entry {
	for i := int(hash(b, t.fold) >> t.shift); t.slots[i] != 0; i = (i + 1) & (len(t.slots) - 1) {
		n := t.slots[i] - 1
		if text := t.texts[n]; text == string(b) || t.fold && message.EqualFold(text, b) {
			if e := t.entries[n]; !e.gone.Load() {
				return e
			}
		}
	}
	return nil
}

// last finds the last live entry of a text.
func (t *stringTable) last(text string) (e *Entry) {
	for i := int(hash(viewBytes(text), t.fold) >> t.shift); t.slots[i] != 0; i = (i + 1) & (len(t.slots) - 1) {
		if n := t.slots[i] - 1; t.texts[n] == text && !t.entries[n].gone.Load() {
			e = t.entries[n]
		}
	}
	return e
}

// texts is an index that finds entries by their whole text.
type texts interface {
	last(text string) *Entry
}

// stringIndex is Str.
type stringIndex struct{ table stringTable }

func newStrings(entries []*Entry, fold bool) index {
	if len(entries) == 1 {
		return &oneString{entries[0].Key, entries[0], fold}
	}
	x := &stringIndex{newStringTable(len(entries), fold)}
	for _, e := range entries {
		x.table.put(e, e.Key)
	}
	return x
}

func (x *stringIndex) find(k key, _ bool) hit {
	b := k.bytes
	if !x.table.fold {
		b = upToNUL(b)
	}
	return hit{entry: x.table.get(b)}
}

func (x *stringIndex) last(text string) *Entry { return x.table.last(text) }

// oneString is Str of a single text.
type oneString struct {
	text  string
	entry *Entry
	fold  bool
}

func (x *oneString) find(k key, _ bool) hit {
	b, n := k.bytes, len(x.text)
	if !x.fold && len(b) > n && b[n] == 0 {
		b = b[:n] // as upToNUL: there is none in the text
	}
	if x.text == string(b) || x.fold && message.EqualFold(x.text, b) {
		if !x.entry.gone.Load() {
			return hit{entry: x.entry}
		}
	}
	return hit{}
}

func (x *oneString) last(text string) *Entry {
	if x.text != text || x.entry.gone.Load() {
		return nil
	}
	return x.entry
}

// upToNUL cuts b at its first NUL, where the reference's look-ups of strings end.
func upToNUL(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

// blockIndex is Bin. The patterns are decoded once; the table holds them under their bytes.
type blockIndex struct{ byBytes map[string][]*Entry }

func newBlocks(entries []*Entry) index {
	x := &blockIndex{make(map[string][]*Entry, len(entries))}
	for _, e := range entries {
		b, _ := ParseHex(e.Key)
		x.byBytes[string(b)] = append(x.byBytes[string(b)], e)
	}
	return x
}

func (x *blockIndex) find(k key, _ bool) hit {
	for _, e := range x.byBytes[string(k.bytes)] {
		if !e.gone.Load() {
			return hit{entry: e}
		}
	}
	return hit{}
}

// methodIndex is HTTPMethod: well-known methods are compared by number. Few patterns are the rule.
type methodIndex struct {
	entries []*Entry
	methods []message.Method
	fold    bool
}

func newMethods(entries []*Entry, fold bool) index {
	x := &methodIndex{entries: entries, fold: fold}
	for _, e := range entries {
		x.methods = append(x.methods, message.MethodOf([]byte(e.Key)))
	}
	return x
}

func (x *methodIndex) find(k key, _ bool) hit {
	for i, m := range x.methods {
		e := x.entries[i]
		if m != message.OtherMethod {
			if int64(m) != k.number {
				continue
			}
		} else if x.fold && !message.EqualFold(e.Key, k.bytes) || !x.fold && e.Key != string(k.bytes) {
			continue
		}
		if !e.gone.Load() {
			return hit{entry: e}
		}
	}
	return hit{}
}
