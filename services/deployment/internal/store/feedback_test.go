package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const rated = "workspaces/w/applications/rated"

// rateable is a store with two releases of an application, and one of another.
func rateable(t *testing.T, db *sqldb.DB) *store.Store {
	t.Helper()
	s, err := store.Over(t.Context(), db, db, store.Config{})
	require.NoError(t, err)
	for _, id := range []string{"rated", "other"} {
		_, err := store.Applications.Create(t.Context(), s.Resources, &deploymentv1.CreateApplicationRequest{Parent: "workspaces/w", ApplicationId: id, Application: &deploymentv1.Application{}})
		require.NoError(t, err)
		for i := 1; i <= 2; i++ {
			_, err := store.Releases.Create(t.Context(), s.Resources, &deploymentv1.CreateReleaseRequest{
				Parent: "workspaces/w/applications/" + id, ReleaseId: fmt.Sprintf("v%d", i),
				Release: &deploymentv1.Release{Version: fmt.Sprintf("%d.0.0", i), Run: &deploymentv1.RunSpec{Command: []string{"a"}}},
			})
			require.NoError(t, err)
		}
	}
	return s
}

func rate(t *testing.T, s *store.Store, application, release, author, cohort string, rating int32, requestID string) (*deploymentv1.Feedback, error) {
	t.Helper()
	return s.CreateFeedback(t.Context(), &deploymentv1.CreateFeedbackRequest{
		Parent: application, RequestId: requestID,
		Feedback: &deploymentv1.Feedback{Release: application + "/releases/" + release, Author: author, Cohort: cohort, Rating: rating},
	})
}

func TestFeedbackKeepsNoName(t *testing.T) {
	t.Parallel()
	tables.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := rateable(t, db)
		const author = "alice.liddell@example.com"
		first, err := rate(t, s, rated, "v1", author, "sales", 2, "8bb5b1f4-7b0c-4c3a-9d3e-0a4d5a0ff001")
		require.NoError(t, err)
		require.Empty(t, first.GetAuthor())
		require.Len(t, first.GetPseudonym(), 32)
		again, err := rate(t, s, rated, "v1", author, "sales", 5, "")
		require.NoError(t, err)
		require.Equal(t, first.GetName(), again.GetName(), "a later one replaces")
		require.EqualValues(t, 5, again.GetRating())
		require.Equal(t, first.GetUid(), again.GetUid())
		second, err := rate(t, s, rated, "v2", author, "sales", 4, "")
		require.NoError(t, err)
		require.NotEqual(t, first.GetName(), second.GetName())
		require.Equal(t, first.GetPseudonym(), second.GetPseudonym())
		elsewhere, err := rate(t, s, "workspaces/w/applications/other", "v1", author, "sales", 4, "")
		require.NoError(t, err)
		require.NotEqual(t, first.GetPseudonym(), elsewhere.GetPseudonym(), "another application has another key")
		require.NoError(t, store.Feedback.CheckTable(t.Context(), db))
		require.NoError(t, store.GateEvaluations.CheckTable(t.Context(), db))
		require.NoError(t, store.Feedback.Rederive(t.Context(), db))
		nowhere(t, db, author)
	})
}

// nowhere looks for a text in every row of what a request leaves behind.
func nowhere(t *testing.T, db *sqldb.DB, text string) {
	t.Helper()
	for _, table := range []string{"feedback", "events", "request_ids"} {
		rows, err := db.Read().QueryContext(t.Context(), `SELECT * FROM `+table) // every column is what is looked at
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		for rows.Next() {
			values := make([]any, len(columns))
			into := make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			require.NoError(t, rows.Scan(into...))
			for i, v := range values {
				raw, isBytes := v.([]byte)
				if !isBytes {
					raw = fmt.Append(nil, v)
				}
				require.NotContains(t, string(raw), text, "%s.%s keeps the author", table, columns[i])
			}
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
}

func TestRatingsAreCounted(t *testing.T) {
	t.Parallel()
	tables.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := rateable(t, db)
		for i, r := range []int32{5, 4, 4, 1} {
			_, err := rate(t, s, rated, "v1", fmt.Sprint(i), []string{"sales", "pilot"}[i%2], r, "")
			require.NoError(t, err)
		}
		_, err := rate(t, s, rated, "v2", "9", "sales", 3, "")
		require.NoError(t, err)
		count := func(what store.RatingsQuery) string {
			what.Application = rated
			all, err := store.CountRatings(t.Context(), db.Read(), what)
			require.NoError(t, err)
			var out []string
			for _, r := range all {
				out = append(out, fmt.Sprintf("%s/%s %v", r.Release[strings.LastIndex(r.Release, "/")+1:], r.Cohort, r.Counts))
			}
			return strings.Join(out, "; ")
		}
		require.Equal(t, "v2/sales [0 0 1 0 0]; v1/pilot [1 0 0 1 0]; v1/sales [0 0 0 1 1]", count(store.RatingsQuery{}))
		require.Equal(t, "v2/ [0 0 1 0 0]; v1/ [1 0 0 2 1]", count(store.RatingsQuery{Together: true}))
		require.Equal(t, "v1/sales [0 0 0 1 1]", count(store.RatingsQuery{Releases: []string{rated + "/releases/v1"}, Cohort: "sales"}))
		require.Empty(t, count(store.RatingsQuery{Cohort: "none"}))
	})
}

func TestFeedbackAboutNothingIsRefused(t *testing.T) {
	t.Parallel()
	tables.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := rateable(t, db)
		_, err := rate(t, s, rated, "v9", "a", "", 3, "")
		require.Equal(t, "RESOURCE_NOT_FOUND", fault.ReasonOf(err))
		_, err = s.CreateFeedback(t.Context(), &deploymentv1.CreateFeedbackRequest{Parent: rated, Feedback: &deploymentv1.Feedback{Release: "workspaces/w/applications/other/releases/v1", Rating: 3, Author: "a"}})
		require.Equal(t, "OTHER_APPLICATION", fault.ReasonOf(err))
		_, err = rate(t, s, "workspaces/w/applications/none", "v1", "a", "", 3, "")
		require.Equal(t, "RESOURCE_NOT_FOUND", fault.ReasonOf(err))
	})
}
