package waits_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/override"
	"github.com/golive-dev/golive/services/implementation/internal/waits"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const wave = "workspaces/w/applications/crm/deployments/d1/waves/pilot"

// said is an answer that was asked for so long ago, good for a minute.
func said(state gatev1.Verdict_State, ago time.Duration, evidence ...*gatev1.Evidence) waits.Answer {
	v := &gatev1.Verdict{Resource: wave, State: state, Ttl: durationpb.New(time.Minute), Evidence: evidence, Revision: 3}
	if state != gatev1.Verdict_PASS {
		v.Reasons = []*gatev1.BlockedBy{{Resource: wave, Current: "the wave is RUNNING", Owner: "users/olga"}}
		v.WaitingOn = []string{wave, "workspaces/w/environments/prod/targets/t1"}
	}
	return waits.Answer{Verdict: v, Asked: now.Add(-ago)}
}

func share(criterion string, part, whole int64) *gatev1.Evidence {
	return &gatev1.Evidence{Criterion: criterion, State: gatev1.Verdict_PASS, Numerator: part, Denominator: whole}
}

func TestAConditionStandsAsTheAnswerSays(t *testing.T) {
	const (
		pass, wait, fail  = gatev1.Verdict_PASS, gatev1.Verdict_WAIT, gatev1.Verdict_FAIL
		undecided, nobody = gatev1.Verdict_UNDECIDED, gatev1.Verdict_UNKNOWN
	)
	hardly := share("availability", 50, 50)
	hardly.State, hardly.Detail = undecided, "50.0 % of the time it ran in the last 1 h was observed, of which 90.0 % are needed to judge"
	held := func(ago time.Duration) waits.Hold {
		return waits.Hold{State: pass, Since: now.Add(-ago), Held: now.Add(-ago)}
	}
	for name, c := range map[string]struct {
		condition *implementationv1.StageCondition
		answer    waits.Answer
		hold      waits.Hold
		want      gatev1.Verdict_State
		current   string
	}{
		"sealed":                   {answer: said(pass, 0), want: pass},
		"on its way":               {answer: said(wait, 0), want: wait, current: "the deployment service says WAIT: the wave is RUNNING"},
		"it failed":                {answer: said(fail, 0), want: fail, current: "the deployment service says FAIL: the wave is RUNNING"},
		"nobody was ever asked":    {want: nobody, current: "the deployment service has not answered yet"},
		"the answer is old":        {answer: said(pass, time.Minute), want: nobody, current: "the deployment service last answered at 2026-03-02T08:59:00Z, which is too long ago"},
		"the answer is just good":  {answer: said(pass, time.Minute-1), want: pass},
		"let pass on that side":    {answer: said(gatev1.Verdict_WAIVED, 0), want: wait, current: "the deployment service says WAIVED: the wave is RUNNING"},
		"a state that is not ours": {answer: said(99, 0), want: nobody, current: "the deployment service says 99: the wave is RUNNING"},
		"an answer good for ever":  {answer: waits.Answer{Verdict: &gatev1.Verdict{State: pass, Ttl: durationpb.New(1000 * time.Hour)}, Asked: now.Add(-time.Hour)}, want: nobody},
		"an answer good for none":  {answer: waits.Answer{Verdict: &gatev1.Verdict{State: pass}, Asked: now}, want: nobody},
		"up enough": {
			condition: &implementationv1.StageCondition{MinAvailability: 0.999}, answer: said(pass, 0, share("availability", 999, 1000)), want: pass,
		},
		"not up enough": {
			condition: &implementationv1.StageCondition{MinAvailability: 0.999}, answer: said(pass, 0, share("availability", 99899, 100000)), want: wait,
			current: "99.899 % up over 1 h",
		},
		"nothing was observed": {
			condition: &implementationv1.StageCondition{MinAvailability: 0.5}, answer: said(pass, 0, share("availability", 0, 0)), want: undecided,
			current: "too little was counted of availability",
		},
		"too little was observed": {
			condition: &implementationv1.StageCondition{MinAvailability: 0.5}, answer: said(pass, 0, hardly), want: undecided, current: hardly.GetDetail(),
		},
		"nothing is said of it": {
			condition: &implementationv1.StageCondition{MaxErrorRate: new(0.1)}, answer: said(pass, 0), want: undecided,
			current: "the deployment service says nothing of error rate",
		},
		"more errors than requests": {
			condition: &implementationv1.StageCondition{MaxErrorRate: new(0.1)}, answer: said(pass, 0, share("error_rate", 5, 4)), want: undecided,
			current: "too little was counted of error rate",
		},
		"no errors at all": {
			condition: &implementationv1.StageCondition{MaxErrorRate: new(0.0)}, answer: said(pass, 0, share("error_rate", 0, 10)), want: pass,
		},
		"too many errors, over a day": {
			condition: &implementationv1.StageCondition{MaxErrorRate: new(0.01), Window: durationpb.New(48 * time.Hour)}, answer: said(pass, 0, share("error_rate", 2, 100)), want: wait,
			current: "2.00 % of the requests of 2 days failed",
		},
		"both at once": {
			condition: &implementationv1.StageCondition{MinAvailability: 0.9, MaxErrorRate: new(0.01)}, answer: said(pass, 0, share("availability", 1, 2)), want: undecided,
			current: "50.00 % up over 1 h; the deployment service says nothing of error rate",
		},
		"held long enough": {
			condition: &implementationv1.StageCondition{HoldFor: durationpb.New(time.Hour)}, answer: said(pass, 0), hold: held(time.Hour), want: pass,
		},
		"not held long enough": {
			condition: &implementationv1.StageCondition{HoldFor: durationpb.New(time.Hour)}, answer: said(pass, 0), hold: held(time.Hour - 1), want: wait,
			current: "it has held since 2026-03-02T08:00:00Z",
		},
	} {
		t.Run(name, func(t *testing.T) {
			condition := c.condition
			if condition == nil {
				condition = &implementationv1.StageCondition{}
			}
			condition.Id, condition.Resource = "pilot", wave
			status := waits.Judge(condition, c.answer, c.hold, nil, now.Add(-time.Hour), now)
			v := status.GetVerdict()
			require.Equal(t, c.want, v.GetState(), v)
			requireComplete(t, v)
			if c.current != "" {
				require.Equal(t, c.current, v.GetReasons()[0].GetCurrent())
			}
		})
	}
}

// requireComplete holds of every verdict on a condition.
func requireComplete(t require.TestingT, v *gatev1.Verdict) {
	require.Equal(t, waits.Open(v.GetState()), len(v.GetReasons()) == 0)
	require.Equal(t, waits.Open(v.GetState()), len(v.GetWaitingOn()) == 0)
	require.Positive(t, v.GetTtl().AsDuration())
	require.LessOrEqual(t, v.GetTtl().AsDuration(), time.Hour)
	for _, r := range v.GetReasons() {
		require.Contains(t, []gatev1.BlockedBy_Kind{gatev1.BlockedBy_TECHNICAL, gatev1.BlockedBy_SERVICE}, r.GetKind())
		require.NotEmpty(t, r.GetResource())
		require.NotEmpty(t, r.GetCurrent())
		require.NotEmpty(t, r.GetRequired())
		require.NotEmpty(t, r.GetOwner())
		require.NotEmpty(t, r.GetCommand())
		require.NotNil(t, r.GetSince())
	}
}

func TestAReasonSaysWhatIsRequiredAndWhenItEnds(t *testing.T) {
	c := &implementationv1.StageCondition{
		Id: "pilot", Resource: wave, MinAvailability: 0.999, MaxErrorRate: new(0.005), Window: durationpb.New(2 * time.Hour), HoldFor: durationpb.New(30 * time.Minute),
	}
	answer := said(gatev1.Verdict_PASS, 10*time.Second, share("availability", 1, 1), share("error_rate", 0, 1))
	hold := waits.Hold{}.Next(c, said(gatev1.Verdict_PASS, 20*time.Second, share("availability", 1, 1), share("error_rate", 0, 1))).Next(c, answer)
	status := waits.Judge(c, answer, hold, nil, now, now)
	r := status.GetVerdict().GetReasons()[0]
	require.Equal(t, "PASS from the deployment service, at least 99.9 % up over 2 h, at most 0.5 % of the requests of 2 h failed, for 30 min without a break", r.GetRequired())
	require.Equal(t, now.Add(-20*time.Second), status.GetHeldSince().AsTime())
	require.Equal(t, now.Add(-20*time.Second+30*time.Minute), r.GetEta().AsTime())
	require.Equal(t, now.Add(50*time.Second), status.GetFreshUntil().AsTime())

	blocked := waits.Judge(c, said(gatev1.Verdict_WAIT, 0), waits.Hold{Since: now.Add(-time.Hour)}, nil, now, now).GetVerdict()
	require.Equal(t, "users/olga", blocked.GetReasons()[0].GetOwner(), "whoever the deployment service names")
	require.Equal(t, now.Add(-time.Hour), blocked.GetReasons()[0].GetSince().AsTime())
	require.Equal(t, []string{wave, "workspaces/w/environments/prod/targets/t1"}, blocked.GetWaitingOn(), "the search goes on from what the wave waits for")
}

func TestWhatHeldBeginsAnewAfterABreak(t *testing.T) {
	c := &implementationv1.StageCondition{Id: "pilot", Resource: wave}
	var h waits.Hold
	pass, wait := gatev1.Verdict_PASS, gatev1.Verdict_WAIT
	h = h.Next(c, said(pass, 10*time.Minute))
	require.Equal(t, now.Add(-10*time.Minute), h.Held)
	h = h.Next(c, said(pass, 9*time.Minute))
	require.Equal(t, now.Add(-10*time.Minute), h.Held, "a minute of silence is what the answer was good for")
	h = h.Next(c, said(pass, 9*time.Minute-61*time.Second))
	require.Equal(t, now.Add(-9*time.Minute+61*time.Second), h.Held, "one second more is a break")
	require.Equal(t, h.Held, h.Since)
	late := h.Next(c, said(wait, 9*time.Minute))
	require.Equal(t, h, late, "what was asked for earlier and comes late changes nothing")
	h = h.Next(c, said(wait, 7*time.Minute))
	require.Zero(t, h.Held)
	require.Equal(t, now.Add(-7*time.Minute), h.Since)
	h = h.Next(c, said(wait, 6*time.Minute+30*time.Second))
	require.Equal(t, now.Add(-7*time.Minute), h.Since, "a reason that holds on keeps its since")
	h = h.Next(c, said(pass, 6*time.Minute))
	require.Equal(t, now.Add(-6*time.Minute), h.Held)
}

func TestAnOverrideLetsPassForADayAtMost(t *testing.T) {
	stage := &implementationv1.Stage{Name: "workspaces/w/implementations/crm/stages/s", State: implementationv1.Stage_PENDING, WaitsFor: []*implementationv1.StageCondition{{Id: "pilot", Resource: wave}}}
	ask := func(condition string, after time.Duration) error {
		return waits.Override(stage, &implementationv1.StageOverride{Condition: condition, Reason: "seen by eye", ExpireTime: timestamppb.New(now.Add(after))}, "users/ada", now)
	}
	requireReason(t, waits.ReasonConditionNotFound, ask("luck", time.Hour))
	requireReason(t, override.ReasonExpiry, ask("pilot", 24*time.Hour+1))
	requireReason(t, override.ReasonExpiry, ask("pilot", 0))
	requireReason(t, waits.ReasonOverrideNotFound, waits.Withdraw(stage, "pilot", now))
	require.NoError(t, ask("pilot", time.Hour))

	judge := func(at time.Time) *gatev1.Verdict {
		return waits.Judge(stage.GetWaitsFor()[0], waits.Answer{}, waits.Hold{}, stage.GetOverrides(), now, at).GetVerdict()
	}
	require.Equal(t, gatev1.Verdict_WAIVED, judge(now).GetState())
	require.Contains(t, judge(now).GetEvidence()[0].GetDetail(), "waived by users/ada until 2026-03-02T10:00:00Z: seen by eye; the deployment service has not answered yet")
	require.Equal(t, time.Minute, judge(now.Add(59*time.Minute)).GetTtl().AsDuration(), "the verdict is good no longer than the override")
	require.Equal(t, gatev1.Verdict_UNKNOWN, judge(now.Add(time.Hour)).GetState(), "it ends by itself")
	require.NoError(t, waits.Withdraw(stage, "pilot", now))
	require.Equal(t, gatev1.Verdict_UNKNOWN, judge(now).GetState())
	for range 101 {
		require.NoError(t, ask("pilot", time.Hour))
	}
	require.Len(t, stage.GetOverrides(), 100)
	stage.State = implementationv1.Stage_ACTIVE
	requireReason(t, "STATE_FORBIDS", ask("pilot", time.Hour))
}

// What is drawn: answers of any state with any clock on the other side, silences, late ones, and overrides.
func TestNothingOpensWithoutAnAnswerThatIsGoodOrAPerson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &implementationv1.StageCondition{Id: "pilot", Resource: wave, HoldFor: durationpb.New(time.Duration(rapid.IntRange(0, 5).Draw(t, "hold")) * time.Minute)}
		if rapid.Bool().Draw(t, "bounded") {
			c.MinAvailability = 0.5
		}
		skew := time.Duration(rapid.IntRange(-10_000, 10_000).Draw(t, "skew")) * time.Minute
		var hold, straight waits.Hold
		var last waits.Answer
		at, heldSince := now, time.Time{}
		for range rapid.IntRange(1, 30).Draw(t, "answers") {
			at = at.Add(time.Duration(rapid.IntRange(0, 150).Draw(t, "pause")) * time.Second)
			state := gatev1.Verdict_State(rapid.IntRange(0, 6).Draw(t, "state"))
			part := rapid.Int64Range(0, 10).Draw(t, "up")
			v := &gatev1.Verdict{
				Resource: wave, State: state, Ttl: durationpb.New(time.Minute), EvaluatedAt: timestamppb.New(at.Add(skew)), ValidUntil: timestamppb.New(at.Add(skew + time.Minute)),
				Evidence: []*gatev1.Evidence{share("availability", part, 10)},
			}
			answer := waits.Answer{Verdict: v, Asked: at}
			passes := state == gatev1.Verdict_PASS && (c.GetMinAvailability() == 0 || part >= 5)
			if unbroken := last.Verdict != nil && !at.After(last.Asked.Add(time.Minute)); !passes {
				heldSince = time.Time{}
			} else if heldSince.IsZero() || !unbroken {
				heldSince = at
			}
			next := hold.Next(c, answer)
			if !hold.Held.IsZero() && !next.Held.IsZero() {
				require.False(t, next.Held.Before(hold.Held), "it never has held for longer than the time that went by")
			}
			plain := waits.Answer{Verdict: &gatev1.Verdict{Resource: wave, State: state, Ttl: v.GetTtl(), Evidence: v.GetEvidence()}, Asked: at}
			straight = straight.Next(c, plain)
			require.Equal(t, straight, next, "the clock of the other side does not matter")
			if last.Asked.Before(at) {
				require.Equal(t, next, next.Next(c, last), "what comes late changes nothing")
			}
			hold, last = next, answer
			require.True(t, heldSince.Equal(hold.Held))

			look := at.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "look")) * time.Second)
			status := waits.Judge(c, last, hold, nil, now, look)
			requireComplete(t, status.GetVerdict())
			opens := passes && look.Before(at.Add(time.Minute)) && !look.Before(heldSince.Add(c.GetHoldFor().AsDuration()))
			require.Equal(t, opens, waits.Open(status.GetVerdict().GetState()), status)
			require.Equal(t, opens, waits.Holds([]*implementationv1.StageConditionStatus{status}))
		}
	})
}
