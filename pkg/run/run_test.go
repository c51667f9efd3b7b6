package run_test

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/run"
)

// part records when it stops, after a moment in which others could overtake it.
func part(name string, stopped *[]string) run.Part {
	return run.Part{Name: name, Run: func(ctx context.Context) error {
		<-ctx.Done()
		<-time.After(time.Second)
		*stopped = append(*stopped, name)
		return ctx.Err()
	}}
}

func TestPartsStopInReverseOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stopped []string
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, run.All(ctx, part("database", &stopped), part("worker", &stopped), part("api", &stopped)))
		require.Equal(t, []string{"api", "worker", "database"}, stopped)
	})
}

func TestFirstFailureStopsAllAndIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stopped []string
		broken := errors.New("disk gone")
		err := run.All(t.Context(), part("database", &stopped),
			run.Part{Name: "worker", Run: func(context.Context) error { return broken }}, part("api", &stopped))
		require.ErrorIs(t, err, broken)
		require.EqualError(t, err, "worker: disk gone")
		require.Equal(t, []string{"api", "database"}, stopped)
	})
}

func TestPartThatIsDoneStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stopped []string
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		done := run.Part{Name: "once", Run: func(context.Context) error { return nil }}
		require.NoError(t, run.All(ctx, done, part("api", &stopped), done))
		require.Equal(t, time.Minute+time.Second, time.Since(start))
	})
	require.NoError(t, run.All(t.Context()))
}

func TestSignalEndsTheContext(t *testing.T) {
	ctx, stop := run.Signals(t.Context())
	defer stop()
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
	<-ctx.Done()
}
