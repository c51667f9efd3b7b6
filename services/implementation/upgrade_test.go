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
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
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

// testdata/release-before-active.db.gz is what examples/plan left behind, agreed on and started: a plan under way keeps its
// state, and what waits in it is known without anybody touching it.
func TestAPlanUnderWayOfTheReleaseBeforeIsTakenOver(t *testing.T) {
	file := filepath.Join(t.TempDir(), "implementation.db")
	unpack(t, "testdata/release-before-active.db.gz", file)
	w := setup(t, "sqlite:"+file, func(c *implementation.Config) {
		c.Clock = func() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC) }
	})
	ctx := t.Context()
	rollout := ws + "/implementations/crm-rollout"
	found, err := w.implementations.GetImplementation(ctx, &implementationv1.GetImplementationRequest{Name: rollout})
	require.NoError(t, err)
	require.Equal(t, implementationv1.Implementation_ACTIVE, found.GetState())

	list := waitingv1.NewWaitingServiceClient(w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}))
	page, err := list.ListWaiting(ctx, &waitingv1.ListWaitingRequest{Parent: ws, Kinds: []string{"stage", "cohortPlan"}})
	require.NoError(t, err)
	waits := map[string]string{}
	for _, line := range page.GetWaiting() {
		require.NotEmpty(t, line.GetBlockedBy(), line.GetResource())
		require.Equal(t, 2026, line.GetSince().AsTime().Year(), "since it was made, not since the upgrade")
		waits[line.GetResource()] = line.GetState()
	}
	require.Equal(t, map[string]string{
		rollout + "/stages/prepare": "READY", rollout + "/stages/build": "PENDING", rollout + "/stages/ready": "PENDING", rollout + "/stages/live": "PENDING",
		rollout + "/cohortPlans/crm-pilot": "UNKNOWN", rollout + "/cohortPlans/crm-sales": "UNKNOWN",
	}, waits)

	started, err := implementationv1.NewStageServiceClient(w.dial("users/lead", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}})).
		StartStage(ctx, &implementationv1.StartStageRequest{Name: rollout + "/stages/prepare"})
	require.NoError(t, err)
	require.Equal(t, implementationv1.Stage_ACTIVE, started.GetState())
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
