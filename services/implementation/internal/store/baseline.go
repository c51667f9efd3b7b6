package store

import (
	"context"
	"database/sql"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Baselines is the kind of baselines. Their tasks and stages are apart, in
// baseline_plans, so that lists and events stay small.
var Baselines = resource.Define(resource.Spec[*implementationv1.Baseline]{
	Table:   "baselines",
	Columns: []resource.Column[*implementationv1.Baseline]{{Field: "display_name"}, {Field: "author"}, {Field: "end_time"}},
	Parent:  implementationRows.RequiredLater,
	Hooks: resource.Hooks[*implementationv1.Baseline]{
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Baseline) error {
			i, err := implementationRows.Lock(ctx, tx, parent(old.GetName()))
			if err != nil {
				return err
			}
			if i.GetCurrentBaseline() == old.GetName() {
				return inUse(old.GetName(), i.GetName())
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM baseline_plans WHERE name = $1", old.GetName()); err != nil {
				return fmt.Errorf("delete the plan of %s: %w", old.GetName(), err)
			}
			return removeComments(ctx, tx, old.GetName())
		},
	},
})

// Baseline reads a baseline with its tasks.
func (s *Store) Baseline(ctx context.Context, name string) (*implementationv1.Baseline, error) {
	if _, err := Baselines.Parse(name); err != nil {
		return nil, err
	}
	return baseline(ctx, s.DB().Read(), name)
}

// baseline reads header and plan in one statement, so that they are of one baseline.
func baseline(ctx context.Context, q sqldb.Queryer, name string) (*implementationv1.Baseline, error) {
	all, err := baselines(ctx, q, "WHERE b.name = $1", name)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		_, err := Baselines.Load(ctx, q, name) // says that it does not exist
		return nil, err
	}
	return all[0], nil
}

func baselines(ctx context.Context, q sqldb.Queryer, where string, args ...any) ([]*implementationv1.Baseline, error) {
	rows, err := q.QueryContext(ctx, "SELECT b.message, p.plan FROM baselines b JOIN baseline_plans p ON p.name = b.name "+where, args...)
	all, err := sqldb.Collect(rows, err, scanBaseline)
	if err != nil {
		return nil, fmt.Errorf("read baselines: %w", err)
	}
	return all, nil
}

// insertBaseline stores a new baseline, with what is apart.
func (s *Store) insertBaseline(ctx context.Context, tx *sqldb.Tx, b *implementationv1.Baseline) error {
	header := proto.CloneOf(b)
	header.Tasks, header.Stages = nil, nil
	if err := Baselines.Insert(ctx, tx, s.Store, header, resource.Meta{Verb: "captured"}); err != nil {
		return err
	}
	plan, err := proto.Marshal(&implementationv1.Baseline{Tasks: b.GetTasks(), Stages: b.GetStages()})
	if err != nil {
		return fmt.Errorf("encode the plan of %s: %w", b.GetName(), err)
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO baseline_plans (name, plan) VALUES ($1, $2)", b.GetName(), plan); err != nil {
		return fmt.Errorf("store the plan of %s: %w", b.GetName(), err)
	}
	b.Uid, b.Etag, b.CreateTime, b.UpdateTime = header.GetUid(), header.GetEtag(), header.GetCreateTime(), header.GetUpdateTime()
	return nil
}

func scanBaseline(rows *sql.Rows) (*implementationv1.Baseline, error) {
	var message, plan sql.RawBytes
	if err := rows.Scan(&message, &plan); err != nil {
		return nil, err
	}
	b := &implementationv1.Baseline{}
	if err := proto.Unmarshal(message, b); err != nil {
		return nil, err
	}
	return b, proto.UnmarshalOptions{Merge: true}.Unmarshal(plan, b)
}
