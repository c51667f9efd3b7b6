package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Cohorts is the kind of cohorts. Their size is counted when they are read, see [Store.Sizes].
var Cohorts = resource.Define(resource.Spec[*implementationv1.Cohort]{
	Table:   "cohorts",
	Columns: []resource.Column[*implementationv1.Cohort]{{Field: "display_name"}, {Field: "labels"}},
	Hooks: resource.Hooks[*implementationv1.Cohort]{
		Validate:     func(_ context.Context, _ *sqldb.Tx, _, m *implementationv1.Cohort) error { return validateCohort(m) },
		BeforeDelete: takingComments(deleteCohort),
	},
})

// validateCohort checks what the shape of the fields does not say: that the zone and the days exist.
func validateCohort(m *implementationv1.Cohort) error {
	if _, err := time.LoadLocation(m.GetTimeZone()); err != nil || m.GetTimeZone() == "Local" {
		return fault.Invalid("TIME_ZONE_UNKNOWN", "time zone %s is not known; write an IANA name, such as Europe/Berlin", quoted(m.GetTimeZone())).
			Field("cohort.time_zone", "is not known")
	}
	for i, b := range m.GetBlackouts() {
		field := fmt.Sprintf("cohort.blackouts[%d]", i)
		start, err := time.Parse(time.DateOnly, b.GetStartDate())
		if err != nil {
			return fault.Invalid("DATE_INVALID", "%s begins on %s, which is no day; correct it", field, quoted(b.GetStartDate())).
				Field(field+".start_date", "is no day")
		}
		end, err := time.Parse(time.DateOnly, b.GetEndDate())
		if err != nil || end.Before(start) {
			return fault.Invalid("DATE_INVALID", "%s ends on %s, which is no day or before it begins; correct it", field, quoted(b.GetEndDate())).
				Field(field+".end_date", "is no day, or before start_date")
		}
	}
	return nil
}

// deleteCohort takes the memberships along, whose end the cohort's own event tells.
func deleteCohort(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Cohort) error {
	err := unused(ctx, tx, old.GetName(),
		"SELECT name FROM cohort_plans WHERE cohort = $1 ORDER BY name LIMIT 1", old.GetName())
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM memberships WHERE parent = $1", old.GetName()); err != nil {
		return fmt.Errorf("delete memberships of %s: %w", old.GetName(), err)
	}
	return nil
}

// effective is true for memberships at the moment of a placeholder or column; the end is excluded.
func effective(at string) string {
	return "m.start_date <= " + at + " AND (m.end_date = 0 OR m.end_date > " + at + ")"
}

// Sizes fills in how many members each cohort has now.
func (s *Store) Sizes(ctx context.Context, cohorts ...*implementationv1.Cohort) error {
	byName := make(map[string]*implementationv1.Cohort, len(cohorts))
	names := make([]string, len(cohorts))
	for i, c := range cohorts {
		c.Size = 0
		byName[c.GetName()], names[i] = c, c.GetName()
	}
	type size struct {
		cohort string
		count  int64
	}
	for part := range slices.Chunk(names, chunk) {
		rows, err := s.DB().Read().QueryContext(ctx,
			"SELECT m.parent, COUNT(*) FROM memberships m WHERE "+effective("$1")+" AND m.parent IN ("+sqldb.Marks(2, len(part))+") GROUP BY m.parent",
			append([]any{s.Now().UnixMicro()}, sqldb.Texts(part)...)...)
		sizes, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (one size, err error) {
			return one, rows.Scan(&one.cohort, &one.count)
		})
		if err != nil {
			return fmt.Errorf("count members: %w", err)
		}
		for _, one := range sizes {
			byName[one.cohort].Size = one.count
		}
	}
	return nil
}
