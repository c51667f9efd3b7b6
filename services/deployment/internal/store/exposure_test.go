package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// Three targets had a bad release: one until the next release came, one until its own revert, and one was never touched.
func TestARowOfTheBadReleaseIsExposedUntilSomethingElseRuns(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		const bad = crm + "/deployments/bad"
		at := func(minutes int) time.Time { return b.now.Add(time.Duration(minutes) * time.Minute) }
		row := func(id string, state deploymentv1.Installation_State) *store.Installation {
			return &store.Installation{
				Installation: &deploymentv1.Installation{
					Name: bad + "/installations/" + id, Target: environment + "/targets/" + id, Wave: bad + "/waves/all", ToRelease: "v2", State: state, Attempt: 1,
				},
				Deployment: bad, Application: crm,
			}
		}
		b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
			err := store.InsertInstallations(ctx, tx, at(25), []*store.Installation{
				row("left", deploymentv1.Installation_HEALTHY), row("reverted", deploymentv1.Installation_REVERTED), row("untouched", deploymentv1.Installation_FAILED),
			})
			if err != nil {
				return err
			}
			step := func(id string, state deploymentv1.Installation_State, minute int) *agentv1.Report {
				return &agentv1.Report{Sequence: 1, Installation: bad + "/installations/" + id, Attempt: 1, Steps: []*deploymentv1.InstallationStep{
					{State: deploymentv1.Installation_FETCHING, StartTime: timestamppb.New(at(0)), EndTime: timestamppb.New(at(1))},
					{State: state, StartTime: timestamppb.New(at(minute)), EndTime: timestamppb.New(at(minute + 1))},
				}}
			}
			return store.InsertSteps(ctx, tx, []*agentv1.Report{
				step("left", deploymentv1.Installation_ACTIVATING, 10), step("reverted", deploymentv1.Installation_PROBING, 20), step("untouched", deploymentv1.Installation_VERIFYING, 2),
			})
		})
		b.runs("left", "v2", bad+"/installations/left", at(11))
		b.runs("left", "v3", "another", at(70))

		found, err := store.Exposures(t.Context(), b.DB.Read(), []string{bad})
		require.NoError(t, err)
		require.Equal(t, []store.Exposure{
			{Deployment: bad, Wave: bad + "/waves/all", Target: environment + "/targets/left", From: at(10), To: at(70)},
			{Deployment: bad, Wave: bad + "/waves/all", Target: environment + "/targets/reverted", From: at(20), To: at(25)},
			{Deployment: bad, Wave: bad + "/waves/all", Target: environment + "/targets/untouched"},
		}, normalised(b, found))
	})
}

// normalised allows the microsecond by which a second run of one moment is later.
func normalised(b *fleetBundle, found []store.Exposure) []store.Exposure {
	for i := range found {
		if !found[i].To.IsZero() {
			found[i].To = b.now.Add(found[i].To.Sub(b.now).Truncate(time.Second))
		}
	}
	return found
}
