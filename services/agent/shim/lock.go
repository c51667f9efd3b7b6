package shim

import (
	"errors"
	"os"
	"path/filepath"
)

// ErrHeld says that a living shim has the folder.
var ErrHeld = errors.New("another shim runs this application")

// Acquire takes the lock of a run folder for as long as this process lives.
func Acquire(dir string) (*os.File, error) {
	return tryLock(filepath.Join(dir, lockFile))
}

// Held tells whether a living shim has the folder.
func Held(dir string) bool { return isLocked(filepath.Join(dir, lockFile)) }
