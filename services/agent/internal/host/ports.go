package host

import (
	"bufio"
	"os"
	"slices"
	"strconv"
	"strings"
)

// maxPorts bounds what is told.
const maxPorts = 1024

// listening returns the TCP ports on which something listens that is not one of these
// processes, in order; nothing where the system does not tell.
func listening(own []int) []int32 {
	var ports []int32
	mine := sockets(own)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		in := bufio.NewScanner(f)
		in.Scan() // the head
		for in.Scan() {
			// The kernel lists who listens before all else. The rest can be tens of thousands of closed connections.
			port, socket, ok := listener(in.Text())
			if !ok {
				break
			}
			if !mine[socket] {
				ports = append(ports, port)
			}
		}
		_ = f.Close()
	}
	slices.Sort(ports)
	ports = slices.Compact(ports)
	return ports[:min(len(ports), maxPorts)]
}

// listener reads a line of the table: number, local address, remote address, state, … and in the tenth field the socket.
func listener(line string) (port int32, socket string, ok bool) {
	const listens = "0A"
	field := strings.Fields(line)
	if len(field) < 10 || field[3] != listens {
		return 0, "", false
	}
	_, text, _ := strings.Cut(field[1], ":")
	n, err := strconv.ParseUint(text, 16, 16)
	return int32(n), field[9], err == nil
}

// sockets returns the sockets that processes hold, as far as this user may see them.
func sockets(pids []int) map[string]bool {
	held := map[string]bool{}
	for _, pid := range pids {
		dir := "/proc/" + strconv.Itoa(pid) + "/fd"
		entries, _ := os.ReadDir(dir) // it may have ended
		for _, e := range entries {
			to, _ := os.Readlink(dir + "/" + e.Name())
			if socket, ok := strings.CutPrefix(to, "socket:["); ok {
				held[strings.TrimSuffix(socket, "]")] = true
			}
		}
	}
	return held
}
