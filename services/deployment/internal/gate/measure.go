package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	// waitingTests is how many load tests may wait for their turn here; more are asked for again.
	waitingTests = 32
	// measuredFor is how long a peak that was measured is believed, and failedFor how long one that could not be is.
	measuredFor = 24 * time.Hour
	failedFor   = 5 * time.Minute
)

// measured judges by the last load test of the gate, and asks for one where there is none. The test runs beside all else;
// its result is kept, so that asking again, also after a restart, measures nothing again.
func (g *Gates) measured(ctx context.Context, ask Question, gate *deploymentv1.CapacityGate, now time.Time) (*gatev1.Verdict, error) {
	q := g.cfg.Store.DB.Read()
	test, err := store.LoadLoadTest(ctx, q, ask.Wave.GetName(), ask.Rule.GetId())
	if err != nil {
		return nil, err
	}
	if test == nil || !now.Before(test.Leased) {
		current := "a load test begins"
		select {
		case g.tests <- ask:
		default:
			current = "a load test waits for its turn"
		}
		return measuring(ask, gate, current), nil
	}
	if test.End.IsZero() {
		return measuring(ask, gate, "a load test is under way since "+test.Start.UTC().Format(time.RFC3339)), nil
	}
	var curve Load
	if err := json.Unmarshal(test.Result, &curve); err != nil {
		return nil, fmt.Errorf("read the load test of %s: %w", ask.Wave.GetName(), err)
	}
	return capacity(ctx, q, ask, gate, &curve)
}

func measuring(ask Question, gate *deploymentv1.CapacityGate, current string) *gatev1.Verdict {
	return judged(ask.Wave, gatev1.Verdict_WAIT, []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_CAPACITY, Resource: ask.Wave.GetName(), Current: current, Required: "its result", Owner: gate.GetLoadTest().GetUrl(),
	}})
}

// Run does load tests, one at a time, until ctx ends.
func (g *Gates) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case ask := <-g.tests:
			if err := g.test(ctx, ask); err != nil && ctx.Err() == nil {
				g.cfg.Logger.Warn("load test", zap.String("wave", ask.Wave.GetName()), zap.String("gate", ask.Rule.GetId()), zap.Error(err))
			}
		}
	}
}

// test measures for a gate, unless another replica is at it, and keeps what was found.
func (g *Gates) test(ctx context.Context, ask Question) error {
	db, start := g.cfg.Store.DB, g.cfg.Store.Now()
	var mine bool
	err := db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		mine, err = store.ClaimLoadTest(ctx, tx, start, start.Add(longestTest+time.Minute), ask.Wave.GetName(), ask.Rule.GetId())
		return err
	})
	if err != nil || !mine {
		return err
	}
	curve := Measure(ctx, g.client, ask.Rule.GetCapacity().GetLoadTest())
	if err := ctx.Err(); err != nil {
		return err // whoever comes next measures again once the lease is over
	}
	result, err := json.Marshal(curve)
	if err != nil {
		return err
	}
	end := g.cfg.Store.Now()
	good := end.Add(measuredFor)
	if curve.Peak == 0 {
		good = end.Add(failedFor)
	}
	err = db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return store.PutLoadTest(ctx, tx, &store.LoadTest{Wave: ask.Wave.GetName(), Gate: ask.Rule.GetId(), Start: start, End: end, Leased: good, Result: result})
	})
	if err == nil && g.cfg.Measured != nil {
		g.cfg.Measured(ctx, ask.Deployment.GetName())
	}
	return err
}
