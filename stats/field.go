// Package stats shows what everything counts: one table of columns for proxies, listeners and servers, one for the
// process, and their writers: CSV, typed, JSON and the HTML page. Section 9 of the management guide.
package stats

import (
	"strconv"

	"hapax/runtime"
)

// Format is how a field's value is written.
type Format uint8

const (
	Empty Format = iota // the column has no value for this object
	S32
	U32
	U64
	Float
	Str
)

var formatNames = [...]string{"", "s32", "u32", "u64", "flt", "str"}

// Origin, Nature and Scope tag a field in typed and JSON output. Section 9.2 of the management guide.
type (
	Origin byte
	Nature byte
	Scope  byte
)

const (
	Metric  Origin = 'M'
	Status  Origin = 'S'
	Key     Origin = 'K'
	Config  Origin = 'C'
	Product Origin = 'P'

	Gauge    Nature = 'G'
	Limit    Nature = 'L'
	Max      Nature = 'M'
	Rate     Nature = 'R'
	Counter  Nature = 'C'
	Duration Nature = 'D'
	Age      Nature = 'A'
	Name     Nature = 'N'
	Output   Nature = 'O'
	Average  Nature = 'a'

	Process Scope = 'P'
	Service Scope = 'S'
)

// Tags of a field. The zero Tags are those of a gauge of the process.
type Tags struct {
	Origin Origin
	Nature Nature
	Scope  Scope
}

var (
	gauge    = Tags{Metric, Gauge, Process}
	maximum  = Tags{Metric, Max, Process}
	counting = Tags{Metric, Counter, Process}
	rating   = Tags{Metric, Rate, Process}
	aging    = Tags{Metric, Age, Process}
	lasting  = Tags{Metric, Duration, Process}
	average  = Tags{Metric, Average, Process}
	output   = Tags{Metric, Output, Process}
	limit    = Tags{Config, Limit, Process}
	key      = Tags{Key, Gauge, Process}
	serviceK = Tags{Key, Gauge, Service}
	name     = Tags{Key, Name, Service}
	named    = Tags{Config, Name, Service}
	setting  = Tags{Config, Gauge, Service}
	status   = Tags{Status, Gauge, Process}
	product  = Tags{Product, Output, Service}
	shown    = Tags{Config, Output, Service}
)

// Field is the value of one column.
type Field struct {
	Format Format
	Tags   Tags
	Int    int64 // S32, U32, U64
	Float  float64
	Str    string
}

func u32(t Tags, n int64) Field       { return Field{Format: U32, Tags: t, Int: int64(uint32(n))} }
func u64(t Tags, n uint64) Field      { return Field{Format: U64, Tags: t, Int: int64(n)} }
func s32(t Tags, n int64) Field       { return Field{Format: S32, Tags: t, Int: n} }
func text(t Tags, s string) Field     { return Field{Format: Str, Tags: t, Str: s} }
func decimal(t Tags, f float64) Field { return Field{Format: Float, Tags: t, Float: f} }
func ModeName(m runtime.Mode) string  { return [...]string{"tcp", "http", "cli", "syslog", "spop"}[m] }

// append writes the bare value.
func (f *Field) append(b []byte) []byte {
	switch f.Format {
	case Empty:
		return b
	case Str:
		return append(b, f.Str...)
	case Float:
		return appendFloat(b, f.Float)
	case U64:
		return strconv.AppendUint(b, uint64(f.Int), 10)
	}
	return strconv.AppendInt(b, f.Int, 10)
}

// appendFloat writes six digits at most, without zeroes at the end.
func appendFloat(b []byte, v float64) []byte {
	b = strconv.AppendFloat(b, v, 'f', 6, 64)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	return b
}
