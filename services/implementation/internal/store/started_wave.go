package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

// startedWave is what is watched of a cohort whose wave has started.
type startedWave struct {
	wave   string
	fallen bool
	good   *gatev1.Verdict // the last that passed; nil for none
}

// watchReadiness begins to watch for a fall. The readiness that the wave started on
// is the one that its gate kept; where it has no gate, the last one known here.
func (s *Store) watchReadiness(ctx context.Context, tx *sqldb.Tx, plan string, w *deploymentv1.Wave) error {
	before, err := s.startedWave(ctx, tx, plan)
	if err != nil || before != nil && before.wave == w.GetName() {
		return err // it runs again, after a pause
	}
	now, err := verdictOf(ctx, tx, plan)
	if err != nil {
		return err
	}
	watched := &startedWave{wave: w.GetName()}
	if detect.Opens(now) {
		watched.good = now
	}
	for _, gate := range w.GetGates() {
		if v := gate.GetVerdict(); v.GetResource() == plan && detect.Opens(v) && len(v.GetEvidence()) > 0 {
			watched.good = v
		}
	}
	if err := s.judgeFall(ctx, tx, plan, watched, now); err != nil {
		return err
	}
	return s.saveStartedWave(ctx, tx, plan, watched, moment(w.GetStartTime()))
}

// HearVerdicts raises a challenge when the readiness of a cohort falls after its wave has
// started (X1), once for each fall, and proposes its end when it recovers.
func (s *Store) HearVerdicts(ctx context.Context, tx *sqldb.Tx, events []*eventv1.Event) error {
	for _, e := range events {
		v := &gatev1.Verdict{}
		if e.GetType() != "implementation.verdict.changed" || e.GetAfter().UnmarshalTo(v) != nil {
			continue
		}
		watched, err := s.startedWave(ctx, tx, v.GetResource())
		if err != nil || watched == nil {
			if err != nil {
				return err
			}
			continue
		}
		if err := s.judgeFall(ctx, tx, v.GetResource(), watched, v); err != nil {
			return err
		}
		if err := s.saveStartedWave(ctx, tx, v.GetResource(), watched, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// judgeFall holds a verdict against the last that passed, and says what came of it.
func (s *Store) judgeFall(ctx context.Context, tx *sqldb.Tx, name string, watched *startedWave, v *gatev1.Verdict) error {
	plan, err := CohortPlans.Load(ctx, tx, name)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if live := moment(plan.GetLiveTime()); !live.IsZero() && s.Now().After(live.Add(detect.FallenAfter)) {
		return nil
	}
	policy, err := s.DetectorPolicy(ctx, tx, parent(name))
	if err != nil {
		return err
	}
	switch {
	case detect.Opens(v):
		was := watched.fallen
		watched.fallen, watched.good = false, v
		if !was {
			return nil
		}
		rule, f := detect.Recovered(plan, watched.wave, v, s.Now())
		return s.tellFall(ctx, tx, parent(name), rule, f, implementationv1.Signal_LEFT)
	case !watched.fallen && detect.Fell(watched.good, v):
		watched.fallen = true
		rule, f := detect.Fall(plan, watched.wave, watched.good, v, s.Now())
		if policy.Settings(rule).Disabled {
			return nil
		}
		return s.tellFall(ctx, tx, parent(name), rule, f, implementationv1.Signal_ENTERED)
	default:
		return nil
	}
}

func (s *Store) tellFall(ctx context.Context, tx *sqldb.Tx, implementation string, rule detect.Rule, f detect.Finding, phase implementationv1.Signal_Phase) error {
	register, err := openRegister(ctx, tx, implementation)
	if err != nil {
		return err
	}
	run := &settlement{Store: s, implementation: implementation, register: register, answer: &implementationv1.RunDetectorsResponse{}}
	if phase == implementationv1.Signal_LEFT && register.live[[2]string{string(f.Rule), f.Subject}] == "" {
		return nil // nobody was told of the fall
	}
	signal := newSignal(implementation, rule, f, phase)
	if err := Signals.Insert(ctx, tx, s.Store, signal, resource.Meta{}); err != nil {
		return err
	}
	if phase == implementationv1.Signal_LEFT {
		return run.propose(ctx, tx, signal)
	}
	return run.speak(ctx, tx, rule, signal)
}

// startedWave is nil where the plan's wave has not started, as far as is known.
func (s *Store) startedWave(ctx context.Context, q sqldb.Queryer, plan string) (*startedWave, error) {
	var data []byte
	var fallen int64
	w := &startedWave{}
	err := q.QueryRowContext(ctx, "SELECT wave, fallen, verdict FROM started_waves WHERE plan = $1", plan).Scan(&w.wave, &fallen, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // absent is not an error
	}
	if err != nil {
		return nil, fmt.Errorf("read the wave of %s: %w", plan, err)
	}
	w.fallen = fallen == 1
	if data != nil {
		w.good = &gatev1.Verdict{}
		err = proto.Unmarshal(data, w.good)
	}
	return w, err
}

func (s *Store) saveStartedWave(ctx context.Context, tx *sqldb.Tx, plan string, w *startedWave, start time.Time) error {
	var data []byte
	var err error
	if w.good != nil {
		if data, err = proto.Marshal(w.good); err != nil {
			return fmt.Errorf("encode verdict on %s: %w", plan, err)
		}
	}
	fallen := 0
	if w.fallen {
		fallen = 1
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO started_waves (plan, wave, start_time, fallen, verdict) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (plan) DO UPDATE SET wave = excluded.wave, fallen = excluded.fallen, verdict = excluded.verdict`,
		plan, w.wave, micros(start), fallen, data)
	if err != nil {
		return fmt.Errorf("store the wave of %s: %w", plan, err)
	}
	return nil
}

// verdictOf is the last verdict on a plan that was told; nil for none.
func verdictOf(ctx context.Context, q sqldb.Queryer, plan string) (*gatev1.Verdict, error) {
	var data []byte
	err := q.QueryRowContext(ctx, "SELECT message FROM verdicts WHERE resource = $1", plan).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // absent is not an error
	}
	if err != nil {
		return nil, fmt.Errorf("read the verdict on %s: %w", plan, err)
	}
	v := &gatev1.Verdict{}
	return v, proto.Unmarshal(data, v)
}
