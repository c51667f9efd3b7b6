// Package cputime is for benchmarks: it reports the time that this process was on a processor beside the time that passed. On
// a machine that has other work the second says little.
package cputime

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Measure begins to measure; what it returns reports milliseconds for each turn of the loop. What other processes do, PostgreSQL's too, is not in them.
func Measure(b *testing.B) (report func()) {
	b.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64((used()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op") }
}
