package implementation_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/evidence"
	"github.com/golive-dev/golive/services/implementation"
)

const (
	salesWave = ws + "/applications/crm/deployments/d1/waves/sales"
	question  = rollout + "/decisions/go-sales"
)

// servers answers for the deployment service about machines: by a state, not at all, never, or as long ago.
type servers struct {
	gatev1.GateServiceClient

	mu    sync.Mutex
	state gatev1.Verdict_State // unset: does not answer
	hangs bool
	stale bool
}

func (m *servers) say(state gatev1.Verdict_State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = state
}

func (m *servers) hang(hangs bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hangs = hangs
}

func (m *servers) keep(stale bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stale = stale
}

func (m *servers) EvaluateGate(ctx context.Context, req *gatev1.EvaluateGateRequest, _ ...grpc.CallOption) (*gatev1.Verdict, error) {
	m.mu.Lock()
	state, hangs, stale := m.state, m.hangs, m.stale
	m.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if state == gatev1.Verdict_STATE_UNSPECIFIED {
		return nil, fault.Unavailable("CONNECTION_LOST", "no connection").Cause(errors.New("dial tcp 10.0.0.7:9090: refused"))
	}
	v := &gatev1.Verdict{
		Resource: req.GetResource(), Purpose: req.GetPurpose(), State: state, Ttl: durationpb.New(time.Minute),
		Evidence: []*gatev1.Evidence{{Criterion: "availability", Resource: req.GetResource(), State: state, Numerator: 999, Denominator: 1000}},
	}
	if stale {
		v.EvaluatedAt = stampOf(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	}
	return v, nil
}

func (m *servers) WatchGates(ctx context.Context, _ *gatev1.WatchGatesRequest, _ ...grpc.CallOption) (grpc.ServerStreamingClient[gatev1.WatchGatesResponse], error) {
	<-ctx.Done() // a hint that never comes: the pull is the truth
	return nil, ctx.Err()
}

// court is a world in which something is to be decided.
type court struct {
	*world

	servers  *servers
	training string
	decide   implementationv1.DecisionServiceClient // of users/ada, an approver who may also change things
}

// eachCourt runs a test where sales has 20 people, 12 of them trained, and the question is whether they go live.
func eachCourt(t *testing.T, technical bool, test func(c *court)) {
	t.Helper()
	machines := &servers{state: gatev1.Verdict_PASS}
	each(t, func(t *testing.T, w *world) {
		c := &court{world: w, servers: machines, training: w.training("basics", 0)}
		machines.say(gatev1.Verdict_PASS)
		machines.hang(false)
		machines.keep(false)
		plan := w.plan("sales", w.cohort("sales", 20), time.Time{}, c.training)
		w.complete(c.training, 0, 12)
		c.decide = c.decisions("users/ada", auth.Approver, auth.Operator)
		d := &implementationv1.Decision{DisplayName: "Does sales go live?", Owner: "users/ada", Waves: []string{salesWave}, CohortPlans: []string{plan}}
		if technical {
			d.Technical = []string{prodEnv}
		}
		created, err := c.decide.CreateDecision(t.Context(), &implementationv1.CreateDecisionRequest{Parent: rollout, DecisionId: "go-sales", Decision: d})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Decision_PENDING, created.GetState())
		require.NotEmpty(t, created.GetBlockedBy())
		test(c)
	}, func(cfg *implementation.Config) {
		cfg.Deployment.Gate, cfg.Ask = machines, 50*time.Millisecond
	})
}

func (c *court) decisions(name string, roles ...auth.Role) implementationv1.DecisionServiceClient {
	return implementationv1.NewDecisionServiceClient(c.dial(name, map[string][]auth.Role{auth.AllWorkspaces: roles}))
}

func (c *court) say(outcome implementationv1.Decision_Outcome, conditions ...*implementationv1.DecisionCondition) (*implementationv1.Decision, error) {
	return c.decide.DecideDecision(c.Context(), &implementationv1.DecideDecisionRequest{Name: question, Outcome: outcome, Reason: "the committee says so", Conditions: conditions})
}

func (c *court) get() *implementationv1.Decision {
	c.Helper()
	d, err := c.decide.GetDecision(c.Context(), &implementationv1.GetDecisionRequest{Name: question})
	require.NoError(c, err)
	return d
}

// becomes waits until the engine wrote it down.
func (c *court) becomes(state implementationv1.Decision_State) *implementationv1.Decision {
	c.Helper()
	require.Eventually(c, func() bool { return c.get().GetState() == state }, 10*time.Second, 20*time.Millisecond, "%s", c.get())
	return c.get()
}

func (c *court) gate(onBehalfOf string) *gatev1.Verdict {
	c.Helper()
	v, err := c.gates.EvaluateGate(c.Context(), &gatev1.EvaluateGateRequest{Resource: question, OnBehalfOf: onBehalfOf})
	require.NoError(c, err)
	return v
}

// joined are people who come to sales later, and are not trained.
func (c *court) joined(from, to int) {
	c.Helper()
	csv := "person\n"
	for i := range to {
		if i >= from {
			csv += person(i) + "\n"
		}
	}
	result, err := c.memberships.ImportMemberships(c.Context(), &implementationv1.ImportMembershipsRequest{Parent: ws + "/cohorts/sales", Csv: []byte(csv), CreatePeople: true})
	require.NoError(c, err)
	require.Empty(c, result.GetErrors())
}

const (
	goes  = implementationv1.Decision_OUTCOME_GO
	maybe = implementationv1.Decision_OUTCOME_CONDITIONAL_GO
	stays = implementationv1.Decision_OUTCOME_NO_GO
)

func TestAGoStandsOnWhatBothHalvesSaid(t *testing.T) {
	eachCourt(t, true, func(c *court) {
		_, err := c.say(goes)
		require.Equal(c, "EVIDENCE_NOT_MET", fault.ReasonOf(err), "%v", err)
		require.ErrorContains(c, err, "12 of 20")
		before, err := c.decide.PreviewDecision(c.Context(), &implementationv1.PreviewDecisionRequest{Name: question})
		require.NoError(c, err)
		require.False(c, before.GetPasses())
		require.Equal(c, gatev1.Verdict_WAIT, c.gate(salesWave).GetState())

		c.complete(c.training, 12, 20)
		preview, err := c.decide.PreviewDecision(c.Context(), &implementationv1.PreviewDecisionRequest{Name: question})
		require.NoError(c, err)
		require.True(c, preview.GetPasses(), "%v", preview)
		require.Len(c, preview.GetEvidence(), 2)
		req := &implementationv1.DecideDecisionRequest{Name: question, Outcome: goes, Reason: "all are trained", EvidenceDigest: before.GetEvidenceDigest(), RequestId: "b5e5fd1c-1c0f-4f6a-8f4e-3b8d5f5a0c11"}
		_, err = c.decide.DecideDecision(c.Context(), req)
		require.Equal(c, "EVIDENCE_CHANGED", fault.ReasonOf(err), "%v", err)
		require.True(c, fault.Is(err, fault.KindConflict))

		req.EvidenceDigest, req.ValidateOnly = preview.GetEvidenceDigest(), true
		dry, err := c.decide.DecideDecision(c.Context(), req)
		require.NoError(c, err)
		require.Equal(c, implementationv1.Decision_GO, dry.GetState())
		require.Equal(c, implementationv1.Decision_PENDING, c.get().GetState(), "only tried")
		req.ValidateOnly = false
		d, err := c.decide.DecideDecision(c.Context(), req)
		require.NoError(c, err)
		require.Equal(c, implementationv1.Decision_GO, d.GetState())
		again, err := c.decide.DecideDecision(c.Context(), req)
		require.NoError(c, err, "a retry is answered as the first was")
		require.Equal(c, d.GetRevision(), again.GetRevision())

		record := c.get().GetRecords()[0]
		require.Equal(c, "users/ada", record.GetPerson())
		require.Len(c, record.GetEvidence(), 2)
		require.Empty(c, evidence.Verify(record))
		require.EqualValues(c, 20, record.GetEvidence()[0].GetVerdict().GetEvidence()[0].GetNumerator())
		v := c.gate(salesWave)
		require.Equal(c, gatev1.Verdict_PASS, v.GetState(), "%v", v)
		stranger := c.gate(salesWave + "2")
		require.Equal(c, gatev1.Verdict_FAIL, stranger.GetState())
		require.Contains(c, stranger.GetReasons()[0].GetCurrent(), "not bound to")
		require.Empty(c, c.get().GetBlockedBy())

		// The log replays it: the event holds what was decided, on what.
		logged, err := c.events.ListEvents(c.Context(), &eventv1.ListEventsRequest{Parent: question, Types: []string{"implementation.decision."}, PageSize: 100})
		require.NoError(c, err)
		last := logged.GetEvents()[0]
		require.Equal(c, "implementation.decision.decided", last.GetType())
		kept := &implementationv1.Decision{}
		require.NoError(c, last.GetAfter().UnmarshalTo(kept))
		require.Empty(c, evidence.Verify(kept.GetRecords()[0]))
		require.True(c, proto.Equal(record, kept.GetRecords()[0]))
	})
}

func TestAGoExpiresWhenItsEvidenceGetsWorse(t *testing.T) {
	eachCourt(t, true, func(c *court) {
		c.complete(c.training, 12, 20)
		_, err := c.say(goes)
		require.NoError(c, err)
		began := time.Now()
		c.joined(20, 23)
		require.Equal(c, gatev1.Verdict_WAIT, c.gate(salesWave).GetState(), "the gate knows at once")
		d := c.becomes(implementationv1.Decision_EXPIRED)
		require.Less(c, time.Since(began), 2*time.Second)
		require.Contains(c, d.GetStateReason(), "readiness of sales was PASS, is WAIT")
		require.Contains(c, d.GetStateReason(), "20 of 23")
		require.Equal(c, d.GetStateReason(), d.GetRecords()[0].GetEndReason())
		require.Equal(c, gatev1.BlockedBy_DECISION, d.GetBlockedBy()[0].GetKind())

		_, err = c.say(goes)
		require.Equal(c, "STATE_FORBIDS", fault.ReasonOf(err), "it has to be opened first")
		c.complete(c.training, 20, 23)
		require.Equal(c, implementationv1.Decision_EXPIRED, c.get().GetState(), "it does not come back by itself")
		_, err = c.decide.ReopenDecision(c.Context(), &implementationv1.ReopenDecisionRequest{Name: question, Reason: "trained again"})
		require.NoError(c, err)
		_, err = c.say(goes)
		require.NoError(c, err)
		require.Len(c, c.get().GetRecords(), 2)

		c.servers.say(gatev1.Verdict_WAIT)
		d = c.becomes(implementationv1.Decision_EXPIRED)
		require.Contains(c, d.GetStateReason(), "technical verdict of prod was PASS, is WAIT")
	})
}

func TestSilenceHoldsAndEndsNothing(t *testing.T) {
	eachCourt(t, true, func(c *court) {
		c.complete(c.training, 12, 20)
		c.servers.say(gatev1.Verdict_STATE_UNSPECIFIED)
		_, err := c.say(goes)
		require.Equal(c, "EVIDENCE_UNKNOWN", fault.ReasonOf(err), "%v", err)
		require.ErrorContains(c, err, "cannot be asked about: no connection")
		require.NotContains(c, err.Error(), "10.0.0.7", "where things are is for the log")
		c.servers.hang(true)
		began := time.Now()
		_, err = c.say(goes)
		require.Equal(c, "EVIDENCE_UNKNOWN", fault.ReasonOf(err), "%v", err)
		require.Less(c, time.Since(began), 10*time.Second, "nobody waits for who hangs")
		preview, err := c.decide.PreviewDecision(c.Context(), &implementationv1.PreviewDecisionRequest{Name: question})
		require.NoError(c, err)
		require.Equal(c, gatev1.Verdict_UNKNOWN, preview.GetEvidence()[1].GetVerdict().GetState())
		c.servers.hang(false)
		c.servers.say(gatev1.Verdict_PASS)
		_, err = c.say(goes)
		require.NoError(c, err)
		require.Equal(c, gatev1.Verdict_PASS, c.gate(salesWave).GetState())

		c.servers.say(gatev1.Verdict_STATE_UNSPECIFIED)
		c.clock.advance(2 * time.Minute) // what was said is too old
		v := c.gate(salesWave)
		require.Equal(c, gatev1.Verdict_UNKNOWN, v.GetState(), "%v", v)
		require.NotEmpty(c, v.GetReasons())
		require.Equal(c, implementationv1.Decision_GO, c.get().GetState())
		require.NotEmpty(c, c.get().GetBlockedBy())
		c.servers.say(gatev1.Verdict_PASS)
		require.Eventually(c, func() bool { return c.gate(salesWave).GetState() == gatev1.Verdict_PASS }, 10*time.Second, 20*time.Millisecond, "it goes on by itself")

		c.servers.say(gatev1.Verdict_STATE_UNSPECIFIED)
		_, err = c.decide.WithdrawDecision(c.Context(), &implementationv1.WithdrawDecisionRequest{Name: question, Reason: "not now"})
		require.NoError(c, err, "backward never waits")
		require.Equal(c, gatev1.Verdict_FAIL, c.gate(salesWave).GetState())
	})
}

func TestAnAnswerThatMakesNoSenseIsNone(t *testing.T) {
	eachCourt(t, true, func(c *court) {
		c.complete(c.training, 12, 20)
		c.servers.keep(true)
		_, err := c.say(goes)
		require.Equal(c, "EVIDENCE_UNKNOWN", fault.ReasonOf(err), "%v", err)
		require.ErrorContains(c, err, "its answer is not of now")
		c.servers.keep(false)
		_, err = c.say(goes)
		require.NoError(c, err)
	})
}

func TestAConditionalGoHasDates(t *testing.T) {
	eachCourt(t, false, func(c *court) {
		due := stampOf(c.clock.now().Add(24 * time.Hour))
		_, err := c.say(maybe)
		require.Equal(c, "CONDITIONS_MISSING", fault.ReasonOf(err), "%v", err)
		d, err := c.say(maybe, &implementationv1.DecisionCondition{Id: "train-the-rest", DisplayName: "train the rest", Owner: "users/carol", DueTime: due})
		require.NoError(c, err)
		require.Equal(c, gatev1.BlockedBy_CONFIRMATION, d.GetBlockedBy()[0].GetKind())
		require.Equal(c, "users/carol", d.GetBlockedBy()[0].GetOwner())
		require.Equal(c, gatev1.Verdict_PASS, c.gate(salesWave).GetState())

		confirm := func(withdraw bool) error {
			_, err := c.decide.ConfirmDecision(c.Context(), &implementationv1.ConfirmDecisionRequest{Name: question, Condition: "train-the-rest", Withdraw: withdraw, Note: "seen"})
			return err
		}
		require.NoError(c, confirm(false))
		require.Empty(c, c.get().GetBlockedBy())
		require.Equal(c, "users/ada", c.get().GetRecords()[0].GetConditions()[0].GetMetBy())
		c.complete(c.training, 12, 20)
		c.clock.advance(25 * time.Hour)
		require.Equal(c, gatev1.Verdict_PASS, c.gate(salesWave).GetState(), "what was met is not overdue, and better evidence ends nothing")
		require.NoError(c, confirm(true))
		require.Equal(c, gatev1.Verdict_WAIT, c.gate(salesWave).GetState())
		d = c.becomes(implementationv1.Decision_EXPIRED)
		require.Contains(c, d.GetStateReason(), "train-the-rest was due")
		require.Equal(c, "STATE_FORBIDS", fault.ReasonOf(confirm(false)))
	})
}

func TestTheGlassIsBrokenForATime(t *testing.T) {
	eachCourt(t, false, func(c *court) {
		override := func(hold time.Duration) error {
			_, err := c.decide.OverrideDecision(c.Context(), &implementationv1.OverrideDecisionRequest{Name: question, Reason: "the board wants it", ExpireTime: stampOf(c.clock.now().Add(hold))})
			return err
		}
		require.Equal(c, "OVERRIDE_EXPIRY", fault.ReasonOf(override(25*time.Hour)))
		require.NoError(c, override(4*time.Hour))
		require.Equal(c, gatev1.Verdict_WAIVED, c.gate(salesWave).GetState())
		require.Equal(c, gatev1.Verdict_FAIL, c.gate(salesWave+"2").GetState(), "also broken glass opens only what it names")
		_, err := c.decide.UpdateDecision(c.Context(), &implementationv1.UpdateDecisionRequest{
			Decision: &implementationv1.Decision{Name: question, Waves: []string{salesWave, salesWave + "2"}}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"waves"}},
		})
		require.Equal(c, "STATE_FORBIDS", fault.ReasonOf(err), "%v", err)
		c.clock.advance(4 * time.Hour)
		require.Equal(c, gatev1.Verdict_WAIT, c.gate(salesWave).GetState())
		require.NoError(c, override(time.Hour))
		_, err = c.decide.WithdrawDecision(c.Context(), &implementationv1.WithdrawDecisionRequest{Name: question, Reason: "no"})
		require.NoError(c, err)
		require.Equal(c, gatev1.Verdict_FAIL, c.gate(salesWave).GetState())
		d := c.get()
		require.NotNil(c, d.GetOverrides()[1].GetRevokeTime())
		require.Equal(c, implementationv1.Decision_WITHDRAWN, d.GetState())
		require.Equal(c, "STATE_FORBIDS", fault.ReasonOf(override(time.Hour)))
	})
}

func TestTwoDecideAtOnceAndOneWins(t *testing.T) {
	eachCourt(t, false, func(c *court) {
		const people = 8
		errs := make(chan error, people)
		for i := range people {
			outcome := stays
			if i%2 == 0 {
				outcome = maybe
			}
			go func() {
				req := &implementationv1.DecideDecisionRequest{Name: question, Outcome: outcome, Reason: "me first"}
				if outcome == maybe {
					req.Conditions = []*implementationv1.DecisionCondition{{Id: "a", DisplayName: "a", DueTime: stampOf(c.clock.now().Add(time.Hour))}}
				}
				_, err := c.decide.DecideDecision(c.Context(), req)
				errs <- err
			}()
		}
		won := 0
		for range people {
			if err := <-errs; err == nil {
				won++
			} else {
				require.Equal(c, "STATE_FORBIDS", fault.ReasonOf(err), "%v", err)
			}
		}
		require.Equal(c, 1, won)
		require.Len(c, c.get().GetRecords(), 1)
	})
}

func TestWhoDecidesAndWhatStays(t *testing.T) {
	eachCourt(t, false, func(c *court) {
		ctx := c.Context()
		operator, approver := c.decisions("users/oskar", auth.Operator), c.decisions("users/eve", auth.Approver)
		decide := &implementationv1.DecideDecisionRequest{Name: question, Outcome: stays, Reason: "not yet"}
		_, err := operator.DecideDecision(ctx, decide)
		require.True(c, fault.Is(err, fault.KindDenied), "%v", err)
		_, err = approver.DecideDecision(ctx, decide)
		require.NoError(c, err)
		_, err = operator.ReopenDecision(ctx, &implementationv1.ReopenDecisionRequest{Name: question, Reason: "x"})
		require.True(c, fault.Is(err, fault.KindDenied), "who runs things does not undo a no-go: %v", err)
		_, err = operator.DeleteDecision(ctx, &implementationv1.DeleteDecisionRequest{Name: question})
		require.Equal(c, "STATE_FORBIDS", fault.ReasonOf(err))
		renamed, err := operator.UpdateDecision(ctx, &implementationv1.UpdateDecisionRequest{Decision: &implementationv1.Decision{Name: question, DisplayName: "Really?"}})
		require.NoError(c, err, "words may change")
		require.Equal(c, "Really?", renamed.GetDisplayName())
		_, err = operator.UpdateDecision(ctx, &implementationv1.UpdateDecisionRequest{
			Decision: &implementationv1.Decision{Name: question}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"cohort_plans"}},
		})
		require.Equal(c, "STATE_FORBIDS", fault.ReasonOf(err))

		free, err := operator.CreateDecision(ctx, &implementationv1.CreateDecisionRequest{Parent: rollout, Decision: &implementationv1.Decision{DisplayName: "x"}})
		require.NoError(c, err)
		_, err = operator.DeleteDecision(ctx, &implementationv1.DeleteDecisionRequest{Name: free.GetName()})
		require.NoError(c, err, "what was never decided can go")
		list, err := operator.ListDecisions(ctx, &implementationv1.ListDecisionsRequest{Parent: rollout, Filter: `state = "NO_GO" AND owner = "users/ada"`, OrderBy: "due_time, create_time desc"})
		require.NoError(c, err)
		require.Len(c, list.GetDecisions(), 1)
		report, err := operator.ComputeDecisionReport(ctx, &implementationv1.ComputeDecisionReportRequest{Name: question})
		require.NoError(c, err)
		require.Contains(c, report.GetMarkdown(), "| Outcome | NO GO |")
		require.Contains(c, report.GetHtml(), "<title>Really?</title>")
	})
}

func TestAWatchTellsOfDecisions(t *testing.T) {
	eachCourt(t, false, func(c *court) {
		stream, err := c.gates.WatchGates(c.Context(), &gatev1.WatchGatesRequest{Parent: ws, Resources: []string{question}})
		require.NoError(c, err)
		first, err := stream.Recv()
		require.NoError(c, err)
		require.Equal(c, gatev1.Verdict_WAIT, first.GetVerdict().GetState())
		began := time.Now()
		_, err = c.say(maybe, &implementationv1.DecisionCondition{Id: "a", DisplayName: "a", DueTime: stampOf(c.clock.now().Add(time.Hour))})
		require.NoError(c, err)
		next, err := stream.Recv()
		require.NoError(c, err)
		require.Equal(c, gatev1.Verdict_PASS, next.GetVerdict().GetState())
		require.Greater(c, next.GetVerdict().GetRevision(), first.GetVerdict().GetRevision())
		require.Less(c, time.Since(began), 2*time.Second)
	})
}
