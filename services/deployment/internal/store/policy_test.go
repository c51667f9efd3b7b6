package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

func TestOverridesAreReadWhileTheyLive(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		require.NoError(t, store.Policies.CheckTable(t.Context(), b.DB))
		require.NoError(t, store.Overrides.CheckTable(t.Context(), b.DB))
		put := func(id string, o *deploymentv1.Override) {
			o.Name = workspace + "/overrides/" + id
			b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
				return store.Overrides.Insert(ctx, tx, b.Resources, o, resource.Meta{})
			})
		}
		hour := timestamppb.New(b.now.Add(time.Hour))
		put("gate", &deploymentv1.Override{Subject: environment, Opens: &deploymentv1.Override_Gate{Gate: "boss"}, ExpireTime: hour})
		put("policy", &deploymentv1.Override{Subject: environment, Opens: &deploymentv1.Override_Policy{Policy: workspace + "/policies/p"}, ExpireTime: timestamppb.New(b.now.Add(2 * time.Hour))})
		put("revoked", &deploymentv1.Override{Subject: environment, Opens: &deploymentv1.Override_Gate{Gate: "boss"}, ExpireTime: hour, RevokeTime: hour})
		live := func(at time.Time, in string) (ids []string) {
			found, err := store.LiveOverrides(t.Context(), b.DB.Read(), in, at)
			require.NoError(t, err)
			for _, o := range found {
				ids = append(ids, o.GetName())
			}
			return ids
		}
		require.Equal(t, []string{workspace + "/overrides/gate", workspace + "/overrides/policy"}, live(b.now, workspace))
		require.Equal(t, []string{workspace + "/overrides/policy"}, live(b.now.Add(time.Hour), workspace), "the moment of its end is past it")
		require.Empty(t, live(b.now.Add(2*time.Hour), workspace))
		require.Empty(t, live(b.now, "workspaces/other"))
		require.NoError(t, store.Overrides.Rederive(t.Context(), b.DB))
	})
}
