package simulator_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/deployment/internal/simulator"
)

// seedsInCI is how many lives are lived in every run of the tests; SEEDS=n says otherwise.
const seedsInCI = 2000

func open(t *testing.T, name string) *simulator.Bench {
	t.Helper()
	b, err := simulator.Open(t.Context(), memory(t), name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// memory is a folder in memory where there is one.
func memory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "golive-sim") //nolint:usetesting // a test's own folder is on a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text, set := os.LookupEnv(name)
	if !set {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err)
	return n
}

// TestSeed lives one life, SEED, and tells all of it.
func TestSeed(t *testing.T) {
	seed := number(t, "SEED", 1)
	r := open(t, "one").Run(seed)
	if testing.Verbose() || r.Err != nil {
		t.Log("\n" + r.Trace)
	}
	require.NoError(t, r.Err)
}

// TestSeeds lives many lives. The first that breaks an invariant is told with its number.
func TestSeeds(t *testing.T) {
	first, count := number(t, "FIRST", 0), number(t, "SEEDS", seedsInCI)
	var next, steps, commits atomic.Uint64
	var lasted atomic.Int64
	next.Store(first)
	var mu sync.Mutex
	var broken []simulator.Result
	var all sync.WaitGroup
	began := time.Now()
	var before syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &before))
	for n := range min(2, runtime.NumCPU()) {
		bench := open(t, fmt.Sprintf("many%d", n))
		all.Go(func() {
			for {
				seed := next.Add(1) - 1
				mu.Lock()
				enough := len(broken) >= int(number(t, "KEEP", 1))
				mu.Unlock()
				if seed >= first+count || enough {
					return
				}
				r := bench.Run(seed)
				steps.Add(uint64(r.Steps))
				commits.Add(uint64(r.Commits))
				lasted.Add(int64(r.Lasted))
				if r.Err != nil {
					mu.Lock()
					broken = append(broken, r)
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	var after syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &after))
	lived := next.Load() - first
	cpu := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	t.Logf("%d seeds in %s, %s of CPU a seed, %d steps, %d commits and %s of the world's time each", lived, time.Since(began).Round(time.Millisecond),
		(cpu / time.Duration(lived)).Round(time.Microsecond), steps.Load()/lived, commits.Load()/lived, (time.Duration(lasted.Load()) / time.Duration(lived)).Round(time.Second))
	for _, r := range broken {
		t.Errorf("%s\n%s", r, tail(r.Trace, 4000))
	}
}

func tail(text string, n int) string { return text[max(0, len(text)-n):] }
