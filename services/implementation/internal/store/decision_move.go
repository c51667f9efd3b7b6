package store

import (
	"context"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/decision"
)

// DecideDecision takes the decision. The evidence is gathered before the transaction, in which it is looked at: what
// it said then is what the decision stands on.
func (s *Store) DecideDecision(ctx context.Context, gate gatev1.GateServiceClient, req *implementationv1.DecideDecisionRequest) (*implementationv1.Decision, error) {
	if _, err := Decisions.Parse(req.GetName()); err != nil {
		return nil, err
	}
	asked, err := Decisions.Load(ctx, s.DB().Read(), req.GetName())
	if err != nil {
		return nil, err
	}
	on, err := s.gatherDecision(ctx, gate, asked)
	if err != nil {
		return nil, err
	}
	return s.moveDecision(ctx, req, decision.Decided, func(d *implementationv1.Decision) error {
		if !slices.Equal(d.GetCohortPlans(), asked.GetCohortPlans()) || !slices.Equal(d.GetTechnical(), asked.GetTechnical()) || !slices.Equal(d.GetWaves(), asked.GetWaves()) {
			return fault.Conflict(decision.ReasonEvidenceChanged, "what %s takes as evidence, or what it opens, was changed meanwhile; look at it and decide again", d.GetName())
		}
		return decision.Decide(d, decision.Word{Person: actor(ctx), Request: req}, on, s.Now())
	})
}

// ConfirmDecision records that a condition is met, or takes that back.
func (s *Store) ConfirmDecision(ctx context.Context, req *implementationv1.ConfirmDecisionRequest) (*implementationv1.Decision, error) {
	return s.moveDecision(ctx, req, decision.Confirmed, func(d *implementationv1.Decision) error {
		return decision.Confirm(d, req, actor(ctx), s.Now())
	})
}

// OverrideDecision breaks the glass.
func (s *Store) OverrideDecision(ctx context.Context, req *implementationv1.OverrideDecisionRequest) (*implementationv1.Decision, error) {
	return s.moveDecision(ctx, req, decision.Overridden, func(d *implementationv1.Decision) error {
		return decision.Override(d, req, actor(ctx), s.Now())
	})
}

// WithdrawDecision takes it back for good.
func (s *Store) WithdrawDecision(ctx context.Context, req *implementationv1.WithdrawDecisionRequest) (*implementationv1.Decision, error) {
	return s.moveDecision(ctx, req, decision.Withdrawn, func(d *implementationv1.Decision) error {
		return decision.Withdraw(d, req.GetReason(), s.Now())
	})
}

// ReopenDecision makes it pending again.
func (s *Store) ReopenDecision(ctx context.Context, req *implementationv1.ReopenDecisionRequest) (*implementationv1.Decision, error) {
	return s.moveDecision(ctx, req, decision.Reopened, func(d *implementationv1.Decision) error {
		return decision.Reopen(d, req.GetReason(), s.Now())
	})
}

func (s *Store) moveDecision(ctx context.Context, req command, event decision.Event, change func(*implementationv1.Decision) error) (*implementationv1.Decision, error) {
	d, err := move(ctx, s, Decisions, req, string(event), func(_ context.Context, _ *sqldb.Tx, d *implementationv1.Decision) error { return change(d) })
	return s.decided(ctx, req, d, err)
}

// decided follows a write: whoever watches the gate is told at once, and the answer says why the decision waits. The write
// stands whatever comes of that, so it is answered; what is not told now the engine tells within its sweep.
func (s *Store) decided(ctx context.Context, req proto.Message, d *implementationv1.Decision, err error) (*implementationv1.Decision, error) {
	if err != nil {
		return nil, err
	}
	if dry, ok := req.(interface{ GetValidateOnly() bool }); ok && dry.GetValidateOnly() {
		return d, nil
	}
	_ = s.CheckDecisions(ctx, []string{d.GetName()})
	_ = s.DecisionBlockedBy(ctx, []*implementationv1.Decision{d})
	return d, nil
}
