package readiness_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
)

const (
	crm   = "workspaces/w/applications/crm"
	phone = "workspaces/w/applications/phone"
	prod  = "workspaces/w/environments/prod"
	pulse = "workspaces/w/surveys/pulse"
	day   = 24 * time.Hour
)

// every is a criterion of each kind.
func every() map[string]*implementationv1.Criterion {
	return map[string]*implementationv1.Criterion{
		"trained":      {Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: []string{"workspaces/w/trainings/t"}}}},
		"proficient":   {Type: &implementationv1.Criterion_Proficient{Proficient: &implementationv1.ProficientCriterion{Trainings: []string{"workspaces/w/trainings/t"}}}},
		"access":       {Type: &implementationv1.Criterion_Access{Access: &implementationv1.AccessCriterion{}}},
		"sponsor":      {Type: &implementationv1.Criterion_Sponsor{Sponsor: &implementationv1.SponsorCriterion{}}},
		"stakeholders": {Type: &implementationv1.Criterion_Stakeholders{Stakeholders: &implementationv1.StakeholdersCriterion{}}},
		"pulse":        {Type: &implementationv1.Criterion_Pulse{Pulse: &implementationv1.PulseCriterion{Survey: pulse}}},
		"support":      {Type: &implementationv1.Criterion_Support{Support: &implementationv1.SupportCriterion{}}},
		"messages":     {Type: &implementationv1.Criterion_Messages{Messages: &implementationv1.MessagesCriterion{}}},
		"challenges":   {Type: &implementationv1.Criterion_Challenges{Challenges: &implementationv1.ChallengesCriterion{}}},
		"change-load":  {Type: &implementationv1.Criterion_ChangeLoad{ChangeLoad: &implementationv1.ChangeLoadCriterion{}}},
		"technical":    {Type: &implementationv1.Criterion_Technical{Technical: &implementationv1.TechnicalCriterion{Resource: prod}}},
	}
}

// good are facts by which every criterion is met.
func good() readiness.Facts {
	return readiness.Facts{
		Now: start, Headcount: 20, Owner: "users/dave",
		Trained:      map[string]readiness.Trained{"trained": {Members: 20, Done: 18}},
		Proficient:   map[string]readiness.Trained{"proficient": {Members: 20, Done: 16}},
		Applications: []string{crm, phone}, Provisioned: map[string]int64{crm: 20, phone: 20},
		Stakeholders: []readiness.Stakeholder{
			{Name: "workspaces/w/implementations/i/stakeholders/boss", Influence: 5, Supportive: true, Sponsor: true, Acted: start.Add(-30 * day)},
			{Name: "workspaces/w/implementations/i/stakeholders/peer", Influence: 3},
		},
		Pulses: map[string]readiness.Pulse{pulse: {Wave: pulse + "/waves/1", Closed: start.Add(-day), Invited: 200, Answered: 100, Agree: map[implementationv1.PulseCriterion_Element]readiness.Count{
			implementationv1.PulseCriterion_AWARENESS: {Part: 90, Whole: 100}, implementationv1.PulseCriterion_DESIRE: {Part: 70, Whole: 100}, implementationv1.PulseCriterion_ABILITY: {Part: 80, Whole: 100},
		}}},
		SuperUsers: 2,
		Messages:   []readiness.Message{{Name: "workspaces/w/implementations/i/communications/one", Display: "One", Delivered: 18, Audience: 20}},
		Capacity:   10, Loads: []readiness.Load{{Week: start, Load: 10}, {Week: start.Add(7 * day), Load: 3}},
		Technical: map[string]readiness.Technical{prod: {State: gatev1.Verdict_PASS, Asked: start.Add(-10 * time.Minute)}},
	}
}

func planOf(kind string) *implementationv1.CohortPlan {
	criterion := every()[kind]
	criterion.Id = kind
	return &implementationv1.CohortPlan{
		Name: "workspaces/w/implementations/i/cohortPlans/sales", Cohort: "workspaces/w/cohorts/sales",
		GoLiveTime: timestamppb.New(start.Add(10 * day)),
		HelpDesk:   &implementationv1.HelpDesk{StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(24 * day))},

		ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{criterion}},
	}
}

func TestEveryCriterionIsMetAtItsDefault(t *testing.T) {
	for kind := range every() {
		v := readiness.Assess(planOf(kind), good())
		require.Equal(t, gatev1.Verdict_PASS, v.State(), "%s: %v", kind, v.Readiness().GetCriteria())
		require.Empty(t, v.Verdict().GetReasons())
		require.InDelta(t, 1, v.Readiness().GetScore(), 1e-9)
		require.InDelta(t, 1, v.Readiness().GetScoreCoverage(), 1e-9)
	}
}

func TestEveryCriterionHoldsForItsOwnReason(t *testing.T) {
	for _, c := range []struct {
		kind, what string
		change     func(f *readiness.Facts, p *implementationv1.CohortPlan)
		state      gatev1.Verdict_State
		current    string
	}{
		{"proficient", "too few have passed", func(f *readiness.Facts, _ *implementationv1.CohortPlan) {
			f.Proficient["proficient"] = readiness.Trained{Members: 20, Done: 15}
		}, gatev1.Verdict_WAIT, "15 of 20 passed (75.0 %)"},
		{"proficient", "the waived are not counted", func(f *readiness.Facts, _ *implementationv1.CohortPlan) {
			f.Proficient["proficient"] = readiness.Trained{Members: 20, Waived: 5, Done: 12}
		}, gatev1.Verdict_PASS, ""},
		{"proficient", "nobody is left", func(f *readiness.Facts, _ *implementationv1.CohortPlan) {
			f.Proficient["proficient"] = readiness.Trained{Members: 20, Waived: 20}
		}, gatev1.Verdict_UNKNOWN, "nobody is left to count: all 20 members are waived"},
		{"access", "one application has too few accounts", func(f *readiness.Facts, _ *implementationv1.CohortPlan) { f.Provisioned[phone] = 19 }, gatev1.Verdict_WAIT, "19 of 20 have an account in " + phone + " (95.0 %)"},
		{"access", "no application", func(f *readiness.Facts, _ *implementationv1.CohortPlan) { f.Applications = nil }, gatev1.Verdict_UNKNOWN, "neither the criterion nor the implementation names an application"},
		{"access", "no members", func(f *readiness.Facts, _ *implementationv1.CohortPlan) { f.Headcount = 0 }, gatev1.Verdict_UNKNOWN, "the cohort has no members at the go-live"},
		{"sponsor", "silent for a day too long", func(f *readiness.Facts, _ *implementationv1.CohortPlan) {
			f.Stakeholders[0].Acted = start.Add(-31 * day)
		}, gatev1.Verdict_WAIT, "the sponsor acted 31 days ago"},
		{"sponsor", "never acted", func(f *readiness.Facts, _ *implementationv1.CohortPlan) { f.Stakeholders[0].Acted = time.Time{} }, gatev1.Verdict_WAIT, "the sponsor has not acted"},
		{"sponsor", "none", func(f *readiness.Facts, _ *implementationv1.CohortPlan) { f.Stakeholders = nil }, gatev1.Verdict_WAIT, "no stakeholder is a sponsor"},
		{"stakeholders", "one is against", func(f *readiness.Facts, _ *implementationv1.CohortPlan) { f.Stakeholders[0].Supportive = false }, gatev1.Verdict_WAIT, "0 of 1 support it"},
		{"stakeholders", "none has influence", func(f *readiness.Facts, _ *implementationv1.CohortPlan) { f.Stakeholders[0].Influence = 3 }, gatev1.Verdict_UNKNOWN, "no stakeholder of influence 4 or more is known"},
		{"pulse", "few agree", func(f *readiness.Facts, _ *implementationv1.CohortPlan) {
			f.Pulses[pulse].Agree[implementationv1.PulseCriterion_DESIRE] = readiness.Count{Part: 69, Whole: 100}
		}, gatev1.Verdict_WAIT, "desire: 69 of 100 agree (69.0 %, 95 % interval 59.4 to 77.2 %), 100 of 200 answered"},
		{"pulse", "few answered", func(f *readiness.Facts, _ *implementationv1.CohortPlan) {
			p := f.Pulses[pulse]
			p.Invited = 334
			f.Pulses[pulse] = p
		}, gatev1.Verdict_UNKNOWN, "100 of 334 answered, less than 30.0 %"},
		{"pulse", "may not be shown", func(f *readiness.Facts, _ *implementationv1.CohortPlan) {
			p := f.Pulses[pulse]
			p.Hidden = "fewer than 5 answered"
			f.Pulses[pulse] = p
		}, gatev1.Verdict_UNKNOWN, "the answers are not shown: fewer than 5 answered"},
		{"pulse", "no wave", func(f *readiness.Facts, _ *implementationv1.CohortPlan) { f.Pulses = nil }, gatev1.Verdict_UNKNOWN, "no wave of the survey has been closed"},
		{"support", "a super-user is missing", func(f *readiness.Facts, _ *implementationv1.CohortPlan) { f.Headcount = 21 }, gatev1.Verdict_WAIT, "2 super-users for 21 people; the help desk is there"},
		{"support", "the help desk ends early", func(_ *readiness.Facts, p *implementationv1.CohortPlan) {
			p.HelpDesk.EndTime = timestamppb.New(start.Add(23 * day))
		}, gatev1.Verdict_WAIT, "2 super-users for 20 people; the help desk ends on 2026-03-25"},
		{"support", "no help desk", func(_ *readiness.Facts, p *implementationv1.CohortPlan) { p.HelpDesk = nil }, gatev1.Verdict_WAIT, "2 super-users for 20 people; no help desk is planned"},
		{"messages", "one is behind", func(f *readiness.Facts, _ *implementationv1.CohortPlan) { f.Messages[0].Delivered = 17 }, gatev1.Verdict_WAIT, `"One" was delivered to 17 of 20`},
		{"messages", "none is planned", func(f *readiness.Facts, _ *implementationv1.CohortPlan) { f.Messages = nil }, gatev1.Verdict_UNKNOWN, "no communication is marked as one that the cohort must know"},
		{"challenges", "one is open", func(f *readiness.Facts, _ *implementationv1.CohortPlan) {
			f.Critical = []string{"workspaces/w/implementations/i/challenges/c"}
		}, gatev1.Verdict_WAIT, "1 critical challenge is open"},
		{"change-load", "a week is too full", func(f *readiness.Facts, _ *implementationv1.CohortPlan) {
			f.Loads[1] = readiness.Load{Week: start.Add(7 * day), Load: 10.5, From: []string{"a", "b"}}
		}, gatev1.Verdict_WAIT, "10.5 points in the week of 2026-03-09, from 2 implementations"},
		{"change-load", "nobody said what they can take", func(f *readiness.Facts, _ *implementationv1.CohortPlan) { f.Capacity = 0 }, gatev1.Verdict_UNKNOWN, "the cohort has no change capacity"},
		{"technical", "not yet", func(f *readiness.Facts, _ *implementationv1.CohortPlan) {
			f.Technical[prod] = readiness.Technical{State: gatev1.Verdict_WAIT, Asked: start, Reasons: []*gatev1.BlockedBy{{Current: "wave 1 of 2 is running"}}}
		}, gatev1.Verdict_WAIT, "the deployment service says WAIT: wave 1 of 2 is running"},
		{"technical", "failed", func(f *readiness.Facts, _ *implementationv1.CohortPlan) {
			f.Technical[prod] = readiness.Technical{State: gatev1.Verdict_FAIL, Asked: start}
		}, gatev1.Verdict_FAIL, "the deployment service says FAIL"},
		{"technical", "an old answer", func(f *readiness.Facts, _ *implementationv1.CohortPlan) {
			f.Technical[prod] = readiness.Technical{State: gatev1.Verdict_PASS, Asked: start.Add(-11 * time.Minute)}
		}, gatev1.Verdict_UNKNOWN, "the deployment service says PASS, but that was 11m0s ago and may be 10m0s old"},
		{"technical", "nobody answered", func(f *readiness.Facts, _ *implementationv1.CohortPlan) { f.Technical = nil }, gatev1.Verdict_UNKNOWN, "the deployment service has not answered"},
	} {
		t.Run(c.kind+": "+c.what, func(t *testing.T) {
			facts, plan := good(), planOf(c.kind)
			c.change(&facts, plan)
			a := readiness.Assess(plan, facts)
			require.Equal(t, c.state, a.State(), "%v", a.Readiness().GetCriteria())
			if c.state == gatev1.Verdict_PASS {
				return
			}
			reasons := a.Verdict().GetReasons()
			require.Len(t, reasons, 1)
			require.Equal(t, c.current, reasons[0].GetCurrent())
			require.NotEmpty(t, reasons[0].GetRequired())
			require.NotEmpty(t, reasons[0].GetCommand())
			require.Equal(t, "users/dave", reasons[0].GetOwner())
			require.NotEmpty(t, a.Verdict().GetWaitingOn())
			if c.state == gatev1.Verdict_WAIT {
				facts.Now = start.Add(10 * day)
				require.NotEqual(t, gatev1.Verdict_PASS, readiness.Assess(plan, facts).State(), "nor is it met when the go-live has come")
			}
		})
	}
}

func TestWhatIsNotMetCannotBeAfterTheGoLive(t *testing.T) {
	for _, kind := range []string{"access", "challenges", "messages", "stakeholders"} {
		facts, plan := good(), planOf(kind)
		facts.Now = plan.GetGoLiveTime().AsTime()
		facts.Provisioned[crm], facts.Critical, facts.Messages[0].Delivered, facts.Stakeholders[0].Supportive = 0, []string{"c"}, 0, false
		require.Equal(t, gatev1.Verdict_FAIL, readiness.Assess(plan, facts).State(), kind)
	}
}

func TestAnOverrideLetsACriterionPassForItsTime(t *testing.T) {
	plan, facts := planOf("challenges"), good()
	facts.Critical = []string{"workspaces/w/implementations/i/challenges/c"}
	asked := func(criterion string, after time.Duration) *implementationv1.ReadinessOverride {
		return &implementationv1.ReadinessOverride{Criterion: criterion, Reason: "the fix is on its way", ExpireTime: timestamppb.New(start.Add(after))}
	}
	for criterion, after := range map[string]time.Duration{"challenges": 24*time.Hour + time.Second, "none": time.Hour} {
		require.Error(t, readiness.Override(plan, asked(criterion, after), "users/eve", start))
	}
	require.Equal(t, "OVERRIDE_EXPIRY", fault.ReasonOf(readiness.Override(plan, asked("challenges", 0), "users/eve", start)))
	require.Empty(t, plan.GetOverrides(), "a refusal changes nothing")
	require.NoError(t, readiness.Override(plan, asked("challenges", 3*time.Minute), "users/eve", start))

	a := readiness.Assess(plan, facts)
	require.Equal(t, gatev1.Verdict_PASS, a.State())
	result := a.Readiness().GetCriteria()[0]
	require.Equal(t, implementationv1.CriterionResult_WAIVED, result.GetStatus())
	require.Equal(t, "users/eve", result.GetOverride().GetPerson())
	require.Equal(t, 3*time.Minute, a.Verdict().GetTtl().AsDuration(), "the verdict lives no longer than the override")
	require.InDelta(t, 0, a.Readiness().GetScore(), 1e-9, "what is let pass is not done")

	facts.Now = start.Add(3 * time.Minute)
	require.Equal(t, gatev1.Verdict_WAIT, readiness.Assess(plan, facts).State())

	facts.Now = start.Add(time.Minute)
	require.NoError(t, readiness.Withdraw(plan, "challenges", facts.Now))
	require.Equal(t, gatev1.Verdict_WAIT, readiness.Assess(plan, facts).State())
	require.Equal(t, "OVERRIDE_ENDED", fault.ReasonOf(readiness.Withdraw(plan, "challenges", facts.Now)))
	require.Len(t, plan.GetOverrides(), 1, "it is kept for those who ask later")
}

func TestTheScoreIsShownWithItsCoverageAndNeverGates(t *testing.T) {
	plan, facts := planOf("challenges"), good()
	for kind, c := range every() {
		if kind != "challenges" {
			c.Id, c.Weight = kind, new(2.0)
			plan.ReadinessPolicy.Criteria = append(plan.ReadinessPolicy.Criteria, c)
		}
	}
	facts.Critical, facts.Technical = []string{"c"}, nil
	a := readiness.Assess(plan, facts)
	require.Equal(t, gatev1.Verdict_UNKNOWN, a.State())
	require.InDelta(t, 18.0/19, a.Readiness().GetScore(), 1e-9)
	require.InDelta(t, 19.0/21, a.Readiness().GetScoreCoverage(), 1e-9)
}

func TestMaxAgeMakesWhatIsOldUnknown(t *testing.T) {
	plan, facts := planOf("pulse"), good()
	plan.ReadinessPolicy.Criteria[0].MaxAge = durationpb.New(day)
	require.Equal(t, gatev1.Verdict_PASS, readiness.Assess(plan, facts).State())
	facts.Now = start.Add(time.Second)
	require.Equal(t, gatev1.Verdict_UNKNOWN, readiness.Assess(plan, facts).State())
}

func TestWhateverTheFactsAreAGateThatHoldsSaysWhy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{"access", "sponsor", "stakeholders", "support", "messages", "challenges", "change-load", "technical"}).Draw(t, "kind")
		count := func(name string) int64 { return rapid.Int64Range(0, 50).Draw(t, name) }
		facts := readiness.Facts{Now: start, Headcount: count("members"), Applications: []string{crm}, Provisioned: map[string]int64{crm: count("accounts")}, SuperUsers: count("super"), Capacity: float64(count("capacity"))}
		for range count("stakeholders") % 4 {
			facts.Stakeholders = append(facts.Stakeholders, readiness.Stakeholder{Name: "s", Influence: int32(count("influence") % 6), Supportive: rapid.Bool().Draw(t, "supportive"), Sponsor: rapid.Bool().Draw(t, "sponsor")})
		}
		for range count("messages") % 4 {
			facts.Messages = append(facts.Messages, readiness.Message{Name: "m", Delivered: count("delivered"), Audience: count("audience")})
		}
		facts.Loads = []readiness.Load{{Week: start, Load: float64(count("load")), From: []string{"i"}}}
		facts.Technical = map[string]readiness.Technical{prod: {State: gatev1.Verdict_State(count("state") % 7), Asked: start}}
		v := readiness.Assess(planOf(kind), facts).Verdict()
		require.Equal(t, v.GetState() == gatev1.Verdict_PASS, len(v.GetReasons()) == 0)
		for _, r := range v.GetReasons() {
			require.NotEmpty(t, r.GetCurrent())
			require.NotEmpty(t, r.GetRequired())
			require.NotEmpty(t, r.GetCommand())
			require.NotEmpty(t, v.GetWaitingOn())
		}
	})
}
