package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/circle"
	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	// ReasonCircle refuses what would wait for itself, through waves that wait for it.
	ReasonCircle = "WAITING_CYCLE"

	circleMost     = 200             // things in one search
	circlePatience = 2 * time.Second // of whoever changes what something waits for
)

// Circles refuses what would wait for itself: a readiness whose machines are those of a wave that waits for it, a decision whose
// evidence is the deployment that it lets go. Every such circle leads through the deployment service, and through a wave that has not begun;
// where that service is silent, it finds the circle at that wave later, and shows it there.
type Circles struct {
	store  *store.Store
	other  waitingv1.WaitingServiceClient
	logger *zap.Logger
}

// NewCircles searches in the store and, where there is one, in the deployment service.
func NewCircles(s *store.Store, deployment waitingv1.WaitingServiceClient, logger *zap.Logger) *Circles {
	return &Circles{store: s, other: deployment, logger: logger}
}

// Stage refuses a stage as a client would have it, by the name that it has or is to get.
func (c *Circles) Stage(ctx context.Context, name string, stage *implementationv1.Stage) error {
	to := slices.Clone(stage.GetPredecessors())
	for _, condition := range stage.GetWaitsFor() {
		to = append(to, condition.GetResource())
	}
	for _, criterion := range stage.GetExitCriteria() {
		to = append(to, criterion.GetReadiness().GetCohortPlan())
	}
	return c.refuse(ctx, name, to)
}

// CohortPlan refuses a cohort plan.
func (c *Circles) CohortPlan(ctx context.Context, name string, plan *implementationv1.CohortPlan) error {
	var to []string
	for _, criterion := range plan.GetReadinessPolicy().GetCriteria() {
		to = append(to, criterion.GetTechnical().GetResource())
	}
	return c.refuse(ctx, name, to)
}

// Decision refuses a decision.
func (c *Circles) Decision(ctx context.Context, name string, d *implementationv1.Decision) error {
	return c.refuse(ctx, name, slices.Concat(d.GetCohortPlans(), d.GetTechnical()))
}

// refuse searches for a way from what a thing would wait for back to it. What cannot be found out in time is not refused.
func (c *Circles) refuse(ctx context.Context, name string, to []string) error {
	to = slices.DeleteFunc(to, func(s string) bool { return s == "" })
	if c.other == nil || len(to) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, circlePatience)
	defer cancel()
	g := &circle.Graph{
		Elsewhere: func(name string) bool {
			parts := strings.SplitN(name, "/", 4)
			return len(parts) == 4 && parts[2] != "implementations"
		},
		Here: func(ctx context.Context, name string) ([]string, error) {
			return dependsOn(c.store.ExplainWaiting(ctx, name))
		},
		There: func(ctx context.Context, name string) ([]string, error) {
			return dependsOn(c.other.ExplainWaiting(ctx, &waitingv1.ExplainWaitingRequest{Resource: name}))
		},
	}
	g.Set(name, to...)
	path, err := g.Find(ctx, name, circleMost)
	if err != nil {
		c.logger.Info("whether something waits for itself is found out later", zap.String("resource", name), zap.Error(err))
		return nil
	}
	if !slices.ContainsFunc(path, notStage) {
		return nil // there is none; or one of stages alone, which is refused where they are written, with the field at fault
	}
	f := fault.Precondition(ReasonCircle, "it would wait for itself: %s; take out one of what it waits for, or a gate of the wave", strings.Join(path, " → "))
	for i, one := range path[:len(path)-1] {
		f = f.Subject(ReasonCircle, one, "waits for "+path[i+1])
	}
	return f
}

func notStage(name string) bool {
	_, err := store.Stages.Parse(name)
	return err != nil
}

// dependsOn reads an answer. What is not there, or of a kind that never waits, waits for nothing.
func dependsOn(said *waitingv1.Explanation, err error) ([]string, error) {
	if fault.Is(err, fault.KindNotFound) || fault.Is(err, fault.KindInvalid) {
		return nil, nil
	}
	return said.GetDependsOn(), err
}
