package decision_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/evidence"
	"github.com/golive-dev/golive/services/implementation/internal/decision"
)

func TestWhatEndsADecision(t *testing.T) {
	also := func(v *gatev1.Verdict, e ...*gatev1.Evidence) decision.Now {
		v = proto.CloneOf(v)
		v.Evidence = append(v.GetEvidence(), e...)
		return decision.Now{sales: v, prod: machines(gatev1.Verdict_PASS)}
	}
	pass, wait := gatev1.Verdict_PASS, gatev1.Verdict_WAIT
	another := trained(wait, "12 of 20 trained")
	another.Reasons = append(another.GetReasons(), &gatev1.BlockedBy{Kind: gatev1.BlockedBy_CRITERION, Current: "no support", Required: "support"})
	for name, row := range map[string]struct {
		from func(require.TestingT) *implementationv1.Decision
		now  decision.Now
		at   time.Duration
		why  string // empty: it stands
	}{
		"nothing changed":                              {from: goes, now: passes()},
		"people are not ready any more":                {goes, both(wait, pass), 0, "readiness of sales was PASS, is WAIT: 12 of 20 trained"},
		"machines are not":                             {goes, both(pass, gatev1.Verdict_FAIL), 0, "technical verdict of prod was PASS, is FAIL"},
		"people pass on an override now":               {goes, both(gatev1.Verdict_WAIVED, pass), 0, "was PASS, is WAIVED"},
		"machines are silent":                          {from: goes, now: both(pass, gatev1.Verdict_UNKNOWN)},
		"machines were never heard again":              {from: goes, now: decision.Now{sales: trained(pass, "")}},
		"people are not known":                         {from: goes, now: both(gatev1.Verdict_UNKNOWN, pass)},
		"the cohort plan was deleted":                  {goes, decision.Now{prod: machines(pass)}, 0, "was deleted"},
		"a piece that does not gate is worse":          {goes, also(trained(pass, ""), &gatev1.Evidence{Criterion: "sponsor", State: wait, Detail: "not met yet"}), 0, "sponsor is asked now and is WAIT: not met yet"},
		"a new piece passes":                           {from: goes, now: also(trained(pass, ""), &gatev1.Evidence{Criterion: "sponsor", State: pass})},
		"a piece is asked no more":                     {goes, decision.Now{sales: {State: pass}, prod: machines(pass)}, 0, "trained is asked no more"},
		"a figure cannot be told":                      {from: goes, now: decision.Now{sales: trained(pass, ""), prod: untold(pass)}},
		"machines are not, and a figure is not told":   {goes, decision.Now{sales: trained(pass, ""), prod: untold(gatev1.Verdict_FAIL)}, 0, "technical verdict of prod was PASS, is FAIL"},
		"its date came":                                {goes, passes(), 14 * 24 * time.Hour, "its time ended at 2026-03-16 12:00 UTC"},
		"its date is near":                             {from: goes, now: passes(), at: 14*24*time.Hour - time.Second},
		"a condition is overdue":                       {conditionally, both(wait, pass), 24 * time.Hour, "condition train-the-rest was due at 2026-03-03 12:00 UTC"},
		"a conditional go gets what it asked for":      {from: conditionally, now: passes()},
		"a conditional go waits for what it waited":    {from: conditionally, now: both(wait, pass), at: time.Hour},
		"a conditional go waits for something else":    {conditionally, decision.Now{sales: another, prod: machines(pass)}, 0, "for another reason: no support"},
		"what a conditional go waited for cannot come": {conditionally, both(gatev1.Verdict_FAIL, pass), 0, "was WAIT, is FAIL"},
	} {
		t.Run(name, func(t *testing.T) {
			d := row.from(t)
			why, over := decision.Ending(d, row.now, noon().Add(row.at))
			require.Equal(t, row.why != "", over, why)
			require.Contains(t, why, row.why)
			v := decision.Verdict(d, row.now, noon().Add(row.at))
			if over {
				require.Equal(t, gatev1.Verdict_WAIT, v.GetState(), "it opens nothing from then on, written down or not")
				require.NotEmpty(t, decision.BlockedBy(d, row.now, noon().Add(row.at)))
			}
		})
	}
	t.Run("a condition that was met is not overdue", func(t *testing.T) {
		d := conditionally(t)
		require.NoError(t, decision.Confirm(d, &implementationv1.ConfirmDecisionRequest{Condition: "train-the-rest", Note: "all 20"}, "users/carol", noon()))
		_, over := decision.Ending(d, passes(), noon().Add(24*time.Hour))
		require.False(t, over)
		require.NoError(t, decision.Confirm(d, &implementationv1.ConfirmDecisionRequest{Condition: "train-the-rest", Withdraw: true}, "users/carol", noon()))
		_, over = decision.Ending(d, passes(), noon().Add(24*time.Hour))
		require.True(t, over)
	})
}

func TestWhatADecisionTellsAGate(t *testing.T) {
	overridden := question()
	require.NoError(t, decision.Override(overridden, &implementationv1.OverrideDecisionRequest{Reason: "now", ExpireTime: in(30 * time.Second)}, "users/eve", noon()))
	for name, row := range map[string]struct {
		d     *implementationv1.Decision
		now   decision.Now
		state gatev1.Verdict_State
		kind  gatev1.BlockedBy_Kind
		on    []string
	}{
		"to be decided":                {question(), passes(), gatev1.Verdict_WAIT, gatev1.BlockedBy_DECISION, nil},
		"to be decided, people behind": {question(), both(gatev1.Verdict_WAIT, gatev1.Verdict_PASS), gatev1.Verdict_WAIT, gatev1.BlockedBy_READINESS, []string{sales}},
		"go":                           {d: goes(t), now: passes(), state: gatev1.Verdict_PASS},
		"conditional go":               {d: conditionally(t), now: both(gatev1.Verdict_WAIT, gatev1.Verdict_PASS), state: gatev1.Verdict_PASS},
		"go, machines silent":          {goes(t), decision.Now{sales: trained(gatev1.Verdict_PASS, "")}, gatev1.Verdict_UNKNOWN, gatev1.BlockedBy_SERVICE, []string{prod}},
		"no-go":                        {at(t, implementationv1.Decision_NO_GO), passes(), gatev1.Verdict_FAIL, gatev1.BlockedBy_DECISION, nil},
		"expired":                      {at(t, implementationv1.Decision_EXPIRED), passes(), gatev1.Verdict_WAIT, gatev1.BlockedBy_DECISION, nil},
		"withdrawn":                    {at(t, implementationv1.Decision_WITHDRAWN), passes(), gatev1.Verdict_FAIL, gatev1.BlockedBy_DECISION, nil},
		"overridden":                   {d: overridden, now: passes(), state: gatev1.Verdict_WAIVED},
	} {
		t.Run(name, func(t *testing.T) {
			v := decision.Verdict(row.d, row.now, noon())
			require.Equal(t, row.state, v.GetState())
			require.Equal(t, row.on, v.GetWaitingOn())
			require.Equal(t, row.kind != 0, slices.ContainsFunc(v.GetReasons(), func(b *gatev1.BlockedBy) bool { return b.GetKind() == row.kind }), "%v", v.GetReasons())
			require.Equal(t, v.GetState(), decision.Bound(row.d, proto.CloneOf(v), wave, noon()).GetState())
			stranger := decision.Bound(row.d, v, wave+"2", noon())
			require.Equal(t, gatev1.Verdict_FAIL, stranger.GetState())
			require.Contains(t, stranger.GetReasons()[0].GetCurrent(), "not bound to "+wave+"2")
		})
	}
	require.Equal(t, 30*time.Second, decision.Verdict(overridden, passes(), noon()).GetTtl().AsDuration(), "what an override lets go it lets go no longer")
	require.Equal(t, gatev1.Verdict_WAIT, decision.Verdict(overridden, passes(), noon().Add(30*time.Second)).GetState())
}

// drawn is a decision with any history, and what is said of its evidence.
func drawn(t *rapid.T) (*implementationv1.Decision, decision.Now, time.Time) {
	state := rapid.SampledFrom([]gatev1.Verdict_State{gatev1.Verdict_PASS, gatev1.Verdict_FAIL, gatev1.Verdict_WAIT, gatev1.Verdict_UNDECIDED, gatev1.Verdict_UNKNOWN, gatev1.Verdict_WAIVED})
	now := func() decision.Now { return both(state.Draw(t, "people"), state.Draw(t, "machines")) }
	d, at := question(), noon()
	for range rapid.IntRange(0, 12).Draw(t, "events") {
		at = at.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "hours")) * time.Hour)
		stands := now()
		switch rapid.IntRange(0, 6).Draw(t, "event") { // what is refused changes nothing
		case 0:
			_ = decision.Decide(d, word(implementationv1.Decision_OUTCOME_GO), frozen(t, stands), at)
		case 1:
			c := train(0)
			c.DueTime = timestamppb.New(at.Add(time.Duration(rapid.IntRange(1, 48).Draw(t, "due")) * time.Hour))
			_ = decision.Decide(d, word(implementationv1.Decision_OUTCOME_CONDITIONAL_GO, c), frozen(t, stands), at)
		case 2:
			_ = decision.Decide(d, word(implementationv1.Decision_OUTCOME_NO_GO), frozen(t, stands), at)
		case 3:
			until := timestamppb.New(at.Add(time.Duration(rapid.IntRange(1, 24).Draw(t, "hold")) * time.Hour))
			_ = decision.Override(d, &implementationv1.OverrideDecisionRequest{Reason: "x", ExpireTime: until}, "users/eve", at)
		case 4:
			_ = decision.Confirm(d, &implementationv1.ConfirmDecisionRequest{Condition: "train-the-rest"}, "users/eve", at)
		case 5:
			_ = decision.Reopen(d, "again", at)
		case 6:
			if why, over := decision.Ending(d, stands, at); over {
				_ = decision.Expire(d, why, at)
			}
		}
	}
	return d, now(), at
}

func open(v *gatev1.Verdict) bool {
	return v.GetState() == gatev1.Verdict_PASS || v.GetState() == gatev1.Verdict_WAIVED
}

func TestADecisionNeverOpensAWaveThatItDoesNotName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, now, at := drawn(t)
		other := rapid.StringMatching(`workspaces/default/applications/crm/deployments/d[0-9]/waves/[a-z]{1,6}`).Draw(t, "wave")
		v := decision.Bound(d, decision.Verdict(d, now, at), other, at)
		require.False(t, open(v) && !slices.Contains(d.GetWaves(), other))
	})
}

// What is named after the word was said was not decided on, whatever a store lets somebody write.
func TestAWordOpensWhatItWasSaidOf(t *testing.T) {
	overridden := question()
	require.NoError(t, decision.Override(overridden, &implementationv1.OverrideDecisionRequest{Reason: "now", ExpireTime: in(time.Hour)}, "users/eve", noon()))
	for name, d := range map[string]*implementationv1.Decision{"go": goes(t), "conditional go": conditionally(t), "overridden": overridden} {
		t.Run(name, func(t *testing.T) {
			now := both(gatev1.Verdict_WAIT, gatev1.Verdict_PASS)
			if d.GetState() == implementationv1.Decision_GO {
				now = passes()
			}
			d.Waves = []string{wave + "2"}
			require.True(t, open(decision.Bound(d, decision.Verdict(d, now, noon()), wave, noon())))
			require.False(t, open(decision.Bound(d, decision.Verdict(d, now, noon()), wave+"2", noon())))
		})
	}
	asked, on := question(), frozen(t, passes())
	w := word(implementationv1.Decision_OUTCOME_GO)
	w.Request.EvidenceDigest = evidence.GistDigest(on.All, asked.GetWaves())
	asked.Waves = append(asked.GetWaves(), wave+"2")
	require.Equal(t, decision.ReasonEvidenceChanged, fault.ReasonOf(decision.Decide(asked, w, on, noon())), "a wave came after it was looked at")
}

func TestNothingOpensAfterItsEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, now, at := drawn(t)
		v := decision.Verdict(d, now, at)
		if !open(v) {
			require.NotEmpty(t, v.GetReasons(), "what does not open says why")
			for _, r := range v.GetReasons() {
				require.NotEmpty(t, r.GetCurrent())
				require.NotEmpty(t, r.GetRequired())
				require.NotEmpty(t, r.GetOwner())
				require.NotEmpty(t, r.GetCommand())
				require.NotNil(t, r.GetSince())
			}
			return
		}
		until := at.Add(v.GetTtl().AsDuration())
		require.Positive(t, v.GetTtl().AsDuration())
		if r := decision.Record(d); v.GetState() == gatev1.Verdict_PASS {
			require.Nil(t, r.GetEndTime())
			require.False(t, until.After(r.GetExpireTime().AsTime()), "an answer is not used after the end of what it stands on")
			for _, c := range r.GetConditions() {
				require.True(t, c.GetMetTime() != nil || !until.After(c.GetDueTime().AsTime()))
			}
			require.False(t, open(decision.Verdict(d, now, r.GetExpireTime().AsTime())))
		} else {
			require.False(t, until.After(decision.Holding(d, at).GetExpireTime().AsTime()))
			require.False(t, open(decision.Verdict(d, now, decision.OverrideTime(d))))
		}
		require.NoError(t, decision.Withdraw(d, "no", at))
		require.False(t, open(decision.Verdict(d, now, at)), "what was taken back opens nothing")
	})
}

func TestWhatWaitsSaysWhy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, now, at := drawn(t)
		unmet := slices.ContainsFunc(decision.Record(d).GetConditions(), func(c *implementationv1.DecisionCondition) bool { return c.GetMetTime() == nil })
		if s := d.GetState(); s == implementationv1.Decision_PENDING || s == implementationv1.Decision_EXPIRED || s == implementationv1.Decision_CONDITIONAL_GO && unmet {
			require.NotEmpty(t, decision.BlockedBy(d, now, at))
		}
	})
}

func TestTheOrderOfEvidenceDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		on := frozen(t, passes())
		for i := range rapid.IntRange(0, 5).Draw(t, "more") {
			more, err := evidence.Freeze(sales+string(rune('a'+i)), gatev1.Purpose_PURPOSE_READINESS, trained(gatev1.Verdict_PASS, "x"))
			require.NoError(t, err)
			on.All = append(on.All, more)
		}
		shuffled := rapid.Permutation(on.All).Draw(t, "order")
		require.Equal(t, evidence.Digest(on.All, []string{wave, wave + "2"}), evidence.Digest(shuffled, []string{wave + "2", wave}))
		require.Equal(t, evidence.GistDigest(on.All, nil), evidence.GistDigest(shuffled, nil))
		one, other := question(), question()
		require.NoError(t, decision.Decide(one, word(implementationv1.Decision_OUTCOME_GO), on, noon()))
		require.NoError(t, decision.Decide(other, word(implementationv1.Decision_OUTCOME_GO), decision.Evidence{All: shuffled}, noon()))
		require.True(t, proto.Equal(one, other))
	})
}
