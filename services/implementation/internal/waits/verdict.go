package waits

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
	"github.com/golive-dev/golive/services/verdict"
)

// StageVerdict judges a stage. READINESS looks at what the plan itself asks: the stages before it and its exit criteria; TECHNICAL at
// what it waits for of the rollout, by answers that are there, so that nobody is asked and nothing recurs; ALL at both. What the
// rollout showed counts until the stage begins; one that is DONE or SKIPPED passes, one that was CANCELLED fails.
func (f *Facts) StageVerdict(s *implementationv1.Stage, purpose gatev1.Purpose) *gatev1.Verdict {
	v := verdictOn(s.GetName(), gatev1.Verdict_PASS, f.Now, readiness.TTL)
	v.Purpose = purpose
	switch {
	case s.GetState() == implementationv1.Stage_CANCELLED:
		v.State = gatev1.Verdict_FAIL
		v.Reasons = []*gatev1.BlockedBy{f.reason(s, gatev1.BlockedBy_STAGE, "the stage was cancelled", "a stage that is DONE", "golive why "+s.GetName())}
	case lifecycle.StagePassed(s.GetState()):
	default:
		if purpose != gatev1.Purpose_PURPOSE_TECHNICAL {
			f.addPlan(v, s)
		}
		if purpose != gatev1.Purpose_PURPOSE_READINESS && !begun(s) {
			f.addConditions(v, s)
		}
	}
	waiting := v.GetWaitingOn()
	for _, r := range v.GetReasons() {
		waiting = append(waiting, r.GetResource())
	}
	slices.Sort(waiting)
	v.WaitingOn = slices.Compact(waiting)
	return v
}

// addPlan adds the stages before, and the exit criteria.
func (f *Facts) addPlan(v *gatev1.Verdict, s *implementationv1.Stage) {
	if !begun(s) {
		for _, r := range f.predecessors(s) {
			worsen(v, gatev1.Verdict_WAIT, r)
		}
	}
	for _, r := range f.exit(s) {
		state := gatev1.Verdict_WAIT
		if r.GetKind() == gatev1.BlockedBy_READINESS {
			state = f.Readiness[r.GetResource()]
			if state == gatev1.Verdict_STATE_UNSPECIFIED {
				state = gatev1.Verdict_UNKNOWN // it was deleted
			}
		}
		worsen(v, state, r)
	}
	count := f.Tasks[s.GetName()]
	for i, result := range lifecycle.Judge(s, lifecycle.ExitFacts{Now: f.Now, Tasks: count.All, TasksDone: count.Done, Readiness: f.Readiness}) {
		e := &gatev1.Evidence{Criterion: result.GetId(), State: gatev1.Verdict_WAIT, AsOf: result.GetAsOf(), Resource: s.GetName(), Detail: result.GetMessage()}
		if result.GetMet() {
			e.State = gatev1.Verdict_PASS
		}
		if s.GetExitCriteria()[i].GetTasksDone() != nil && count.All > 0 {
			e.Numerator, e.Denominator, e.Threshold, e.Value = count.Done, count.All, 1, float64(count.Done)/float64(count.All)
		}
		v.Evidence = append(v.Evidence, e)
	}
}

// addConditions adds what the stage waits for of the rollout, with its evidence; criteria are named by the condition: `pilot-sealed/availability`.
func (f *Facts) addConditions(v *gatev1.Verdict, s *implementationv1.Stage) {
	for _, status := range f.Statuses(s) {
		found := status.GetVerdict()
		for _, e := range found.GetEvidence() {
			e = proto.CloneOf(e)
			e.Criterion = status.GetId() + "/" + e.GetCriterion()
			v.Evidence = append(v.Evidence, e)
		}
		v.Evidence = append(v.Evidence, &gatev1.Evidence{Criterion: status.GetId(), State: found.GetState(), AsOf: status.GetAskTime(), Resource: found.GetResource()})
		v.WaitingOn = append(v.WaitingOn, found.GetWaitingOn()...)
		if ttl := found.GetTtl().AsDuration(); Open(found.GetState()) && ttl < v.GetTtl().AsDuration() {
			good(v, f.Now, ttl) // what lets it pass is good no longer
		}
		worsen(v, found.GetState(), found.GetReasons()...)
	}
}

func worsen(v *gatev1.Verdict, state gatev1.Verdict_State, reasons ...*gatev1.BlockedBy) {
	if severity(state) > severity(v.GetState()) {
		v.State = state
	}
	v.Reasons = append(v.Reasons, reasons...)
}

// Continue gives the next verdict on a stage its place after the one before, as [readiness.Continue] does: the revision rises
// with what matters. Shares move with every probe and matter only by what follows from them.
func Continue(before, next *gatev1.Verdict) (changed bool) {
	return readiness.Advance(before, next, gist)
}

// gist is the content of a verdict less the numbers of the deployment service.
func gist(v *gatev1.Verdict) *gatev1.Verdict {
	c := verdict.Content(v)
	for _, e := range c.GetEvidence() {
		if strings.Contains(e.GetCriterion(), "/") {
			e.Value, e.Numerator, e.Denominator, e.Detail = 0, 0, 0, ""
		}
	}
	return c
}

// StageGone is the verdict on a stage that was deleted.
func StageGone(name string, now time.Time) *gatev1.Verdict {
	v := verdictOn(name, gatev1.Verdict_UNKNOWN, now, unknownFor)
	v.Reasons = []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_STAGE, Resource: name, Current: "the stage was deleted", Required: "a stage", Owner: operators, Since: v.GetEvaluatedAt(), Command: "golive why " + name,
	}}
	v.WaitingOn = []string{name}
	return v
}
