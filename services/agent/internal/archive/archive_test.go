package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/agent/internal/archive"
)

func pack(tb testing.TB, entries ...*tar.Header) []byte {
	tb.Helper()
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	for _, h := range entries {
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Typeflag == tar.TypeReg && h.Size == 0 {
			h.Size = 4
		}
		require.NoError(tb, w.WriteHeader(h))
		_, err := io.CopyN(w, strings.NewReader(strings.Repeat("data", int(h.Size)/4+1)), h.Size)
		require.NoError(tb, err)
	}
	require.NoError(tb, w.Close())
	return plain.Bytes()
}

func gz(tb testing.TB, plain []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(plain)
	require.NoError(tb, err)
	require.NoError(tb, z.Close())
	return b.Bytes()
}

func unpack(tb testing.TB, packed []byte, format archive.Format, limits archive.Limits) (string, error) {
	tb.Helper()
	parent := tb.TempDir()
	require.NoError(tb, os.WriteFile(filepath.Join(parent, "outside"), []byte("untouched"), 0o600))
	dir := filepath.Join(parent, "release")
	require.NoError(tb, os.Mkdir(dir, 0o700))
	root, err := os.OpenRoot(dir)
	require.NoError(tb, err)
	defer func() { require.NoError(tb, root.Close()) }()
	_, err = archive.Unpack(tb.Context(), bytes.NewReader(packed), int64(len(packed)), format, root, limits)

	outside, readErr := os.ReadFile(filepath.Join(parent, "outside"))
	require.NoError(tb, readErr)
	require.Equal(tb, "untouched", string(outside))
	left, readErr := os.ReadDir(parent)
	require.NoError(tb, readErr)
	require.Len(tb, left, 2, "nothing beside the release")
	return dir, err
}

func TestAnHonestArchive(t *testing.T) {
	t.Parallel()
	plain := pack(
		t,
		&tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755},
		&tar.Header{Name: "./bin/app", Mode: 0o4755},
		&tar.Header{Name: "conf/readme", Mode: 0o666},
		&tar.Header{Name: "current", Typeflag: tar.TypeSymlink, Linkname: "bin/app"},
		&tar.Header{Name: "bin/up", Typeflag: tar.TypeSymlink, Linkname: "../conf"},
		&tar.Header{Name: "later", Typeflag: tar.TypeSymlink, Linkname: "not-there-yet"},
	)
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	for format, packed := range map[archive.Format][]byte{
		archive.TarGz: gz(t, plain), archive.TarZst: encoder.EncodeAll(plain, nil),
	} {
		dir, err := unpack(t, packed, format, archive.Limits{})
		require.NoError(t, err)
		info, err := os.Stat(filepath.Join(dir, "current"))
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o555), info.Mode(), "no set-user-id, not writable")
		info, err = os.Stat(filepath.Join(dir, "bin/up/readme"))
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o444), info.Mode())
	}
}

func TestHostileArchives(t *testing.T) {
	t.Parallel()
	many := make([]*tar.Header, 0, 50)
	for i := range cap(many) {
		many = append(many, &tar.Header{Name: "f" + strings.Repeat("x", i)})
	}
	small := archive.Limits{Bytes: 1 << 20, Entries: 40}
	for name, entries := range map[string][]*tar.Header{
		"traversal":               {{Name: "../outside"}},
		"traversal in the middle": {{Name: "a/../../outside"}},
		"traversal that returns":  {{Name: "a/../b"}},
		"absolute":                {{Name: "/etc/passwd"}},
		"backslash":               {{Name: `..\outside`}},
		"empty name":              {{Name: "", Typeflag: tar.TypeReg}},
		"absolute link":           {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/etc"}},
		"link out":                {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../outside"}},
		"link to the root's parent over a link": {
			{Name: "d/e", Typeflag: tar.TypeDir},
			{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "d/e"},
			{Name: "d/m", Typeflag: tar.TypeSymlink, Linkname: "../l/../../../outside"},
		},
		"link chain out": {
			{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "b/.."}, {Name: "b", Typeflag: tar.TypeSymlink, Linkname: "."},
		},
		"write through a link": {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "x"}, {Name: "x"}, {Name: "l"}},
		"hard link":            {{Name: "h", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}},
		"device":               {{Name: "d", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3}},
		"pipe":                 {{Name: "p", Typeflag: tar.TypeFifo}},
		"twice":                {{Name: "a"}, {Name: "a"}},
		"too many":             many,
		"too large":            {{Name: "a", Size: 2 << 20}},
		"too deep":             {{Name: strings.Repeat("d/", 70) + "f"}},
		"file as folder link":  {{Name: "dir", Typeflag: tar.TypeSymlink, Linkname: "."}, {Name: "dir/dir", Typeflag: tar.TypeSymlink, Linkname: "../.."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := unpack(t, gz(t, pack(t, entries...)), archive.TarGz, small)
			require.ErrorIs(t, err, archive.ErrUnsafe)
		})
	}
}

func TestABombIsFoundWhileItUnpacks(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	const size = 200 << 20
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "zeros", Size: size, Typeflag: tar.TypeReg}))
	_, err := io.CopyN(w, zeros{}, size)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	dir, err := unpack(t, b.Bytes(), archive.TarGz, archive.Limits{})
	require.ErrorIs(t, err, archive.ErrUnsafe)
	info, err := os.Stat(filepath.Join(dir, "zeros"))
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(size)/2)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestDamagedArchives(t *testing.T) {
	t.Parallel()
	whole := gz(t, pack(t, &tar.Header{Name: "a", Size: 100_000}))
	for name, packed := range map[string][]byte{
		"empty": nil, "not gzip": []byte("hello, world"), "cut": whole[:len(whole)/2], "gzip of nonsense": gz(t, bytes.Repeat([]byte("x"), 2048)),
	} {
		_, err := unpack(t, packed, archive.TarGz, archive.Limits{})
		require.ErrorIs(t, err, archive.ErrInvalid, name)
	}
	_, err := unpack(t, whole, archive.TarZst, archive.Limits{})
	require.ErrorIs(t, err, archive.ErrInvalid, "the other format")
	_, err = unpack(t, whole, 0, archive.Limits{})
	require.ErrorIs(t, err, archive.ErrInvalid)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	root, err := os.OpenRoot(t.TempDir())
	require.NoError(t, err)
	_, err = archive.Unpack(ctx, bytes.NewReader(whole), int64(len(whole)), archive.TarGz, root, archive.Limits{})
	require.ErrorIs(t, err, context.Canceled)
}

// FuzzUnpack writes whatever comes into a folder and checks that nothing appears beside it
// and that nothing in it leads out.
func FuzzUnpack(f *testing.F) {
	f.Add(pack(f, &tar.Header{Name: "a"}, &tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "a"}))
	f.Add(pack(f, &tar.Header{Name: "../a"}))
	f.Add(pack(f, &tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: ".."}, &tar.Header{Name: "l/x"}))
	f.Fuzz(func(t *testing.T, plain []byte) {
		dir, _ := unpack(t, gz(t, plain), archive.TarGz, archive.Limits{Bytes: 1 << 20, Entries: 100})
		inside, err := filepath.EvalSymlinks(dir)
		require.NoError(t, err)
		require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if to, err := filepath.EvalSymlinks(path); err == nil {
				require.True(t, to == inside || strings.HasPrefix(to, inside+"/"), "%s leads to %s", path, to)
			}
			return nil
		}))
	})
}
