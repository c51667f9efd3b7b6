package verdict_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/verdict"
)

func TestTimeAloneChangesNothing(t *testing.T) {
	v := &gatev1.Verdict{
		Resource: "workspaces/default/environments/prod", State: gatev1.Verdict_WAIT,
		Reasons:  []*gatev1.BlockedBy{{Kind: gatev1.BlockedBy_CRITERION, Current: "12 of 20", Required: "18 of 20"}},
		Evidence: []*gatev1.Evidence{{Criterion: "trained", Numerator: 12, Denominator: 20}},
	}
	later := proto.CloneOf(v)
	now := timestamppb.New(time.Date(2027, 2, 1, 8, 0, 0, 0, time.UTC))
	later.Revision, later.EvaluatedAt, later.ValidUntil, later.Ttl, later.Purpose = 7, now, now, durationpb.New(time.Minute), gatev1.Purpose_PURPOSE_ALL
	later.Reasons[0].Since, later.Evidence[0].AsOf = now, now
	before := proto.CloneOf(later)

	require.True(t, verdict.Same(v, later))
	require.True(t, proto.Equal(before, later), "what is compared stays as it is")

	for name, change := range map[string]func(*gatev1.Verdict){
		"its state":     func(v *gatev1.Verdict) { v.State = gatev1.Verdict_PASS },
		"a reason":      func(v *gatev1.Verdict) { v.Reasons[0].Current = "13 of 20" },
		"its evidence":  func(v *gatev1.Verdict) { v.Evidence[0].Numerator = 13 },
		"what it is of": func(v *gatev1.Verdict) { v.Resource = "workspaces/default/environments/desk" },
	} {
		other := proto.CloneOf(later)
		change(other)
		require.False(t, verdict.Same(v, other), name)
	}
	require.False(t, verdict.Same(nil, v))
	require.True(t, verdict.Same(nil, nil))
}
