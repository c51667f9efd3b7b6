//go:build linux

package shim

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// echo answers each connection with its name, and, once the caller has said all, with what it said.
func echo(t *testing.T, address, name string) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				_, _ = conn.Write([]byte(name))
				said, _ := io.ReadAll(conn)
				_, _ = conn.Write(said)
			}()
		}
	}()
	return listener.Addr().String()
}

// forwarder hands connections on in this process and returns its address.
func forwarder(t *testing.T) (Forwarder, string) {
	t.Helper()
	f := Forwarder{Dir: t.TempDir()}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go f.serve(conn)
		}
	}()
	return f, listener.Addr().String()
}

// call connects and returns who answers.
func call(t *testing.T, address string) (*net.TCPConn, string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	name := make([]byte, 1)
	_, err = io.ReadFull(conn, name)
	require.NoError(t, err)
	tcp, ok := conn.(*net.TCPConn)
	require.True(t, ok)
	return tcp, string(name)
}

func TestAConnectionStaysWithWhoTookIt(t *testing.T) {
	t.Parallel()
	f, address := forwarder(t)
	require.NoError(t, f.Point(echo(t, "127.0.0.1:0", "a")))
	before, name := call(t, address)
	require.Equal(t, "a", name)
	require.NoError(t, f.Point(echo(t, "127.0.0.1:0", "b")))
	_, name = call(t, address)
	require.Equal(t, "b", name, "from the moment of the switch")

	_, err := before.Write([]byte("and more"))
	require.NoError(t, err)
	require.NoError(t, before.CloseWrite()) // which ends one direction alone
	rest, err := io.ReadAll(before)
	require.NoError(t, err)
	require.Equal(t, "and more", string(rest))
}

func TestAConnectionWaitsForSomebodyToTakeIt(t *testing.T) {
	t.Parallel()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	f, address := forwarder(t)
	require.NoError(t, f.Point(gone.Addr().String()))
	answered := make(chan string)
	go func() {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			close(answered)
			return
		}
		name, _ := io.ReadAll(io.LimitReader(conn, 1))
		_ = conn.Close()
		answered <- string(name)
	}()
	require.NoError(t, f.Point(echo(t, "127.0.0.1:0", "b")))
	require.Equal(t, "b", <-answered)
}
