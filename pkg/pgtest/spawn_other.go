//go:build unix && !linux

package pgtest

import "syscall"

// unprivileged changes nothing: run the tests as an ordinary user here.
func unprivileged(string) (*syscall.SysProcAttr, error) { return &syscall.SysProcAttr{}, nil }

// dieWithParent cannot be had here: a killed test process leaves its server to the user.
func dieWithParent(attr *syscall.SysProcAttr) *syscall.SysProcAttr { return attr }
