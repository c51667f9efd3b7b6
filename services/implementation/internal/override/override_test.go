package override_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/override"
)

func TestAnOverrideEndsWithinADay(t *testing.T) {
	now := time.Date(2027, 2, 1, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		end  *timestamppb.Timestamp
		good bool
	}{
		"no end":                    {end: nil},
		"now":                       {end: timestamppb.New(now)},
		"a moment ahead":            {end: timestamppb.New(now.Add(time.Nanosecond)), good: true},
		"a day":                     {end: timestamppb.New(now.Add(24 * time.Hour)), good: true},
		"a day and a moment":        {end: timestamppb.New(now.Add(24*time.Hour + 1))},
		"what cannot be a duration": {end: timestamppb.New(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))},
	} {
		t.Run(name, func(t *testing.T) {
			err := override.Check(c.end, now, "expire_time")
			if c.good {
				require.NoError(t, err)
				return
			}
			require.Equal(t, override.ReasonExpiry, fault.ReasonOf(err))
		})
	}
}

func TestTheNewestThatHoldsCounts(t *testing.T) {
	now := time.Date(2027, 2, 1, 8, 0, 0, 0, time.UTC)
	given := func(condition string, end time.Duration, revoked bool) *implementationv1.StageOverride {
		o := &implementationv1.StageOverride{Condition: condition, ExpireTime: timestamppb.New(now.Add(end))}
		if revoked {
			o.RevokeTime = timestamppb.New(now)
		}
		return o
	}
	first, second := given("a", time.Hour, false), given("a", 2*time.Hour, false)
	all := []*implementationv1.StageOverride{first, second, given("a", 3*time.Hour, true), given("a", -time.Hour, false), given("b", time.Hour, false)}
	of := func(condition string) *implementationv1.StageOverride {
		return override.Holding(all, now, func(o *implementationv1.StageOverride) bool { return o.GetCondition() == condition })
	}
	require.Same(t, second, of("a"))
	require.Nil(t, of("c"))

	for range 200 {
		all = override.Keep(all, second, 100)
	}
	require.Len(t, all, 100)
	require.Same(t, second, all[99])
}
