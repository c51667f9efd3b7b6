package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
	"github.com/golive-dev/golive/services/implementation/internal/cputime"
)

// BenchmarkAdoption is the matrix of 50 cohorts × 90 days over 100 000 people of whom three in ten are active on a day: the counting itself,
// and a whole request from the databases on, with and without members remembered. The control is one of the 90 days in SQL, over a row for each person and day.
func BenchmarkAdoption(b *testing.B) {
	const cohorts, members, days = 50, 2000, 90
	now := time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)
	s := counting(b, sqlite(b, "NORMAL"), func() time.Time { return now })
	feature(b, s, "quotes")
	plans := seed(b, s, cohorts, members)
	implementation := plans[0][:strings.Index(plans[0], "/cohortPlans/")]
	today := adoption.DayOf(now)
	random := rand.New(rand.NewPCG(1, 2))
	used := map[adoption.Day]*roaring.Bitmap{}
	for d := today - days - 180; d < today; d++ {
		used[d] = roaring.New()
		for p := range uint32(cohorts * members) {
			if random.Float64() < .3 {
				used[d].Add(p)
			}
		}
	}
	require.NoError(b, s.FillUsage(b.Context(), ws+"/features/quotes", used))
	b.Run("matrix", func(b *testing.B) {
		first := today - days
		facts, err := s.AdoptionFacts(b.Context(), implementation, "", first, today-1)
		require.NoError(b, err)
		for i := range facts.Cohorts { // who has no go-live has no speed
			facts.Cohorts[i].Plan.GoLiveTime = nil
		}
		defer cputime.Measure(b)()
		for b.Loop() {
			report := adoption.Report(facts)
			require.Len(b, report.GetCohorts(), cohorts)
		}
	})
	req := &implementationv1.GetAdoptionRequest{Parent: implementation, StartDay: (today - days).String(), EndDay: (today - 1).String()}
	for name, between := range map[string]func(){"request": func() {}, "request/cold": s.Unlearn} {
		b.Run(name, func(b *testing.B) {
			defer cputime.Measure(b)()
			for b.Loop() {
				between()
				answer, err := s.Adoption(b.Context(), req)
				require.NoError(b, err)
				require.Positive(b, answer.GetCohorts()[cohorts-1].GetPoints()[days-1].GetActive())
			}
		})
	}
	b.Run("control/one day in SQL", func(b *testing.B) { benchSQL(b, today, used, members) })
}

func benchSQL(b *testing.B, today adoption.Day, used map[adoption.Day]*roaring.Bitmap, members int) {
	b.Helper()
	db := sqlite(b, "NORMAL")
	_, err := db.Writer().ExecContext(b.Context(), "CREATE TABLE usage_rows (day BIGINT NOT NULL, person BIGINT NOT NULL, PRIMARY KEY (day, person)) WITHOUT ROWID")
	require.NoError(b, err)
	for d := today - 28; d < today; d++ {
		require.NoError(b, db.Tx(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			for it := used[d].ManyIterator(); ; {
				buffer := make([]uint32, 500)
				n := it.NextMany(buffer)
				if n == 0 {
					return nil
				}
				args := make([]any, 0, 2*n)
				for _, p := range buffer[:n] {
					args = append(args, int64(d), int64(p))
				}
				if _, err := tx.ExecContext(ctx, "INSERT INTO usage_rows (day, person) VALUES "+sqldb.Tuples(n, 2), args...); err != nil {
					return err
				}
			}
		}))
	}
	defer cputime.Measure(b)()
	for b.Loop() {
		var groups int
		err := db.Read().QueryRowContext(b.Context(), fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT person / %d AS cohort, COUNT(*) FROM
			(SELECT person FROM usage_rows WHERE day >= $1 AND day < $2 GROUP BY person HAVING COUNT(*) >= 2) GROUP BY cohort)`, members), int64(today-28), int64(today)).Scan(&groups)
		require.NoError(b, err)
		require.Equal(b, 50, groups)
	}
}
