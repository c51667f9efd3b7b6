package demo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// marker is the file by which a folder of an earlier demonstration is known.
const marker = "golive-demonstration"

// Fresh makes an empty folder for a demonstration. What an earlier one left there is stopped
// and removed; a folder that is anything else is left alone.
func Fresh(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
			return fmt.Errorf("%s is not empty and holds no demonstration; name another folder with --data-dir", dir)
		}
		hosts, err := filepath.Glob(filepath.Join(dir, "hosts", "*"))
		if err != nil {
			return err
		}
		for _, host := range hosts {
			(&Host{Dir: host}).Close()
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, marker), nil, 0o600)
}
