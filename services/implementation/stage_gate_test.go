package implementation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func (p *planner) judged(name string, purpose gatev1.Purpose) *gatev1.Verdict {
	p.Helper()
	v, err := p.gates.EvaluateGate(p.Context(), &gatev1.EvaluateGateRequest{Resource: name, Purpose: purpose})
	require.NoError(p, err)
	require.Equal(p, name, v.GetResource())
	require.Equal(p, purpose, v.GetPurpose())
	require.Equal(p, v.GetState() != gatev1.Verdict_PASS && v.GetState() != gatev1.Verdict_WAIVED, len(v.GetReasons()) > 0, v)
	require.Positive(p, v.GetTtl().AsDuration())
	require.Equal(p, v.GetEvaluatedAt().AsTime().Add(v.GetTtl().AsDuration()), v.GetValidUntil().AsTime())
	return v
}

func TestAGateOnAStageAsksWhatItsPurposeSays(t *testing.T) {
	eachRollout(t, func(t *testing.T, p *planner, r *plant) {
		const readiness, technical, both = gatev1.Purpose_PURPOSE_READINESS, gatev1.Purpose_PURPOSE_TECHNICAL, gatev1.Purpose_PURPOSE_ALL
		r.say(pilotWave, gatev1.Verdict_WAIT)
		p.monitor(&implementationv1.StageCondition{Id: "pilot", Resource: pilotWave})
		monitor := stageName("monitor")
		p.stands(gatev1.Verdict_WAIT)

		require.Equal(t, gatev1.Verdict_PASS, p.judged(monitor, readiness).GetState(), "nothing of the plan holds it up")
		blocked := p.judged(monitor, technical)
		require.Equal(t, gatev1.Verdict_WAIT, blocked.GetState())
		require.Equal(t, []string{pilotWave}, blocked.GetWaitingOn())
		require.Equal(t, blocked.GetRevision(), p.judged(monitor, both).GetRevision(), "all purposes share one revision")
		require.Equal(t, blocked.GetRevision(), p.judged(monitor, both).GetRevision(), "asking again changes nothing")

		stream, err := p.gates.WatchGates(t.Context(), &gatev1.WatchGatesRequest{Parent: ws, Resources: []string{monitor, monitor}, Purpose: technical})
		require.NoError(t, err)
		first, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, gatev1.Verdict_WAIT, first.GetVerdict().GetState())
		r.say(pilotWave, gatev1.Verdict_PASS)
		next, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, gatev1.Verdict_PASS, next.GetVerdict().GetState())
		require.Equal(t, technical, next.GetVerdict().GetPurpose())
		require.Greater(t, next.GetVerdict().GetRevision(), first.GetVerdict().GetRevision())

		_, err = p.gates.EvaluateGate(t.Context(), &gatev1.EvaluateGateRequest{Resource: monitor + "x"})
		requireReason(t, err, codes.NotFound, "RESOURCE_NOT_FOUND")
	})
}

func TestAStageInReviewSaysWhatIsMissing(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		_, err := p.stages.CreateStage(t.Context(), &implementationv1.CreateStageRequest{Parent: crm, StageId: "build", Stage: &implementationv1.Stage{ExitCriteria: []*implementationv1.ExitCriterion{
			{Id: "tasks", Type: &implementationv1.ExitCriterion_TasksDone{TasksDone: &implementationv1.TasksDone{}}},
			{Id: "word", Type: &implementationv1.ExitCriterion_Confirmation{Confirmation: &implementationv1.PersonConfirms{Owner: "users/sue"}}},
		}}})
		require.NoError(t, err)
		p.stage("after", "build")
		p.task("first", work("build"))
		p.task("second", work("build", "first"))

		task := func(id string) *implementationv1.Task {
			got, err := p.tasks.GetTask(t.Context(), &implementationv1.GetTaskRequest{Name: taskName(id)})
			require.NoError(t, err)
			return got
		}
		require.Equal(t, gatev1.BlockedBy_STAGE, task("first").GetBlockedBy()[0].GetKind(), "its stage has not begun")
		require.Len(t, task("second").GetBlockedBy(), 2, "and the task before is not done")
		_, err = p.stages.StartStage(t.Context(), &implementationv1.StartStageRequest{Name: stageName("build")})
		require.NoError(t, err)
		require.Empty(t, task("first").GetBlockedBy())
		listed, err := p.tasks.ListTasks(t.Context(), &implementationv1.ListTasksRequest{Parent: crm, OrderBy: "name"})
		require.NoError(t, err)
		require.Empty(t, listed.GetTasks()[0].GetBlockedBy())
		require.Equal(t, taskName("first"), listed.GetTasks()[1].GetBlockedBy()[0].GetResource())

		_, err = p.stages.ReviewStage(t.Context(), &implementationv1.ReviewStageRequest{Name: stageName("build")})
		require.NoError(t, err)
		review := p.get("build").GetBlockedBy()
		require.Equal(t, []gatev1.BlockedBy_Kind{gatev1.BlockedBy_TASK, gatev1.BlockedBy_CONFIRMATION}, []gatev1.BlockedBy_Kind{review[0].GetKind(), review[1].GetKind()})
		require.Equal(t, taskName("first"), review[0].GetResource())
		require.Equal(t, "0 of 2 tasks are done", review[0].GetCurrent())
		require.Equal(t, "users/sue", review[1].GetOwner())

		stages, err := p.stages.ListStages(t.Context(), &implementationv1.ListStagesRequest{Parent: crm, OrderBy: "name"})
		require.NoError(t, err)
		after := stages.GetStages()[0]
		require.Equal(t, stageName("build"), after.GetBlockedBy()[0].GetResource())
		require.Equal(t, "golive stage complete "+stageName("build"), after.GetBlockedBy()[0].GetCommand())

		v := p.judged(stageName("build"), gatev1.Purpose_PURPOSE_ALL)
		require.Equal(t, gatev1.Verdict_WAIT, v.GetState())
		stream, err := p.gates.WatchGates(t.Context(), &gatev1.WatchGatesRequest{Parent: ws, Resources: []string{stageName("build")}})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.NoError(t, err)
		began := time.Now()
		_, err = p.stages.ConfirmStage(t.Context(), &implementationv1.ConfirmStageRequest{Name: stageName("build"), Criterion: "word"})
		require.NoError(t, err)
		told, err := stream.Recv()
		require.NoError(t, err)
		require.Len(t, told.GetVerdict().GetReasons(), 1)
		require.Less(t, time.Since(began), 4*time.Second, "by the event, not by the next look")
		for _, id := range []string{"first", "second"} {
			_, err = p.tasks.CompleteTask(t.Context(), &implementationv1.CompleteTaskRequest{Name: taskName(id)})
			require.NoError(t, err)
		}
		require.Equal(t, gatev1.BlockedBy_OPERATOR, p.get("build").GetBlockedBy()[0].GetKind())
		require.Equal(t, gatev1.Verdict_PASS, p.judged(stageName("build"), gatev1.Purpose_PURPOSE_ALL).GetState())
	})
}
