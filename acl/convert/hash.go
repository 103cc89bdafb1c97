package convert

import (
	"hash/crc32"

	"github.com/cespare/xxhash/v2"
	"github.com/zeebo/xxh3"

	"hapax/acl/hash"
	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var hashRows = []sample.Converter{
	hash32("crc32", "the CRC-32 of the block, as Ethernet computes it", crc32.ChecksumIEEE, "str(abc),crc32", "891568578"),
	hash32("crc32c", "the CRC-32C of the block (Castagnoli)", castagnoli, "str(abc),crc32c", "910901175"),
	hash32("djb2", "the DJB2 hash of the block", hash.DJB2, "str(abc),djb2", "193485963"),
	hash32("sdbm", "the SDBM hash of the block", hash.SDBM, "str(abc),sdbm", "807794786"),
	hash32("wt6", "the WT6 hash of the block", hash.WT6, "str(abc),wt6", "2483038440"),
	seeded("xxh32", "the 32-bit xxHash of the block", func(b []byte, seed int64) int64 { return int64(hash.XXH32(b, uint32(seed))) },
		"str(abc),xxh32", "852579327"),
	seeded("xxh64", "the 64-bit xxHash of the block, as a signed number", func(b []byte, seed int64) int64 {
		var d xxhash.Digest
		d.ResetWithSeed(uint64(seed))
		d.Write(b)
		return int64(d.Sum64())
	}, "str(abc),xxh64", "4952883123889572249"),
	seeded("xxh3", "the 64-bit XXH3 of the block, as a signed number", func(b []byte, seed int64) int64 {
		return int64(xxh3.HashSeed(b, uint64(seed)))
	}, "str(abc),xxh3", "8696274497037089104"),
}

func hash32(name, summary string, sum func([]byte) uint32, examples ...string) sample.Converter {
	return sample.Converter{
		Doc: doc(name, summary, args(opt(keyword.Arg{Name: "avalanche", Type: keyword.Int, Doc: "not 0: the result is mixed once more"})), examples...),
		In:  sample.Bin, Out: sample.Int,
		Eval: func(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
			n := sum(v.Bytes)
			if a[0].Int != 0 {
				n = hash.Avalanche(n)
			}
			v.SetInt(int64(n))
			return true
		},
	}
}

func seeded(name, summary string, sum func(b []byte, seed int64) int64, examples ...string) sample.Converter {
	return sample.Converter{
		Doc: doc(name, summary, args(opt(keyword.Arg{Name: "seed", Type: keyword.Int, Default: "0"})), examples...),
		In:  sample.Bin, Out: sample.Int,
		Eval: func(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
			v.SetInt(sum(v.Bytes, a[0].Int))
			return true
		},
	}
}

var castagnoliTable = crc32.MakeTable(crc32.Castagnoli)

func castagnoli(b []byte) uint32 { return crc32.Checksum(b, castagnoliTable) }
