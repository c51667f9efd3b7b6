package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// writeLinks keeps the rows of task_links and task_assignments what the message says.
func writeLinks(ctx context.Context, tx *sqldb.Tx, old, t *implementationv1.Task) error {
	same := sameList(old.GetDependencies(), t.GetDependencies()) && sameList(old.GetAssignments(), t.GetAssignments())
	if same {
		return nil
	}
	if old != nil {
		if err := removeLinks(ctx, tx, t.GetName()); err != nil {
			return err
		}
	}
	return insertLinks(ctx, tx, []*implementationv1.Task{t})
}

// insertLinks stores the links and assignments of new tasks, many in a statement.
func insertLinks(ctx context.Context, tx *sqldb.Tx, tasks []*implementationv1.Task) error {
	var links, assignments [][]any
	for _, t := range tasks {
		for _, d := range t.GetDependencies() {
			links = append(links, []any{t.GetName(), d.GetPredecessor(), int64(linkType(d))})
		}
		for _, a := range t.GetAssignments() {
			assignments = append(assignments, []any{t.GetName(), a.GetResource(), units(a)})
		}
	}
	if err := insertTuples(ctx, tx, "task_links (task, predecessor, type)", links); err != nil {
		return err
	}
	return insertTuples(ctx, tx, "task_assignments (task, resource, units)", assignments)
}

// units is how much of a resource an assignment takes.
func units(a *implementationv1.Assignment) float64 {
	if a.GetUnits() == 0 {
		return 1
	}
	return a.GetUnits()
}

// insertTuples stores rows of one width. Full statements have one text, so
// that a database prepares it once.
func insertTuples(ctx context.Context, tx *sqldb.Tx, into string, rows [][]any) error {
	const most = 20
	refused := func(err error) error { return fmt.Errorf("insert into %s: %w", into, err) }
	for part := range slices.Chunk(rows, most) {
		if len(part) < most {
			for _, row := range part {
				if err := tx.Queue(ctx, refused, "INSERT INTO "+into+" VALUES "+sqldb.Tuples(1, len(row)), row...); err != nil {
					return err
				}
			}
			return nil
		}
		if err := tx.Queue(ctx, refused, "INSERT INTO "+into+" VALUES "+sqldb.Tuples(most, len(part[0])), slices.Concat(part...)...); err != nil {
			return err
		}
	}
	return nil
}

func removeLinks(ctx context.Context, tx *sqldb.Tx, task string) error {
	refused := func(err error) error { return fmt.Errorf("remove the links of %s: %w", task, err) }
	if err := tx.Queue(ctx, refused, "DELETE FROM task_links WHERE task = $1", task); err != nil {
		return err
	}
	return tx.Queue(ctx, refused, "DELETE FROM task_assignments WHERE task = $1", task)
}

// linksOf reads what every task of a plan depends on.
func linksOf(ctx context.Context, tx *sqldb.Tx, plan string) (map[string][]string, error) {
	rows, err := tx.QueryContext(ctx, `SELECT l.task, l.predecessor FROM tasks t JOIN task_links l ON l.task = t.name
		WHERE t.parent = $1 ORDER BY l.task, l.predecessor`, plan)
	return collectLinks(rows, err)
}

func collectLinks(rows *sql.Rows, err error) (map[string][]string, error) {
	edges := map[string][]string{}
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var task, predecessor string
		if err := rows.Scan(&task, &predecessor); err != nil {
			return none, err
		}
		if last := edges[task]; len(last) == 0 || last[len(last)-1] != predecessor { // two links of different types are one edge
			edges[task] = append(last, predecessor)
		}
		return none, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read links of tasks: %w", err)
	}
	return edges, nil
}
