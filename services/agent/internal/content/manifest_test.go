package content

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/agent/internal/archive"
	"github.com/golive-dev/golive/services/agent/internal/layout"
)

func TestWhatWasChangedInARelease(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("ab", 32)
	edit := func(path string) error {
		return os.WriteFile(path, []byte("other"), 0o600)
	}
	for name, test := range map[string]struct {
		change func(dir string) error
		deep   bool
		want   string
	}{
		"nothing":           {func(string) error { return nil }, true, ""},
		"something added":   {func(dir string) error { return edit(filepath.Join(dir, "cache")) }, true, ""},
		"a file":            {func(dir string) error { return edit(filepath.Join(dir, "bin/a \"b\"")) }, false, "was changed"},
		"a file gone":       {func(dir string) error { return os.Remove(filepath.Join(dir, "conf")) }, false, "conf is gone"},
		"a mode":            {func(dir string) error { return os.Chmod(filepath.Join(dir, "conf"), 0o666) }, false, "has mode"},
		"a link in its way": {func(dir string) error { return os.Rename(filepath.Join(dir, "conf"), filepath.Join(dir, "x")) }, false, "is gone"},
		"hidden, not deep":  {hide, false, ""},
		"hidden, deep":      {hide, true, "its time set back"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, err := layout.Open(t.TempDir())
			require.NoError(t, err)
			s := New(at, Config{})
			dir := s.Path(sum)
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "bin"), 0o700))
			stats := archive.Stats{Sums: map[string][32]byte{}}
			for _, file := range []string{"conf", "bin/a \"b\""} {
				require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte("right"), 0o600))
				stats.Sums[file] = sha256.Sum256([]byte("right"))
			}
			require.NoError(t, s.remember(sum, dir, stats))
			require.NoError(t, test.change(dir))
			changes, err := s.Verify(t.Context(), sum, test.deep)
			require.NoError(t, err)
			if test.want == "" {
				require.Empty(t, changes)
				require.True(t, s.Has(sum))
				return
			}
			require.Len(t, changes, 1)
			require.Contains(t, changes[0], test.want)
			require.False(t, s.Has(sum), "it will be brought anew")
			manifest, err := os.ReadFile(s.manifest(sum))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(s.manifest(sum), manifest[:len(manifest)-3], 0o600))
			changes, err = s.Verify(t.Context(), sum, test.deep)
			require.NoError(t, err)
			require.Empty(t, changes, "a manifest that was cut off says nothing")
			require.True(t, New(at, Config{}).Has(sum), "nor does what it found last stand")
		})
	}
}

// hide changes a file and makes it look as before.
func hide(dir string) error {
	path := filepath.Join(dir, "conf")
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte("wrong"), 0o600); err != nil {
		return err
	}
	return os.Chtimes(path, info.ModTime(), info.ModTime())
}
