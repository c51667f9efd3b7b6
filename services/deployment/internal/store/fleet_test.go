package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	workspace   = "workspaces/default"
	environment = workspace + "/environments/prod"
	agentName   = workspace + "/agents/host-1"
	lease       = 30 * time.Second
)

// fleetBundle is a store of its own with an environment and a clock that stands still.
type fleetBundle struct {
	*store.Store
	t   *testing.T
	now time.Time
}

func eachFleet(t *testing.T, fn func(t *testing.T, b *fleetBundle)) {
	t.Helper()
	for _, kind := range tables.Databases(t) {
		t.Run(kind.Name, func(t *testing.T) {
			b := &fleetBundle{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
			var err error
			b.Store, err = store.Open(t.Context(), store.Config{
				Database: sqldb.Config{URL: kind.URL(t)}, Metrics: sqldb.Config{URL: kind.URL(t)},
				Now: func() time.Time { return b.now },
			})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, b.Close()) })
			b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
				return store.Environments.Insert(ctx, tx, b.Resources, &deploymentv1.Environment{Name: environment}, resource.Meta{})
			})
			fn(t, b)
		})
	}
}

func (b *fleetBundle) tx(fn func(ctx context.Context, tx *sqldb.Tx) error) {
	b.t.Helper()
	require.NoError(b.t, b.DB.Tx(b.t.Context(), fn))
}

func (b *fleetBundle) target(id string) string {
	b.t.Helper()
	name := environment + "/targets/" + id
	b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
		return store.Targets.Insert(ctx, tx, b.Resources, &deploymentv1.Target{Name: name}, resource.Meta{})
	})
	return name
}

// invite stores a token whose secret is the text, for an hour.
func (b *fleetBundle) invite(secret string, req *deploymentv1.CreateJoinTokenRequest) {
	b.t.Helper()
	req.Parent, req.AgentId = workspace, "host-1"
	require.NoError(b.t, b.AddJoinToken(b.t.Context(), sha256.Sum256([]byte(secret)), agentName, "users/ann", req, b.now.Add(time.Hour)))
}

func (b *fleetBundle) redeem(secret, key string) (string, error) {
	return b.Redeem(b.t.Context(), store.Redemption{
		Hash: sha256.Sum256([]byte(secret)), Agent: agentName, Key: sha256.Sum256([]byte(key)),
		Facts: &deploymentv1.HostFacts{Os: "linux", Arch: "amd64"}, Expires: b.now.Add(24 * time.Hour),
	})
}

func (b *fleetBundle) agent() *deploymentv1.Agent {
	b.t.Helper()
	a, err := store.Agents.Load(b.t.Context(), b.DB.Read(), agentName)
	require.NoError(b.t, err)
	require.NoError(b.t, b.DescribeAgents(b.t.Context(), a))
	return a
}

func (b *fleetBundle) presence(target string) (connected bool, changed, until time.Time) {
	b.t.Helper()
	var at, lease int64
	require.NoError(b.t, b.DB.Read().QueryRowContext(b.t.Context(),
		`SELECT connected, changed_at, lease_until FROM target_presence WHERE target = $1`, target).Scan(&connected, &at, &lease))
	return connected, time.UnixMicro(at).UTC(), time.UnixMicro(lease).UTC()
}

func TestFleetTablesAreWhatTheKindExpects(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		require.NoError(t, store.Agents.CheckTable(t.Context(), b.DB))
	})
}

func TestJoinTokenLetsOneKeyIn(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		target := b.target("web-1")
		b.invite("s1", &deploymentv1.CreateJoinTokenRequest{Targets: []string{target}})
		_, err := b.redeem("guessed", "k1")
		require.Equal(t, "JOIN_TOKEN_INVALID", fault.ReasonOf(err))

		enrolment, err := b.redeem("s1", "k1")
		require.NoError(t, err)
		again, err := b.redeem("s1", "k1")
		require.NoError(t, err)
		require.Equal(t, enrolment, again)
		_, err = b.redeem("s1", "k2")
		require.Equal(t, "JOIN_TOKEN_USED", fault.ReasonOf(err))
		require.Equal(t, []string{target}, b.agent().GetTargets())
		row, err := store.Agents.LoadRow(t.Context(), b.DB.Read(), agentName)
		require.NoError(t, err)
		require.EqualValues(t, 1, row.Revision, "asking again changes nothing")
		_, err = b.EnrolledAgent(t.Context(), agentName, enrolment)
		require.NoError(t, err)
		_, err = b.EnrolledAgent(t.Context(), agentName, "another")
		require.Equal(t, "AGENT_UNKNOWN", fault.ReasonOf(err))

		b.now = b.now.Add(time.Hour)
		_, err = b.redeem("s1", "k1")
		require.Equal(t, "JOIN_TOKEN_EXPIRED", fault.ReasonOf(err))
		b.invite("s2", &deploymentv1.CreateJoinTokenRequest{Targets: []string{target}})
		b.now = b.now.Add(time.Hour)
		_, err = b.redeem("s2", "k1")
		require.Equal(t, "JOIN_TOKEN_EXPIRED", fault.ReasonOf(err))
		require.NoError(t, store.Agents.Rederive(t.Context(), b.DB))
		require.NoError(t, store.Targets.Rederive(t.Context(), b.DB))
	})
}

func TestOneOfManyKeysWinsARaceForAToken(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		b.invite("s1", &deploymentv1.CreateJoinTokenRequest{Environment: environment, Cohorts: []string{"sales"}, Labels: map[string]string{"rack": "a"}})
		var group sync.WaitGroup
		results := make([]error, 16)
		for i := range results {
			group.Go(func() { _, results[i] = b.redeem("s1", fmt.Sprint("key", i/2)) }) // each key twice
		}
		group.Wait()
		won := 0
		for i := range results {
			if results[i] == nil {
				won++
				require.NoError(t, results[i^1], "the same key again is fine")
				continue
			}
			require.Equal(t, "JOIN_TOKEN_USED", fault.ReasonOf(results[i]))
		}
		require.Equal(t, 2, won)
		made, err := store.Targets.Load(t.Context(), b.DB.Read(), environment+"/targets/host-1")
		require.NoError(t, err)
		require.Equal(t, agentName, made.GetAgent())
		require.Equal(t, []string{"sales"}, made.GetCohorts())
		require.Equal(t, map[string]string{"rack": "a"}, made.GetLabels())
		require.Equal(t, "linux", made.GetFacts().GetOs())
	})
}

func TestJoinTokenForWhatDoesNotExistIsRefused(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		for _, req := range []*deploymentv1.CreateJoinTokenRequest{
			{Targets: []string{environment + "/targets/none"}}, {Environment: workspace + "/environments/none"},
		} {
			err := b.AddJoinToken(t.Context(), sha256.Sum256(nil), agentName, "users/ann", req, b.now.Add(time.Hour))
			require.Equal(t, resource.ReasonNotFound, fault.ReasonOf(err))
		}
	})
}

func TestDeletedAgentLeavesItsTargetsToNobody(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		target := b.target("web-1")
		b.invite("s1", &deploymentv1.CreateJoinTokenRequest{Targets: []string{target}})
		b.invite("s2", &deploymentv1.CreateJoinTokenRequest{Targets: []string{target}})
		first, err := b.redeem("s1", "k1")
		require.NoError(t, err)
		err = b.DB.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return b.DeleteAgent(ctx, tx, agentName, `"old"`) })
		require.Equal(t, resource.ReasonEtagMismatch, fault.ReasonOf(err))
		b.tx(func(ctx context.Context, tx *sqldb.Tx) error { return b.DeleteAgent(ctx, tx, agentName, "") })
		made, err := store.Targets.Load(t.Context(), b.DB.Read(), target)
		require.NoError(t, err)
		require.Empty(t, made.GetAgent())
		_, err = b.redeem("s2", "k2")
		require.Equal(t, "JOIN_TOKEN_INVALID", fault.ReasonOf(err), "its tokens went with it")

		b.invite("s3", &deploymentv1.CreateJoinTokenRequest{Targets: []string{target}})
		second, err := b.redeem("s3", "k1")
		require.NoError(t, err)
		require.NotEqual(t, first, second)
		_, err = b.EnrolledAgent(t.Context(), agentName, first)
		require.Equal(t, "AGENT_UNKNOWN", fault.ReasonOf(err), "the certificate of the one before does not fit its successor")
	})
}

func TestPresenceCountsWhileItsLeaseHolds(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		target := b.target("web-1")
		b.invite("s1", &deploymentv1.CreateJoinTokenRequest{Targets: []string{target}})
		_, err := b.redeem("s1", "k1")
		require.NoError(t, err)
		start := b.now
		up := store.Presence{
			Agent: agentName, Connected: true, BootID: "boot-1", Targets: []string{target}, Seen: b.now,
			Facts: &deploymentv1.HostFacts{Os: "linux", Arch: "arm64"},
		}
		require.NoError(t, b.SavePresence(t.Context(), "r1", lease, []store.Presence{up}))
		connected, changed, until := b.presence(target)
		require.True(t, connected)
		require.Equal(t, start, changed)
		require.Equal(t, start.Add(lease), until)
		require.True(t, b.agent().GetConnected())
		made, err := store.Targets.Load(t.Context(), b.DB.Read(), target)
		require.NoError(t, err)
		require.Equal(t, "arm64", made.GetFacts().GetArch())

		b.now = start.Add(20 * time.Second)
		agents, err := b.RenewPresence(t.Context(), "r1", lease)
		require.NoError(t, err)
		require.Equal(t, []string{agentName}, agents)
		b.now = start.Add(45 * time.Second)
		expired, err := b.ExpirePresence(t.Context())
		require.NoError(t, err)
		require.Empty(t, expired)

		// Another server takes over; what the first says of its lost stream counts for nothing.
		require.NoError(t, b.SavePresence(t.Context(), "r2", lease, []store.Presence{up}))
		down := store.Presence{Agent: agentName, Seen: b.now}
		require.NoError(t, b.SavePresence(t.Context(), "r1", lease, []store.Presence{down}))
		agents, err = b.RenewPresence(t.Context(), "r1", lease)
		require.NoError(t, err)
		require.Empty(t, agents)
		connected, changed, until = b.presence(target)
		require.True(t, connected)
		require.Equal(t, start, changed, "it was connected all the time")

		// The second server dies.
		b.now = until.Add(time.Minute)
		expired, err = b.ExpirePresence(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{target}, expired)
		connected, changed, _ = b.presence(target)
		require.False(t, connected)
		require.Equal(t, until, changed, "since its lease ended")
		require.False(t, b.agent().GetConnected())
		expired, err = b.ExpirePresence(t.Context())
		require.NoError(t, err)
		require.Empty(t, expired)

		require.NoError(t, b.SavePresence(t.Context(), "r3", lease, []store.Presence{up}))
		require.NoError(t, b.SavePresence(t.Context(), "r3", lease, []store.Presence{down}))
		connected, _, _ = b.presence(target)
		require.False(t, connected)
		require.NoError(t, store.Agents.Rederive(t.Context(), b.DB))
	})
}

func TestFactsThatHardlyMovedAreNoNews(t *testing.T) {
	facts := &deploymentv1.HostFacts{Os: "linux", DiskFreeBytes: 1000}
	same := proto.CloneOf(facts)
	same.DiskFreeBytes = 960
	require.False(t, store.FactsDiffer(facts, same))
	same.DiskFreeBytes = 940
	require.True(t, store.FactsDiffer(facts, same))
	require.True(t, store.FactsDiffer(facts, &deploymentv1.HostFacts{Os: "linux", Arch: "arm64", DiskFreeBytes: 1000}))
	require.True(t, store.FactsDiffer(nil, facts))
}

func TestOutputIsKeptInOrderAndBounded(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		name := workspace + "/applications/shop/deployments/d1/installations/web-1"
		written := 0
		write := func(attempt int32, lines int) {
			chunk := &agentv1.LogChunk{Installation: name, Attempt: attempt}
			for range lines {
				written++
				chunk.Lines = append(chunk.Lines, &deploymentv1.LogLine{Source: "app stdout", Text: fmt.Sprintf("line %d", written)})
			}
			require.NoError(t, b.AppendLogs(t.Context(), []*agentv1.LogChunk{chunk}))
		}
		write(1, 3)
		written = 0
		for range 70 {
			write(2, 100)
		}
		attempt, err := b.LastLoggedAttempt(t.Context(), name)
		require.NoError(t, err)
		require.EqualValues(t, 2, attempt)

		var texts []string
		for after := int64(0); ; {
			page, err := b.ReadLogs(t.Context(), name, 2, after)
			require.NoError(t, err)
			if len(page.Lines) == 0 {
				break
			}
			require.LessOrEqual(t, len(page.Lines), 2000)
			for _, line := range page.Lines {
				texts = append(texts, line.GetText())
			}
			after = page.Last
		}
		require.Len(t, texts, 5000, "the last ones are kept")
		require.Equal(t, "line 2001", texts[0])
		require.Equal(t, "line 7000", texts[len(texts)-1])

		require.NoError(t, b.AppendLogs(t.Context(), []*agentv1.LogChunk{{Installation: name, Attempt: 3, Lines: []*deploymentv1.LogLine{
			{Text: strings.Repeat("ä", 3000)},
		}}}))
		page, err := b.ReadLogs(t.Context(), name, 3, 0)
		require.NoError(t, err)
		require.Len(t, page.Lines[0].GetText(), 4096)

		b.now = b.now.Add(time.Hour)
		require.NoError(t, b.PurgeMetrics(t.Context(), b.now.UnixMicro()))
		page, err = b.ReadLogs(t.Context(), name, 2, 0)
		require.NoError(t, err)
		require.Empty(t, page.Lines)
	})
}

func TestProbesAndHeartbeatsAreKept(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		var all []*agentv1.ProbeSummary
		for i := range 120 {
			all = append(all, &agentv1.ProbeSummary{
				Installation: "i", StartTime: timestamppb.New(b.now.Add(time.Duration(i) * time.Minute)),
				EndTime: timestamppb.New(b.now.Add(time.Duration(i+1) * time.Minute)), Succeeded: int64(i), Failed: 1, LatencySumUs: 5, LatencyMaxUs: 3,
			})
		}
		require.NoError(t, b.AppendProbes(t.Context(), all))
		require.NoError(t, b.AppendProbes(t.Context(), all[:10]), "again is no error")
		found, err := b.ReadProbes(t.Context(), "i", b.now.Add(time.Minute), b.now.Add(3*time.Minute))
		require.NoError(t, err)
		require.Len(t, found, 2)
		require.True(t, proto.Equal(all[1], found[0]))

		heard := map[string]time.Time{}
		for i := range 120 {
			heard[fmt.Sprint("agent", i)] = b.now
		}
		require.NoError(t, b.SaveHeartbeats(t.Context(), heard))
		require.NoError(t, b.SaveHeartbeats(t.Context(), map[string]time.Time{"agent1": b.now.Add(-time.Hour), "agent2": b.now.Add(time.Hour)}))
		seen, err := b.LastSeen(t.Context(), []string{"agent1", "agent2", "nobody"})
		require.NoError(t, err)
		require.Len(t, seen, 2)
		require.Equal(t, b.now, seen["agent1"].UTC(), "never back")
		require.Equal(t, b.now.Add(time.Hour), seen["agent2"].UTC())
	})
}
