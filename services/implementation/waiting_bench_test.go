package implementation_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/pgtest"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
)

// BenchmarkListWaiting reads 1 000 things that wait in one page, through the whole service: 20 implementations with 40 tasks,
// 4 stages, 3 cohorts and 3 challenges each, and 200 tasks more that wait for their stage and are not listed. The control reads as many tasks by
// name alone, without a look at why they wait.
func BenchmarkListWaiting(b *testing.B) {
	for _, kind := range pgtest.Databases(b) {
		b.Run(kind.Name, func(b *testing.B) {
			w := setup(b, kind.URL(b))
			conn := w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}})
			p := &planner{world: w}
			p.speak(conn)
			crowd(b, p)
			client := waitingv1.NewWaitingServiceClient(conn)
			read := func(ctx context.Context) int {
				page, err := client.ListWaiting(ctx, &waitingv1.ListWaitingRequest{Parent: ws, PageSize: 1000})
				require.NoError(b, err)
				return len(page.GetWaiting())
			}
			require.Equal(b, 1000, read(b.Context()))
			b.Run("1000 waiting", func(b *testing.B) {
				for b.Loop() {
					read(b.Context())
				}
			})
			b.Run("control", func(b *testing.B) {
				for b.Loop() {
					page, err := p.tasks.ListTasks(b.Context(), &implementationv1.ListTasksRequest{Parent: ws + "/implementations/-", PageSize: 1000})
					require.NoError(b, err)
					require.Len(b, page.GetTasks(), 1000)
				}
			})
		})
	}
}

func crowd(b *testing.B, p *planner) {
	b.Helper()
	ctx, conn := b.Context(), p.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}})
	challenges := implementationv1.NewChallengeServiceClient(conn)
	cohorts := []string{p.cohort("a", 50), p.cohort("b", 50), p.cohort("c", 50)}
	training := p.training("basics", 0)
	for n := range 20 {
		i, err := p.implementations.CreateImplementation(ctx, &implementationv1.CreateImplementationRequest{
			Parent: ws, ImplementationId: fmt.Sprintf("i%02d", n), Implementation: &implementationv1.Implementation{Owner: "users/oz"},
		})
		require.NoError(b, err)
		name := i.GetName()
		for k := range 5 {
			s := &implementationv1.Stage{Owner: "users/lead"}
			if k > 0 {
				s.Predecessors = []string{fmt.Sprintf("%s/stages/s%d", name, k-1)}
			}
			_, err := p.stages.CreateStage(ctx, &implementationv1.CreateStageRequest{Parent: name, StageId: fmt.Sprintf("s%d", k), Stage: s})
			require.NoError(b, err)
		}
		_, err = p.stages.StartStage(ctx, &implementationv1.StartStageRequest{Name: name + "/stages/s0"})
		require.NoError(b, err)
		tasks := &implementationv1.BatchCreateTasksRequest{Parent: name}
		for k := range 50 {
			t := &implementationv1.Task{Stage: name + "/stages/s0", Owner: "users/tess", Estimate: days(1)}
			if k >= 40 {
				t.Stage = name + "/stages/s3"
			} else if k > 0 {
				t.Dependencies = []*implementationv1.Dependency{{Predecessor: fmt.Sprintf("%s/tasks/t%02d", name, k-1)}}
			}
			tasks.Requests = append(tasks.Requests, &implementationv1.CreateTaskRequest{TaskId: fmt.Sprintf("t%02d", k), Task: t})
		}
		_, err = p.tasks.BatchCreateTasks(ctx, tasks)
		require.NoError(b, err)
		for k, cohort := range cohorts {
			_, err := p.plans.CreateCohortPlan(ctx, &implementationv1.CreateCohortPlanRequest{Parent: name, CohortPlanId: fmt.Sprintf("c%d", k), CohortPlan: &implementationv1.CohortPlan{
				Cohort: cohort, GoLiveTime: timestamppb.New(p.clock.now().Add(24 * time.Hour)), ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{{
					Id: "trained", Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: []string{training}}},
				}}},
			}})
			require.NoError(b, err)
			_, err = challenges.CreateChallenge(ctx, &implementationv1.CreateChallengeRequest{Parent: name, Challenge: &implementationv1.Challenge{
				DisplayName: "No time", Class: implementationv1.Challenge_RESOURCES, DeclaredCritical: true,
			}})
			require.NoError(b, err)
		}
	}
}
