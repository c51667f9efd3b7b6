package decision_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/decision"
)

// at is a decision in a state, come there as decisions do.
func at(t *testing.T, state implementationv1.Decision_State) *implementationv1.Decision {
	t.Helper()
	var d *implementationv1.Decision
	switch state {
	case implementationv1.Decision_GO:
		d = goes(t)
	case implementationv1.Decision_CONDITIONAL_GO:
		d = conditionally(t)
	case implementationv1.Decision_NO_GO:
		d = decided(t, word(implementationv1.Decision_OUTCOME_NO_GO), passes())
	case implementationv1.Decision_EXPIRED:
		d = goes(t)
		require.NoError(t, decision.Expire(d, "the evidence changed", noon()))
	case implementationv1.Decision_WITHDRAWN:
		d = goes(t)
		require.NoError(t, decision.Withdraw(d, "not now", noon()))
	default:
		d = question()
	}
	require.Equal(t, state, d.GetState())
	return d
}

// TestEveryEventInEveryState is the whole state machine: where each event leads from each state, and that it is refused elsewhere.
func TestEveryEventInEveryState(t *testing.T) {
	const (
		pending, conditional = implementationv1.Decision_PENDING, implementationv1.Decision_CONDITIONAL_GO
		stays, expired       = implementationv1.Decision_NO_GO, implementationv1.Decision_EXPIRED
		withdrawn            = implementationv1.Decision_WITHDRAWN
	)
	type states = map[implementationv1.Decision_State]implementationv1.Decision_State
	leads := map[decision.Event]states{
		decision.Decided:    {pending: implementationv1.Decision_GO},
		decision.Confirmed:  {conditional: conditional},
		decision.Overridden: {pending: pending, stays: stays, expired: expired},
		decision.Withdrawn:  {pending: withdrawn, implementationv1.Decision_GO: withdrawn, conditional: withdrawn, stays: withdrawn, expired: withdrawn},
		decision.Reopened:   {stays: pending, expired: pending},
		decision.Expired:    {implementationv1.Decision_GO: expired, conditional: expired},
	}
	apply := map[decision.Event]func(d *implementationv1.Decision) error{
		decision.Decided: func(d *implementationv1.Decision) error {
			return decision.Decide(d, word(implementationv1.Decision_OUTCOME_GO), frozen(t, passes()), noon())
		},
		decision.Confirmed: func(d *implementationv1.Decision) error {
			return decision.Confirm(d, &implementationv1.ConfirmDecisionRequest{Condition: "train-the-rest"}, "users/eve", noon())
		},
		decision.Overridden: func(d *implementationv1.Decision) error {
			return decision.Override(d, &implementationv1.OverrideDecisionRequest{Reason: "now", ExpireTime: in(time.Hour)}, "users/eve", noon())
		},
		decision.Withdrawn: func(d *implementationv1.Decision) error { return decision.Withdraw(d, "no", noon()) },
		decision.Reopened:  func(d *implementationv1.Decision) error { return decision.Reopen(d, "again", noon()) },
		decision.Expired:   func(d *implementationv1.Decision) error { return decision.Expire(d, "changed", noon()) },
	}
	for _, event := range decision.Events() {
		for value, word := range implementationv1.Decision_State_name {
			state := implementationv1.Decision_State(value)
			if state == implementationv1.Decision_STATE_UNSPECIFIED {
				continue
			}
			t.Run(word+" "+string(event), func(t *testing.T) {
				d := at(t, state)
				revision := d.GetRevision()
				err := apply[event](d)
				to, legal := leads[event][state]
				if !legal {
					require.True(t, fault.Is(err, fault.KindPrecondition), "%v", err)
					require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(err))
					require.Equal(t, state, d.GetState())
					require.Equal(t, revision, d.GetRevision(), "a refusal changes nothing")
					return
				}
				require.NoError(t, err)
				require.Equal(t, to, d.GetState())
				require.Equal(t, revision+1, d.GetRevision())
			})
		}
	}
}

func TestAWordIsRefused(t *testing.T) {
	due := func(id string, d time.Duration) *implementationv1.DecisionCondition {
		c := train(d)
		c.Id = id
		return c
	}
	goWord := word(implementationv1.Decision_OUTCOME_GO)
	late := word(implementationv1.Decision_OUTCOME_GO)
	late.Request.ExpireTime = in(91 * 24 * time.Hour)
	stale := word(implementationv1.Decision_OUTCOME_GO)
	stale.Request.EvidenceDigest = "0000"
	silent := frozen(t, both(gatev1.Verdict_PASS, gatev1.Verdict_UNKNOWN))
	silent.Silent = []string{"prod cannot be asked about"}
	for name, row := range map[string]struct {
		word   decision.Word
		on     decision.Evidence
		reason string
		says   string
	}{
		"a go while people are not ready":       {goWord, frozen(t, both(gatev1.Verdict_WAIT, gatev1.Verdict_PASS)), "EVIDENCE_NOT_MET", "readiness of sales is WAIT: 12 of 20 trained"},
		"a go while machines are not":           {goWord, frozen(t, both(gatev1.Verdict_PASS, gatev1.Verdict_FAIL)), "EVIDENCE_NOT_MET", "technical verdict of prod is FAIL"},
		"a go on nothing":                       {goWord, decision.Evidence{}, "EVIDENCE_NOT_MET", "names no evidence"},
		"a go while a half is silent":           {goWord, silent, "EVIDENCE_UNKNOWN", "prod cannot be asked about"},
		"a conditional go while one is":         {word(implementationv1.Decision_OUTCOME_CONDITIONAL_GO, train(time.Hour)), silent, "EVIDENCE_UNKNOWN", "prod"},
		"a conditional go on what is unknown":   {word(implementationv1.Decision_OUTCOME_CONDITIONAL_GO, train(time.Hour)), frozen(t, both(gatev1.Verdict_WAIT, gatev1.Verdict_UNKNOWN)), "EVIDENCE_UNKNOWN", "technical verdict of prod is UNKNOWN"},
		"a go on what is unknown":               {goWord, frozen(t, both(gatev1.Verdict_PASS, gatev1.Verdict_UNKNOWN)), "EVIDENCE_NOT_MET", "technical verdict of prod is UNKNOWN"},
		"a go on other evidence than looked at": {stale, frozen(t, passes()), "EVIDENCE_CHANGED", "preview"},
		"a go for too long":                     {late, frozen(t, passes()), "DECISION_EXPIRY", "90 days"},
		"a conditional go without conditions":   {word(implementationv1.Decision_OUTCOME_CONDITIONAL_GO), frozen(t, passes()), "CONDITIONS_MISSING", "condition"},
		"a go with conditions":                  {word(implementationv1.Decision_OUTCOME_GO, train(time.Hour)), frozen(t, passes()), "CONDITIONS_NOT_ASKED", "conditional"},
		"a condition twice":                     {word(implementationv1.Decision_OUTCOME_CONDITIONAL_GO, due("a", time.Hour), due("a", time.Hour)), frozen(t, passes()), "CONDITION_DUPLICATE", "called a"},
		"a condition that is overdue already":   {word(implementationv1.Decision_OUTCOME_CONDITIONAL_GO, due("a", -time.Hour)), frozen(t, passes()), "CONDITION_DUE", "within 90 days"},
	} {
		t.Run(name, func(t *testing.T) {
			d := question()
			err := decision.Decide(d, row.word, row.on, noon())
			require.Equal(t, row.reason, fault.ReasonOf(err), "%v", err)
			require.ErrorContains(t, err, row.says)
			require.Equal(t, implementationv1.Decision_PENDING, d.GetState())
			require.Empty(t, d.GetRecords())
		})
	}
	t.Run("a no-go needs nobody's answer", func(t *testing.T) {
		require.NoError(t, decision.Decide(question(), word(implementationv1.Decision_OUTCOME_NO_GO), silent, noon()))
	})
}

func TestAnOverrideHoldsForADayAtMost(t *testing.T) {
	for _, hold := range []time.Duration{-time.Second, 0, 24*time.Hour + time.Second} {
		err := decision.Override(question(), &implementationv1.OverrideDecisionRequest{Reason: "x", ExpireTime: in(hold)}, "users/eve", noon())
		require.Equal(t, "OVERRIDE_EXPIRY", fault.ReasonOf(err))
	}
	for _, outcome := range []implementationv1.Decision_Outcome{implementationv1.Decision_OUTCOME_NO_GO, implementationv1.Decision_OUTCOME_GO} {
		d := question()
		require.NoError(t, decision.Override(d, &implementationv1.OverrideDecisionRequest{Reason: "x", ExpireTime: in(24 * time.Hour)}, "users/eve", noon()))
		require.NotNil(t, decision.Holding(d, noon()))
		require.Nil(t, decision.Holding(d, noon().Add(24*time.Hour)), "the end is not in it")
		require.NoError(t, decision.Decide(d, word(outcome), frozen(t, passes()), noon()))
		require.Nil(t, decision.Holding(d, noon()), "who says something after the glass was broken means it")
	}
}

func TestWhatItIsAboutStaysOnceItWasSaid(t *testing.T) {
	require.NoError(t, decision.Bindable(question(), noon()))
	require.Error(t, decision.Bindable(goes(t), noon()))
	d := question()
	require.NoError(t, decision.Override(d, &implementationv1.OverrideDecisionRequest{Reason: "x", ExpireTime: in(time.Hour)}, "users/eve", noon()))
	require.Error(t, decision.Bindable(d, noon()), "a wave would go on an override that was not about it")
	require.NoError(t, decision.Bindable(d, noon().Add(time.Hour)))
	require.Error(t, decision.Deletable(d), "that the glass was broken is not forgotten")
	require.NoError(t, decision.Deletable(question()))
}

func TestOnlyTheLastTwentyAreShown(t *testing.T) {
	d := question()
	for i := range 30 {
		now := noon().Add(time.Duration(i) * time.Minute)
		require.NoError(t, decision.Decide(d, word(implementationv1.Decision_OUTCOME_NO_GO), frozen(t, passes()), now))
		require.NoError(t, decision.Reopen(d, "again", now))
	}
	require.Len(t, d.GetRecords(), 20)
	require.Equal(t, timestamppb.New(noon().Add(29*time.Minute)), d.GetRecords()[19].GetTime())
}
