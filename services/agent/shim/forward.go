package shim

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// forwardCommand makes this program hand the connections of one address on to another.
const forwardCommand = "forward"

// The files of a forwarder's folder, beside those of the shim that keeps it running.
const (
	listenFile = "listen" // the address on which it takes connections
	targetFile = "target" // the address that new ones go to; replaced to switch
	boundFile  = "bound"  // the process that listens, once it does
)

const (
	// dialPatience is how long a new connection may wait for somebody to take it.
	dialPatience = 3 * time.Second
	dialAgain    = 10 * time.Millisecond
	acceptAgain  = 50 * time.Millisecond
)

// Forwarder is the folder of a forwarder. It is a process of its own, so that neither the
// agent's end nor the application's cuts a connection. Each connection stays with the version
// that took it.
type Forwarder struct{ Dir string }

// Args are the arguments with which the shim's program becomes the forwarder.
func (f Forwarder) Args() []string { return []string{forwardCommand, f.Dir} }

// Listens returns the address on which it takes connections; empty where there is no forwarder.
func (f Forwarder) Listens() string { return f.read(listenFile) }

// Listen says on which address it will take connections.
func (f Forwarder) Listen(address string) error {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return err
	}
	return replace(filepath.Join(f.Dir, listenFile), []byte(address))
}

// Target returns where new connections go.
func (f Forwarder) Target() string { return f.read(targetFile) }

// Point sends new connections to an address, from now on.
func (f Forwarder) Point(address string) error {
	return replace(filepath.Join(f.Dir, targetFile), []byte(address))
}

// Bound returns the process that takes connections; 0 before there is one.
func (f Forwarder) Bound() int {
	pid, _ := strconv.Atoi(f.read(boundFile))
	return pid
}

func (f Forwarder) read(name string) string {
	text, err := os.ReadFile(filepath.Join(f.Dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// run takes connections until SIGTERM, and then waits for those that are under way.
func (f Forwarder) run() error {
	const percent = 50
	debug.SetGCPercent(percent)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	signal.Ignore(syscall.SIGHUP)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.Listens())
	if err != nil {
		return err
	}
	if err := replace(filepath.Join(f.Dir, boundFile), []byte(strconv.Itoa(os.Getpid()))); err != nil {
		return errors.Join(err, listener.Close())
	}
	closed := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer closed()
	var under sync.WaitGroup
	defer under.Wait()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil { // of file descriptors there may be more in a moment
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(acceptAgain):
			}
			continue
		}
		under.Go(func() { f.serve(conn) })
	}
}

// serve hands one connection on.
func (f Forwarder) serve(from net.Conn) {
	defer func() { _ = from.Close() }()
	to, err := f.dial()
	if err != nil {
		return
	}
	defer func() { _ = to.Close() }()
	var back sync.WaitGroup
	back.Go(func() { pass(from, to) })
	pass(to, from)
	back.Wait()
}

// dial connects to where new connections go now; while nobody takes them there, it looks again where that is.
func (f Forwarder) dial() (net.Conn, error) {
	deadline := time.Now().Add(dialPatience)
	for {
		conn, err := (&net.Dialer{Deadline: deadline}).DialContext(context.Background(), "tcp", f.Target())
		if err == nil || time.Now().Add(dialAgain).After(deadline) {
			return conn, err
		}
		<-time.After(dialAgain)
	}
}

// pass copies one direction and passes its end on, which need not be the other's.
func pass(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite()
		return
	}
	_ = to.Close()
	_ = from.Close()
}

// Remove forgets the forwarder, which must not run any more.
func (f Forwarder) Remove() error {
	if err := os.RemoveAll(f.Dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
