package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wire is the network between the two services: a TCP proxy that can be slow, lose everything without a word, or lead elsewhere.
type wire struct {
	listener net.Listener
	over     sync.WaitGroup

	mu    sync.Mutex
	to    string
	delay time.Duration
	holed bool
	moved chan struct{} // closed when any of these changes
	conns map[net.Conn]bool
}

// lay lays a wire to an address.
func lay(tb testing.TB, to string) *wire {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	w := &wire{listener: listener, to: to, moved: make(chan struct{}), conns: map[net.Conn]bool{}}
	w.over.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // it was closed
			}
			w.over.Go(func() { w.serve(conn) })
		}
	})
	tb.Cleanup(func() {
		require.NoError(tb, listener.Close())
		w.set(func() { w.holed, w.delay = false, 0 })
		w.cut()
		w.over.Wait()
	})
	return w
}

func (w *wire) address() string { return w.listener.Addr().String() }

// slow keeps all that is sent for a time, in both directions.
func (w *wire) slow(delay time.Duration) { w.set(func() { w.delay = delay }) }

// hole takes everything and passes nothing on; who is connected is not told.
func (w *wire) hole(holed bool) { w.set(func() { w.holed = holed }) }

// lead has the wire end somewhere else; whoever is connected must connect again.
func (w *wire) lead(to string) {
	w.set(func() { w.to = to })
	w.cut()
}

func (w *wire) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	close(w.moved)
	w.moved = make(chan struct{})
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for conn := range w.conns {
		_ = conn.Close()
	}
}

func (w *wire) keep(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[conn] = true
}

func (w *wire) drop(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, conn)
	_ = conn.Close()
}

func (w *wire) serve(conn net.Conn) {
	w.keep(conn)
	defer w.drop(conn)
	w.mu.Lock()
	to := w.to
	w.mu.Unlock()
	onward, err := net.Dial("tcp", to)
	if err != nil {
		return // as if nobody listened here
	}
	w.keep(onward)
	defer w.drop(onward)
	w.over.Go(func() {
		w.pass(onward, conn)
		_ = onward.Close()
	})
	w.pass(conn, onward)
}

// pass copies until an end is closed.
func (w *wire) pass(to io.Writer, from io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			w.linger()
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// linger waits as long as the network takes.
func (w *wire) linger() {
	for began := time.Now(); ; {
		w.mu.Lock()
		rest, holed, moved := w.delay-time.Since(began), w.holed, w.moved
		w.mu.Unlock()
		switch {
		case holed:
			<-moved
		case rest > 0:
			select {
			case <-moved:
			case <-time.After(rest):
			}
		default:
			return
		}
	}
}
