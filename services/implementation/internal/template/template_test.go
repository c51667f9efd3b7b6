package template_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/template"
)

func TestTheTemplatesAreWhole(t *testing.T) {
	all, err := template.All()
	require.NoError(t, err)
	ids := make([]string, len(all))
	for i, one := range all {
		ids[i] = one.GetId()
		t.Run(one.GetId(), func(t *testing.T) { whole(t, one) })
	}
	require.Equal(t, []string{"erp-cutover", "process-change", "software-rollout"}, ids)
	all[0].DisplayName = "changed"
	again, err := template.All()
	require.NoError(t, err)
	require.NotEqual(t, "changed", again[0].GetDisplayName(), "what is given away is a copy")
}

func whole(t *testing.T, one *implementationv1.PlanTemplate) {
	t.Helper()
	require.NotEmpty(t, one.GetDescription())
	days := one.GetDurationMinutes() / 480
	require.Greater(t, days, int64(40), "months, not weeks")
	require.Less(t, days, int64(200))
	stages, tasks := map[string]int{}, map[string]*implementationv1.Task{}
	for _, s := range one.GetStages() {
		for _, before := range s.GetPredecessors() {
			require.Contains(t, stages, before, "%s waits for a stage above it", s.GetName())
		}
		require.NotEmpty(t, s.GetExitCriteria(), s.GetName())
		stages[s.GetName()] = 0
	}
	require.GreaterOrEqual(t, len(one.GetTasks()), 15)
	require.LessOrEqual(t, len(one.GetTasks()), 35)
	for _, task := range one.GetTasks() {
		require.NotContains(t, tasks, task.GetName())
		require.Contains(t, stages, task.GetStage())
		tasks[task.GetName()] = task
		stages[task.GetStage()]++
		e := task.GetEstimate()
		require.LessOrEqual(t, e.GetOptimisticMinutes(), e.GetLikelyMinutes(), task.GetName())
		require.LessOrEqual(t, e.GetLikelyMinutes(), e.GetPessimisticMinutes(), task.GetName())
		require.Equal(t, task.GetMilestone(), e.GetLikelyMinutes() == 0)
	}
	first, waitedFor := 0, map[string]bool{}
	for _, task := range one.GetTasks() {
		if len(task.GetDependencies()) == 0 {
			first++
		}
		for _, d := range task.GetDependencies() {
			require.Contains(t, tasks, d.GetPredecessor(), task.GetName())
			waitedFor[d.GetPredecessor()] = true
		}
	}
	require.Equal(t, 1, first, "one task begins it all; what hangs loose is forgotten in a plan")
	require.Len(t, waitedFor, len(tasks)-1, "one task ends it all: %v", missing(tasks, waitedFor))
	for name, n := range stages {
		require.Positive(t, n, "stage %s has no task", name)
	}
	for _, role := range one.GetRoles() {
		require.Positive(t, role.GetTaskCount(), role.GetId())
	}
}

func missing(tasks map[string]*implementationv1.Task, waitedFor map[string]bool) (all []string) {
	for name := range tasks {
		if !waitedFor[name] {
			all = append(all, name)
		}
	}
	return all
}

func TestATemplateThatSaysSomethingUnknownIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"a field":    "id: a\ncolour: red\n",
		"a role":     "id: a\nstages: [{id: s, tasks: [{id: t, role: nobody}]}]\n",
		"a duration": "id: a\nroles: {r: R}\nstages: [{id: s, tasks: [{id: t, role: r, days: 1d 2d}]}]\n",
		"a circle":   "id: a\nroles: {r: R}\nstages: [{id: s, tasks: [{id: t, role: r, after: u}, {id: u, role: r, after: t}]}]\n",
		"a link":     "id: a\nroles: {r: R}\nstages: [{id: s, tasks: [{id: t, role: r, after: b XX}]}]\n",
	} {
		_, err := template.Parse([]byte(text))
		require.Error(t, err, name)
	}
}
