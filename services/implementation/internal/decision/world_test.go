package decision_test

import (
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/evidence"
	"github.com/golive-dev/golive/services/implementation/internal/decision"
)

const (
	name  = "workspaces/default/implementations/crm/decisions/go"
	wave  = "workspaces/default/applications/crm/deployments/d1/waves/sales"
	sales = "workspaces/default/implementations/crm/cohortPlans/sales"
	prod  = "workspaces/default/environments/prod"
)

// noon is when everything is decided.
func noon() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

func in(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(noon().Add(d)) }

// trained is a verdict of the people's half.
func trained(state gatev1.Verdict_State, current string) *gatev1.Verdict {
	v := &gatev1.Verdict{
		Resource: sales, State: state, Headcount: 20, EvaluatedAt: timestamppb.New(noon()),
		Evidence: []*gatev1.Evidence{{Criterion: "trained", State: state, Numerator: 12, Denominator: 20, Threshold: 0.9, Detail: current}},
	}
	if state != gatev1.Verdict_PASS && state != gatev1.Verdict_WAIVED {
		v.Reasons = []*gatev1.BlockedBy{{Kind: gatev1.BlockedBy_CRITERION, Resource: sales, Current: current, Required: "at least 90.0 % trained", Owner: "users/carol"}}
	}
	return v
}

// machines is a verdict of the machines' half.
func machines(state gatev1.Verdict_State) *gatev1.Verdict {
	return &gatev1.Verdict{Resource: prod, State: state, Evidence: []*gatev1.Evidence{{Criterion: "availability", Resource: prod, State: state}}}
}

// untold is the same while too little was observed to tell a figure that has to reach nothing.
func untold(state gatev1.Verdict_State) *gatev1.Verdict {
	v := machines(state)
	v.Evidence[0].State = gatev1.Verdict_UNDECIDED
	return v
}

// both is what both halves say.
func both(people, software gatev1.Verdict_State) decision.Now {
	return decision.Now{sales: trained(people, "12 of 20 trained"), prod: machines(software)}
}

func passes() decision.Now { return both(gatev1.Verdict_PASS, gatev1.Verdict_PASS) }

// frozen is what both halves say, frozen.
func frozen(t require.TestingT, now decision.Now) (on decision.Evidence) {
	for resource, purpose := range map[string]gatev1.Purpose{sales: gatev1.Purpose_PURPOSE_READINESS, prod: gatev1.Purpose_PURPOSE_TECHNICAL} {
		e, err := evidence.Freeze(resource, purpose, now[resource])
		require.NoError(t, err)
		on.All = append(on.All, e)
	}
	return on
}

// question is a decision that is to be taken.
func question() *implementationv1.Decision {
	return &implementationv1.Decision{
		Name: name, DisplayName: "Does sales go live?", Owner: "users/ada", State: implementationv1.Decision_PENDING, StateTime: in(-time.Hour), CreateTime: in(-time.Hour),
		Revision: 1, Waves: []string{wave}, CohortPlans: []string{sales}, Technical: []string{prod}, DueTime: in(time.Hour),
	}
}

func word(outcome implementationv1.Decision_Outcome, conditions ...*implementationv1.DecisionCondition) decision.Word {
	return decision.Word{Person: "users/ada", Request: &implementationv1.DecideDecisionRequest{Name: name, Outcome: outcome, Reason: "the steering committee says so", Conditions: conditions}}
}

func train(due time.Duration) *implementationv1.DecisionCondition {
	return &implementationv1.DecisionCondition{Id: "train-the-rest", DisplayName: "train the rest", Owner: "users/carol", DueTime: in(due)}
}

// decided is a question answered on the evidence.
func decided(t require.TestingT, w decision.Word, on decision.Now) *implementationv1.Decision {
	d := question()
	require.NoError(t, decision.Decide(d, w, frozen(t, on), noon()))
	return d
}

func goes(t require.TestingT) *implementationv1.Decision {
	return decided(t, word(implementationv1.Decision_OUTCOME_GO), passes())
}

func conditionally(t require.TestingT) *implementationv1.Decision {
	return decided(t, word(implementationv1.Decision_OUTCOME_CONDITIONAL_GO, train(24*time.Hour)), both(gatev1.Verdict_WAIT, gatev1.Verdict_PASS))
}
