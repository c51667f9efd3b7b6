package shim

import (
	"fmt"
	"os"
	"syscall"
)

// stage limits this process as its run folder says and becomes the application.
func stage(dir string) error {
	spec, err := ReadSpec(dir)
	if err != nil {
		return err
	}
	if err := spec.Group.Join(); err != nil {
		return fmt.Errorf("join the control group: %w", err)
	}
	for _, limit := range []struct {
		name  string
		which int
		value int64
	}{{"open files", syscall.RLIMIT_NOFILE, spec.OpenFiles}, {"memory", syscall.RLIMIT_DATA, spec.Data}} {
		if limit.value <= 0 {
			continue
		}
		value := uint64(limit.value)
		if err := syscall.Setrlimit(limit.which, &syscall.Rlimit{Cur: value, Max: value}); err != nil {
			return fmt.Errorf("limit %s to %d: %w", limit.name, limit.value, err)
		}
	}
	return &os.PathError{Op: "start", Path: spec.Argv[0], Err: syscall.Exec(spec.Argv[0], spec.Argv, os.Environ())} //nolint:gosec // to start what it is told is its purpose
}
