package simulator

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// interval is of every analysis here.
const interval = 5 * time.Second

// metrics is who pushes counters. It may be down, late, or say afterwards that it was otherwise.
type metrics struct {
	down, pushing bool
	delay         time.Duration
}

// analysis measures the errors that are pushed.
func (w *world) analysis() *deploymentv1.AnalysisRule {
	return &deploymentv1.AnalysisRule{
		Metrics: []*deploymentv1.MetricRule{{
			Id: "errors", Source: &deploymentv1.MetricRule_Pushed{Pushed: &deploymentv1.PushedSource{Counter: "errors"}},
			FailMargin: 0.1, PassMargin: 0.5,
		}},
		Interval: seconds(int(interval / time.Second)), MaxDuration: seconds(40 + w.pick(60)),
	}
}

// turn lets the metrics break or come back.
func (m *metrics) turn(w *world) {
	m.down = w.chance(300)
	if m.delay = 0; w.chance(300) {
		m.delay = w.between(interval, time.Minute)
	}
	w.note("metrics down %t, late by %s", m.down, m.delay)
}

// push counts for every release while somebody wants to know.
func (w *world) push() {
	if w.metrics.pushing {
		return
	}
	w.metrics.pushing = true
	w.in(interval, func() {
		w.metrics.pushing = false
		if !w.book.analysed() {
			return // the next wave that begins asks for it again
		}
		w.push()
		alive := w.alive()
		if w.metrics.down || len(alive) == 0 {
			return
		}
		to := w.now.Add(-w.metrics.delay).Truncate(interval)
		var samples []*deploymentv1.Sample
		for n := range releases {
			bad := int64(3)
			if n == releases-1 && w.seed%2 == 0 { // half of all lives have a bad last release
				bad = 30
			}
			samples = append(samples, &deploymentv1.Sample{
				Release: releaseName(n), Environment: environment, Counter: "errors", Source: "sim", Total: 300, Bad: bad,
				StartTime: timestamppb.New(to.Add(-interval)), EndTime: timestamppb.New(to),
			})
			if w.faulty && w.chance(30) { // it was otherwise
				samples = append(samples, &deploymentv1.Sample{
					Release: releaseName(n), Environment: environment, Counter: "errors", Source: "sim", Total: 200, Bad: int64(w.pick(200)),
					StartTime: timestamppb.New(to.Add(-2 * interval)), EndTime: timestamppb.New(to.Add(-interval)),
				})
			}
		}
		r := alive[w.pick(len(alive))]
		_ = r.do("push samples", func(ctx context.Context) error {
			_, err := r.store.PutSamples(ctx, samples)
			return err
		})
	})
}

// analysed tells whether a wave that is measured has begun and not ended.
func (b *book) analysed() bool {
	for _, wave := range b.waves {
		switch wave.message.GetState() {
		case deploymentv1.Wave_RUNNING, deploymentv1.Wave_BAKING, deploymentv1.Wave_HELD:
			if wave.message.GetRule().GetAnalysis() != nil {
				return true
			}
		default:
		}
	}
	return false
}

// sealedOnVerdict (F28, promise 3): a wave that is measured is sealed when its analysis has passed, or a person has
// taken it as it is; metrics that say nothing are no verdict.
func sealedOnVerdict(w *world, c *change) error {
	for _, d := range c.waves {
		if d.after.GetRule().GetAnalysis() == nil || d.after.GetState() == d.before.GetState() {
			continue
		}
		switch d.after.GetState() {
		case deploymentv1.Wave_RUNNING:
			w.push()
		case deploymentv1.Wave_SEALED:
			if s := d.after.GetAnalysis().GetState(); s != gatev1.Verdict_PASS && !d.after.GetAnalysisAccepted() {
				return fmt.Errorf("F28: %s is sealed while its analysis says %s", d.after.GetName(), s)
			}
		default:
		}
	}
	return nil
}
