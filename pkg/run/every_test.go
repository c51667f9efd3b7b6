package run_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/run"
)

func TestEveryDoesItAtOnceAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour+time.Minute)
		defer cancel()
		var at []time.Duration
		began := time.Now()
		run.Every(ctx, time.Hour, func(context.Context) { at = append(at, time.Since(began)) })
		require.Equal(t, []time.Duration{0, time.Hour, 2 * time.Hour, 3 * time.Hour}, at)
	})
}

func TestEveryDoesNothingOnceItIsOver(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	run.Every(ctx, time.Hour, func(context.Context) { require.Fail(t, "it is over") })
}
