//go:build unix && !linux

package proc

import (
	"errors"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// SignalGroup signals all of a group. A group that is gone is no error.
func SignalGroup(pid int, sig syscall.Signal) error {
	if err := syscall.Kill(-pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

func found(pid int) bool { return syscall.Kill(pid, 0) == nil }

func busy(err error) bool { return errors.Is(err, syscall.ETXTBSY) }
