package simulator_test

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCorpus lives the lives again that once broke something. testdata/corpus/seeds has one
// on each line, with what it showed.
func TestCorpus(t *testing.T) {
	b := open(t, "corpus")
	file, err := os.Open("testdata/corpus/seeds")
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		text, why, _ := strings.Cut(lines.Text(), " ")
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
		r := b.Run(seed)
		require.NoError(t, r.Err, "%s, which once showed: %s\n%s", r, why, tail(r.Trace, 4000))
	}
	require.NoError(t, lines.Err())
}

// TestReplay lives some lives twice, on two benches, and finds them the same to the byte.
func TestReplay(t *testing.T) {
	one, other := open(t, "replay1"), open(t, "replay2")
	for seed := range uint64(40) {
		first := one.Run(seed)
		if seed%3 == 0 {
			other.Run(seed + 1000) // what was lived before leaves nothing behind
		}
		again := other.Run(seed)
		require.Equal(t, first.Trace, again.Trace, "seed %d", seed)
		require.Equal(t, first.Digest, again.Digest)
	}
}
