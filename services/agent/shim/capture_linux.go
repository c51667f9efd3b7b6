package shim

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// capture takes one stream of output through a named pipe into files of limited size.
//
// The application holds the pipe for reading too. It therefore never gets
// SIGPIPE when the shim dies; it writes on, up to the pipe's 64 KiB, until the
// next shim opens the same pipe.
type capture struct {
	app  *os.File // what the application writes to
	pipe *os.File

	mu  sync.Mutex
	log *ring
	buf [4096]byte
}

func openCapture(dir, name string, log *ring) (*capture, error) {
	pipe := filepath.Join(dir, name)
	if err := syscall.Mkfifo(pipe, 0o600); err != nil && !errors.Is(err, syscall.EEXIST) {
		return nil, &os.PathError{Op: "mkfifo", Path: pipe, Err: err}
	}
	c := &capture{log: log}
	// A description of its own, because the application must find it blocking.
	fd, err := syscall.Open(pipe, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: pipe, Err: err}
	}
	c.app = os.NewFile(uintptr(fd), pipe)
	if c.pipe, err = os.OpenFile(pipe, os.O_RDWR|syscall.O_NONBLOCK, 0); err != nil {
		return nil, err
	}
	conn, err := c.pipe.SyscallConn()
	if err != nil {
		return nil, err
	}
	go func() {
		_ = conn.Read(func(fd uintptr) bool { c.pump(int(fd)); return false })
	}()
	return c, nil
}

// drain takes what the pipe holds now.
func (c *capture) drain() {
	conn, err := c.pipe.SyscallConn()
	if err == nil {
		_ = conn.Control(func(fd uintptr) { c.pump(int(fd)) })
	}
}

// pump reads until the pipe is empty.
func (c *capture) pump(fd int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		n, err := syscall.Read(fd, c.buf[:])
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if n <= 0 || err != nil {
			return
		}
		c.log.write(c.buf[:n])
	}
}
