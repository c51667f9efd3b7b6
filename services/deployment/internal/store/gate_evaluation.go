package store

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// GateEvaluations are the turns of gates. Only the engine writes them.
var GateEvaluations = resource.Define(resource.Spec[*deploymentv1.GateEvaluation]{
	Table:   "gate_evaluations",
	Columns: []resource.Column[*deploymentv1.GateEvaluation]{{Field: "gate"}, {Field: "ordinal"}, {Field: "state"}},
	Parent:  Waves.RequiredLater,
})

// KeptEvaluations is how many evaluations of a wave are kept.
const KeptEvaluations = 1000

// RecordGates appends an evaluation for every gate of a wave whose verdict says something else than before, and
// drops the oldest beyond what is kept. The deployment must be locked.
func (s *Store) RecordGates(ctx context.Context, tx *sqldb.Tx, before, after *deploymentv1.Wave) error {
	turned := Turned(before, after)
	if len(turned) == 0 {
		return nil
	}
	var last int64
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(ordinal), 0) FROM gate_evaluations WHERE parent = $1`, after.GetName()).Scan(&last); err != nil {
		return fmt.Errorf("count evaluations of %s: %w", after.GetName(), err)
	}
	for _, g := range turned {
		last++
		at := g.GetVerdict().GetEvaluatedAt()
		if g.GetAskTime() != nil {
			at = g.GetAskTime()
		}
		if at == nil {
			at = timestamppb.New(s.Now())
		}
		err := GateEvaluations.Insert(ctx, tx, s.Resources, &deploymentv1.GateEvaluation{
			Name: fmt.Sprintf("%s/gateEvaluations/e%06d", after.GetName(), last), Gate: g.GetId(), Ordinal: last, State: g.GetVerdict().GetState(),
			Verdict: proto.CloneOf(g.GetVerdict()), EvaluatedAt: at, ValidUntil: g.GetFreshUntil(), Override: g.GetOverride(),
		}, resource.Meta{})
		if err != nil {
			return fmt.Errorf("record gate %s of %s: %w", g.GetId(), after.GetName(), err)
		}
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM gate_evaluations WHERE parent = $1 AND ordinal <= $2`, after.GetName(), last-KeptEvaluations)
	return err
}

// Turned returns the gates of a wave whose state, reasons or override are others than before.
func Turned(before, after *deploymentv1.Wave) []*deploymentv1.GateStatus {
	was := map[string]*deploymentv1.GateStatus{}
	for _, g := range before.GetGates() {
		was[g.GetId()] = g
	}
	var out []*deploymentv1.GateStatus
	for _, g := range after.GetGates() {
		old := was[g.GetId()]
		if g.GetVerdict() == nil || old.GetVerdict() != nil && old.GetOverride() == g.GetOverride() && sameSaying(old, g) {
			continue
		}
		out = append(out, g)
	}
	return out
}

// sameSaying compares state and reasons; evidence alone, which may creep, makes no turn.
func sameSaying(a, b *deploymentv1.GateStatus) bool {
	said := func(g *deploymentv1.GateStatus) *gatev1.Verdict {
		return &gatev1.Verdict{State: g.GetVerdict().GetState(), Reasons: g.GetVerdict().GetReasons()}
	}
	return rollout.SameVerdict(said(a), said(b))
}
