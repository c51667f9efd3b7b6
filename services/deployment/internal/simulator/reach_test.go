package simulator_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheSeedsReachEverything holds the simulator itself to account: what never happens is never tried.
func TestTheSeedsReachEverything(t *testing.T) {
	wanted := map[string]bool{}
	for _, what := range []string{
		// where deployments, waves and installations come to
		" is REJECTED ", " is EXPIRED ", " is FAILED ", " is FROZEN ", " is SUPERSEDED ", " is ROLLED_BACK ", " is ROLLBACK_FAILED ", " is ABANDONED ", " is CANCELLED ",
		" is PAUSING ", " is PAUSED ", " is CANCELLING ", " is REVERTING ", " is SUCCEEDED ", " is HELD", " is SKIPPED", " is UNKNOWN ", " is LOST ", " is REVERT_FAILED ",
		"catch-up-", "rollback-", "ANALYSIS_FAILED", "ANALYSIS_UNDECIDED", "LOST_BUDGET_SPENT", "BUDGET_SPENT", "CANCEL_UNCONFIRMED",
		// what goes wrong
		"dies before a journal entry", "dies after a journal entry", "s0 dies", "s1 dies", "the database is gone", "is cut off", "the clock of", "falls ill", "gives up on",
		"refuses epoch", "meanwhile", "DIGEST_MISMATCH", "STOP_FAILED", "PROBE_FAILED", "CRASHED", "INTERRUPTED", "UNSUPPORTED", "the other service is down", "is hung", "is lying", "is stale", "its clock is off by 1h0m0s", "its clock is off by -1h0m0s", "metrics down true",
		// what people do
		"roll back", "line stopped true", "frozen for", "retry ", "says false to",
	} {
		wanted[what] = true
	}
	b := open(t, "reach")
	for seed := uint64(0); len(wanted) > 0 && seed < 400; seed++ {
		r := b.Run(seed)
		require.NoError(t, r.Err, "%s", r)
		for what := range wanted {
			if strings.Contains(r.Trace, what) {
				delete(wanted, what)
			}
		}
	}
	require.Empty(t, wanted, "no seed came to these")
}
