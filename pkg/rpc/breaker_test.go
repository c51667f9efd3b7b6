package rpc_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/rpc"
)

// other is a service that does what the test says.
type other struct {
	grpc.ClientConnInterface

	does  func(ctx context.Context) error
	calls int
}

func (o *other) Invoke(ctx context.Context, _ string, _, _ any, _ ...grpc.CallOption) error {
	o.calls++
	return o.does(ctx)
}

func away(context.Context) error { return fault.Unavailable("UNAVAILABLE", "nobody is there") }
func hangs(ctx context.Context) error {
	<-ctx.Done()
	return fault.From(ctx.Err()).GRPCStatus().Err()
}
func answers(context.Context) error { return nil }

func guard(t *testing.T, does func(context.Context) error) (*other, grpc.ClientConnInterface, *prometheus.Registry) {
	t.Helper()
	o, registry := &other{does: does}, prometheus.NewRegistry()
	conn, err := rpc.Guard(o, rpc.GuardConfig{Peer: "implementation", Registerer: registry})
	require.NoError(t, err)
	return o, conn, registry
}

func invoke(ctx context.Context, conn grpc.ClientConnInterface) error {
	return conn.Invoke(ctx, "/x.v1.X/Get", nil, nil)
}

func TestCallsFailAtOnceWhileNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, conn, registry := guard(t, away)
		for range 5 {
			require.True(t, fault.Is(invoke(t.Context(), conn), fault.KindUnavailable))
		}
		for range 100 {
			err := invoke(t.Context(), conn)
			require.Equal(t, "PEER_SILENT", fault.ReasonOf(err))
			require.True(t, fault.Is(err, fault.KindUnavailable))
		}
		require.Equal(t, 5, o.calls, "none is made while it is open")
		require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP golive_peer_calls_total Calls to the other service: answered, unanswered, refused while it was known not to answer.
# TYPE golive_peer_calls_total counter
golive_peer_calls_total{outcome="refused",peer="implementation"} 100
golive_peer_calls_total{outcome="unanswered",peer="implementation"} 5
# HELP golive_peer_open 1 while calls to the other service are not made because it did not answer, else 0.
# TYPE golive_peer_open gauge
golive_peer_open{peer="implementation"} 1
`)))

		<-time.After(3 * time.Second)
		require.NotEqual(t, "PEER_SILENT", fault.ReasonOf(invoke(t.Context(), conn)), "one is tried")
		require.Equal(t, "PEER_SILENT", fault.ReasonOf(invoke(t.Context(), conn)), "which was not answered")
		require.Equal(t, 6, o.calls)

		o.does = answers
		<-time.After(3 * time.Second)
		for range 10 {
			require.NoError(t, invoke(t.Context(), conn), "it goes on as if nothing had been")
		}
		require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP golive_peer_open 1 while calls to the other service are not made because it did not answer, else 0.
# TYPE golive_peer_open gauge
golive_peer_open{peer="implementation"} 0
`), "golive_peer_open"))
	})
}

func TestOneThatHangsIsHeldToADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, conn, _ := guard(t, hangs)
		began := time.Now()
		require.True(t, fault.Is(invoke(t.Context(), conn), fault.KindDeadline))
		require.Equal(t, 5*time.Second, time.Since(began))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		require.True(t, fault.Is(invoke(ctx, conn), fault.KindDeadline))
		require.Equal(t, time.Second, time.Since(began), "the caller's own deadline stays")

		for range 3 {
			require.True(t, fault.Is(invoke(t.Context(), conn), fault.KindDeadline))
		}
		began = time.Now()
		err := invoke(t.Context(), conn)
		require.Equal(t, "PEER_SILENT", fault.ReasonOf(err))
		require.True(t, fault.Is(err, fault.KindDeadline), "what is refused says what was the matter")
		require.Zero(t, time.Since(began))
	})
}

func TestWhatTheOtherSideDecidedIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, conn, _ := guard(t, func(context.Context) error {
			return fault.NotFound("RESOURCE_NOT_FOUND", "it is not there").GRPCStatus().Err()
		})
		for range 20 {
			require.Equal(t, "RESOURCE_NOT_FOUND", fault.ReasonOf(invoke(t.Context(), conn)))
		}
		o.does = away
		for range 4 {
			require.Error(t, invoke(t.Context(), conn))
		}
		o.does = answers
		require.NoError(t, invoke(t.Context(), conn), "four in a row are not five")
		o.does = away
		for range 4 {
			require.Error(t, invoke(t.Context(), conn))
		}
		require.Equal(t, "UNAVAILABLE", fault.ReasonOf(invoke(t.Context(), conn)))
	})
}

func TestACallerWhoGivesUpSaysNothingOfTheOtherSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, conn, _ := guard(t, hangs)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 {
			require.True(t, fault.Is(invoke(ctx, conn), fault.KindCancelled))
		}
		o.does = answers
		require.NoError(t, invoke(t.Context(), conn))
	})
}

func TestACallerWithoutTimeSaysNothingOfTheOtherSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, conn, _ := guard(t, hangs)
		ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
		defer cancel()
		for range 20 { // of which all but the first begin when the time is over
			require.True(t, fault.Is(invoke(ctx, conn), fault.KindDeadline))
		}
		require.Equal(t, 20, o.calls)
		o.does = away
		for range 5 {
			hasty, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			require.Equal(t, "UNAVAILABLE", fault.ReasonOf(invoke(hasty, conn)))
			cancel()
		}
		require.Equal(t, "PEER_SILENT", fault.ReasonOf(invoke(t.Context(), conn)), "that nobody is there is known at once")
	})
}

func TestTwoGuardsOfOneProcessAreToldApart(t *testing.T) {
	registry := prometheus.NewRegistry()
	for _, peer := range []string{"implementation", "deployment"} {
		_, err := rpc.Guard(&other{}, rpc.GuardConfig{Peer: peer, Registerer: registry})
		require.NoError(t, err)
	}
	_, err := rpc.Guard(&other{}, rpc.GuardConfig{Peer: "deployment", Registerer: registry})
	require.ErrorContains(t, err, "metrics of the connection to the deployment service")
}
