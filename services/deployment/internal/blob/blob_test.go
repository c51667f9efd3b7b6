package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/services/deployment/internal/blob"
)

const workspace = "workspaces/default"

func setup(t *testing.T, limit int64) (*blob.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "blobs")
	s, err := blob.Open(t.Context(), blob.Config{URL: blob.FolderURL(dir), MaxBytes: limit})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, dir
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, filepath.Base(path))
		}
		return err
	}))
	return names
}

func TestWhatWasPutIsReadFromAnyOffset(t *testing.T) {
	s, dir := setup(t, 0)
	data := bytes.Repeat([]byte("golive"), 100_000)
	for name, want := range map[string]string{"digest announced": digest(data), "digest not announced": ""} {
		t.Run(name, func(t *testing.T) {
			put, err := s.Put(t.Context(), workspace, want, iotest.OneByteReader(bytes.NewReader(data[:10_000])))
			if want != "" {
				require.Equal(t, "DIGEST_MISMATCH", fault.ReasonOf(err))
			} else {
				require.NoError(t, err)
				require.Equal(t, digest(data[:10_000]), put.SHA256)
			}
			put, err = s.Put(t.Context(), workspace, want, bytes.NewReader(data))
			require.NoError(t, err)
			require.Equal(t, digest(data), put.SHA256)
			require.EqualValues(t, len(data), put.Size)
			require.WithinDuration(t, time.Now(), put.Created, time.Minute)
		})
	}
	require.ElementsMatch(t, []string{digest(data), digest(data[:10_000])}, files(t, dir))
	for _, offset := range []int{0, 1, 300_000, len(data) - 1, len(data)} {
		reader, err := s.Read(t.Context(), workspace, digest(data), int64(offset))
		require.NoError(t, err)
		got, err := io.ReadAll(reader)
		require.NoError(t, err)
		require.NoError(t, reader.Close())
		require.Equal(t, data[offset:], got)
	}
	for _, offset := range []int64{-1, int64(len(data)) + 1} {
		_, err := s.Read(t.Context(), workspace, digest(data), offset)
		require.Equal(t, "OFFSET_OUT_OF_RANGE", fault.ReasonOf(err))
	}
}

func TestBlobsOfAnotherWorkspaceAreNotThere(t *testing.T) {
	s, _ := setup(t, 0)
	put, err := s.Put(t.Context(), workspace, "", bytes.NewReader([]byte("secret")))
	require.NoError(t, err)
	_, err = s.Stat(t.Context(), "workspaces/other", put.SHA256)
	require.Equal(t, "BLOB_NOT_FOUND", fault.ReasonOf(err))
	_, err = s.Read(t.Context(), "workspaces/other", put.SHA256, 0)
	require.Equal(t, "BLOB_NOT_FOUND", fault.ReasonOf(err))
	_, err = s.Stat(t.Context(), workspace, "../../etc/passwd")
	require.Equal(t, "BLOB_NOT_FOUND", fault.ReasonOf(err))
}

func TestUploadsThatAreNotWholeLeaveNothing(t *testing.T) {
	whole := bytes.Repeat([]byte("x"), 1000)
	cut := errors.New("connection lost")
	for name, test := range map[string]struct {
		want   string
		from   io.Reader
		reason string
	}{
		"another digest":         {digest([]byte("other")), bytes.NewReader(whole), "DIGEST_MISMATCH"},
		"truncated":              {digest(whole), bytes.NewReader(whole[:999]), "DIGEST_MISMATCH"},
		"cut off":                {digest(whole), io.MultiReader(bytes.NewReader(whole[:500]), iotest.ErrReader(cut)), ""},
		"cut off, not announced": {"", io.MultiReader(bytes.NewReader(whole[:500]), iotest.ErrReader(cut)), ""},
		"too large":              {"", bytes.NewReader(append(whole, 'x')), "BLOB_TOO_LARGE"},
		"too large, announced":   {digest(append(whole, 'x')), bytes.NewReader(append(whole, 'x')), "BLOB_TOO_LARGE"},
		"empty":                  {"", bytes.NewReader(nil), "BLOB_EMPTY"},
		"empty, announced":       {digest(nil), bytes.NewReader(nil), "BLOB_EMPTY"},
		"no digest":              {"ABC", bytes.NewReader(whole), "DIGEST_INVALID"},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := setup(t, 1000)
			_, err := s.Put(t.Context(), workspace, test.want, test.from)
			require.Error(t, err)
			if test.reason != "" {
				require.Equal(t, test.reason, fault.ReasonOf(err))
			} else {
				require.ErrorIs(t, err, cut)
			}
			require.Empty(t, files(t, dir))
		})
	}
	s, dir := setup(t, 1000)
	_, err := s.Put(t.Context(), workspace, "", bytes.NewReader(whole))
	require.NoError(t, err, "the limit itself is allowed")
	require.Len(t, files(t, dir), 1)
}

func TestCallThatEndsLeavesNothing(t *testing.T) {
	s, dir := setup(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	data := []byte("data")
	_, err := s.Put(ctx, workspace, digest(data), io.MultiReader(bytes.NewReader(data), readerFunc(func([]byte) (int, error) {
		cancel()
		return 0, io.EOF
	})))
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, files(t, dir))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestSameBytesAtOnceAreOneBlob(t *testing.T) {
	s, dir := setup(t, 0)
	data := bytes.Repeat([]byte("y"), 1<<20)
	var group sync.WaitGroup
	failed := make(chan error, 16)
	for i := range 16 {
		want := ""
		if i%2 == 0 {
			want = digest(data)
		}
		group.Go(func() {
			_, err := s.Put(t.Context(), workspace, want, bytes.NewReader(data))
			failed <- err
		})
	}
	group.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
	require.Equal(t, []string{digest(data)}, files(t, dir))
}

func TestSweepRemovesOnlyWhatIsUnfinishedAndOld(t *testing.T) {
	s, dir := setup(t, 0)
	put, err := s.Put(t.Context(), workspace, "", bytes.NewReader([]byte("kept")))
	require.NoError(t, err)
	old := time.Now().Add(-48 * time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(dir, workspace, "blobs", put.SHA256[:2], put.SHA256), old, old))
	for name, age := range map[string]time.Time{"old.tmp": old, "new.tmp": time.Now()} {
		path := filepath.Join(dir, workspace, name)
		require.NoError(t, os.WriteFile(path, []byte("half"), 0o600))
		require.NoError(t, os.Chtimes(path, age, age))
	}
	require.NoError(t, s.Sweep(t.Context()))
	require.ElementsMatch(t, []string{put.SHA256, "new.tmp"}, files(t, dir))
}
