// Package install does the work on one place: it brings releases up, proves
// that they are healthy, goes back when they are not, and watches what is live.
//
// One [Worker] serves one place and does one thing at a time. Each step that
// touches what is live is announced to the journal before and noted after, so
// that an agent that starts knows what its predecessor was about:
//
//	accept    Staging     fetch, unpack, configure, pre_install, test      nothing live is touched
//	intent    Activating  pre_stop, stop old, switch current, start new
//	done      Probing     probes, minimum healthy time, post_activate      the old instance is kept
//	outcome   Idle        with the report that says so
//	failure   Reverting   stop new, switch back, start old, probes
//
// To stop, to switch and to start come out the same when they are done twice:
// an activation that was cut off is completed. A hook is never run twice: one
// that was cut off fails the installation as INTERRUPTED.
package install

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/cgroup"
	"github.com/golive-dev/golive/services/agent/internal/content"
	"github.com/golive-dev/golive/services/agent/internal/layout"
	"github.com/golive-dev/golive/services/agent/internal/ledger"
	"github.com/golive-dev/golive/services/agent/internal/supervise"
)

// Host is what the workers of one agent share.
type Host struct {
	Layout     layout.Layout
	Ledger     *ledger.Ledger
	Content    *content.Store
	Supervisor *supervise.Supervisor
	Probes     *http.Client
	Logger     *zap.Logger
	Facts      func() *deploymentv1.HostFacts
	Getenv     func(string) (string, bool)
	// Resend sends a report again that may have been acknowledged long ago.
	Resend func(*agentv1.Report)
	// Log takes output; it may drop it.
	Log func(*agentv1.LogChunk)
	// LogLimit bounds each output file of an application, and LogFiles how many of each are kept.
	LogLimit int64
	LogFiles int
	// InspectEvery is how often the files of releases are compared with how they were unpacked,
	// and HashEvery how often all of their content.
	InspectEvery, HashEvery time.Duration
	// Groups is where applications get control groups of their own.
	Groups cgroup.Host
}

// What holds where the contract leaves a value out.
const (
	defaultStepTimeout    = 5 * time.Minute
	defaultHookTimeout    = time.Minute
	defaultStopGrace      = 10 * time.Second
	defaultHealthDeadline = 30 * time.Second
	defaultInterval       = time.Second
	defaultProbeTimeout   = time.Second
	defaultFailures       = 3
)

// The pauses between restarts of an application that ends by itself.
const (
	backoffMin = 100 * time.Millisecond
	backoffMax = 30 * time.Second
	steady     = 30 * time.Second
)

// patienceAfterRestart is the least that an application gets to show itself
// healthy to an agent that was away while its deadline passed.
const patienceAfterRestart = 3 * time.Second

// announceAfter is how long a state must last to be worth a report of its own.
const announceAfter = 250 * time.Millisecond

// look is how often the live instance is looked at when no hint comes.
const look = 2 * time.Second

// errSuperseded ends work because a newer command waits. Others that wait for
// the same content must not take it for a failure: it is a cancellation.
var errSuperseded = supersededError{}

type supersededError struct{}

// Error implements error.
func (supersededError) Error() string { return "a newer command came" }

// Unwrap makes it a cancellation.
func (supersededError) Unwrap() error { return context.Canceled }

// stopped tells whether work ended because it was told to, not because it failed.
func stopped(err error) bool { return errors.Is(err, context.Canceled) }
