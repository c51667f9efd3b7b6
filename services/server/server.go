// Package server puts the roles of the control plane together and runs them.
//
//	Up              deployment + implementation + gateway in one process
//	Deployment      ─┐
//	Implementation   ├ one role a process, meeting over the wire
//	Gateway         ─┘
//
// The roles are the same either way. In one process they meet through
// rpc.Server.Local, which is the whole interceptor chain without a socket, each
// with a service identity of its own; apart they dial each other. Each function
// opens its databases and its ports, so that an error is known before anything is
// promised, and returns a [Server] whose Run serves until its context ends.
//
// To follow a start, read up.go, then the role files, then process.go.
package server

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"

	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/run"
)

// Addresses are where a server listens, as host:port; empty for what it does not serve.
type Addresses struct {
	HTTP, Deployment, Implementation, Agents, Admin string
}

// Server is one or more roles, ready to run.
type Server struct {
	parts     []run.Part
	closers   []func() error // in the order of opening
	bound     Addresses
	issuer    *auth.Issuer
	token     string
	introduce func() error                // notes that the first token was given out; nil where there is none
	services  [2]grpc.ClientConnInterface // deployment and implementation, where they are in this process
}

// Run serves until ctx ends, then stops in the reverse order of starting,
// closes everything and returns.
func (s *Server) Run(ctx context.Context) error {
	if s.introduce != nil {
		if err := s.introduce(); err != nil {
			return errors.Join(fmt.Errorf("first token: %w", err), s.Close())
		}
	}
	giveBack()
	return errors.Join(run.All(ctx, s.parts...), s.Close())
}

// giveBack returns what only a start needs, the parsers of migrations above all, to the operating system now; the collector would
// keep it for minutes. Pools let go of it in the second collection.
func giveBack() {
	runtime.GC()
	debug.FreeOSMemory()
}

// Close closes what is open. Run does it too; only a server that never ran needs it.
func (s *Server) Close() error {
	var errs []error
	for _, end := range slices.Backward(s.closers) {
		errs = append(errs, end())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// Addresses returns where the server listens; port 0 has become a real one.
func (s *Server) Addresses() Addresses { return s.bound }

// BootstrapToken returns the first administrator's token. It is minted with the
// signing key, once in the life of a data folder, and empty after its first Run.
func (s *Server) BootstrapToken() string { return s.token }

// Issuer mints tokens; nil in a process that does not hold the signing key.
func (s *Server) Issuer() *auth.Issuer { return s.issuer }

// Local returns connections to the services in this process, nil for what is
// elsewhere. They carry no identity: give them one with rpc.WithToken.
func (s *Server) Local() (deployment, implementation grpc.ClientConnInterface) {
	return s.services[0], s.services[1]
}

func (s *Server) add(name string, part run.Func) {
	s.parts = append(s.parts, run.Part{Name: name, Run: part})
}

func (s *Server) onClose(f func() error) { s.closers = append(s.closers, f) }
