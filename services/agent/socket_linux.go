package agent

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// controlSocket makes the kernel give a connection up whose peer went silent.
func controlSocket(_, _ string, conn syscall.RawConn) error {
	return conn.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silence.Milliseconds())) // keep-alive is the fallback
	})
}
