package technical

import (
	"slices"

	"google.golang.org/protobuf/proto"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// All adds to a verdict about the machines what the gates of waves say, as it was last stored: nobody is asked, so that
// whoever is asked by a gate may ask this in turn. The state is the worst of both. Waves whose gates do not matter
// any more, because they began or ended, add nothing.
func All(v *gatev1.Verdict, waves []*deploymentv1.Wave) *gatev1.Verdict {
	v.Purpose = gatev1.Purpose_PURPOSE_ALL
	for _, w := range waves {
		if w.GetName() != v.GetResource() {
			v.Revision += w.GetRevision() // what a gate says changes the wave, and not always the deployment
		}
		if w.GetState() != deploymentv1.Wave_GATED {
			continue
		}
		for _, b := range w.GetBlockedBy() {
			v.WaitingOn = alsoOn(v.GetWaitingOn(), b.GetResource())
		}
		for _, g := range w.GetGates() {
			said := g.GetVerdict()
			v.Evidence = append(v.Evidence, &gatev1.Evidence{
				Criterion: "gate " + g.GetId(), State: said.GetState(), AsOf: said.GetEvaluatedAt(), Resource: w.GetName(), Detail: said.GetResource(),
			})
			if said.GetState() == gatev1.Verdict_PASS || said.GetState() == gatev1.Verdict_WAIVED {
				continue
			}
			v.State = worse(v.GetState(), said.GetState())
			for _, r := range said.GetReasons() {
				v.Reasons = append(v.Reasons, proto.CloneOf(r))
				v.WaitingOn = alsoOn(v.GetWaitingOn(), r.GetResource())
			}
			v.WaitingOn = alsoOn(v.GetWaitingOn(), said.GetResource())
			for _, on := range said.GetWaitingOn() {
				v.WaitingOn = alsoOn(v.GetWaitingOn(), on)
			}
		}
	}
	return v
}

func alsoOn(on []string, resource string) []string {
	if resource == "" || slices.Contains(on, resource) {
		return on
	}
	return append(on, resource)
}

// worse is the one of two states that is further from go. What nobody has evaluated is not known.
func worse(a, b gatev1.Verdict_State) gatev1.Verdict_State {
	order := []gatev1.Verdict_State{
		gatev1.Verdict_PASS, gatev1.Verdict_WAIVED, gatev1.Verdict_WAIT, gatev1.Verdict_UNDECIDED, gatev1.Verdict_UNKNOWN, gatev1.Verdict_FAIL,
	}
	rank := func(s gatev1.Verdict_State) int {
		if i := slices.Index(order, s); i >= 0 {
			return i
		}
		return slices.Index(order, gatev1.Verdict_UNKNOWN)
	}
	if rank(b) > rank(a) {
		a = b
	}
	return order[rank(a)]
}
