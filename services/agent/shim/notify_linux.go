package shim

import (
	"path/filepath"
	"strconv"
	"syscall"
)

// notify sends the folder's name to the agent's socket. It never waits, and
// whether an agent listens does not matter: the state file is the truth.
func notify(socket, dir string) {
	if socket == "" {
		return
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer func() { _ = syscall.Close(fd) }()
	// Through the folder's descriptor, because a socket's name has 108 bytes at most.
	parent, err := syscall.Open(filepath.Dir(socket), syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer func() { _ = syscall.Close(parent) }()
	name := "/proc/self/fd/" + strconv.Itoa(parent) + "/" + filepath.Base(socket)
	_ = syscall.Sendto(fd, []byte(dir), 0, &syscall.SockaddrUnix{Name: name})
}
