package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/sqldb"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
)

// technical reads what the deployment service last said of the resources that criteria name.
func (j *judgement) technical(ctx context.Context, q sqldb.Queryer, plans []string) error {
	said := map[string]readiness.Technical{}
	var resources []string
	for _, plan := range plans {
		for _, c := range j.plans[plan].GetReadinessPolicy().GetCriteria() {
			if name := c.GetTechnical().GetResource(); name != "" {
				resources = append(resources, name)
			}
		}
		j.facts[plan].Technical = said
	}
	rows, err := q.QueryContext(ctx, "SELECT resource, asked_time, message FROM technical_verdicts WHERE resource IN ("+sqldb.Marks(1, len(resources))+")", sqldb.Texts(resources)...)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var resource string
		var asked int64
		var data sql.RawBytes
		if err := rows.Scan(&resource, &asked, &data); err != nil {
			return none, err
		}
		v := &gatev1.Verdict{}
		if err := proto.Unmarshal(data, v); err != nil {
			return none, err
		}
		said[resource] = readiness.Technical{State: v.GetState(), Asked: fromMicros(asked), Reasons: v.GetReasons(), Waiting: v.GetWaitingOn()}
		return none, nil
	})
	if err != nil {
		return fmt.Errorf("read technical verdicts: %w", err)
	}
	return nil
}

// TechnicalWanted are the resources that the technical criteria of cohort plans name.
func (s *Store) TechnicalWanted(ctx context.Context) ([]string, error) {
	rows, err := s.DB().Read().QueryContext(ctx, "SELECT DISTINCT resource FROM cohort_plan_technical ORDER BY resource")
	names, err := sqldb.Collect(rows, err, scanText)
	if err != nil {
		return nil, fmt.Errorf("read what technical criteria name: %w", err)
	}
	return names, nil
}

// TechnicalPlans are the cohort plans whose criteria name a resource.
func (s *Store) TechnicalPlans(ctx context.Context, resource string) ([]string, error) {
	rows, err := s.DB().Read().QueryContext(ctx, "SELECT plan FROM cohort_plan_technical WHERE resource = $1 ORDER BY plan LIMIT $2", resource, MaxPlans)
	names, err := sqldb.Collect(rows, err, scanText)
	if err != nil {
		return nil, fmt.Errorf("read who asks about %s: %w", resource, err)
	}
	return names, nil
}

// RecordTechnical keeps what the deployment service said when it was asked. An answer that was asked for earlier never
// takes the place of a later one.
func (s *Store) RecordTechnical(ctx context.Context, v *gatev1.Verdict, asked time.Time) error {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(v)
	if err != nil {
		return fmt.Errorf("keep the verdict on %s: %w", v.GetResource(), err)
	}
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO technical_verdicts (resource, asked_time, message) VALUES ($1, $2, $3)
			ON CONFLICT (resource) DO UPDATE SET asked_time = excluded.asked_time, message = excluded.message
			WHERE technical_verdicts.asked_time <= excluded.asked_time`, v.GetResource(), micros(asked), data)
		if err != nil {
			return fmt.Errorf("keep the verdict on %s: %w", v.GetResource(), err)
		}
		return nil
	})
}
