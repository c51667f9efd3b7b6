//go:build linux

package content

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkSync compares the two ways to make unpacked files durable; the
// threshold between them, syncAll, comes from here.
func BenchmarkSync(b *testing.B) {
	for _, files := range []int{1, 16, 64, 500} {
		size := 6 << 20 / files
		content := make([]byte, size)
		_, _ = rand.Read(content)
		for name, sync := range map[string]func(dir string) error{
			"each": func(dir string) error { return harden(dir, 1) },
			"all":  func(dir string) error { return harden(dir, syncAll+1) },
		} {
			b.Run(fmt.Sprintf("%d files/%s", files, name), func(b *testing.B) {
				for range b.N {
					b.StopTimer()
					dir := b.TempDir()
					for i := range files {
						require.NoError(b, os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), content, 0o600))
					}
					b.StartTimer()
					require.NoError(b, sync(dir))
				}
			})
		}
	}
}
