package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/golive-dev/golive/pkg/sqldb"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/waits"
)

// stageFacts gathers what the stages before the given ones, their implementations, and the deployment service say, in a number of
// statements that does not depend on how many stages there are.
func (s *Store) stageFacts(ctx context.Context, q sqldb.Queryer, stages []*implementationv1.Stage) (*waits.Facts, error) {
	f := &waits.Facts{Now: s.Now(), Tasks: map[string]waits.TaskCount{}, Readiness: map[string]gatev1.Verdict_State{}}
	var before, resources, waiting []string
	plans := map[string]bool{}
	for _, stage := range stages {
		plans[parent(stage.GetName())] = true
		before = append(before, stage.GetPredecessors()...)
		for _, c := range stage.GetWaitsFor() {
			resources = append(resources, c.GetResource())
		}
		if len(stage.GetWaitsFor()) > 0 {
			waiting = append(waiting, stage.GetName())
		}
	}
	var err error
	if f.Stages, err = stageRows.LoadMany(ctx, q, unique(before)); err != nil {
		return nil, err
	}
	if f.Implementations, err = Implementations.LoadMany(ctx, q, slices.Sorted(maps.Keys(plans))); err != nil {
		return nil, err
	}
	if f.Answers, err = technicalAnswers(ctx, q, resources); err != nil {
		return nil, err
	}
	f.Holds, err = stageHolds(ctx, q, waiting)
	return f, err
}

// addExit adds what exit criteria are judged by. It reads outside of any transaction.
func (s *Store) addExit(ctx context.Context, f *waits.Facts, stages []*implementationv1.Stage) error {
	if len(stages) == 0 {
		return nil
	}
	var names, plans []string
	for _, stage := range stages {
		names = append(names, stage.GetName())
		for _, c := range stage.GetExitCriteria() {
			if plan := c.GetReadiness().GetCohortPlan(); plan != "" {
				plans = append(plans, plan)
			}
		}
	}
	assessed, err := s.Assess(ctx, unique(plans))
	if err != nil {
		return err
	}
	for plan, a := range assessed {
		f.Readiness[plan] = a.State()
	}
	return s.countTasks(ctx, f, names)
}

func (s *Store) countTasks(ctx context.Context, f *waits.Facts, stages []string) error {
	done, cancelled := int64(implementationv1.Task_DONE), int64(implementationv1.Task_CANCELLED)
	for part := range slices.Chunk(stages, chunk) {
		rows, err := s.DB().Read().QueryContext(ctx, fmt.Sprintf(`SELECT stage, COUNT(*), COUNT(*) FILTER (WHERE state = %d), COALESCE(MIN(CASE WHEN state <> %d THEN name END), '')
			FROM tasks WHERE state <> %d AND stage IN (`+sqldb.Marks(1, len(part))+`) GROUP BY stage`, done, done, cancelled), sqldb.Texts(part)...)
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
			var stage string
			var count waits.TaskCount
			err = rows.Scan(&stage, &count.All, &count.Done, &count.Open)
			f.Tasks[stage] = count
			return none, err
		})
		if err != nil {
			return fmt.Errorf("count the tasks of stages: %w", err)
		}
	}
	return nil
}

func unique(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }
