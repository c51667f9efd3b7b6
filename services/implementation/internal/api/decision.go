package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/engine"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// DecisionService answers golive.implementation.v1.DecisionService.
type DecisionService struct {
	implementationv1.UnimplementedDecisionServiceServer

	store   *store.Store
	circles *engine.Circles
	gate    gatev1.GateServiceClient // Of the deployment service; nil where there is none.
}

// NewDecisionService serves the store, and asks the gate about machines when somebody decides.
func NewDecisionService(s *store.Store, gate gatev1.GateServiceClient, c *engine.Circles) *DecisionService {
	return &DecisionService{store: s, gate: gate, circles: c}
}

// CreateDecision asks a question.
func (a *DecisionService) CreateDecision(ctx context.Context, req *implementationv1.CreateDecisionRequest) (*implementationv1.Decision, error) {
	if err := a.circles.Decision(ctx, nameOfNew(req.GetParent(), "decisions", req.GetDecisionId()), req.GetDecision()); err != nil {
		return nil, err
	}
	return a.store.CreateDecision(ctx, req)
}

// GetDecision reads one, with why it waits.
func (a *DecisionService) GetDecision(ctx context.Context, req *implementationv1.GetDecisionRequest) (*implementationv1.Decision, error) {
	d, err := store.Decisions.Get(ctx, a.store.Store, req)
	if err != nil {
		return nil, err
	}
	return d, a.store.DecisionBlockedBy(ctx, []*implementationv1.Decision{d})
}

// ListDecisions reads a page, with why each waits.
func (a *DecisionService) ListDecisions(ctx context.Context, req *implementationv1.ListDecisionsRequest) (*implementationv1.ListDecisionsResponse, error) {
	all, next, err := store.Decisions.List(ctx, a.store.Store, req)
	if err != nil {
		return nil, err
	}
	return &implementationv1.ListDecisionsResponse{Decisions: all, NextPageToken: next}, a.store.DecisionBlockedBy(ctx, all)
}

// UpdateDecision changes the question.
func (a *DecisionService) UpdateDecision(ctx context.Context, req *implementationv1.UpdateDecisionRequest) (*implementationv1.Decision, error) {
	if err := a.circles.Decision(ctx, req.GetDecision().GetName(), req.GetDecision()); err != nil {
		return nil, err
	}
	return a.store.UpdateDecision(ctx, req)
}

// DeleteDecision forgets one that was never answered.
func (a *DecisionService) DeleteDecision(ctx context.Context, req *implementationv1.DeleteDecisionRequest) (*emptypb.Empty, error) {
	return a.store.DeleteDecision(ctx, req)
}

// DecideDecision takes the decision.
func (a *DecisionService) DecideDecision(ctx context.Context, req *implementationv1.DecideDecisionRequest) (*implementationv1.Decision, error) {
	return a.store.DecideDecision(ctx, a.gate, req)
}

// ConfirmDecision records that a condition is met.
func (a *DecisionService) ConfirmDecision(ctx context.Context, req *implementationv1.ConfirmDecisionRequest) (*implementationv1.Decision, error) {
	return a.store.ConfirmDecision(ctx, req)
}

// OverrideDecision breaks the glass.
func (a *DecisionService) OverrideDecision(ctx context.Context, req *implementationv1.OverrideDecisionRequest) (*implementationv1.Decision, error) {
	return a.store.OverrideDecision(ctx, req)
}

// WithdrawDecision takes it back.
func (a *DecisionService) WithdrawDecision(ctx context.Context, req *implementationv1.WithdrawDecisionRequest) (*implementationv1.Decision, error) {
	return a.store.WithdrawDecision(ctx, req)
}

// ReopenDecision makes it pending again.
func (a *DecisionService) ReopenDecision(ctx context.Context, req *implementationv1.ReopenDecisionRequest) (*implementationv1.Decision, error) {
	return a.store.ReopenDecision(ctx, req)
}

// PreviewDecision gathers the evidence as it is now.
func (a *DecisionService) PreviewDecision(ctx context.Context, req *implementationv1.PreviewDecisionRequest) (*implementationv1.PreviewDecisionResponse, error) {
	return a.store.PreviewDecision(ctx, a.gate, req.GetName())
}

// ComputeDecisionReport puts it on paper.
func (a *DecisionService) ComputeDecisionReport(ctx context.Context, req *implementationv1.ComputeDecisionReportRequest) (*implementationv1.DecisionReport, error) {
	return a.store.DecisionReport(ctx, req.GetName())
}
