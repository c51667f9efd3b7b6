package implementation_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func adminEverywhere() map[string][]auth.Role {
	return map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}
}

func statusCode(err error) codes.Code { return status.Code(err) }

func faultReason(err error) string { return fault.ReasonOf(err) }

func (p *planner) load(csv string) *implementationv1.ImportResult {
	p.Helper()
	result, err := p.tasks.ImportTasks(p.Context(), &implementationv1.ImportTasksRequest{Parent: crm, Csv: []byte(csv), CreateStages: true})
	require.NoError(p, err)
	return result
}

// rows is every bad row as one line.
func rows(r *implementationv1.ImportResult) (all []string) {
	for _, e := range r.GetErrors() {
		all = append(all, fmt.Sprintf("%d %s %s", e.GetLine(), e.GetColumn(), e.GetReason()))
	}
	return all
}

func TestAFileBecomesAPlanAndBack(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		ctx := t.Context()
		p.resource("trainers", &implementationv1.Resource{Kind: implementationv1.Resource_ROLE, Capacity: 4})
		result := p.load("Name;Stage;Likely;Predecessors;Resources;Milestone\n" +
			"Go live;Roll out;;train FS+1d;;yes\n" + // what it depends on comes later
			"Design;Build;3d;;;\n" +
			"Train;Roll out;2d;design;trainers:2;\n")
		require.Empty(t, rows(result))
		require.EqualValues(t, 3, result.GetCreatedCount())
		stages, err := p.stages.ListStages(ctx, &implementationv1.ListStagesRequest{Parent: crm, OrderBy: "position"})
		require.NoError(t, err)
		require.Equal(t, "Roll out", stages.GetStages()[0].GetDisplayName())
		train, err := p.tasks.GetTask(ctx, &implementationv1.GetTaskRequest{Name: taskName("train")})
		require.NoError(t, err)
		require.InDelta(t, 2, train.GetAssignments()[0].GetUnits(), 0)

		exported, err := p.tasks.ExportTasks(ctx, &implementationv1.ExportTasksRequest{Parent: crm})
		require.NoError(t, err)
		require.EqualValues(t, 3, exported.GetRowCount())
		before := p.told()
		again := p.load(string(exported.GetCsv()))
		require.EqualValues(t, 3, again.GetUnchangedCount(), "what was written is what there is")
		require.Equal(t, before, p.told())

		edited := p.load(strings.Replace(string(exported.GetCsv()), ",3d,", ",4d,", 1))
		require.Equal(t, []int32{0, 1, 2}, []int32{edited.GetCreatedCount(), edited.GetUpdatedCount(), edited.GetUnchangedCount()})
		design, err := p.tasks.GetTask(ctx, &implementationv1.GetTaskRequest{Name: taskName("design")})
		require.NoError(t, err)
		require.EqualValues(t, 4*480, design.GetEstimate().GetLikelyMinutes())
	})
}

func TestAFileWithOneBadRowChangesNothing(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		p.stage("build")
		p.task("old", work("build"))
		before := p.told()
		result, err := p.tasks.ImportTasks(t.Context(), &implementationv1.ImportTasksRequest{Parent: crm, Csv: []byte("id,stage,optimistic,likely,predecessors,resources,milestone\n" +
			"a,build,,1d,c,,\n" +
			"b,build,2d,1d,,,\n" +
			"c,build,,1d,old;a,,\n" +
			"d,none,,1d,,,\n" +
			"e,build,,1d,gone,,\n" +
			"f,build,,1d,,nobody,\n" +
			"g,build,,1d,,,yes\n" +
			"h,build,,1d,h,,\n" +
			"old,build,,1d,c,,\n")})
		require.NoError(t, err)
		require.Equal(t, []string{
			"3 optimistic ESTIMATE_ORDER", "4 predecessors TASK_CYCLE", "5 stage REFERENCE_NOT_FOUND", "6 predecessors REFERENCE_NOT_FOUND",
			"7 resources REFERENCE_NOT_FOUND", "8 likely MILESTONE_DURATION", "9 predecessors TASK_CYCLE", "10 predecessors TASK_CYCLE",
		}, rows(result))
		require.Contains(t, result.GetErrors()[1].GetMessage(), "a (line 2) → c (line 4) → a (line 2)")
		require.EqualValues(t, 9, result.GetRowCount())
		require.Equal(t, before, p.told(), "nothing half done")

		closing := p.load("id,stage,predecessors\nnew,build,old\nold,build,new\n")
		require.Equal(t, []string{"3 predecessors TASK_CYCLE"}, rows(closing), "a circle through what is there")
		require.Equal(t, before, p.told())
	})
}

func TestAnImportIsTriedAndRepeated(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		ctx, before := t.Context(), p.told()
		req := &implementationv1.ImportTasksRequest{Parent: crm, Csv: []byte("Aufgabe,Phase\nDesign,Build\n"), Columns: map[string]string{"name": "Aufgabe", "stage": "Phase"}, CreateStages: true, ValidateOnly: true}
		tried, err := p.tasks.ImportTasks(ctx, req)
		require.NoError(t, err)
		require.EqualValues(t, 1, tried.GetCreatedCount())
		require.Equal(t, before, p.told(), "a dry run changes nothing")
		req.ValidateOnly, req.RequestId = false, "once"
		for range 2 {
			made, err := p.tasks.ImportTasks(ctx, req)
			require.NoError(t, err)
			require.EqualValues(t, 1, made.GetCreatedCount(), "the same request is the same answer")
		}
		req.RequestId, req.Columns = "", map[string]string{"colour": "Phase"}
		_, err = p.tasks.ImportTasks(ctx, req)
		requireReason(t, err, codes.InvalidArgument, "UNKNOWN_FIELD")
	})
}

func TestALargePlanIsOneFile(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		var file strings.Builder
		file.WriteString("id,stage,likely,predecessors\n")
		const most = 10_000
		for i := range most {
			fmt.Fprintf(&file, "t%d,build,1d,", i)
			if i+1 < most {
				fmt.Fprintf(&file, "t%d", i+1) // a chain, the wrong way around
			}
			file.WriteString("\n")
		}
		result := p.load(file.String())
		require.Empty(t, rows(result))
		require.EqualValues(t, most, result.GetCreatedCount())
		_, err := p.tasks.CreateTask(t.Context(), &implementationv1.CreateTaskRequest{Parent: crm, Task: work("build")})
		requireReason(t, err, codes.ResourceExhausted, "PLAN_TOO_LARGE")
		closing := p.load(fmt.Sprintf("id,stage,predecessors\nt%d,build,t0\n", most-1))
		require.Equal(t, []string{"2 predecessors TASK_CYCLE"}, rows(closing))
	})
}
