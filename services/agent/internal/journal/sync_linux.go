package journal

import (
	"errors"
	"os"
	"syscall"
)

// datasync syncs the content and the length, which is all that a replay needs.
func datasync(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = conn.Control(func(fd uintptr) {
		for {
			result = syscall.Fdatasync(int(fd))
			if !errors.Is(result, syscall.EINTR) {
				return
			}
		}
	})
	return errors.Join(err, result)
}

func syncDir(d *os.File) error { return d.Sync() }
