//go:build !linux

package shim

import "os"

// capture hands the application its file: its size is bounded only when it starts.
type capture struct{ app *os.File }

func openCapture(_, _, path string, limit int64) (*capture, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > limit {
		_ = os.Rename(path, path+".1")
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	return &capture{app: f}, err
}

func (c *capture) drain() {}
