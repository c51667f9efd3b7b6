package implementation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// crm is the implementation of these tests.
const crm = ws + "/implementations/crm"

// planner is a world with an implementation in it, and clients for its plan.
type planner struct {
	*world
	stages    implementationv1.StageServiceClient
	tasks     implementationv1.TaskServiceClient
	resources implementationv1.ResourceServiceClient
	baselines implementationv1.BaselineServiceClient
	comments  implementationv1.CommentServiceClient
	templates implementationv1.PlanTemplateServiceClient
}

func eachPlan(t *testing.T, test func(t *testing.T, p *planner)) {
	t.Helper()
	each(t, func(t *testing.T, w *world) {
		p := &planner{world: w}
		p.speak(w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}))
		_, err := w.implementations.CreateImplementation(t.Context(), &implementationv1.CreateImplementationRequest{
			Parent: ws, ImplementationId: "crm", Implementation: &implementationv1.Implementation{Owner: "users/oz", Sponsor: "users/sue", Currency: "EUR"},
		})
		require.NoError(t, err)
		test(t, p)
	})
}

// speak makes the clients use a connection.
func (p *planner) speak(conn grpc.ClientConnInterface) {
	p.stages = implementationv1.NewStageServiceClient(conn)
	p.tasks = implementationv1.NewTaskServiceClient(conn)
	p.resources = implementationv1.NewResourceServiceClient(conn)
	p.baselines = implementationv1.NewBaselineServiceClient(conn)
	p.comments = implementationv1.NewCommentServiceClient(conn)
	p.templates = implementationv1.NewPlanTemplateServiceClient(conn)
}

func (p *planner) stage(id string, after ...string) *implementationv1.Stage {
	p.Helper()
	s := &implementationv1.Stage{}
	for _, one := range after {
		s.Predecessors = append(s.Predecessors, stageName(one))
	}
	made, err := p.stages.CreateStage(p.Context(), &implementationv1.CreateStageRequest{Parent: crm, StageId: id, Stage: s})
	require.NoError(p, err)
	return made
}

func stageName(id string) string { return crm + "/stages/" + id }
func taskName(id string) string  { return crm + "/tasks/" + id }

// days is an estimate of as many days of the default calendar.
func days(n int32) *implementationv1.Estimate {
	return &implementationv1.Estimate{LikelyMinutes: n * 480}
}

// work is a task in a stage that depends on others.
func work(stage string, after ...string) *implementationv1.Task {
	t := &implementationv1.Task{Stage: stageName(stage), Estimate: days(1)}
	for _, id := range after {
		t.Dependencies = append(t.Dependencies, &implementationv1.Dependency{Predecessor: taskName(id)})
	}
	return t
}

func (p *planner) create(id string, t *implementationv1.Task) (*implementationv1.Task, error) {
	return p.tasks.CreateTask(p.Context(), &implementationv1.CreateTaskRequest{Parent: crm, TaskId: id, Task: t})
}

func (p *planner) task(id string, t *implementationv1.Task) *implementationv1.Task {
	p.Helper()
	made, err := p.create(id, t)
	require.NoError(p, err)
	return made
}

func (p *planner) resource(id string, r *implementationv1.Resource) string {
	p.Helper()
	made, err := p.resources.CreateResource(p.Context(), &implementationv1.CreateResourceRequest{Parent: ws, ResourceId: id, Resource: r})
	require.NoError(p, err)
	return made.GetName()
}

// depend changes what a task depends on.
func (p *planner) depend(id string, on ...string) error {
	_, err := p.tasks.UpdateTask(p.Context(), &implementationv1.UpdateTaskRequest{Task: &implementationv1.Task{
		Name: taskName(id), Dependencies: work("build", on...).GetDependencies(),
	}})
	return err
}

// batch are n tasks, each after the one before.
func batch(n int) *implementationv1.BatchCreateTasksRequest {
	req := &implementationv1.BatchCreateTasksRequest{Parent: crm}
	for i := range n {
		t := work("build")
		if i > 0 {
			t = work("build", fmt.Sprintf("t%05d", i-1))
		}
		req.Requests = append(req.Requests, &implementationv1.CreateTaskRequest{TaskId: fmt.Sprintf("t%05d", i), Task: t})
	}
	return req
}

// requireReason wants a refusal with a code and a reason, and returns it.
func requireReason(t *testing.T, err error, code codes.Code, reason string) *fault.Error {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, code, status.Code(err), "%v", err)
	require.Equal(t, reason, fault.ReasonOf(err), "%v", err)
	return fault.From(err)
}

// refusing are calls that are refused, by what is wrong.
type refusing map[string]struct {
	code   codes.Code
	reason string
	call   func(ctx context.Context) error
}

func (p *planner) refuses(t *testing.T, all refusing) {
	t.Helper()
	before := p.told()
	for name, c := range all {
		t.Run(name, func(t *testing.T) { requireReason(t, c.call(t.Context()), c.code, c.reason) })
	}
	require.Equal(t, before, p.told(), "no refusal changed anything")
}

// told counts the events of alice's changes so far. The log of PostgreSQL shows
// events a moment after their commit and in their order, so a last one of its own is waited for.
func (p *planner) told() (n int) {
	p.Helper()
	mark, err := p.cohorts.CreateCohort(p.Context(), &implementationv1.CreateCohortRequest{Parent: ws, Cohort: &implementationv1.Cohort{}})
	require.NoError(p, err)
	require.Eventually(p, func() bool {
		log, err := p.events.ListEvents(p.Context(), &eventv1.ListEventsRequest{Parent: ws, PageSize: 1000})
		require.NoError(p, err)
		n = 0
		seen := false
		for _, e := range log.GetEvents() {
			seen = seen || e.GetResource() == mark.GetName()
			if e.GetActor() == "users/alice" && !strings.HasPrefix(e.GetType(), "implementation.cohort.") {
				n++
			}
		}
		return seen
	}, 10*time.Second, 10*time.Millisecond)
	return n
}
