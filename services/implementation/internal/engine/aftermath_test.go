package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFreezesAreAskedForInSteps: a freeze keeps its identity in calendars for as long as the span that is asked for stays, and
// no question is longer than the deployment service answers.
func TestFreezesAreAskedForInSteps(t *testing.T) {
	spans := map[time.Time]bool{}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for now := begin; now.Before(begin.AddDate(1, 0, 0)); now = now.Add(time.Hour) {
		start, end := freezeSpan(now)
		require.LessOrEqual(t, end.Sub(start), 400*24*time.Hour, "%v", now)
		require.GreaterOrEqual(t, now.Sub(start), 31*24*time.Hour)
		require.GreaterOrEqual(t, end.Sub(now), 300*24*time.Hour)
		spans[end] = true
	}
	require.LessOrEqual(t, len(spans), 14)
}
