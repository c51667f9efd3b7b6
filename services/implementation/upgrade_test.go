package implementation_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation"
)

// testdata/release-before.db.gz is the database that the demonstration of the
// release before plans, contacts and usage left behind: what an operator has
// who takes this one.
func TestADatabaseOfTheReleaseBeforeIsTakenOver(t *testing.T) {
	file := filepath.Join(t.TempDir(), "implementation.db")
	unpack(t, "testdata/release-before.db.gz", file)
	w := setup(t, "sqlite:"+file, func(c *implementation.Config) {
		c.Clock = func() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC) }
	})
	ctx := t.Context()
	found, err := w.implementations.ListImplementations(ctx, &implementationv1.ListImplementationsRequest{Parent: ws, Filter: "state = DRAFT"})
	require.NoError(t, err)
	require.Len(t, found.GetImplementations(), 1)
	require.Equal(t, "New CRM", found.GetImplementations()[0].GetDisplayName())

	// What was known is known, and answers as before.
	plans, err := w.plans.ListCohortPlans(ctx, &implementationv1.ListCohortPlansRequest{Parent: crm})
	require.NoError(t, err)
	require.Len(t, plans.GetCohortPlans(), 3)
	for _, plan := range plans.GetCohortPlans() {
		require.Equal(t, gatev1.Verdict_PASS, w.verdict(plan.GetName()).GetState(), plan.GetName())
	}
	done, err := w.enrolments.ListEnrolments(ctx, &implementationv1.ListEnrolmentsRequest{Parent: ws + "/trainings/crm-basics", Filter: "state = COMPLETED"})
	require.NoError(t, err)
	require.Len(t, done.GetEnrolments(), 35)

	// What is new works on it: a plan, and use by those who were there before.
	p := &planner{world: w}
	p.speak(w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}))
	p.stage("build")
	p.task("first", work("build"))
	a := adopting(w)
	answer := a.report(&implementationv1.UsageEvent{Feature: "quotes", Subject: done.GetEnrolments()[0].GetPerson(), Day: "2026-11-23"})
	require.EqualValues(t, 1, answer.GetAcceptedCount())
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	packed, err := os.Open(from)
	require.NoError(t, err)
	defer func() { require.NoError(t, packed.Close()) }()
	raw, err := gzip.NewReader(packed)
	require.NoError(t, err)
	data, err := io.ReadAll(raw)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, data, 0o600))
}
