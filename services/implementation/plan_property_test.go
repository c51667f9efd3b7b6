package implementation_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// TestAPlanIsTakenExactlyWhereNothingWaitsForItself draws plans whose tasks wait
// for others and for the stages before theirs, and asks a slow closure which of them have a circle.
func TestAPlanIsTakenExactlyWhereNothingWaitsForItself(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		stages := []string{"s0", "s1", "s2"}
		p.stage("s0")
		p.stage("s1", "s0") // waits for s0; s2 stands aside
		p.stage("s2")
		taken := 0
		rapid.Check(t, func(t *rapid.T) {
			const most = 7
			n := rapid.IntRange(1, most).Draw(t, "tasks")
			var waits [most][most]bool
			in := make([]int, n)
			req := &implementationv1.BatchCreateTasksRequest{Parent: crm, ValidateOnly: true}
			for i := range n {
				in[i] = rapid.IntRange(0, len(stages)-1).Draw(t, "stage")
				var after []string
				for j := range n {
					if j != i && rapid.IntRange(0, 5).Draw(t, "link") == 0 {
						after, waits[i][j] = append(after, fmt.Sprintf("t%d", j)), true
					}
				}
				req.Requests = append(req.Requests, &implementationv1.CreateTaskRequest{TaskId: fmt.Sprintf("t%d", i), Task: work(stages[in[i]], after...)})
			}
			for i := range n {
				for j := range n {
					waits[i][j] = waits[i][j] || in[i] == 1 && in[j] == 0
				}
			}
			for k := range n {
				for i := range n {
					for j := range n {
						waits[i][j] = waits[i][j] || waits[i][k] && waits[k][j]
					}
				}
			}
			circle := false
			for i := range n {
				circle = circle || waits[i][i]
			}
			_, err := p.tasks.BatchCreateTasks(p.Context(), req)
			if circle {
				require.Equal(t, "TASK_CYCLE", faultReason(err))
				return
			}
			require.NoError(t, err)
			taken++
		})
		require.Positive(t, taken)
	})
}
