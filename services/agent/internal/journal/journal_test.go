package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/agent/internal/journal"
)

func open(t *testing.T, path string) (*journal.Journal, []string, int64) {
	t.Helper()
	var seen []string
	j, torn, err := journal.Open(path, nil, func(r []byte) error {
		seen = append(seen, string(r))
		return nil
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j, seen, torn
}

func TestRecordsComeBackInOrder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j, seen, _ := open(t, path)
	require.Empty(t, seen)
	require.NoError(t, j.Enqueue([]byte("one"))())
	second := j.Enqueue([]byte("two"))
	require.NoError(t, j.Enqueue([]byte("three"))(), "waiting for a later one takes the earlier along")
	require.NoError(t, second())
	require.Error(t, j.Enqueue(nil)())
	require.NoError(t, j.Close())
	require.ErrorIs(t, j.Enqueue([]byte("four"))(), os.ErrClosed)

	_, seen, torn := open(t, path)
	require.Equal(t, []string{"one", "two", "three"}, seen)
	require.Zero(t, torn)
}

func TestATornEndIsCutOffWhereverItTore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j, _, _ := open(t, path)
	require.NoError(t, j.Enqueue([]byte("whole"))())
	whole := j.Size()
	require.NoError(t, j.Enqueue([]byte("torn apart"))())
	require.NoError(t, j.Close())
	all, err := os.ReadFile(path)
	require.NoError(t, err)
	for cut := whole; cut < int64(len(all)); cut++ {
		require.NoError(t, os.WriteFile(path, all[:cut], 0o600))
		j, seen, torn := open(t, path)
		require.Equal(t, []string{"whole"}, seen, "cut at %d", cut)
		require.Equal(t, cut-whole, torn)
		require.NoError(t, j.Enqueue([]byte("after"))())
		require.NoError(t, j.Close())
		_, seen, torn = open(t, path)
		require.Equal(t, []string{"whole", "after"}, seen)
		require.Zero(t, torn)
	}
	flipped := append([]byte(nil), all...)
	flipped[len(flipped)-1] ^= 1
	require.NoError(t, os.WriteFile(path, flipped, 0o600))
	_, seen, _ := open(t, path)
	require.Equal(t, []string{"whole"}, seen, "a checksum that does not fit")
	require.NoError(t, os.WriteFile(path, append(all[:whole:whole], make([]byte, 4096)...), 0o600))
	_, seen, _ = open(t, path)
	require.Equal(t, []string{"whole"}, seen, "blocks that were never written")
}

func TestReplayMayRefuse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j, _, _ := open(t, path)
	require.NoError(t, j.Enqueue([]byte("x"))())
	require.NoError(t, j.Close())
	_, _, err := journal.Open(path, nil, func([]byte) error { return errors.New("from the future") })
	require.ErrorContains(t, err, "from the future")
}

func TestAppendsThatMeetShareASync(t *testing.T) {
	t.Parallel()
	var syncs atomic.Int64
	path := filepath.Join(t.TempDir(), "journal")
	j, _, err := journal.Open(path, func(s journal.Stage) {
		if s == journal.AfterSync {
			syncs.Add(1)
		}
	}, nil)
	require.NoError(t, err)
	var group sync.WaitGroup
	const writers, each = 16, 20
	for w := range writers {
		group.Go(func() {
			for i := range each {
				require.NoError(t, j.Enqueue(fmt.Appendf(nil, "%d-%d", w, i))())
			}
		})
	}
	group.Wait()
	require.Less(t, syncs.Load(), int64(writers*each))
	require.NoError(t, j.Close())
	_, seen, _ := open(t, path)
	require.Len(t, seen, writers*each)
}

func TestCompactKeepsWhatWasInLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j, _, _ := open(t, path)
	require.NoError(t, j.Enqueue([]byte("one"))())
	wait := j.Enqueue([]byte("two"))
	require.NoError(t, j.Compact([][]byte{[]byte("one and two")}))
	require.NoError(t, wait())
	require.NoError(t, j.Enqueue([]byte("three"))())
	require.NoError(t, j.Close())
	_, seen, _ := open(t, path)
	require.Equal(t, []string{"one and two", "three"}, seen)
}
