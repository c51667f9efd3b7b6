package demo

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below the range that the kernel gives to outgoing connections: one of
// those could take a port between its choice and its use.
const firstPort, portRange = 15000, 17000

// Ports hands out ports on loopback that nobody uses, each once. The zero value is ready.
type Ports struct{ given map[string]bool }

// Next returns one more.
func (p *Ports) Next(ctx context.Context) (string, error) {
	if p.given == nil {
		p.given = map[string]bool{}
	}
	var lc net.ListenConfig
	for range portRange {
		port := strconv.Itoa(firstPort + rand.N(portRange)) //nolint:gosec // G404: a port is no secret
		if p.given[port] {
			continue
		}
		if l, err := lc.Listen(ctx, "tcp", "127.0.0.1:"+port); err == nil {
			p.given[port] = true
			return port, l.Close() // it was opened only to see
		}
	}
	return "", errors.New("no free port found on loopback")
}
