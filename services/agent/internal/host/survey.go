package host

import (
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const (
	// portsEvery is how often it is looked who listens, and runtimesEvery which runtimes there are.
	portsEvery    = 30 * time.Second
	runtimesEvery = 10 * time.Minute
	// turn is how long to wait for another agent of the host that is looking for runtimes.
	turn = 2 * time.Second
)

// Survey finds out beside everything else what takes a while, and remembers it.
type Survey struct {
	cache    string // a folder; empty for none
	features []string
	own      func() []int

	mu       sync.Mutex
	runtimes map[string]string
	ports    []int32
}

// NewSurvey returns a survey that knows what was found before by any agent of this user; cache is the
// folder they share. limits tells whether applications can be limited, and own which processes are the agent's.
func NewSurvey(cache string, limits bool, own func() []int) *Survey {
	s := &Survey{cache: cache, own: own, features: features(limits)}
	s.runtimes, _ = known(cache).versions(time.Now())
	s.ports = listening(s.own())
	return s
}

// features is what the agent can do here beyond the least.
func features(limits bool) []string {
	list := []string{"migrations", "signatures"}
	if runtime.GOOS == "linux" {
		list = append(list, "blue-green")
	}
	if limits {
		list = append(list, "cgroup")
	}
	if info, err := os.Stat("/run/systemd/system"); err == nil && info.IsDir() {
		list = append(list, "systemd")
	}
	slices.Sort(list)
	return list
}

// Fill adds what is known to facts.
func (s *Survey) Fill(f *deploymentv1.HostFacts) *deploymentv1.HostFacts {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Runtimes, f.Features, f.PortsInUse = maps.Clone(s.runtimes), s.features, s.ports
	return f
}

// Run looks again and again until the context ends.
func (s *Survey) Run(ctx context.Context) error {
	runtimes := time.NewTimer(0)
	defer runtimes.Stop()
	ports := time.NewTicker(portsEvery)
	defer ports.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-runtimes.C:
			found, ok := look(ctx, s.cache)
			if !ok {
				runtimes.Reset(turn + rand.N(turn)) //nolint:gosec // only to not meet again
				continue
			}
			runtimes.Reset(runtimesEvery)
			s.mu.Lock()
			s.runtimes = found
			s.mu.Unlock()
		case <-ports.C:
			found := listening(s.own())
			s.mu.Lock()
			s.ports = found
			s.mu.Unlock()
		}
	}
}
