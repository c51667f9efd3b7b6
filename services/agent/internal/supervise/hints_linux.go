package supervise

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// hints is the datagram socket on which shims say that something changed.
type hints struct{ conn *net.UnixConn }

func listen(socket string) (*hints, error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	// Through the folder's descriptor, because a socket's name has 108 bytes at most.
	dir, err := os.Open(filepath.Dir(socket))
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	name := "/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) + "/" + filepath.Base(socket)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	return &hints{conn: conn}, os.Chmod(socket, 0o600)
}

// read calls back for every hint until the socket is closed.
func (h *hints) read(hint func(dir string)) {
	buf := make([]byte, 4096)
	for {
		n, err := h.conn.Read(buf)
		if err != nil {
			return
		}
		hint(string(buf[:n]))
	}
}

func (h *hints) close() { _ = h.conn.Close() }
