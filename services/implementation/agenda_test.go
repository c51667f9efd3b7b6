package implementation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func TestAnAgendaIsWhatSomebodyHasToDo(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		ctx := t.Context()
		agenda := implementationv1.NewAgendaServiceClient(p.dial("users/ada", adminEverywhere()))
		mine := func(req *implementationv1.GetAgendaRequest) (ids []string) {
			t.Helper()
			req.Parent = ws
			got, err := agenda.GetAgenda(ctx, req)
			require.NoError(t, err)
			for _, one := range got.GetTasks() {
				ids = append(ids, one.GetTask().GetName()[len(ws+"/implementations/"):])
			}
			return ids
		}
		require.Empty(t, mine(&implementationv1.GetAgendaRequest{}))
		_, err := p.implementations.CreateImplementation(ctx, &implementationv1.CreateImplementationRequest{Parent: ws, ImplementationId: "erp", Implementation: &implementationv1.Implementation{DisplayName: "ERP"}})
		require.NoError(t, err)
		_, err = p.stages.CreateStage(ctx, &implementationv1.CreateStageRequest{Parent: ws + "/implementations/erp", StageId: "s", Stage: &implementationv1.Stage{}})
		require.NoError(t, err)
		p.stage("build")
		ada := p.resource("ada", &implementationv1.Resource{Kind: implementationv1.Resource_PERSON, Principal: "users/ada"})
		p.task("first", work("build"))
		owned := work("build", "first")
		owned.Owner = "users/ada"
		p.task("owned", owned)
		both := work("build")
		both.Owner, both.Assignments = "users/ada", []*implementationv1.Assignment{{Resource: ada}}
		both.Deadline = timestamppb.New(p.clock.now().Add(time.Hour))
		p.task("both", both)
		_, err = p.tasks.CreateTask(ctx, &implementationv1.CreateTaskRequest{Parent: ws + "/implementations/erp", TaskId: "assigned", Task: &implementationv1.Task{
			Stage: ws + "/implementations/erp/stages/s", Estimate: days(9), Assignments: []*implementationv1.Assignment{{Resource: ada}},
		}})
		require.NoError(t, err)
		require.Equal(t, []string{"crm/tasks/both", "crm/tasks/owned", "erp/tasks/assigned"}, mine(&implementationv1.GetAgendaRequest{}), "what is due first stands first")
		require.Equal(t, []string{"crm/tasks/both"}, mine(&implementationv1.GetAgendaRequest{PageSize: 1}))
		require.Empty(t, mine(&implementationv1.GetAgendaRequest{Principal: "users/bob"}))

		got, err := agenda.GetAgenda(ctx, &implementationv1.GetAgendaRequest{Parent: ws})
		require.NoError(t, err)
		require.Equal(t, "users/ada", got.GetPrincipal())
		require.True(t, got.GetTasks()[0].GetWorkable())
		require.False(t, got.GetTasks()[1].GetWorkable(), "it waits for first")
		require.Equal(t, both.GetDeadline().AsTime(), got.GetTasks()[0].GetDueTime().AsTime())
		require.NotNil(t, got.GetTasks()[1].GetSchedule())
		require.Equal(t, "ERP", got.GetTasks()[2].GetImplementationDisplayName())

		_, err = p.tasks.CompleteTask(ctx, &implementationv1.CompleteTaskRequest{Name: taskName("both")})
		require.NoError(t, err)
		_, err = p.implementations.CancelImplementation(ctx, &implementationv1.CancelImplementationRequest{Name: ws + "/implementations/erp", Reason: "merged"})
		require.NoError(t, err)
		require.Equal(t, []string{"crm/tasks/owned"}, mine(&implementationv1.GetAgendaRequest{}), "what is over is on no agenda")
		_, err = agenda.GetAgenda(ctx, &implementationv1.GetAgendaRequest{Parent: "workspaces/-"})
		require.Contains(t, []codes.Code{codes.InvalidArgument, codes.PermissionDenied}, statusCode(err))
	})
}
