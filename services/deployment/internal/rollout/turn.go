package rollout

import (
	"fmt"
	"slices"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// Ahead is a deployment that has to end before another one's turn comes.
type Ahead struct {
	Name  string
	State DeploymentState
}

// Place is where a new deployment stands towards one that has not ended.
type Place int

// The places.
const (
	// Beside is where both may be active: which targets they hold decides.
	Beside Place = iota
	// Behind is where the new one waits until the other has ended.
	Behind
	// Instead is where the other ends at once and its targets are the new one's.
	Instead
	// After is where the other begins nothing more and ends as soon as nobody is in the middle of its work.
	After
)

// PlaceOf says where a new deployment stands under a policy. overlaps tells whether the other
// one holds a target that the new one wants. Nothing takes the place of a rollback, but for those who
// never came back for it.
func PlaceOf(other *deploymentv1.Deployment, policy deploymentv1.QueuePolicy, overlaps bool) Place {
	waits := policy == deploymentv1.QueuePolicy_QUEUE || policy == deploymentv1.QueuePolicy_SUPERSEDE
	switch {
	case other.GetKind() == deploymentv1.Deployment_CATCH_UP:
		return placeOfCatchUp(other, overlaps)
	case !waits:
		return Beside
	case policy == deploymentv1.QueuePolicy_SUPERSEDE && other.GetRollbackOf() == "" && idle(other):
		return Instead
	default:
		return Behind
	}
}

// placeOfCatchUp lets every newer deployment go first: what would catch up is old by now.
func placeOfCatchUp(other *deploymentv1.Deployment, overlaps bool) Place {
	switch {
	case !overlaps:
		return Beside
	case !yielding(other.GetState()):
		return Behind // it is on its way to its end already
	case busy(other.GetCounts()) > 0:
		return After
	default:
		return Instead
	}
}

// idle reports whether no target of a deployment is on its way, nor would be by itself.
func idle(d *deploymentv1.Deployment) bool {
	switch d.GetState() {
	case deploymentv1.Deployment_PENDING, deploymentv1.Deployment_FROZEN:
		return true
	case deploymentv1.Deployment_PREFLIGHT, deploymentv1.Deployment_WAITING, deploymentv1.Deployment_PAUSED:
		return d.GetStartTime() == nil
	default:
		return false
	}
}

// yielding reports whether a deployment in that state can make way for a newer one.
func yielding(state DeploymentState) bool {
	return slices.Contains(deploymentMoves[state], deploymentv1.Deployment_SUPERSEDED)
}

// turn begins a deployment when nobody is ahead of it any more.
func turn(s *State, f *Facts, e *Effects) bool {
	if len(f.Ahead) > 0 {
		return false
	}
	e.Begin = true
	return s.move(f, deploymentv1.Deployment_PREFLIGHT, "", "")
}

// yield ends a deployment whose place a newer one takes, once nobody is in the middle of its work:
// no target is left between two versions.
func yield(s *State, f *Facts, e *Effects) bool {
	e.DropQueued = true
	if busy(s.Deployment.GetCounts()) > 0 {
		return false
	}
	s.sealReached(e)
	return s.move(f, deploymentv1.Deployment_SUPERSEDED, "SUPERSEDED", "superseded by "+s.Deployment.GetSupersededBy())
}

// Supersede ends a deployment at once whose targets another one takes over.
func Supersede(s *State, f *Facts, by string) Effects {
	var e Effects
	Recount(s, f)
	s.Deployment.SupersededBy = by
	if s.catchUp() {
		s.sealReached(&e)
	}
	s.move(f, deploymentv1.Deployment_SUPERSEDED, "SUPERSEDED", "superseded by "+by)
	finish(s, f, &e)
	explain(s, f)
	return e
}

// sealReached keeps what was healthy until now.
func (s *State) sealReached(e *Effects) {
	for _, w := range s.Waves {
		if waveStarted(w.GetState()) && w.GetCounts().GetHealthy() > 0 {
			e.SealReached = append(e.SealReached, w.GetName())
		}
	}
}

// Distrust freezes a deployment whose wave would have installed something else than its snapshot says.
func Distrust(s *State, f *Facts, wave, message string) Effects {
	var e Effects
	for _, w := range s.Waves {
		if w.GetName() == wave {
			s.moveWave(w, f, deploymentv1.Wave_FAILED, ReasonSnapshotChanged, message)
		}
	}
	s.move(f, deploymentv1.Deployment_FROZEN, ReasonSnapshotChanged, message)
	explain(s, f)
	return e
}

// ReasonSnapshotChanged marks a deployment that was frozen because its rows were not those of its snapshot.
const ReasonSnapshotChanged = "SNAPSHOT_CHANGED"

// InLine says why a deployment waits that was just given its place behind others, in the order of their turns.
func InLine(ahead []Ahead, now time.Time) []*gatev1.BlockedBy {
	reason := aheadReason(ahead)
	reason.Since = stamp(now)
	return []*gatev1.BlockedBy{reason}
}

func aheadReason(ahead []Ahead) *gatev1.BlockedBy {
	first, last := ahead[0], ahead[len(ahead)-1]
	return &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_DEPLOYMENT, Resource: last.Name, Owner: "operators",
		Current:  fmt.Sprintf("place %d in the queue; %s is %s", len(ahead), lastSegment(first.Name), first.State),
		Required: "every deployment before it has ended", Command: "golive why " + first.Name,
	}
}
