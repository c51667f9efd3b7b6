package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/feed"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
	"github.com/golive-dev/golive/services/deployment/internal/waits"
)

// A state of a deployment, a wave or an installation either waits, works, or has ended. A new one fails
// these tests until somebody has said which, and made it.

// restful are the states that wait for nothing, by kind.
func restful() map[string]map[string]bool {
	of := func(states ...fmt.Stringer) map[string]bool {
		out := map[string]bool{"STATE_UNSPECIFIED": true}
		for _, s := range states {
			out[s.String()] = true
		}
		return out
	}
	return map[string]map[string]bool{
		"deployment": of(deploymentv1.Deployment_SUCCEEDED, deploymentv1.Deployment_FAILED, deploymentv1.Deployment_ROLLBACK_FAILED, deploymentv1.Deployment_ROLLED_BACK,
			deploymentv1.Deployment_CANCELLED, deploymentv1.Deployment_ABANDONED, deploymentv1.Deployment_SUPERSEDED, deploymentv1.Deployment_REJECTED, deploymentv1.Deployment_EXPIRED),
		"wave": of(deploymentv1.Wave_REVERTED, deploymentv1.Wave_SEALED, deploymentv1.Wave_SKIPPED, deploymentv1.Wave_CANCELLED),
		// At work, done, or at an end.
		"installation": of(deploymentv1.Installation_CLAIMED, deploymentv1.Installation_FETCHING, deploymentv1.Installation_VERIFYING, deploymentv1.Installation_STAGED,
			deploymentv1.Installation_MIGRATING, deploymentv1.Installation_ACTIVATING, deploymentv1.Installation_PROBING, deploymentv1.Installation_HEALTHY,
			deploymentv1.Installation_SEALED, deploymentv1.Installation_REVERTING, deploymentv1.Installation_REVERTED, deploymentv1.Installation_REVERT_FAILED,
			deploymentv1.Installation_SKIPPED, deploymentv1.Installation_CANCELLED),
	}
}

// listener collects what was ever seen to wait, by kind and state, and holds every sight to account.
type listener struct {
	*world

	seen map[string]bool // "wave GATED"
}

// waitingState holds a thing that waits to account: it says why, fully, and the list and the explanation say the same.
func (l *listener) waitingState(kind, name, state string, reasons []*gatev1.BlockedBy, listed bool) {
	l.t.Helper()
	l.complete(kind+" "+state, reasons)
	e, err := l.store.ExplainWaiting(l.ctx, name)
	require.NoError(l.t, err)
	if e.GetWaiting().GetState() != state {
		return // it went on meanwhile
	}
	l.complete("explained "+kind+" "+state, e.GetWaiting().GetBlockedBy())
	require.NotEmpty(l.t, e.GetWaiting().GetOwner())
	require.NotNil(l.t, e.GetWaiting().GetSince())
	if !listed {
		l.seen[kind+" "+state] = true
		return
	}
	all, err := l.store.ListWaiting(l.ctx, &waitingv1.ListWaitingRequest{Parent: ws, PageSize: 1000})
	require.NoError(l.t, err)
	i := slices.IndexFunc(all.GetWaiting(), func(w *waitingv1.Waiting) bool { return w.GetResource() == name })
	if i >= 0 && all.GetWaiting()[i].GetState() == state {
		l.complete("listed "+kind+" "+state, all.GetWaiting()[i].GetBlockedBy())
		l.seen[kind+" "+state] = true
	}
}

func (l *listener) complete(where string, reasons []*gatev1.BlockedBy) {
	l.t.Helper()
	require.NotEmpty(l.t, reasons, where)
	for _, b := range reasons {
		require.NotZero(l.t, b.GetKind(), "%s: %v", where, b)
		require.NotEmpty(l.t, b.GetResource(), "%s: %v", where, b)
		require.NotEmpty(l.t, b.GetCurrent(), "%s: %v", where, b)
		require.NotEmpty(l.t, b.GetRequired(), "%s: %v", where, b)
		require.NotEmpty(l.t, b.GetOwner(), "%s: %v", where, b)
		require.True(l.t, strings.HasPrefix(b.GetCommand(), "golive "), "%s: %v", where, b)
		require.NotNil(l.t, b.GetSince(), "%s: %v", where, b)
	}
}

// look takes in everything that is stored now.
func (l *listener) look() {
	l.t.Helper()
	q, resting := l.store.DB.Read(), restful()
	deployments, err := store.Deployments.Select(l.ctx, q, `ORDER BY name`)
	require.NoError(l.t, err)
	for _, d := range deployments {
		if !resting["deployment"][d.GetState().String()] {
			l.waitingState("deployment", d.GetName(), d.GetState().String(), d.GetBlockedBy(), true)
		}
	}
	waves, err := store.Waves.Select(l.ctx, q, `WHERE terminal = 0 ORDER BY name`)
	require.NoError(l.t, err)
	for _, w := range waves {
		l.waitingState("wave", w.GetName(), w.GetState().String(), w.GetBlockedBy(), w.GetState() != deploymentv1.Wave_PENDING)
	}
	installations, err := store.SelectInstallations(l.ctx, q, `active = 1 ORDER BY name`)
	require.NoError(l.t, err)
	for _, i := range installations {
		require.NoError(l.t, l.store.DescribeInstallations(l.ctx, i.Installation))
		if !resting["installation"][i.GetState().String()] {
			l.waitingState("installation", i.GetName(), i.GetState().String(), i.GetBlockedBy(), slices.Contains(waits.InstallationListed(), i.GetState()))
		}
	}
}

// await looks until everything named was seen.
func (l *listener) await(what ...string) {
	l.t.Helper()
	missing := func() []string {
		return slices.DeleteFunc(slices.Clone(what), func(s string) bool { return l.seen[s] })
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		l.look()
		if len(missing()) == 0 {
			return
		}
		if time.Now().After(deadline) {
			require.Failf(l.t, "not seen", "%v; seen %v", missing(), l.seen)
		}
		select {
		case <-l.ctx.Done():
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// ways are how each state is come to that waits. A way returns what is to be seen at its end.
func ways() map[string]func(l *listener) []string {
	return map[string]func(l *listener) []string{
		"people are not ready": func(l *listener) []string {
			l.hosts.keep("t0", true)
			l.deploy("first", "v1", &deploymentv1.Rollout{Preset: byCohort(0).GetPreset()})
			l.await("wave RUNNING", "deployment RUNNING", "wave PENDING", "installation QUEUED")
			l.hosts.keep("t0", false)
			return []string{"deployment WAITING", "wave GATED"}
		},
		"an agent is silent": func(l *listener) []string {
			l.hosts.keep("t0", true)
			name := l.deploy("first", "v1", &deploymentv1.Rollout{LostAfter: durationpb.New(2 * time.Second), OnFailure: deploymentv1.Rollout_FREEZE}).GetName()
			l.until(name, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
			l.connect("t0", -time.Second)
			return []string{"installation UNKNOWN", "installation LOST", "deployment FROZEN", "wave FAILED"}
		},
		"it bakes, and is paused": func(l *listener) []string {
			l.gate.set(gatev1.Verdict_PASS, nil)
			name := l.deploy("first", "v1", byCohort(time.Hour)).GetName()
			l.await("wave BAKING")
			l.order(&deploymentv1.PauseDeploymentRequest{Name: name, Reason: "lunch"}, rollout.Pause)
			return []string{"deployment PAUSED", "wave HELD"}
		},
		"it ends in the middle": func(l *listener) []string {
			l.hosts.keep("t0", true)
			name := l.deploy("first", "v1", nil).GetName()
			l.until(name, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
			l.order(&deploymentv1.PauseDeploymentRequest{Name: name, Reason: "lunch"}, rollout.Pause)
			l.await("deployment PAUSING")
			l.order(&deploymentv1.CancelDeploymentRequest{Name: name, Reason: "no"}, rollout.Cancel)
			return []string{"deployment CANCELLING"}
		},
		"another one comes first": func(l *listener) []string {
			l.queue(deploymentv1.QueuePolicy_QUEUE)
			l.deploy("first", "v1", byCohort(0))
			l.deploy("second", "v2", nil)
			return []string{"deployment PENDING"}
		},
		"it is checked": func(l *listener) []string {
			l.blobs.slow.Lock()
			defer l.blobs.slow.Unlock()
			l.deploy("first", "v1", nil)
			l.await("deployment PREFLIGHT")
			return nil
		},
		"it goes back": func(l *listener) []string {
			l.reach(l.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
			l.hosts.mu.Lock()
			l.hosts.ends = func(*agentv1.Command) deploymentv1.Installation_State { // called with the lock held
				for i := range 6 {
					l.hosts.hold[fmt.Sprintf("t%d", i)] = true
				}
				return deploymentv1.Installation_FAILED
			}
			l.hosts.mu.Unlock()
			l.deploy("second", "v2", nil)
			return []string{"deployment REVERTING", "wave REVERTING"}
		},
		"it fails, and stays as it is": func(l *listener) []string {
			l.hosts.mu.Lock()
			l.hosts.ends = func(*agentv1.Command) deploymentv1.Installation_State { return deploymentv1.Installation_FAILED }
			l.hosts.mu.Unlock()
			l.deploy("first", "v1", &deploymentv1.Rollout{OnFailure: deploymentv1.Rollout_FREEZE})
			return []string{"installation FAILED", "deployment FROZEN", "wave FAILED"}
		},
		"somebody has to migrate": func(l *listener) []string {
			l.hosts.mu.Lock()
			l.hosts.ends = func(c *agentv1.Command) deploymentv1.Installation_State {
				if strings.HasSuffix(c.GetTarget(), "/t3") {
					return deploymentv1.Installation_WAIT_MIGRATION
				}
				return 0
			}
			l.hosts.mu.Unlock()
			l.deploy("first", "v1", nil)
			return []string{"installation WAIT_MIGRATION"}
		},
		"the last migration is interrupted": func(l *listener) []string {
			l.release("v4", migration("drop", contract, once, true))
			l.hosts.answer(always(agentv1.MigrationOutcome_INTERRUPTED))
			l.deploy("first", "v4", nil)
			return []string{"deployment FINALIZING"}
		},
	}
}

// order gives a command.
func (l *listener) order(req interface {
	proto.Message
	GetName() string
	GetReason() string
	GetEtag() string
}, c rollout.Command,
) {
	l.t.Helper()
	_, err := l.engine.Command(l.ctx, req, c)
	require.NoError(l.t, err)
}

// TestWhateverWaitsSaysWhy goes every way, on both databases, and then asks of each state of the contract whether it was met.
func TestWhateverWaitsSaysWhy(t *testing.T) {
	t.Parallel()
	met := map[string]bool{}
	var mu sync.Mutex
	t.Cleanup(func() {
		enums := map[string]protoreflect.EnumDescriptor{
			"deployment": deploymentv1.Deployment_PENDING.Descriptor(), "wave": deploymentv1.Wave_PENDING.Descriptor(), "installation": deploymentv1.Installation_QUEUED.Descriptor(),
		}
		for kind, enum := range enums {
			for i := range enum.Values().Len() {
				state := string(enum.Values().Get(i).Name())
				if !restful()[kind][state] && !t.Failed() {
					require.True(t, met[kind+" "+state], "no way leads to a %s that is %s, and waits", kind, state)
				}
			}
		}
	})
	for name, way := range ways() {
		t.Run(name, func(t *testing.T) {
			each(t, func(_ *testing.T, w *world) {
				l := &listener{world: w, seen: map[string]bool{}}
				l.await(way(l)...)
				mu.Lock()
				defer mu.Unlock()
				for what := range l.seen {
					met[what] = true
				}
				l.said()
			})
		})
	}
}

// said goes through everything that was ever stored, so that what was passed through in a moment is held to account too.
func (l *listener) said() {
	l.t.Helper()
	for token := ""; ; {
		events, next, err := l.store.Log.List(l.ctx, feed.Query{Prefix: ws, Limit: 1000, After: token})
		require.NoError(l.t, err)
		for _, e := range events {
			m, err := e.GetAfter().UnmarshalNew()
			if err != nil {
				continue // of what is gone there is nothing
			}
			switch m := m.(type) {
			case *deploymentv1.Deployment:
				if !restful()["deployment"][m.GetState().String()] {
					l.complete("event "+m.GetState().String(), m.GetBlockedBy())
				}
			case *deploymentv1.Wave:
				if !restful()["wave"][m.GetState().String()] {
					l.complete("event wave "+m.GetState().String(), m.GetBlockedBy())
				}
			}
		}
		if token = next; token == "" {
			return
		}
	}
}
