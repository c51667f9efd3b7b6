package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
	"github.com/golive-dev/golive/services/deployment/internal/waits"
)

const shopApp = workspace + "/applications/shop"

// waiting fills a store with n deployments that wait, each with two waves: one whose turn it is, and one after it.
func waiting(tb testing.TB, s *store.Store, begin time.Time, n int) {
	tb.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	since := func() *timestamppb.Timestamp {
		return timestamppb.New(begin.Add(-time.Duration(rng.IntN(50)) * time.Minute))
	}
	why := func(name, owner string) []*gatev1.BlockedBy {
		return []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_APPROVAL, Resource: name, Current: "0 of 1", Required: "1 approval", Owner: owner, Since: since(), Command: "golive approve " + name,
		}}
	}
	require.NoError(tb, s.DB.Tx(tb.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		if err := store.Applications.Insert(ctx, tx, s.Resources, &deploymentv1.Application{Name: shopApp}, resource.Meta{}); err != nil {
			return err
		}
		for i := range n {
			d := &deploymentv1.Deployment{Name: fmt.Sprintf("%s/deployments/d%03d", shopApp, i), Environment: environment, State: deploymentv1.Deployment_WAITING}
			d.BlockedBy = why(d.GetName()+"/waves/a", fmt.Sprintf("users/u%d", i%7))
			if err := store.Deployments.Insert(ctx, tx, s.Resources, d, resource.Meta{}); err != nil {
				return err
			}
			for j, state := range []deploymentv1.Wave_State{deploymentv1.Wave_GATED, deploymentv1.Wave_PENDING} {
				w := &deploymentv1.Wave{Name: d.GetName() + "/waves/" + string(rune('a'+j)), Ordinal: int32(j + 1), State: state, Rule: &deploymentv1.WaveRule{Id: "w"}}
				w.BlockedBy = why(w.GetName(), "approvers")
				if err := store.Waves.Insert(ctx, tx, s.Resources, w, resource.Meta{}); err != nil {
					return err
				}
			}
		}
		return store.Policies.Insert(ctx, tx, s.Resources, &deploymentv1.Policy{Name: workspace + "/policies/line", StopLine: &deploymentv1.StopLine{
			Engaged: true, EngagedBy: "users/ann", Reason: "payments fail", EngageTime: timestamppb.New(begin.Add(-time.Hour)),
		}}, resource.Meta{})
	}))
}

func TestWhatWaitsIsListedInPagesOverAllKinds(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		waiting(t, b.Store, b.now, 40)
		list := func(req *waitingv1.ListWaitingRequest) (all []*waitingv1.Waiting) {
			req.Parent = workspace
			for pages := 0; ; pages++ {
				page, err := b.ListWaiting(t.Context(), req)
				require.NoError(t, err)
				require.Less(t, pages, 100)
				require.LessOrEqual(t, len(page.GetWaiting()), int(req.GetPageSize()))
				all = append(all, page.GetWaiting()...)
				if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
					return all
				}
			}
		}
		names := func(all []*waitingv1.Waiting) (out []string) {
			for _, w := range all {
				out = append(out, w.GetResource())
			}
			return out
		}
		whole := list(&waitingv1.ListWaitingRequest{PageSize: 1000})
		require.Len(t, whole, 40+40+1, "each deployment, the wave whose turn it is, and the line that was stopped")
		require.Equal(t, workspace+"/policies/line", whole[0].GetResource(), "it has waited longest")
		oldest := func(a, b *waitingv1.Waiting) int {
			if c := a.GetSince().AsTime().Compare(b.GetSince().AsTime()); c != 0 {
				return c
			}
			return strings.Compare(a.GetResource(), b.GetResource())
		}
		require.True(t, slices.IsSortedFunc(whole, oldest))
		for _, order := range []string{"", "since", "since desc", "owner"} {
			one := list(&waitingv1.ListWaitingRequest{PageSize: 1000, OrderBy: order})
			require.Equal(t, names(one), names(list(&waitingv1.ListWaitingRequest{PageSize: 7, OrderBy: order})), "pages leave nothing out and tell nothing twice: %q", order)
			want := slices.Clone(whole)
			switch order {
			case "since desc":
				slices.Reverse(want)
			case "owner":
				slices.SortStableFunc(want, func(a, b *waitingv1.Waiting) int { return strings.Compare(a.GetOwner(), b.GetOwner()) })
			}
			require.Equal(t, names(want), names(one), "%q", order)
		}
		for _, w := range list(&waitingv1.ListWaitingRequest{PageSize: 3, Owner: "users/u3"}) {
			require.Equal(t, "users/u3", w.GetOwner())
		}
		require.Len(t, list(&waitingv1.ListWaitingRequest{PageSize: 3, Kinds: []string{waits.KindWave, "stage"}}), 40)
		require.Empty(t, list(&waitingv1.ListWaitingRequest{PageSize: 3, Kinds: []string{"stage"}}), "of which there are none here")
		require.Len(t, list(&waitingv1.ListWaitingRequest{PageSize: 3, Group: shopApp}), 80)
		require.Len(t, list(&waitingv1.ListWaitingRequest{PageSize: 3, Group: shopApp + "/deployments/d001"}), 2)
		require.Empty(t, list(&waitingv1.ListWaitingRequest{PageSize: 3, Group: shopApp + "/deployments/d00"}), "a name is no prefix")
		other, err := b.ListWaiting(t.Context(), &waitingv1.ListWaitingRequest{Parent: "workspaces/defaul"})
		require.NoError(t, err)
		require.Empty(t, other.GetWaiting(), "nor is a workspace")

		page, err := b.ListWaiting(t.Context(), &waitingv1.ListWaitingRequest{Parent: workspace, PageSize: 2})
		require.NoError(t, err)
		for name, req := range map[string]*waitingv1.ListWaitingRequest{
			"PAGE_TOKEN_MISMATCH": {Parent: workspace, PageToken: page.GetNextPageToken(), Owner: "users/u1"},
			"INVALID_PAGE_TOKEN":  {Parent: workspace, PageToken: "e30x"},
		} {
			_, err := b.ListWaiting(t.Context(), req)
			require.Equal(t, name, fault.ReasonOf(err))
		}
		require.NoError(t, store.Waves.Rederive(t.Context(), b.DB))
		require.NoError(t, store.Deployments.CheckTable(t.Context(), b.DB))
	})
}

func TestWhatEndedWaitsForNothing(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		waiting(t, b.Store, b.now, 1)
		name := shopApp + "/deployments/d000"
		b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
			row, err := store.Deployments.LoadRow(ctx, tx, name)
			if err != nil {
				return err
			}
			row.Message.State = deploymentv1.Deployment_FAILED
			return store.Deployments.Save(ctx, tx, b.Resources, row.Message, row.Revision, resource.Meta{})
		})
		all, err := b.ListWaiting(t.Context(), &waitingv1.ListWaitingRequest{Parent: workspace, Group: shopApp})
		require.NoError(t, err)
		require.Empty(t, all.GetWaiting(), "nor do the waves that it left behind")
		e, err := b.ExplainWaiting(t.Context(), name)
		require.NoError(t, err)
		require.Empty(t, e.GetWaiting().GetBlockedBy())
		require.Empty(t, e.GetDependsOn())
		_, err = b.ExplainWaiting(t.Context(), shopApp+"/releases/v1")
		require.Equal(t, "WAITING_UNSUPPORTED", fault.ReasonOf(err))
		for _, missing := range []string{"/deployments/x", "/deployments/d000/waves/x", "/deployments/d000/installations/x"} {
			_, err = b.ExplainWaiting(t.Context(), shopApp+missing)
			require.Equal(t, resource.ReasonNotFound, fault.ReasonOf(err), missing)
		}
	})
}

// TestRowsThatAreOlderThanTheirColumnsAreFilled: whoever comes from a version without them finds all that waits.
func TestRowsThatAreOlderThanTheirColumnsAreFilled(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		waiting(t, b.Store, b.now, 3)
		before, err := b.ListWaiting(t.Context(), &waitingv1.ListWaitingRequest{Parent: workspace})
		require.NoError(t, err)
		b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
			for _, table := range []string{"deployments", "waves", "policies"} {
				if _, err := tx.ExecContext(ctx, "UPDATE "+table+" SET waits_since = NULL, waits_owner = NULL"); err != nil {
					return err
				}
			}
			return nil
		})
		none, err := b.ListWaiting(t.Context(), &waitingv1.ListWaitingRequest{Parent: workspace})
		require.NoError(t, err)
		require.Empty(t, none.GetWaiting())
		_, err = store.Over(t.Context(), b.DB, b.Metrics, store.Config{})
		require.NoError(t, err)
		after, err := b.ListWaiting(t.Context(), &waitingv1.ListWaitingRequest{Parent: workspace})
		require.NoError(t, err)
		require.Len(t, after.GetWaiting(), len(before.GetWaiting()))
		require.Len(t, after.GetWaiting(), 7)
	})
}

func TestTargetsLeadToTheirAgents(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		target := b.target("t1")
		why := func(name string) *gatev1.BlockedBy {
			e, err := b.ExplainWaiting(t.Context(), name)
			require.NoError(t, err)
			require.Len(t, e.GetWaiting().GetBlockedBy(), 1)
			return e.GetWaiting().GetBlockedBy()[0]
		}
		require.Equal(t, "no agent serves it", why(target).GetCurrent())
		b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
			if err := store.Agents.Insert(ctx, tx, b.Resources, &deploymentv1.Agent{Name: agentName}, resource.Meta{}); err != nil {
				return err
			}
			return b.SetTargetAgent(ctx, tx, target, agentName)
		})
		require.Equal(t, agentName, why(target).GetResource())
		require.Equal(t, "it was never heard", why(agentName).GetCurrent())
		b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := b.Quarantine(ctx, tx, agentName, "two processes call with it", resource.Meta{})
			return err
		})
		require.Equal(t, "golive agent release "+agentName, why(agentName).GetCommand())
		all, err := b.ListWaiting(t.Context(), &waitingv1.ListWaitingRequest{Parent: workspace})
		require.NoError(t, err)
		require.Len(t, all.GetWaiting(), 1)
		require.Equal(t, "QUARANTINED", all.GetWaiting()[0].GetState())

		// So do the deployment that waits for the target, and its wave.
		deployment, wave := shopApp+"/deployments/d1", shopApp+"/deployments/d1/waves/a"
		reason := func(kind gatev1.BlockedBy_Kind) []*gatev1.BlockedBy {
			return []*gatev1.BlockedBy{{Kind: kind, Resource: wave, Current: "1 of 1 targets are not connected", Required: "connected", Owner: "operators"}}
		}
		b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
			d := &deploymentv1.Deployment{Name: deployment, Environment: environment, State: deploymentv1.Deployment_RUNNING, BlockedBy: reason(gatev1.BlockedBy_PRIOR_WAVE)}
			w := &deploymentv1.Wave{Name: wave, State: deploymentv1.Wave_RUNNING, Rule: &deploymentv1.WaveRule{Id: "a"}, BlockedBy: reason(gatev1.BlockedBy_TARGET)}
			i := &deploymentv1.Installation{Name: deployment + "/installations/t1", Wave: wave, Target: target, State: deploymentv1.Installation_QUEUED}
			return errors.Join(
				store.Applications.Insert(ctx, tx, b.Resources, &deploymentv1.Application{Name: shopApp}, resource.Meta{}),
				store.Deployments.Insert(ctx, tx, b.Resources, d, resource.Meta{}), store.Waves.Insert(ctx, tx, b.Resources, w, resource.Meta{}),
				store.InsertInstallations(ctx, tx, b.now, []*store.Installation{{Installation: i, Deployment: deployment, Application: shopApp, Active: true}}))
		})
		for name, behind := range map[string][]string{deployment: {wave, agentName}, wave: {agentName}} {
			e, err := b.ExplainWaiting(t.Context(), name)
			require.NoError(t, err)
			var names []string
			for _, w := range e.GetBehind() {
				names = append(names, w.GetResource())
			}
			require.Equal(t, behind, names, name)
		}
	})
}

// BenchmarkListWaiting lists 1 000 things that wait among as many that do not. The control reads the same messages by their names.
func BenchmarkListWaiting(b *testing.B) {
	for _, kind := range tables.Databases(b) {
		b.Run(kind.Name, func(b *testing.B) {
			s, err := store.Open(b.Context(), store.Config{Database: sqldb.Config{URL: kind.URL(b)}, Metrics: sqldb.Config{URL: kind.URL(b)}})
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, s.Close()) })
			waiting(b, s, time.Now(), 500)
			var names [2][]string
			for i := range 500 {
				names[0] = append(names[0], fmt.Sprintf("%s/deployments/d%03d", shopApp, i))
				names[1] = append(names[1], names[0][i]+"/waves/a")
			}
			b.Run("list", func(b *testing.B) {
				for b.Loop() {
					page, err := s.ListWaiting(b.Context(), &waitingv1.ListWaitingRequest{Parent: workspace, PageSize: 1000})
					require.NoError(b, err)
					require.Len(b, page.GetWaiting(), 1000)
				}
			})
			b.Run("control", func(b *testing.B) {
				for b.Loop() {
					_, err := store.Deployments.LoadMany(b.Context(), s.DB.Read(), names[0])
					require.NoError(b, err)
					_, err = store.Waves.LoadMany(b.Context(), s.DB.Read(), names[1])
					require.NoError(b, err)
				}
			})
		})
	}
}
