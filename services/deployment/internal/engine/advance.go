package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	// sweep is how long a deployment that has not ended is left alone at most: even if every
	// hint is lost it goes on by itself.
	sweep = 30 * time.Second
	// sweepBusy is the same while agents are at work, so that silence is noticed.
	sweepBusy = 5 * time.Second
	// restartGrace is how long after its start a server gives up nobody: agents come back within it.
	restartGrace = time.Minute
	// rounds bounds how often one call asks the network and decides again.
	rounds = 6
)

// Advance moves a deployment as far as it goes now. What it needs to hear from the
// network it asks between transactions, never inside one.
func (e *Engine) Advance(ctx context.Context, name string) error {
	var heard answers
	for range rounds {
		effects, err := e.decide(ctx, name, heard)
		if err != nil {
			return fmt.Errorf("advance %s: %w", name, err)
		}
		heard = answers{}
		switch {
		case effects.Preflight:
			if heard.preflight, err = e.preflight(ctx, name); err != nil {
				return fmt.Errorf("preflight of %s: %w", name, err)
			}
		case len(effects.Asks) > 0:
			heard.verdicts = e.ask(ctx, effects.Asks)
		default:
			return nil
		}
	}
	return e.store.DB.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return e.wake(ctx, tx, name, e.store.Now().Add(time.Second))
	})
}

// answers is what was heard from the network since the last decision.
type answers struct {
	preflight *rollout.Preflight
	verdicts  map[rollout.Ask]verdict
}

// loaded is a deployment with its waves as they were read, and their revisions.
type loaded struct {
	rollout.State
	revision      int64
	waveRevisions []int64
	before        *deploymentv1.Deployment
	wavesBefore   []*deploymentv1.Wave
}

// decide makes one decision and everything that follows from it, in one transaction.
func (e *Engine) decide(ctx context.Context, name string, heard answers) (effects rollout.Effects, err error) {
	err = e.store.DB.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		effects = rollout.Effects{}
		l, err := load(ctx, tx, name)
		if fault.Is(err, fault.KindNotFound) || err == nil && rollout.Ended(l.Deployment.GetState()) {
			return nil
		}
		if err != nil {
			return err
		}
		effects, err = e.settle(ctx, tx, l, heard)
		return err
	})
	return effects, err
}

// settle decides, acts, and decides again on what the acting changed, until nothing does.
func (e *Engine) settle(ctx context.Context, tx *sqldb.Tx, l *loaded, heard answers) (effects rollout.Effects, err error) {
	now := e.store.Now()
	answered := map[rollout.Ask]bool{}
	for ask, v := range heard.verdicts {
		answered[ask] = true
		for _, w := range l.Waves {
			if w.GetName() == ask.Wave && !rollout.WaveEnded(w.GetState()) {
				rollout.Answer(w, ask.Gate, v.verdict, v.asked)
			}
		}
	}
	silent, err := e.markSilent(ctx, tx, l, now)
	if err != nil {
		return effects, err
	}
	if err := e.record(ctx, tx, silent, "silent", now); err != nil {
		return effects, err
	}
	judged := map[rollout.Ask]*gatev1.Verdict{}
	facts := &rollout.Facts{Now: now, Preflight: heard.preflight, Answered: answered, Judged: judged}
	if err := e.said(ctx, tx, l, facts); err != nil {
		return effects, err
	}
	settled := false
	for range rounds {
		if err := e.found(ctx, tx, l, facts); err != nil {
			return effects, err
		}
		effects = rollout.Advance(&l.State, facts)
		if effects, err = e.intact(ctx, tx, l, facts, effects); err != nil {
			return effects, err
		}
		changed, err := e.act(ctx, tx, l.Deployment.GetName(), effects, now)
		if err != nil {
			return effects, err
		}
		for _, wave := range effects.Seal {
			if err := e.leaveBehind(ctx, tx, l, wave); err != nil {
				return effects, fmt.Errorf("hand over the stragglers of %s: %w", wave, err)
			}
		}
		if settled = rollout.Ended(l.Deployment.GetState()); settled {
			if facts.Counts, err = store.Counts(ctx, tx, now, l.Deployment.GetName()); err != nil {
				return effects, err
			}
			rollout.Recount(&l.State, facts) // what it leaves behind
			break
		}
		if settled = changed == 0 && len(effects.Revert) == 0 && len(effects.Judge) == 0; settled {
			break
		}
		if err := e.judgeGates(ctx, tx, l, effects.Judge, now, judged); err != nil {
			return effects, err
		}
	}
	if !settled {
		effects.WakeAt = now // there is more to do than one transaction should
	}
	if err := e.save(ctx, tx, l); err != nil {
		return effects, err
	}
	return effects, e.rewake(ctx, tx, l, effects, now)
}

func load(ctx context.Context, tx *sqldb.Tx, name string) (*loaded, error) {
	row, err := store.Deployments.LockRow(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	waves, err := store.Waves.SelectRows(ctx, tx, `WHERE parent = $1 ORDER BY ordinal`, name)
	if err != nil {
		return nil, err
	}
	l := &loaded{State: rollout.State{Deployment: row.Message}, revision: row.Revision, before: proto.CloneOf(row.Message)}
	for _, w := range waves {
		l.Waves = append(l.Waves, w.Message)
		l.waveRevisions = append(l.waveRevisions, w.Revision)
		l.wavesBefore = append(l.wavesBefore, proto.CloneOf(w.Message))
	}
	return l, nil
}

// facts reads what a decision needs and nothing more.
func (e *Engine) facts(ctx context.Context, tx *sqldb.Tx, l *loaded, now time.Time) (*rollout.Facts, error) {
	f := &rollout.Facts{Now: now}
	if err := e.said(ctx, tx, l, f); err != nil {
		return nil, err
	}
	return f, e.found(ctx, tx, l, f)
}

// said reads what people have said: whatever is decided in this transaction leaves it as it is.
func (e *Engine) said(ctx context.Context, tx *sqldb.Tx, l *loaded, f *rollout.Facts) (err error) {
	if f.Approvals, err = store.Approvals(ctx, tx, l.Deployment.GetName()); err != nil {
		return fmt.Errorf("read approvals: %w", err)
	}
	if f.Circles, err = store.WaveCircles(ctx, tx, l.Deployment.GetName()); err != nil {
		return err
	}
	f.Policies, err = e.bound(ctx, tx, l.Deployment, f.Now)
	return err
}

// found reads what the last decision may have changed, and nothing more.
func (e *Engine) found(ctx context.Context, tx *sqldb.Tx, l *loaded, f *rollout.Facts) (err error) {
	f.Ahead, f.Away, f.Growing, f.InFlight = nil, nil, "", nil
	if f.Counts, err = store.Counts(ctx, tx, f.Now, l.Deployment.GetName()); err != nil {
		return fmt.Errorf("count installations: %w", err)
	}
	if f.Analyses, err = analyses(ctx, tx, l); err != nil {
		return err
	}
	if err := e.inLine(ctx, tx, l.Deployment, f); err != nil {
		return err
	}
	if f.Migrations, err = e.migrations(ctx, tx, l, f.Now); err != nil {
		return err
	}
	switch l.Deployment.GetDesiredState() {
	case deploymentv1.Deployment_CANCEL, deploymentv1.Deployment_ABANDON:
		if f.InFlight, err = store.InFlight(ctx, tx, l.Deployment.GetName()); err != nil {
			return fmt.Errorf("name what is in flight: %w", err)
		}
	default:
	}
	return nil
}

func (e *Engine) markSilent(ctx context.Context, tx *sqldb.Tx, l *loaded, now time.Time) ([]*store.Installation, error) {
	r := l.Deployment.GetRollout()
	lost := rollout.DefaultLostAfter
	if d := r.GetLostAfter(); d != nil {
		lost = d.AsDuration()
	}
	releases, err := e.releases.get(ctx, tx, []string{l.Deployment.GetRelease()})
	if err != nil {
		return nil, err
	}
	var gone []*store.Installation
	// Agents could not be heard while this server was down: they have their time to come back first.
	if !now.Before(e.started.Add(min(lost, restartGrace))) {
		if gone, err = store.MarkLost(ctx, tx, now, l.Deployment.GetName(), lost); err != nil {
			return nil, err
		}
	}
	silent, err := store.MarkSilent(ctx, tx, now, l.Deployment.GetName(), stall(r, releases[l.Deployment.GetRelease()]))
	return append(gone, silent...), err
}

// stall is how long an installation may stand still although its agent is there. Each of
// its steps has a deadline on the host; what stands longer than the longest of them has been forgotten.
func stall(r *deploymentv1.Rollout, release *deploymentv1.Release) time.Duration {
	run := release.GetRun()
	longest := max(stepTimeout(r), longestCommand(release))
	probing := run.GetHealthDeadline().AsDuration() + run.GetMinHealthyTime().AsDuration() + run.GetStopGrace().AsDuration()
	return 2*max(longest, probing) + 30*time.Second
}

// save stores what changed, each row by compare-and-swap with its event.
func (e *Engine) save(ctx context.Context, tx *sqldb.Tx, l *loaded) error {
	for i, w := range l.Waves {
		if rollout.WaveEnded(l.wavesBefore[i].GetState()) || proto.Equal(w, l.wavesBefore[i]) {
			continue // what has ended stays as it was, even where the health of its members moves on
		}
		verb := verbOf(w.GetState() != l.wavesBefore[i].GetState(), w.GetState())
		if err := store.Waves.Save(ctx, tx, e.store.Resources, w, l.waveRevisions[i], resource.Meta{Verb: verb, Cause: w.GetStateReason()}); err != nil {
			return fmt.Errorf("save %s: %w", w.GetName(), err)
		}
		if err := e.beginAnalysis(ctx, tx, l.wavesBefore[i], w); err != nil {
			return err
		}
		if err := e.store.RecordGates(ctx, tx, l.wavesBefore[i], w); err != nil {
			return err
		}
		if gatesChange(l.wavesBefore[i], w) {
			tx.AfterCommit(e.rewatch)
		}
	}
	if proto.Equal(l.Deployment, l.before) {
		return nil
	}
	if rollout.Ended(l.Deployment.GetState()) {
		if err := e.wakeLine(ctx, tx, l.Deployment); err != nil {
			return err
		}
	}
	verb := verbOf(l.Deployment.GetState() != l.before.GetState(), l.Deployment.GetState())
	return store.Deployments.Save(ctx, tx, e.store.Resources, l.Deployment, l.revision, resource.Meta{Verb: verb, Cause: l.Deployment.GetStateReason()})
}

// verbOf ends an event's type with the state that a resource has come to.
func verbOf(moved bool, state fmt.Stringer) string {
	if !moved {
		return ""
	}
	return strings.ToLower(state.String())
}

// rewake makes sure that the deployment is looked at again in time.
func (e *Engine) rewake(ctx context.Context, tx *sqldb.Tx, l *loaded, effects rollout.Effects, now time.Time) error {
	if rollout.Ended(l.Deployment.GetState()) {
		return nil
	}
	at := now.Add(sweep)
	if c := l.Deployment.GetCounts(); c.GetInProgress()+c.GetUnknown()+c.GetReverting() > 0 {
		at = now.Add(sweepBusy)
	}
	if !effects.WakeAt.IsZero() && effects.WakeAt.Before(at) {
		at = effects.WakeAt
	}
	return e.wake(ctx, tx, l.Deployment.GetName(), at)
}
