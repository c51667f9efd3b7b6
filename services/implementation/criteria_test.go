package implementation_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation"
)

const (
	rollout = ws + "/implementations/crm"
	crmApp  = ws + "/applications/crm"
	prodEnv = ws + "/environments/prod"
)

// machines answers for the deployment service.
type machines struct {
	gatev1.GateServiceClient

	state atomic.Int32
}

func (m *machines) EvaluateGate(_ context.Context, req *gatev1.EvaluateGateRequest, _ ...grpc.CallOption) (*gatev1.Verdict, error) {
	return &gatev1.Verdict{Resource: req.GetResource(), Purpose: req.GetPurpose(), State: gatev1.Verdict_State(m.state.Load())}, nil
}

// WatchGates is what the machines of these tests have not.
func (m *machines) WatchGates(context.Context, *gatev1.WatchGatesRequest, ...grpc.CallOption) (grpc.ServerStreamingClient[gatev1.WatchGatesResponse], error) {
	return nil, fault.Unavailable("SERVICE_UNAVAILABLE", "nobody tells of changes here")
}

// statuses are the criteria of a readiness.
func statuses(r *implementationv1.Readiness) map[string]implementationv1.CriterionResult_Status {
	all := map[string]implementationv1.CriterionResult_Status{}
	for _, c := range r.GetCriteria() {
		all[c.GetId()] = c.GetStatus()
	}
	return all
}

// campaign is an implementation whose cohort has a criterion of almost every kind.
func (w *world) campaign(goLive time.Time) (plan string) {
	w.Helper()
	cohort, training := w.cohort("sales", 20), w.training("basics", 0)
	plan = w.plan("sales", cohort, goLive, training)
	ctx := w.Context()
	_, err := w.implementations.UpdateImplementation(ctx, &implementationv1.UpdateImplementationRequest{
		Implementation: &implementationv1.Implementation{Name: rollout, Applications: []string{crmApp}, Currency: "EUR"},
	})
	require.NoError(w, err)
	_, err = w.cohorts.UpdateCohort(ctx, &implementationv1.UpdateCohortRequest{Cohort: &implementationv1.Cohort{Name: cohort, ChangeCapacity: new(4.0)}})
	require.NoError(w, err)
	policy := &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{
		{Id: "trained", Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: []string{training}}}},
		{Id: "proficient", Type: &implementationv1.Criterion_Proficient{Proficient: &implementationv1.ProficientCriterion{Trainings: []string{training}}}},
		{Id: "access", Type: &implementationv1.Criterion_Access{Access: &implementationv1.AccessCriterion{}}},
		{Id: "sponsor", Type: &implementationv1.Criterion_Sponsor{Sponsor: &implementationv1.SponsorCriterion{}}},
		{Id: "stakeholders", Type: &implementationv1.Criterion_Stakeholders{Stakeholders: &implementationv1.StakeholdersCriterion{}}},
		{Id: "support", Type: &implementationv1.Criterion_Support{Support: &implementationv1.SupportCriterion{}}},
		{Id: "messages", Type: &implementationv1.Criterion_Messages{Messages: &implementationv1.MessagesCriterion{}}},
		{Id: "challenges", Type: &implementationv1.Criterion_Challenges{Challenges: &implementationv1.ChallengesCriterion{}}},
		{Id: "change-load", Type: &implementationv1.Criterion_ChangeLoad{ChangeLoad: &implementationv1.ChangeLoadCriterion{}}},
		{Id: "technical", Type: &implementationv1.Criterion_Technical{Technical: &implementationv1.TechnicalCriterion{Resource: prodEnv}}},
	}}
	_, err = w.plans.UpdateCohortPlan(ctx, &implementationv1.UpdateCohortPlanRequest{
		CohortPlan: &implementationv1.CohortPlan{
			Name: plan, ReadinessPolicy: policy, Impacts: []*implementationv1.Impact{{Aspect: implementationv1.Impact_TOOLS, Level: 4}},
		},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"readiness_policy", "impacts"}},
	})
	require.NoError(w, err)
	return plan
}

func TestEveryCriterionIsCountedFromWhatIsKept(t *testing.T) {
	deployment := &machines{}
	each(t, func(t *testing.T, w *world) {
		deployment.state.Store(int32(gatev1.Verdict_WAIT))
		goLive := w.clock.now().Add(10 * 24 * time.Hour)
		plan := w.campaign(goLive)
		conn := w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}})
		ctx := t.Context()
		require.Eventually(t, func() bool {
			return statuses(w.readiness(plan))["technical"] == implementationv1.CriterionResult_NOT_MET
		}, 30*time.Second, 50*time.Millisecond, "the deployment service was asked")
		const met, notMet, unknown = implementationv1.CriterionResult_MET, implementationv1.CriterionResult_NOT_MET, implementationv1.CriterionResult_UNKNOWN
		require.Equal(t, map[string]implementationv1.CriterionResult_Status{
			"trained": notMet, "proficient": notMet, "access": notMet, "sponsor": notMet, "stakeholders": unknown, "support": notMet,
			"messages": unknown, "challenges": met, "change-load": met, "technical": notMet,
		}, statuses(w.readiness(plan)))

		w.meet(conn, plan, goLive)
		deployment.state.Store(int32(gatev1.Verdict_PASS))
		require.Eventually(t, func() bool { return w.verdict(plan).GetState() == gatev1.Verdict_PASS }, 30*time.Second, 50*time.Millisecond, "%v", w.readiness(plan))

		challenges := implementationv1.NewChallengeServiceClient(conn)
		c, err := challenges.CreateChallenge(ctx, &implementationv1.CreateChallengeRequest{Parent: rollout, Challenge: &implementationv1.Challenge{
			DisplayName: "no network in the hall", Class: implementationv1.Challenge_TECHNICAL, Nature: implementationv1.Challenge_ISSUE, Probability: 5, Impact: 5,
			Owner: "users/dave", Cohort: ws + "/cohorts/sales",
		}})
		require.NoError(t, err)
		require.Equal(t, notMet, statuses(w.readiness(plan))["challenges"])
		require.Contains(t, w.verdict(plan).GetWaitingOn(), c.GetName())

		// A second change for the same people takes the week above what they can take.
		second, err := w.implementations.CreateImplementation(ctx, &implementationv1.CreateImplementationRequest{Parent: ws, ImplementationId: "erp", Implementation: &implementationv1.Implementation{}})
		require.NoError(t, err)
		_, err = w.plans.CreateCohortPlan(ctx, &implementationv1.CreateCohortPlanRequest{Parent: second.GetName(), CohortPlanId: "sales", CohortPlan: &implementationv1.CohortPlan{
			Cohort: ws + "/cohorts/sales", GoLiveTime: timestamppb.New(goLive.Add(7 * 24 * time.Hour)), Impacts: []*implementationv1.Impact{{Aspect: implementationv1.Impact_PROCESS, Level: 1}},
		}})
		require.NoError(t, err)
		require.Equal(t, notMet, statuses(w.readiness(plan))["change-load"])
	}, func(c *implementation.Config) { c.Deployment.Gate, c.Ask = deployment, 20*time.Millisecond })
}

// meet does what each criterion asks for.
func (w *world) meet(conn grpc.ClientConnInterface, plan string, goLive time.Time) {
	w.Helper()
	ctx := w.Context()
	training := ws + "/trainings/basics"
	record := &implementationv1.RecordCompletionsRequest{Training: training}
	accounts := &implementationv1.RecordProvisioningsRequest{Parent: ws, Application: crmApp}
	for i := range 20 {
		record.Completions = append(record.Completions, &implementationv1.Completion{Person: person(i), Score: new(0.9)})
		accounts.Provisionings = append(accounts.Provisionings, &implementationv1.Provisioning{Person: person(i)})
	}
	_, err := w.enrolments.RecordCompletions(ctx, record)
	require.NoError(w, err)
	_, err = implementationv1.NewProvisioningServiceClient(conn).RecordProvisionings(ctx, accounts)
	require.NoError(w, err)

	stakeholders := implementationv1.NewStakeholderServiceClient(conn)
	boss, err := stakeholders.CreateStakeholder(ctx, &implementationv1.CreateStakeholderRequest{Parent: rollout, StakeholderId: "boss", Stakeholder: &implementationv1.Stakeholder{
		DisplayName: "The boss", Influence: 5, Stance: implementationv1.Stance_SUPPORTIVE, Sponsor: true,
	}})
	require.NoError(w, err)
	_, err = stakeholders.RecordContact(ctx, &implementationv1.RecordContactRequest{Name: boss.GetName(), Acted: true})
	require.NoError(w, err)

	members, err := w.memberships.ListMemberships(ctx, &implementationv1.ListMembershipsRequest{Parent: ws + "/cohorts/sales", PageSize: 2})
	require.NoError(w, err)
	for _, m := range members.GetMemberships() {
		_, err := w.memberships.UpdateMembership(ctx, &implementationv1.UpdateMembershipRequest{
			Membership: &implementationv1.Membership{Name: m.GetName(), Role: implementationv1.Membership_SUPER_USER}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"role"}},
		})
		require.NoError(w, err)
	}
	_, err = w.plans.UpdateCohortPlan(ctx, &implementationv1.UpdateCohortPlanRequest{
		CohortPlan: &implementationv1.CohortPlan{Name: plan, HelpDesk: &implementationv1.HelpDesk{EndTime: timestamppb.New(goLive.Add(15 * 24 * time.Hour))}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"help_desk"}},
	})
	require.NoError(w, err)

	communications := implementationv1.NewCommunicationServiceClient(conn)
	m, err := communications.CreateCommunication(ctx, &implementationv1.CreateCommunicationRequest{Parent: rollout, Communication: &implementationv1.Communication{
		DisplayName: "What changes", Subject: "What changes", Body: "A lot.", Channel: implementationv1.Communication_MEETING, MustKnow: true,
		Audience: &implementationv1.Audience{Cohorts: []string{ws + "/cohorts/sales"}},
	}})
	require.NoError(w, err)
	_, err = communications.SendCommunication(ctx, &implementationv1.SendCommunicationRequest{Name: m.GetName()})
	require.NoError(w, err)
	_, err = communications.RecordDelivery(ctx, &implementationv1.RecordDeliveryRequest{Name: m.GetName(), Cohort: ws + "/cohorts/sales", DeliveredCount: 18})
	require.NoError(w, err)
}

func TestAPersonLetsACriterionPassAndTakesItBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		plan := w.campaign(w.clock.now().Add(10 * 24 * time.Hour))
		override := func(criterion string, after time.Duration) error {
			_, err := w.plans.OverrideReadiness(t.Context(), &implementationv1.OverrideReadinessRequest{Name: plan, Override: &implementationv1.ReadinessOverride{
				Criterion: criterion, Reason: "we know", ExpireTime: timestamppb.New(w.clock.now().Add(after)),
			}})
			return err
		}
		require.Equal(t, "OVERRIDE_EXPIRY", fault.ReasonOf(override("access", 25*time.Hour)))
		require.Equal(t, "CRITERION_NOT_FOUND", fault.ReasonOf(override("luck", time.Hour)))
		require.NoError(t, override("access", time.Hour))
		require.Equal(t, implementationv1.CriterionResult_WAIVED, statuses(w.readiness(plan))["access"])
		for _, c := range w.readiness(plan).GetCriteria() {
			if c.GetId() == "access" {
				require.Equal(t, "users/alice", c.GetOverride().GetPerson())
			}
		}
		_, err := w.plans.WithdrawReadiness(t.Context(), &implementationv1.WithdrawReadinessRequest{Name: plan, Criterion: "access"})
		require.NoError(t, err)
		require.Equal(t, implementationv1.CriterionResult_NOT_MET, statuses(w.readiness(plan))["access"])
		require.NoError(t, override("access", time.Hour))
		w.clock.advance(time.Hour)
		require.Equal(t, implementationv1.CriterionResult_NOT_MET, statuses(w.readiness(plan))["access"], "it ends by itself")

		w.as("users/otto", auth.Operator)
		require.True(t, fault.Is(override("access", time.Hour), fault.KindDenied), "who changes things does not decide")
	})
}

func TestAllCohortsAreJudgedInOneCall(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.campaign(w.clock.now().Add(10 * 24 * time.Hour))
		w.plan("bare", ws+"/cohorts/sales", time.Time{})
		answer, err := w.plans.BatchEvaluateReadiness(t.Context(), &implementationv1.BatchEvaluateReadinessRequest{Parent: rollout})
		require.NoError(t, err)
		require.Len(t, answer.GetReadinesses(), 2)
		require.Equal(t, gatev1.Verdict_UNKNOWN, answer.GetReadinesses()[0].GetState(), "a policy without criteria")
		require.Len(t, answer.GetReadinesses()[1].GetCriteria(), 10)
		_, err = w.plans.BatchEvaluateReadiness(t.Context(), &implementationv1.BatchEvaluateReadinessRequest{Parent: ws + "/implementations/none"})
		require.Equal(t, "RESOURCE_NOT_FOUND", fault.ReasonOf(err))
	})
}
