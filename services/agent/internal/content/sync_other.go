//go:build !linux

package content

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

func syncPath(path string) error {
	if runtime.GOOS == "windows" { // read-only files and folders cannot be synced there
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func syncFilesystem(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && (d.IsDir() || d.Type().IsRegular()) {
			err = syncPath(path)
		}
		return err
	})
}
