package implementation_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/implementation"
)

// line says what waves and deployments wait for by their plans.
type line struct {
	waitingv1.WaitingServiceClient

	mu        sync.Mutex
	dependsOn map[string][]string
	hung      bool
}

func (l *line) ExplainWaiting(ctx context.Context, req *waitingv1.ExplainWaitingRequest, _ ...grpc.CallOption) (*waitingv1.Explanation, error) {
	l.mu.Lock()
	hung, to := l.hung, l.dependsOn[req.GetResource()]
	l.mu.Unlock()
	if hung {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &waitingv1.Explanation{DependsOn: to}, nil
}

func TestWhatWouldWaitForItselfIsRefusedByName(t *testing.T) {
	other := &line{}
	each(t, func(t *testing.T, w *world) {
		plan := w.plan("sales", w.cohort("sales", 3), time.Time{}, w.training("basics", 0))
		decide := implementationv1.NewDecisionServiceClient(w.dial("users/ada", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}))
		d1, decision := ws+"/applications/crm/deployments/d1", rollout+"/decisions/go"
		wave := d1 + "/waves/all"
		*other = line{dependsOn: map[string][]string{d1: {wave}, wave: {plan, decision}}}

		ask := func(id string, d *implementationv1.Decision) error {
			d.DisplayName, d.Owner = "Does it go?", "users/ada"
			_, err := decide.CreateDecision(t.Context(), &implementationv1.CreateDecisionRequest{Parent: rollout, DecisionId: id, Decision: d})
			return err
		}
		err := ask("go", &implementationv1.Decision{Technical: []string{d1}})
		require.Equal(t, "WAITING_CYCLE", fault.ReasonOf(err))
		require.ErrorContains(t, err, decision+" → "+d1+" → "+wave+" → "+decision)
		require.NoError(t, ask("other", &implementationv1.Decision{Technical: []string{d1}}), "nothing waits for this one")
		require.NoError(t, ask("go", &implementationv1.Decision{CohortPlans: []string{plan}}))
		_, err = decide.UpdateDecision(t.Context(), &implementationv1.UpdateDecisionRequest{
			Decision: &implementationv1.Decision{Name: decision, Technical: []string{wave}}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"technical"}},
		})
		require.Equal(t, "WAITING_CYCLE", fault.ReasonOf(err), "a change is looked at too")

		change := &implementationv1.UpdateCohortPlanRequest{
			CohortPlan: &implementationv1.CohortPlan{Name: plan, ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{{
				Id: "up", Type: &implementationv1.Criterion_Technical{Technical: &implementationv1.TechnicalCriterion{Resource: wave}},
			}}}},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"readiness_policy"}},
		}
		_, err = w.plans.UpdateCohortPlan(t.Context(), change)
		require.ErrorContains(t, err, plan+" → "+wave+" → "+plan)

		other.mu.Lock()
		other.hung = true
		other.mu.Unlock()
		began := time.Now()
		_, err = w.plans.UpdateCohortPlan(t.Context(), change)
		require.NoError(t, err, "who does not answer refuses nothing")
		require.Less(t, time.Since(began), 10*time.Second, "and is not waited for")
	}, func(cfg *implementation.Config) { cfg.Deployment.Waiting = other })
}
