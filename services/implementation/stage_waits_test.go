package implementation_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation"
)

const (
	pilotWave = ws + "/applications/crm/deployments/d1/waves/pilot"
	allWave   = ws + "/applications/crm/deployments/d1/waves/all"
)

// plant stands for the deployment service: it answers what it is told to, or nothing, or late, and hints.
type plant struct {
	gatev1.GateServiceClient

	mu      sync.Mutex
	answers map[string]func(ctx context.Context, req *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error)
	hints   chan string // nil where it tells of nothing
}

func (p *plant) EvaluateGate(ctx context.Context, req *gatev1.EvaluateGateRequest, _ ...grpc.CallOption) (*gatev1.Verdict, error) {
	p.mu.Lock()
	answer := p.answers[req.GetResource()]
	p.mu.Unlock()
	if answer == nil {
		return nil, fault.NotFound("RESOURCE_NOT_FOUND", "%s does not exist", req.GetResource())
	}
	return answer(ctx, req)
}

func (p *plant) WatchGates(ctx context.Context, _ *gatev1.WatchGatesRequest, _ ...grpc.CallOption) (grpc.ServerStreamingClient[gatev1.WatchGatesResponse], error) {
	if p.hints == nil {
		return nil, fault.Unavailable("SERVICE_UNAVAILABLE", "nobody tells of changes here")
	}
	return &hinting{ctx: ctx, hints: p.hints}, nil
}

// hinting is a stream of hints.
type hinting struct {
	grpc.ClientStream

	ctx   context.Context
	hints chan string
}

func (h *hinting) Recv() (*gatev1.WatchGatesResponse, error) {
	select {
	case <-h.ctx.Done():
		return nil, h.ctx.Err()
	case resource := <-h.hints:
		return &gatev1.WatchGatesResponse{Verdict: &gatev1.Verdict{Resource: resource}}, nil
	}
}

// say makes the plant answer a state, good for a minute.
func (p *plant) say(resource string, state gatev1.Verdict_State, evidence ...*gatev1.Evidence) {
	p.answer(resource, func(_ context.Context, req *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error) {
		v := &gatev1.Verdict{Resource: req.GetResource(), Purpose: req.GetPurpose(), State: state, Ttl: durationpb.New(time.Minute), Evidence: evidence}
		if state != gatev1.Verdict_PASS {
			v.Reasons = []*gatev1.BlockedBy{{Resource: resource, Current: "the wave is RUNNING", Required: "a wave that is SEALED", Owner: "users/olga"}}
			v.WaitingOn = []string{resource}
		}
		return v, nil
	})
}

func (p *plant) answer(resource string, f func(context.Context, *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answers == nil {
		p.answers = map[string]func(context.Context, *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error){}
	}
	p.answers[resource] = f
}

func (p *plant) silent(resource string) {
	p.answer(resource, func(context.Context, *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error) {
		return nil, fault.Unavailable("SERVICE_UNAVAILABLE", "nobody is there")
	})
}

// eachRollout is eachPlan beside a plant.
func eachRollout(t *testing.T, test func(t *testing.T, p *planner, r *plant), change ...func(*implementation.Config, *plant)) {
	t.Helper()
	r := &plant{}
	each(t, func(t *testing.T, w *world) {
		p := &planner{world: w}
		p.speak(w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}))
		_, err := w.implementations.CreateImplementation(t.Context(), &implementationv1.CreateImplementationRequest{
			Parent: ws, ImplementationId: "crm", Implementation: &implementationv1.Implementation{Owner: "users/oz", Currency: "EUR"},
		})
		require.NoError(t, err)
		test(t, p, r)
	}, func(c *implementation.Config) {
		*r = plant{}
		c.Deployment.Gate, c.Ask = r, 20*time.Millisecond
		for _, f := range change {
			f(c, r)
		}
	})
}

// monitor makes a stage that waits for conditions.
func (p *planner) monitor(conditions ...*implementationv1.StageCondition) *implementationv1.Stage {
	p.Helper()
	made, err := p.stages.CreateStage(p.Context(), &implementationv1.CreateStageRequest{Parent: crm, StageId: "monitor", Stage: &implementationv1.Stage{WaitsFor: conditions, Owner: "users/mo"}})
	require.NoError(p, err)
	return made
}

func (p *planner) get(id string) *implementationv1.Stage {
	p.Helper()
	s, err := p.stages.GetStage(p.Context(), &implementationv1.GetStageRequest{Name: stageName(id)})
	require.NoError(p, err)
	return s
}

// becomes waits until a stage is in a state, and never empty-handed: whoever waits says why.
func (p *planner) becomes(id string, state implementationv1.Stage_State) *implementationv1.Stage {
	p.Helper()
	require.Eventually(p, func() bool { return p.get(id).GetState() == state }, 20*time.Second, 20*time.Millisecond, "%v", p.get(id))
	return p.get(id)
}

// stands waits until the first condition of the stage stands so, by an answer of now.
func (p *planner) stands(state gatev1.Verdict_State) *implementationv1.StageConditionStatus {
	p.Helper()
	var status *implementationv1.StageConditionStatus
	require.Eventually(p, func() bool {
		status = p.get("monitor").GetConditionStatuses()[0]
		return status.GetVerdict().GetState() == state && status.GetAskTime().AsTime().Equal(p.clock.now())
	}, 20*time.Second, 20*time.Millisecond, "%v", state)
	return status
}

func (p *planner) start() error {
	_, err := p.stages.StartStage(p.Context(), &implementationv1.StartStageRequest{Name: stageName("monitor")})
	return err
}

func TestAStageWaitsForTheRolloutForAsLongAsItSays(t *testing.T) {
	eachRollout(t, func(t *testing.T, p *planner, r *plant) {
		const pending, ready, active = implementationv1.Stage_PENDING, implementationv1.Stage_READY, implementationv1.Stage_ACTIVE
		r.silent(pilotWave)
		made := p.monitor(&implementationv1.StageCondition{Id: "pilot", Resource: pilotWave, MinAvailability: 0.99, HoldFor: durationpb.New(2 * time.Minute)})
		require.Equal(t, pending, made.GetState())
		require.Equal(t, gatev1.BlockedBy_SERVICE, made.GetBlockedBy()[0].GetKind(), "nobody has answered yet")
		r.answer(pilotWave, nil) // a wave that there is not yet
		require.Equal(t, "it does not exist yet", p.stands(gatev1.Verdict_UNKNOWN).GetVerdict().GetReasons()[0].GetCurrent()[len("the deployment service says UNKNOWN: "):])

		r.say(pilotWave, gatev1.Verdict_WAIT)
		p.stands(gatev1.Verdict_WAIT)
		reason := p.get("monitor").GetBlockedBy()[0]
		require.Equal(t, gatev1.BlockedBy_TECHNICAL, reason.GetKind())
		require.Equal(t, "the deployment service says WAIT: the wave is RUNNING", reason.GetCurrent())
		require.Equal(t, "users/olga", reason.GetOwner())
		err := requireReason(t, p.start(), codes.FailedPrecondition, "STAGE_WAITS")
		require.Contains(t, err.Error(), "pilot is WAIT: the deployment service says WAIT: the wave is RUNNING")
		require.Len(t, err.Subjects(), 1)

		r.say(pilotWave, gatev1.Verdict_PASS, &gatev1.Evidence{Criterion: "availability", State: gatev1.Verdict_PASS, Numerator: 98, Denominator: 100})
		require.Eventually(t, func() bool { return p.get("monitor").GetBlockedBy()[0].GetCurrent() == "98.00 % up over 1 h" }, 20*time.Second, 20*time.Millisecond)

		r.say(pilotWave, gatev1.Verdict_PASS, &gatev1.Evidence{Criterion: "availability", State: gatev1.Verdict_PASS, Numerator: 100, Denominator: 100})
		began := p.clock.now()
		require.Eventually(t, func() bool { return p.get("monitor").GetConditionStatuses()[0].GetHeldSince() != nil }, 20*time.Second, 20*time.Millisecond)
		require.Equal(t, began.Add(2*time.Minute), p.get("monitor").GetBlockedBy()[0].GetEta().AsTime())
		for range 3 {
			require.Equal(t, began, p.stands(gatev1.Verdict_WAIT).GetHeldSince().AsTime())
			p.clock.advance(30 * time.Second)
		}
		p.stands(gatev1.Verdict_WAIT)
		requireReason(t, p.start(), codes.FailedPrecondition, "STAGE_WAITS")
		p.clock.advance(30 * time.Second)
		require.Equal(t, began, p.stands(gatev1.Verdict_PASS).GetHeldSince().AsTime(), "it held without a break")
		now := p.becomes("monitor", ready)
		require.Equal(t, gatev1.BlockedBy_OPERATOR, now.GetBlockedBy()[0].GetKind())
		require.Equal(t, "users/mo", now.GetBlockedBy()[0].GetOwner())
		require.Equal(t, p.clock.now(), now.GetStateTime().AsTime())

		require.NoError(t, p.start())
		r.say(pilotWave, gatev1.Verdict_FAIL)
		p.clock.advance(time.Hour)
		_, failed := p.stages.CreateStage(t.Context(), &implementationv1.CreateStageRequest{Parent: crm, StageId: "later", Stage: &implementationv1.Stage{
			WaitsFor: []*implementationv1.StageCondition{{Id: "pilot", Resource: pilotWave}},
		}})
		require.NoError(t, failed)
		require.Eventually(t, func() bool {
			return p.get("later").GetConditionStatuses()[0].GetVerdict().GetState() == gatev1.Verdict_FAIL
		}, 20*time.Second, 20*time.Millisecond, "whoever has not begun hears of it")
		require.Equal(t, active, p.get("monitor").GetState(), "what has begun is never pushed back")
		require.Empty(t, p.get("monitor").GetBlockedBy())
	})
}

func TestSilenceAndBreaksPostponeWhatHasNotBegun(t *testing.T) {
	eachRollout(t, func(t *testing.T, p *planner, r *plant) {
		r.say(pilotWave, gatev1.Verdict_PASS)
		p.monitor(&implementationv1.StageCondition{Id: "pilot", Resource: pilotWave})
		p.becomes("monitor", implementationv1.Stage_READY)

		r.silent(pilotWave)
		p.clock.advance(30 * time.Second)
		require.NotEqual(t, gatev1.Verdict_UNKNOWN, p.get("monitor").GetConditionStatuses()[0].GetVerdict().GetState(), "the last answer is still good")
		p.clock.advance(31 * time.Second)
		requireReason(t, p.start(), codes.FailedPrecondition, "STAGE_WAITS")
		late := p.becomes("monitor", implementationv1.Stage_PENDING)
		require.Equal(t, gatev1.BlockedBy_SERVICE, late.GetBlockedBy()[0].GetKind())
		require.Contains(t, late.GetBlockedBy()[0].GetCurrent(), "which is too long ago")

		r.say(pilotWave, gatev1.Verdict_PASS)
		healed := p.becomes("monitor", implementationv1.Stage_READY)
		require.Equal(t, p.clock.now(), healed.GetConditionStatuses()[0].GetHeldSince().AsTime(), "silence is a break")
		r.say(pilotWave, gatev1.Verdict_WAIT)
		p.becomes("monitor", implementationv1.Stage_PENDING)
		r.say(pilotWave, gatev1.Verdict_PASS)
		p.becomes("monitor", implementationv1.Stage_READY)
	})
}

func TestNobodyIsHeldUpByASlowAnswerOrBelievesAWrongOne(t *testing.T) {
	eachRollout(t, func(t *testing.T, p *planner, r *plant) {
		hangs := func(ctx context.Context, _ *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error) {
			<-ctx.Done() // until the patience is over
			return nil, fault.Unavailable("SERVICE_UNAVAILABLE", "late")
		}
		r.answer(pilotWave, hangs)
		slow := []*implementationv1.StageCondition{{Id: "pilot", Resource: pilotWave}}
		for _, id := range []string{"a1", "a2", "a3", "a4", "a5", "a6"} { // asked before the others; one after the other they take half a minute
			name := ws + "/applications/crm/deployments/d1/waves/" + id
			r.answer(name, hangs)
			slow = append(slow, &implementationv1.StageCondition{Id: id, Resource: name})
		}
		r.say(allWave, gatev1.Verdict_PASS)
		p.monitor(slow...)
		_, err := p.stages.CreateStage(t.Context(), &implementationv1.CreateStageRequest{Parent: crm, StageId: "quick", Stage: &implementationv1.Stage{
			WaitsFor: []*implementationv1.StageCondition{{Id: "all", Resource: allWave}, {Id: "week", Resource: allWave, Window: durationpb.New(168 * time.Hour)}},
		}})
		require.NoError(t, err)
		p.becomes("quick", implementationv1.Stage_READY)
		require.Equal(t, implementationv1.Stage_PENDING, p.get("monitor").GetState())

		for _, c := range slow {
			r.say(c.GetResource(), gatev1.Verdict_WAIT)
		}
		for name, wrong := range map[string]*gatev1.Verdict{
			"about something else": {Resource: allWave, State: gatev1.Verdict_PASS, Ttl: durationpb.New(time.Minute)},
			"good for no time":     {Resource: pilotWave, State: gatev1.Verdict_PASS},
			"in a state of its own": {
				Resource: pilotWave, State: 77, Ttl: durationpb.New(time.Minute), ValidUntil: timestamppb.New(time.Unix(1<<40, 0)), Revision: 1 << 60,
			},
		} {
			var asked sync.WaitGroup
			asked.Add(2)
			var once [2]sync.Once
			count := 0
			r.answer(pilotWave, func(context.Context, *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error) {
				r.mu.Lock()
				defer r.mu.Unlock()
				if count < len(once) {
					once[count].Do(asked.Done)
				}
				count++
				return wrong, nil
			})
			asked.Wait()
			requireReason(t, p.start(), codes.FailedPrecondition, "STAGE_WAITS")
			require.Equal(t, implementationv1.Stage_PENDING, p.get("monitor").GetState(), name)
		}
	})
}

func TestAHintIsFollowedAtOnce(t *testing.T) {
	eachRollout(t, func(t *testing.T, p *planner, r *plant) {
		r.say(pilotWave, gatev1.Verdict_WAIT)
		p.monitor(&implementationv1.StageCondition{Id: "pilot", Resource: pilotWave})
		p.stands(gatev1.Verdict_WAIT) // what is new is asked about within a second
		r.say(pilotWave, gatev1.Verdict_PASS)
		select {
		case r.hints <- pilotWave: // taken, so the stream is there
		case <-time.After(20 * time.Second):
			require.Fail(t, "nobody listens to hints")
		}
		p.becomes("monitor", implementationv1.Stage_READY) // the next sweep is an hour away
	}, func(c *implementation.Config, r *plant) {
		c.Ask, r.hints = time.Hour, make(chan string)
	})
}

func TestAPersonLetsAStageThroughForADayAtMost(t *testing.T) {
	eachRollout(t, func(t *testing.T, p *planner, r *plant) {
		r.say(pilotWave, gatev1.Verdict_WAIT)
		p.monitor(&implementationv1.StageCondition{Id: "pilot", Resource: pilotWave})
		override := func(condition string, after time.Duration) error {
			_, err := p.stages.OverrideStage(t.Context(), &implementationv1.OverrideStageRequest{Name: stageName("monitor"), Override: &implementationv1.StageOverride{
				Condition: condition, Reason: "seen by eye", ExpireTime: timestamppb.New(p.clock.now().Add(after)),
			}})
			return err
		}
		requireReason(t, override("luck", time.Hour), codes.NotFound, "CONDITION_NOT_FOUND")
		requireReason(t, override("pilot", 25*time.Hour), codes.InvalidArgument, "OVERRIDE_EXPIRY")
		require.NoError(t, override("pilot", time.Hour))
		open := p.get("monitor")
		require.Equal(t, implementationv1.Stage_READY, open.GetState(), "in the same moment")
		require.Equal(t, gatev1.Verdict_WAIVED, open.GetConditionStatuses()[0].GetVerdict().GetState())
		require.Equal(t, "users/alice", open.GetOverrides()[0].GetPerson())

		_, err := p.stages.WithdrawStage(t.Context(), &implementationv1.WithdrawStageRequest{Name: stageName("monitor"), Condition: "pilot"})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Stage_PENDING, p.get("monitor").GetState())
		_, err = p.stages.WithdrawStage(t.Context(), &implementationv1.WithdrawStageRequest{Name: stageName("monitor"), Condition: "pilot"})
		requireReason(t, err, codes.NotFound, "OVERRIDE_NOT_FOUND")

		require.NoError(t, override("pilot", time.Hour))
		p.clock.advance(time.Hour)
		requireReason(t, p.start(), codes.FailedPrecondition, "STAGE_WAITS")
		p.becomes("monitor", implementationv1.Stage_PENDING)
		require.NoError(t, override("pilot", time.Hour))
		require.NoError(t, p.start())
		requireReason(t, override("pilot", time.Hour), codes.FailedPrecondition, "STATE_FORBIDS")

		p.speak(p.dial("users/otto", map[string][]auth.Role{auth.AllWorkspaces: {auth.Operator}}))
		require.True(t, fault.Is(override("pilot", time.Hour), fault.KindDenied), "who changes things does not decide")
	})
}

func TestWhatAStageWaitsForIsHeldAgainstThePlan(t *testing.T) {
	eachRollout(t, func(t *testing.T, p *planner, r *plant) {
		r.say(pilotWave, gatev1.Verdict_PASS, &gatev1.Evidence{Criterion: "availability", State: gatev1.Verdict_PASS, Numerator: 98, Denominator: 100})
		p.monitor(&implementationv1.StageCondition{Id: "pilot", Resource: pilotWave})
		p.becomes("monitor", implementationv1.Stage_READY)
		update := func(conditions ...*implementationv1.StageCondition) (*implementationv1.Stage, error) {
			return p.stages.UpdateStage(t.Context(), &implementationv1.UpdateStageRequest{
				Stage: &implementationv1.Stage{Name: stageName("monitor"), WaitsFor: conditions}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"waits_for"}},
			})
		}
		_, err := update(&implementationv1.StageCondition{Id: "a", Resource: "workspaces/other/environments/prod"})
		requireReason(t, err, codes.InvalidArgument, "OTHER_WORKSPACE")
		_, err = update(&implementationv1.StageCondition{Id: "a", Resource: prodEnv}, &implementationv1.StageCondition{Id: "a", Resource: pilotWave})
		requireReason(t, err, codes.InvalidArgument, "CONDITION_DUPLICATE")
		_, err = update(&implementationv1.StageCondition{Id: "a", Resource: ws + "/cohorts/sales"})
		requireReason(t, err, codes.InvalidArgument, "INVALID_FIELD")

		stricter, err := update(&implementationv1.StageCondition{Id: "pilot", Resource: pilotWave, MinAvailability: 0.99})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Stage_PENDING, stricter.GetState(), "the last answer is held against the new bound at once")
		milder, err := update(&implementationv1.StageCondition{Id: "pilot", Resource: pilotWave, MinAvailability: 0.97})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Stage_READY, milder.GetState())
		none, err := update()
		require.NoError(t, err)
		require.Equal(t, implementationv1.Stage_READY, none.GetState())
		require.Empty(t, none.GetConditionStatuses())

		first := p.stage("first")
		_, err = p.stages.UpdateStage(t.Context(), &implementationv1.UpdateStageRequest{
			Stage:      &implementationv1.Stage{Name: stageName("monitor"), Predecessors: []string{first.GetName()}, WaitsFor: []*implementationv1.StageCondition{{Id: "pilot", Resource: pilotWave}}},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"waits_for", "predecessors"}},
		})
		require.NoError(t, err)
		requireReason(t, p.start(), codes.FailedPrecondition, "STATE_FORBIDS")
		require.Equal(t, gatev1.BlockedBy_STAGE, p.get("monitor").GetBlockedBy()[0].GetKind())
		_, err = p.stages.SkipStage(t.Context(), &implementationv1.SkipStageRequest{Name: first.GetName(), Reason: "not needed"})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Stage_READY, p.get("monitor").GetState(), "by the end of the stage before, in its transaction")
		_, err = p.stages.DeleteStage(t.Context(), &implementationv1.DeleteStageRequest{Name: stageName("monitor")})
		require.NoError(t, err)
	})
}

func TestWithoutADeploymentServicePlansWorkAndWhatWaitsForItSaysSo(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		p.stage("plain")
		_, err := p.stages.StartStage(t.Context(), &implementationv1.StartStageRequest{Name: stageName("plain")})
		require.NoError(t, err)
		made := p.monitor(&implementationv1.StageCondition{Id: "prod", Resource: prodEnv})
		require.Equal(t, gatev1.BlockedBy_SERVICE, made.GetBlockedBy()[0].GetKind())
		requireReason(t, p.start(), codes.FailedPrecondition, "STAGE_WAITS")
		_, err = p.stages.OverrideStage(t.Context(), &implementationv1.OverrideStageRequest{Name: stageName("monitor"), Override: &implementationv1.StageOverride{
			Condition: "prod", Reason: "installed by hand", ExpireTime: timestamppb.New(p.clock.now().Add(time.Hour)),
		}})
		require.NoError(t, err)
		require.NoError(t, p.start())
	})
}
