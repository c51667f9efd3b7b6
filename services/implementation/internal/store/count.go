package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// CountEnrolments counts the people of a training by where they are; a cohort narrows it to its members today.
func (s *Store) CountEnrolments(ctx context.Context, req *implementationv1.CountEnrolmentsRequest) (*implementationv1.CountEnrolmentsResponse, error) {
	q := s.DB().Read()
	if _, err := Trainings.Get(ctx, s.Store, &implementationv1.GetTrainingRequest{Name: req.GetTraining()}); err != nil {
		return nil, err
	}
	answer, now := &implementationv1.CountEnrolmentsResponse{}, s.Now().UnixMicro()
	from, args := "FROM enrolments WHERE parent = $2", []any{now, req.GetTraining()}
	if req.GetCohort() != "" {
		members, err := s.cohortSize(ctx, req.GetTraining(), req.GetCohort())
		if err != nil {
			return nil, err
		}
		answer.MemberCount = members
		from += " AND person IN (SELECT m.person FROM memberships m WHERE m.parent = $3 AND " + effective("CAST($1 AS BIGINT)") + ")"
		args = append(args, req.GetCohort())
	}
	rows, err := q.QueryContext(ctx, "SELECT state, COUNT(*), COUNT(*) FILTER (WHERE overdue), COUNT(*) FILTER (WHERE passed = 1) FROM (SELECT "+
		seen("CAST($1 AS BIGINT)")+" AS state, passed, due_time <> 0 AND due_time <= CAST($1 AS BIGINT) AS overdue "+from+") AS seen GROUP BY state ORDER BY state", args...)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		c := &implementationv1.EnrolmentCount{}
		var overdue, passed int64
		if err := rows.Scan(&c.State, &c.Count, &overdue, &passed); err != nil {
			return none, err
		}
		answer.Counts = append(answer.Counts, c)
		answer.EnrolledCount += c.GetCount()
		switch c.GetState() {
		case implementationv1.Enrolment_COMPLETED:
			answer.PassedCount += passed
		case implementationv1.Enrolment_WAIVED:
		default:
			answer.OverdueCount += overdue
		}
		return none, nil
	})
	if err != nil {
		return nil, fmt.Errorf("count enrolments of %s: %w", req.GetTraining(), err)
	}
	return answer, nil
}

// cohortSize counts the members of a cohort today. A cohort that is not there is the mistake of the field that names it.
func (s *Store) cohortSize(ctx context.Context, owner, cohort string) (int64, error) {
	if err := shape(Cohorts, owner, "cohort", cohort); err != nil {
		return 0, err
	}
	c, err := Cohorts.LoadMany(ctx, s.DB().Read(), []string{cohort})
	if err != nil {
		return 0, err
	}
	if c[cohort] == nil {
		return 0, dangling("cohort", cohort)
	}
	err = s.Sizes(ctx, c[cohort])
	return c[cohort].GetSize(), err
}

// CountProvisionings counts who has an account now: of everybody, or of the members of a cohort today.
func (s *Store) CountProvisionings(ctx context.Context, req *implementationv1.CountProvisioningsRequest) (*implementationv1.CountProvisioningsResponse, error) {
	if _, err := People.Parse(People.Name(req.GetParent(), "x")); err != nil {
		return nil, err
	}
	if err := ownName(req.GetParent(), "application", req.GetApplication(), "application"); err != nil {
		return nil, err
	}
	people, args := "SELECT name AS person FROM people WHERE parent = $3", []any{s.Now().UnixMicro(), req.GetApplication(), req.GetParent()}
	if req.GetCohort() != "" {
		if _, err := s.cohortSize(ctx, req.GetParent(), req.GetCohort()); err != nil {
			return nil, err
		}
		people, args[2] = "SELECT m.person FROM memberships m WHERE m.parent = $3 AND "+effective("CAST($1 AS BIGINT)"), req.GetCohort()
	}
	answer := &implementationv1.CountProvisioningsResponse{}
	err := s.DB().Read().QueryRowContext(ctx, "SELECT COUNT(*), COUNT(a.person) FROM ("+people+") AS p LEFT JOIN provisionings a ON a.application = $2 AND a.person = p.person AND "+
		provisioned("CAST($1 AS BIGINT)"), args...).Scan(&answer.PeopleCount, &answer.ProvisionedCount)
	if err != nil {
		return nil, fmt.Errorf("count accounts in %s: %w", req.GetApplication(), err)
	}
	return answer, nil
}

// provisioned is true for accounts that are there at the moment of a placeholder or column.
func provisioned(at string) string {
	return "a.provision_time <= " + at + " AND (a.revoke_time = 0 OR a.revoke_time > " + at + ")"
}
