// Package technical judges whether the machines are where they should be: a wave
// or a deployment that is through, an environment in which everything is healthy and
// nothing moves. It is pure. It reads states that were decided elsewhere and asks
// nobody, so that whoever waits for people can ask it without going in a circle.
package technical

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// TTL is how long a verdict may be used.
const TTL = time.Minute

// Wave judges a wave: PASS once it is sealed, FAIL where it ended otherwise.
func Wave(w *deploymentv1.Wave, now time.Time) *gatev1.Verdict {
	v := verdict(w.GetName(), w.GetRevision(), now)
	healthy := w.GetCounts().GetHealthy() + w.GetCounts().GetSealed()
	v.Evidence = append(v.Evidence, evidence("healthy", int64(healthy), int64(w.GetCounts().GetTotal()), w.GetName(), now))
	switch state := w.GetState(); {
	case state == deploymentv1.Wave_SEALED, state == deploymentv1.Wave_SKIPPED:
		return pass(v)
	case rollout.WaveEnded(state), state == deploymentv1.Wave_FAILED:
		return end(v, "the wave is "+state.String()+because(w.GetStateReason()), "a wave that is SEALED", waveSince(w))
	default:
		return wait(v, "the wave is "+state.String(), "a wave that is SEALED", waveSince(w), w.GetBlockedBy())
	}
}

// Deployment judges a deployment: PASS once it has succeeded, FAIL where it ended otherwise.
func Deployment(d *deploymentv1.Deployment, now time.Time) *gatev1.Verdict {
	v := verdict(d.GetName(), d.GetRevision(), now)
	healthy := d.GetCounts().GetHealthy() + d.GetCounts().GetSealed()
	v.Evidence = append(v.Evidence, evidence("healthy", int64(healthy), int64(d.GetCounts().GetTotal()), d.GetName(), now))
	switch state := d.GetState(); {
	case state == deploymentv1.Deployment_SUCCEEDED:
		return pass(v)
	case rollout.Ended(state):
		return end(v, "the deployment is "+state.String(), "a deployment that is SUCCEEDED", deploymentSince(d))
	default:
		return wait(v, "the deployment is "+state.String(), "a deployment that is SUCCEEDED", deploymentSince(d), d.GetBlockedBy())
	}
}

// Standing is how an environment is now.
type Standing struct {
	Running     int64     // releases on targets
	Healthy     int64     // of them, those that answer as they should
	Unhealthy   int64     // of them, those that do not
	UnwellSince time.Time // when the first of those that are not healthy ceased to be
	Created     time.Time // when the environment was made; nothing has run there since
	Moving      []Moving  // deployments that have not ended
	Changed     time.Time // when any of it changed last
}

// Moving is a deployment that has not ended, and when it was created.
type Moving struct {
	Name  string
	Since time.Time
}

// Environment judges an environment: PASS while something runs there, all of it is healthy and no deployment moves.
func Environment(name string, s Standing, now time.Time) *gatev1.Verdict {
	v := verdict(name, s.Changed.UnixMicro(), now)
	v.Evidence = append(v.Evidence, evidence("healthy", s.Healthy, s.Running, name, now))
	const required = "everything healthy, and no deployment on its way"
	if s.Running == 0 && len(s.Moving) == 0 {
		v.State = gatev1.Verdict_UNKNOWN
		v.Reasons = []*gatev1.BlockedBy{blocked(gatev1.BlockedBy_ENVIRONMENT, name, "nothing runs there", required, s.Created)}
		v.WaitingOn = []string{name}
		return v
	}
	for _, d := range s.Moving {
		v.Reasons = append(v.Reasons, blocked(gatev1.BlockedBy_DEPLOYMENT, d.Name, "a deployment is on its way", required, d.Since))
		v.WaitingOn = append(v.WaitingOn, d.Name)
	}
	if s.Healthy < s.Running {
		current := fmt.Sprintf("%d of %d are healthy", s.Healthy, s.Running)
		if s.Unhealthy > 0 {
			current += fmt.Sprintf(", %d are not", s.Unhealthy)
		}
		v.Reasons = append(v.Reasons, blocked(gatev1.BlockedBy_INSTALLATION, name, current, required, s.UnwellSince))
		v.WaitingOn = append(v.WaitingOn, name)
	}
	v.State = gatev1.Verdict_PASS
	if len(v.GetReasons()) > 0 {
		v.State = gatev1.Verdict_WAIT
	}
	return v
}

func verdict(resource string, revision int64, now time.Time) *gatev1.Verdict {
	return &gatev1.Verdict{
		Resource: resource, Purpose: gatev1.Purpose_PURPOSE_TECHNICAL, Revision: revision,
		EvaluatedAt: timestamppb.New(now), ValidUntil: timestamppb.New(now.Add(TTL)), Ttl: durationpb.New(TTL),
	}
}

func pass(v *gatev1.Verdict) *gatev1.Verdict {
	v.State = gatev1.Verdict_PASS
	return v
}

func end(v *gatev1.Verdict, current, required string, since *timestamppb.Timestamp) *gatev1.Verdict {
	v.State = gatev1.Verdict_FAIL
	v.Reasons = []*gatev1.BlockedBy{blocked(gatev1.BlockedBy_DEPLOYMENT, v.GetResource(), current, required, since.AsTime())}
	v.WaitingOn = []string{v.GetResource()}
	return v
}

// wait keeps what the resource itself waits for, so that a search for the root cause can go on from there.
func wait(v *gatev1.Verdict, current, required string, since *timestamppb.Timestamp, own []*gatev1.BlockedBy) *gatev1.Verdict {
	v.State = gatev1.Verdict_WAIT
	v.Reasons = []*gatev1.BlockedBy{blocked(gatev1.BlockedBy_DEPLOYMENT, v.GetResource(), current, required, since.AsTime())}
	v.WaitingOn = []string{v.GetResource()}
	for _, b := range own {
		if b.GetResource() != "" && b.GetResource() != v.GetResource() {
			v.WaitingOn = append(v.WaitingOn, b.GetResource())
		}
	}
	return v
}

func blocked(kind gatev1.BlockedBy_Kind, resource, current, required string, since time.Time) *gatev1.BlockedBy {
	return &gatev1.BlockedBy{
		Kind: kind, Resource: resource, Current: current, Required: required, Owner: "operators",
		Since: timestamppb.New(since), Command: "golive why " + resource,
	}
}

func evidence(criterion string, part, whole int64, resource string, now time.Time) *gatev1.Evidence {
	e := &gatev1.Evidence{Criterion: criterion, Numerator: part, Denominator: whole, Threshold: 1, AsOf: timestamppb.New(now), Resource: resource}
	e.State = gatev1.Verdict_UNKNOWN
	if whole > 0 {
		e.Value, e.State = float64(part)/float64(whole), gatev1.Verdict_WAIT
		if part == whole {
			e.State = gatev1.Verdict_PASS
		}
	}
	return e
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
