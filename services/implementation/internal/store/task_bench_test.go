package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// newTask is the i-th of a chain of tasks, in the second of two stages.
func newTask(i int) *implementationv1.CreateTaskRequest {
	plan := ws + "/implementations/crm"
	t := &implementationv1.Task{Stage: plan + "/stages/build", Estimate: &implementationv1.Estimate{LikelyMinutes: 480}}
	if i > 0 {
		t.Dependencies = []*implementationv1.Dependency{{Predecessor: fmt.Sprintf("%s/tasks/t%05d", plan, i-1)}}
	}
	return &implementationv1.CreateTaskRequest{Parent: plan, TaskId: fmt.Sprintf("t%05d", i), Task: t}
}

// planned is a store with a plan of n tasks.
func planned(tb testing.TB, db *sqldb.DB, n int) *store.Store {
	tb.Helper()
	s, ctx := open(tb, db), tb.Context()
	_, err := store.Implementations.Create(ctx, s.Store, &implementationv1.CreateImplementationRequest{Parent: ws, ImplementationId: "crm", Implementation: &implementationv1.Implementation{}})
	require.NoError(tb, err)
	for id, after := range map[string][]string{"design": nil, "build": nil} {
		_, err := store.Stages.Create(ctx, s.Store, &implementationv1.CreateStageRequest{Parent: ws + "/implementations/crm", StageId: id, Stage: &implementationv1.Stage{Predecessors: after}})
		require.NoError(tb, err)
	}
	req := &implementationv1.BatchCreateTasksRequest{Parent: ws + "/implementations/crm"}
	for i := range n {
		req.Requests = append(req.Requests, newTask(i))
	}
	if n > 0 {
		_, err = s.BatchCreateTasks(ctx, req)
		require.NoError(tb, err)
	}
	return s
}

// BenchmarkCreateTask creates 200 tasks, one transaction each, in a plan that is
// empty and in one of 9 000 tasks, and as control as many resources, which
// belong to no plan. What a large plan adds is the count of its tasks, 0.4 ms on
// an idle machine: no task of it is read, and no circle looked for.
func BenchmarkCreateTask(b *testing.B) {
	const some, large = 200, 9_000
	for _, kind := range pgtest.Databases(b) {
		b.Run(kind.Name, func(b *testing.B) {
			var times [3]time.Duration
			rounds := 0
			for b.Loop() {
				rounds++
				for i, before := range []int{0, large} {
					s := planned(b, kind.Open(b), before)
					began := time.Now()
					for n := range some {
						_, err := store.Tasks.Create(b.Context(), s.Store, newTask(before+n))
						require.NoError(b, err)
					}
					times[i] += time.Since(began)
				}
				s := open(b, kind.Open(b))
				began := time.Now()
				for range some {
					_, err := store.Resources.Create(b.Context(), s.Store, &implementationv1.CreateResourceRequest{Parent: ws, Resource: &implementationv1.Resource{Kind: implementationv1.Resource_ROLE}})
					require.NoError(b, err)
				}
				times[2] += time.Since(began)
			}
			for i, name := range []string{"µs/task-of-an-empty-plan", "µs/task-of-9000", "µs/resource"} {
				b.ReportMetric(float64(times[i].Microseconds())/float64(rounds*some), name)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkPlan writes a plan of 10 000 tasks in one transaction, reads it with all that it is computed of, and changes one link.
func BenchmarkPlan(b *testing.B) {
	const most = store.MaxTasks
	for _, kind := range pgtest.Databases(b) {
		b.Run(kind.Name, func(b *testing.B) {
			var write, read, relink time.Duration
			rounds := 0
			for b.Loop() {
				rounds++
				began := time.Now()
				s := planned(b, kind.Open(b), most)
				write += time.Since(began)
				began = time.Now()
				in, err := s.PlanInput(b.Context(), ws+"/implementations/crm")
				read += time.Since(began)
				require.NoError(b, err)
				require.Len(b, in.Tasks, most)
				last := in.Tasks[most-1]
				last.Dependencies[0].LagMinutes++
				began = time.Now()
				_, err = store.Tasks.Update(b.Context(), s.Store, &implementationv1.UpdateTaskRequest{Task: last})
				relink += time.Since(began)
				require.NoError(b, err)
			}
			for name, took := range map[string]time.Duration{"ms/write": write, "ms/read": read, "ms/relink": relink} {
				b.ReportMetric(float64(took.Microseconds())/1000/float64(rounds), name)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
