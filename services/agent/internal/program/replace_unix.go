//go:build unix

package program

import (
	"fmt"
	"syscall"
)

// keepToSelf lets no program that this one starts inherit a descriptor.
func keepToSelf(fd int) { syscall.CloseOnExec(fd) }

func replace(path string, args, env []string) error {
	return fmt.Errorf("become %s: %w", path, syscall.Exec(path, args, env))
}
