package engine

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// kindAnalysis is the kind of the wakes of waves that are measured.
const kindAnalysis = "analysis"

// Analyze judges the next interval of a wave, if its data should have arrived by now, and comes back for the
// one after. What it goes on from is stored, so it does not matter who was there for the interval before.
func (e *Engine) Analyze(ctx context.Context, name string) error {
	m, err := e.measurement(ctx, name)
	if err != nil || m == nil {
		return err
	}
	if now := e.store.Now(); now.Before(m.due()) {
		return e.store.DB.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			return e.jobs.Wake(ctx, tx, kindAnalysis, name, m.due())
		})
	}
	points, err := e.count(ctx, m)
	if err != nil {
		return fmt.Errorf("measure %s: %w", name, err)
	}
	return e.store.DB.Tx(asEngine(ctx), func(ctx context.Context, tx *sqldb.Tx) error { return e.judge(ctx, tx, m, points) })
}

// measurement is one interval of one wave, and whom it compares.
type measurement struct {
	deployment *deploymentv1.Deployment
	wave       *deploymentv1.Wave
	from, to   time.Time
	// release and baseline are the releases compared; baseline is nil where nothing ran before.
	release, baseline *deploymentv1.Release
	// upgraded and old are the targets that run them.
	upgraded, old store.Arm
}

func (m *measurement) rule() *deploymentv1.AnalysisRule { return m.wave.GetRule().GetAnalysis() }

// due is when all that was counted in the interval should have arrived.
func (m *measurement) due() time.Time { return m.to.Add(canary.Grace(m.rule())) }

// measurement says which interval of a wave comes next; nil where there is none.
func (e *Engine) measurement(ctx context.Context, name string) (*measurement, error) {
	q := e.store.DB.Read()
	wave, err := store.Waves.Load(ctx, q, name)
	if fault.Is(err, fault.KindNotFound) || err == nil && !measured(wave) {
		return nil, nil //nolint:nilnil // there is no measurement
	}
	if err != nil {
		return nil, err
	}
	m := &measurement{wave: wave}
	if m.deployment, err = store.Deployments.Load(ctx, q, rollout.DeploymentOf(name)); err != nil {
		return nil, err
	}
	rows, err := store.AnalysesOf(ctx, q, name)
	if err != nil {
		return nil, err
	}
	m.next(rows, e.store.Now())
	return m, e.arms(ctx, q, m)
}

// measured reports whether a wave is measured now. One that is held is: it must not fail unseen.
func measured(w *deploymentv1.Wave) bool {
	switch w.GetState() {
	case deploymentv1.Wave_RUNNING, deploymentv1.Wave_BAKING, deploymentv1.Wave_HELD:
		return w.GetRule().GetAnalysis() != nil
	default:
		return false
	}
}

// next finds the interval after the last one judged; the first is the first whole one after the wave's start, so that
// intervals lie on whole minutes and what is pushed by the minute falls into one. Where this server was away for
// longer than an analysis takes, what is long past is left out.
func (m *measurement) next(rows []resource.Row[*deploymentv1.Analysis], now time.Time) {
	interval := canary.Interval(m.rule())
	m.from = m.wave.GetStartTime().AsTime().Truncate(interval).Add(interval)
	for _, row := range rows {
		if until := row.Message.GetAnalyzedUntil(); until != nil && until.AsTime().After(m.from) {
			m.from = until.AsTime()
		}
	}
	if behind := now.Sub(m.from); behind > canary.MaxDuration(m.rule()) {
		m.from = m.from.Add((behind - canary.MaxDuration(m.rule())).Truncate(interval))
	}
	m.to = m.from.Add(interval)
}

// arms finds whom the interval compares.
func (e *Engine) arms(ctx context.Context, q sqldb.Queryer, m *measurement) error {
	replaced, err := store.ReplacedRelease(ctx, q, m.wave.GetName())
	if err != nil {
		return fmt.Errorf("find the baseline of %s: %w", m.wave.GetName(), err)
	}
	releases, err := e.releases.get(ctx, q, []string{m.deployment.GetRelease(), replaced})
	if err != nil {
		return err
	}
	m.release, m.baseline = releases[m.deployment.GetRelease()], releases[replaced]
	if m.upgraded, err = store.CanaryArm(ctx, q, m.wave.GetName()); err != nil {
		return fmt.Errorf("find who runs the release of %s: %w", m.wave.GetName(), err)
	}
	if m.old, err = store.BaselineArm(ctx, q, m.wave.GetName(), replaced, m.deployment.GetEnvironment()); err != nil {
		return fmt.Errorf("find the baseline of %s: %w", m.wave.GetName(), err)
	}
	return nil
}

// judge takes the counts of one interval into the analyses of a wave, each by compare-and-swap, lets the
// deployment hear of it, and comes back for the next one.
func (e *Engine) judge(ctx context.Context, tx *sqldb.Tx, m *measurement, points map[string]*deploymentv1.AnalysisPoint) error {
	rows, err := store.AnalysesOf(ctx, tx, m.wave.GetName())
	if err != nil {
		return err
	}
	have := map[string]resource.Row[*deploymentv1.Analysis]{}
	for _, row := range rows {
		have[row.Message.GetRule().GetId()] = row
	}
	for _, metric := range m.rule().GetMetrics() {
		point := points[metric.GetId()]
		point.StartTime, point.EndTime = timestamppb.New(m.from), timestamppb.New(m.to)
		row, there := have[metric.GetId()]
		if !there {
			a := canary.New(m.wave.GetName()+"/analyses/"+metric.GetId(), metric, m.alpha())
			canary.Observe(a, point)
			err = store.Analyses.Insert(ctx, tx, e.store.Resources, a, resource.Meta{})
		} else if before := row.Message.GetState(); canary.Observe(row.Message, point) {
			verb := verbOf(before != row.Message.GetState(), row.Message.GetState())
			err = store.Analyses.Save(ctx, tx, e.store.Resources, row.Message, row.Revision, resource.Meta{Verb: verb, Cause: point.GetSkipped()})
		}
		if err != nil {
			return fmt.Errorf("save the analysis of %s: %w", metric.GetId(), err)
		}
	}
	if err := e.wake(ctx, tx, m.deployment.GetName(), e.store.Now()); err != nil {
		return err
	}
	return e.jobs.Wake(ctx, tx, kindAnalysis, m.wave.GetName(), m.due().Add(canary.Interval(m.rule())))
}

// alpha is what each metric of the wave may spend of the deployment's budget.
func (m *measurement) alpha() float64 {
	waves := 0
	for _, rule := range m.deployment.GetRollout().GetWaves() {
		if canary.Critical(rule.GetAnalysis()) > 0 {
			waves++
		}
	}
	return canary.Alpha(waves, canary.Critical(m.rule()))
}

// beginAnalysis sets the measuring of a wave going when it starts.
func (e *Engine) beginAnalysis(ctx context.Context, tx *sqldb.Tx, before, after *deploymentv1.Wave) error {
	if !measured(after) || before.GetStartTime() != nil {
		return nil
	}
	m := &measurement{wave: after}
	m.next(nil, e.store.Now())
	return e.jobs.Wake(ctx, tx, kindAnalysis, after.GetName(), m.due())
}

// analyses returns what the analyses of the waves under way say, by wave.
func analyses(ctx context.Context, tx *sqldb.Tx, l *loaded) (map[string]*gatev1.Verdict, error) {
	var out map[string]*gatev1.Verdict
	for _, w := range l.Waves {
		if !measured(w) {
			continue
		}
		rows, err := store.AnalysesOf(ctx, tx, w.GetName())
		if err != nil {
			return nil, fmt.Errorf("read analyses: %w", err)
		}
		if len(rows) == 0 {
			continue
		}
		metrics := make([]*deploymentv1.Analysis, 0, len(rows))
		for _, row := range rows {
			metrics = append(metrics, row.Message)
		}
		if out == nil {
			out = map[string]*gatev1.Verdict{}
		}
		out[w.GetName()] = canary.Verdict(w.GetName(), metrics)
	}
	return out, nil
}
