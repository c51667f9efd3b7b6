package archive_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/agent/internal/archive"
)

// member is one entry of a zip archive.
type member struct {
	name    string
	mode    fs.FileMode
	content string
}

func zipped(tb testing.TB, members ...member) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		h.SetMode(m.mode)
		entry, err := w.CreateHeader(h)
		require.NoError(tb, err)
		if !m.mode.IsDir() {
			_, err = io.WriteString(entry, m.content)
			require.NoError(tb, err)
		}
	}
	require.NoError(tb, w.Close())
	return b.Bytes()
}

func TestAnHonestZip(t *testing.T) {
	t.Parallel()
	dir, err := unpack(t, zipped(
		t,
		member{name: "bin/", mode: fs.ModeDir | 0o755},
		member{name: "bin/app", mode: fs.ModeSetuid | 0o755, content: "run"},
		member{name: "conf/readme", mode: 0o666, content: "read"},
		member{name: "current", mode: fs.ModeSymlink | 0o777, content: "bin/app"},
	), archive.Zip, archive.Limits{})
	require.NoError(t, err)
	info, err := os.Stat(filepath.Join(dir, "current"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o555), info.Mode(), "no set-user-id, not writable")
	text, err := os.ReadFile(filepath.Join(dir, "conf/readme"))
	require.NoError(t, err)
	require.Equal(t, "read", string(text))
}

func TestHostileZips(t *testing.T) {
	t.Parallel()
	many := make([]member, 50)
	for i := range many {
		many[i] = member{name: "f" + strings.Repeat("x", i), mode: 0o644}
	}
	small := archive.Limits{Bytes: 1 << 20, Entries: 40}
	for name, members := range map[string][]member{
		"traversal":        {{name: "../outside", mode: 0o644}},
		"absolute":         {{name: "/etc/passwd", mode: 0o644}},
		"backslash":        {{name: `..\outside`, mode: 0o644}},
		"folder out":       {{name: "../x/", mode: fs.ModeDir | 0o755}},
		"absolute link":    {{name: "l", mode: fs.ModeSymlink | 0o777, content: "/etc"}},
		"link out":         {{name: "l", mode: fs.ModeSymlink | 0o777, content: "../outside"}},
		"link chain out":   {{name: "a", mode: fs.ModeSymlink | 0o777, content: "b/.."}, {name: "b", mode: fs.ModeSymlink | 0o777, content: "."}, {name: "c", mode: fs.ModeSymlink | 0o777, content: "b/b/../../.."}},
		"very long link":   {{name: "l", mode: fs.ModeSymlink | 0o777, content: strings.Repeat("a/", 4000)}},
		"through a link":   {{name: "l", mode: fs.ModeSymlink | 0o777, content: "x"}, {name: "l", mode: 0o644}},
		"device":           {{name: "d", mode: fs.ModeDevice | 0o644}},
		"pipe":             {{name: "p", mode: fs.ModeNamedPipe | 0o644}},
		"twice":            {{name: "a", mode: 0o644}, {name: "a", mode: 0o644}},
		"too many":         many,
		"too large":        {{name: "a", mode: 0o644, content: strings.Repeat("data", 1<<19)}},
		"too deep":         {{name: strings.Repeat("d/", 70) + "f", mode: 0o644}},
		"bomb in the link": {{name: "l", mode: fs.ModeSymlink | 0o777, content: strings.Repeat("x", 2<<20)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := unpack(t, zipped(t, members...), archive.Zip, small)
			require.ErrorIs(t, err, archive.ErrUnsafe)
		})
	}
}

func TestAZipMayNotLie(t *testing.T) {
	t.Parallel()
	whole := zipped(t, member{name: "a", mode: 0o644, content: strings.Repeat("data", 100)})
	broken := bytes.Clone(whole)
	broken[len("PK..")+30] ^= 0xff // in the compressed content
	locked := bytes.Clone(whole)
	locked[bytes.Index(locked, []byte("PK\x01\x02"))+8] |= 1
	for name, packed := range map[string][]byte{
		"empty": nil, "not zip": []byte("hello, world"), "cut": whole[:len(whole)/2], "changed": broken, "encrypted": locked,
	} {
		_, err := unpack(t, packed, archive.Zip, archive.Limits{})
		require.ErrorIs(t, err, archive.ErrInvalid, name)
	}
	// The table of contents alone must not fill the memory.
	many := make([]member, 30_000)
	for i := range many {
		many[i] = member{name: strings.Repeat("d/", 30) + string(rune('a'+i%26)), mode: 0o644}
	}
	_, err := unpack(t, zipped(t, many...), archive.Zip, archive.Limits{Entries: 100})
	require.ErrorContains(t, err, "table of contents")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	root, err := os.OpenRoot(t.TempDir())
	require.NoError(t, err)
	_, err = archive.Unpack(ctx, bytes.NewReader(whole), int64(len(whole)), archive.Zip, root, archive.Limits{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestAZipBombIsFoundWhileItUnpacks(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	entry, err := w.Create("zeros")
	require.NoError(t, err)
	const size = 200 << 20
	_, err = io.CopyN(entry, zeros{}, size)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	dir, err := unpack(t, b.Bytes(), archive.Zip, archive.Limits{})
	require.ErrorIs(t, err, archive.ErrUnsafe)
	info, err := os.Stat(filepath.Join(dir, "zeros"))
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(size)/2)
}
