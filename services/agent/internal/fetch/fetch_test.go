package fetch_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/agent/internal/fetch"
)

var (
	content = bytes.Repeat([]byte("golive "), 50_000)
	quick   = fetch.Retry{Min: time.Millisecond, Max: 5 * time.Millisecond}
)

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func want() fetch.Want {
	return fetch.Want{SHA256: digest(content), Size: int64(len(content)), MaxSize: 1 << 20, Patience: 5 * time.Second}
}

// broken is a source that gives a part and breaks, each time.
type broken struct {
	content []byte
	part    int
	opens   []int64
	err     error
}

func (b *broken) Open(_ context.Context, offset int64) (io.ReadCloser, int64, error) {
	b.opens = append(b.opens, offset)
	if b.err != nil {
		return nil, 0, b.err
	}
	rest := bytes.NewReader(b.content[min(int(offset), len(b.content)):])
	if b.part == 0 || rest.Len() <= b.part {
		return io.NopCloser(rest), offset, nil
	}
	return io.NopCloser(io.MultiReader(io.LimitReader(rest, int64(b.part)), iotest.ErrReader(errors.New("cable pulled")))), offset, nil
}

func TestAFetchGoesOnWhereItBroke(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "part")
	src := &broken{content: content, part: 100_000}
	n, err := fetch.Fetch(t.Context(), src, path, want(), quick)
	require.NoError(t, err)
	require.EqualValues(t, len(content), n)
	require.Equal(t, []int64{0, 100_000, 200_000, 300_000}, src.opens)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, content, got)

	require.NoError(t, os.Truncate(path, 150_000)) // another process goes on
	src = &broken{content: content}
	_, err = fetch.Fetch(t.Context(), src, path, want(), quick)
	require.NoError(t, err)
	require.Equal(t, []int64{150_000}, src.opens)
}

func TestWrongBytes(t *testing.T) {
	t.Parallel()
	other := append([]byte("x"), content[1:]...)
	for name, test := range map[string]struct {
		content []byte
		err     error
	}{
		"other bytes": {other, fetch.ErrDigest},
		"too long":    {slices.Concat(content, []byte{'x'}), fetch.ErrSize},
		"too short":   {content[:1000], fetch.ErrSize},
	} {
		path := filepath.Join(t.TempDir(), "part")
		_, err := fetch.Fetch(t.Context(), &broken{content: test.content}, path, want(), quick)
		require.ErrorIs(t, err, test.err, name)
		require.NoFileExists(t, path, name)
	}
	// A rest of other bytes costs one more try and no failure.
	path := filepath.Join(t.TempDir(), "part")
	require.NoError(t, os.WriteFile(path, other[:5000], 0o600))
	src := &broken{content: content}
	_, err := fetch.Fetch(t.Context(), src, path, want(), quick)
	require.NoError(t, err)
	require.Equal(t, []int64{5000, 0}, src.opens)

	unknown := want()
	unknown.Size, unknown.MaxSize = 0, 1000
	_, err = fetch.Fetch(t.Context(), &broken{content: content}, filepath.Join(t.TempDir(), "part"), unknown, quick)
	require.ErrorIs(t, err, fetch.ErrSize, "no size and no end")
}

func TestWhenToGiveUp(t *testing.T) {
	t.Parallel()
	short := want()
	short.Patience = 50 * time.Millisecond
	_, err := fetch.Fetch(t.Context(), &broken{err: errors.New("no route")}, filepath.Join(t.TempDir(), "part"), short, quick)
	require.ErrorIs(t, err, fetch.ErrStuck)
	require.ErrorContains(t, err, "no route")

	src := &broken{err: fetch.ErrFinal}
	_, err = fetch.Fetch(t.Context(), src, filepath.Join(t.TempDir(), "part"), want(), quick)
	require.ErrorIs(t, err, fetch.ErrFinal)
	require.Len(t, src.opens, 1)

	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("superseded")
	cancel(stop)
	_, err = fetch.Fetch(ctx, &broken{err: errors.New("no route")}, filepath.Join(t.TempDir(), "part"), want(), quick)
	require.ErrorIs(t, err, stop)
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	var status int
	var ranges []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		if status != 0 {
			http.Error(w, "no", status)
			status = 0
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "part")
	require.NoError(t, os.WriteFile(path, content[:1000], 0o600))
	status = http.StatusBadGateway
	src := fetch.HTTP{Client: server.Client(), URL: server.URL}
	_, err := fetch.Fetch(t.Context(), src, path, want(), quick)
	require.NoError(t, err)
	require.Equal(t, []string{"bytes=1000-", "bytes=1000-"}, ranges)

	status = http.StatusForbidden
	_, err = fetch.Fetch(t.Context(), src, filepath.Join(t.TempDir(), "part"), want(), quick)
	require.ErrorIs(t, err, fetch.ErrFinal)
}

func TestABodyThatHangsIsCutOff(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(content[:10])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	short := want()
	short.Patience = 100 * time.Millisecond
	begin := time.Now()
	_, err := fetch.Fetch(t.Context(), fetch.HTTP{Client: server.Client(), URL: server.URL}, filepath.Join(t.TempDir(), "part"), short, quick)
	require.ErrorIs(t, err, fetch.ErrStuck)
	require.Less(t, time.Since(begin), 3*time.Second)
}
