//go:build !linux

package journal

import (
	"os"
	"runtime"
)

func datasync(f *os.File) error { return f.Sync() }

// syncDir does nothing on Windows, where a folder cannot be synced.
func syncDir(d *os.File) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return d.Sync()
}
