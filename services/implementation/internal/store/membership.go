package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// ReasonOverlaps is the reason of a second membership in the same time.
const ReasonOverlaps = "MEMBERSHIP_OVERLAPS"

// Memberships is the kind of memberships.
var Memberships = resource.Define(resource.Spec[*implementationv1.Membership]{
	Table:   "memberships",
	Columns: []resource.Column[*implementationv1.Membership]{{Field: "person"}, {Field: "start_date"}, {Field: "end_date"}, {Field: "role"}},
	Parent:  Cohorts.RequiredLater,
	Hooks: resource.Hooks[*implementationv1.Membership]{
		Default: func(_ context.Context, _ *sqldb.Tx, m *implementationv1.Membership) error {
			m.Role = max(m.GetRole(), implementationv1.Membership_MEMBER)
			return nil
		},
		Validate: validateMembership,
	},
})

func validateMembership(ctx context.Context, tx *sqldb.Tx, old, m *implementationv1.Membership) error {
	if old == nil {
		if err := reference(ctx, tx, People, m.GetName(), "membership.person", m.GetPerson()); err != nil {
			return err
		}
	}
	start, end := moment(m.GetStartDate()), moment(m.GetEndDate())
	if !end.IsZero() && (!end.After(start) || end.UnixMicro() <= 0) {
		return fault.Invalid("DATE_INVALID", "the membership ends %s, before it begins; correct end_date", end.Format("2006-01-02")).
			Field("membership.end_date", "must be after start_date")
	}
	cohort := parent(m.GetName())
	// Memberships of a cohort are checked one after the other: what two
	// transactions do not see of each other cannot overlap.
	if _, err := Cohorts.Lock(ctx, tx, cohort); err != nil {
		return err
	}
	return noOverlap(ctx, tx, cohort, m)
}

func noOverlap(ctx context.Context, tx *sqldb.Tx, cohort string, m *implementationv1.Membership) error {
	end := int64(math.MaxInt64)
	if m.GetEndDate() != nil {
		end = micros(moment(m.GetEndDate()))
	}
	var other string
	err := tx.QueryRowContext(ctx, `SELECT name FROM memberships
		WHERE parent = $1 AND person = $2 AND name <> $3 AND start_date < $4 AND (end_date = 0 OR end_date > $5)
		ORDER BY start_date LIMIT 1`,
		cohort, m.GetPerson(), m.GetName(), end, micros(moment(m.GetStartDate()))).Scan(&other)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for overlapping memberships: %w", err)
	}
	return fault.Precondition(ReasonOverlaps, "the person is a member of %s in that time already, by %s; end that one first", cohort, other).
		Subject("MEMBERSHIP", other, "overlaps")
}
