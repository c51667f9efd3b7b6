package rollout

import (
	"slices"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// ReasonPausedByOperator is the reason of a pause that a person asked for.
const ReasonPausedByOperator = "PAUSED_BY_OPERATOR"

// ReasonResumed marks a frozen deployment that a person told to go on.
const ReasonResumed = "RESUMED"

// Command is what a person may ask of a deployment.
type Command int

// The commands.
const (
	Pause Command = iota
	Resume
	Cancel
	Abandon
	Rollback
)

// String returns the verb.
func (c Command) String() string {
	return [...]string{"pause", "resume", "cancel", "abandon", "roll back"}[c]
}

// accepts lists the states in which each command makes sense. Rolling back is also
// possible when a deployment has ended with its release in place.
var accepts = map[Command][]DeploymentState{
	Pause:  {deploymentv1.Deployment_WAITING, deploymentv1.Deployment_RUNNING, deploymentv1.Deployment_PAUSING, deploymentv1.Deployment_PAUSED},
	Resume: {deploymentv1.Deployment_PAUSING, deploymentv1.Deployment_PAUSED, deploymentv1.Deployment_FROZEN, deploymentv1.Deployment_WAITING, deploymentv1.Deployment_RUNNING},
	Cancel: {
		deploymentv1.Deployment_PENDING, deploymentv1.Deployment_PREFLIGHT, deploymentv1.Deployment_WAITING, deploymentv1.Deployment_RUNNING, deploymentv1.Deployment_PAUSING,
		deploymentv1.Deployment_PAUSED, deploymentv1.Deployment_FROZEN, deploymentv1.Deployment_REVERTING, deploymentv1.Deployment_FINALIZING, deploymentv1.Deployment_CANCELLING,
	},
}

// Accepts returns a STATE_FORBIDS fault unless a deployment in that state takes the command.
func Accepts(s DeploymentState, c Command) error {
	switch c {
	case Abandon:
		if !Ended(s) {
			return nil
		}
	case Rollback:
		if !Ended(s) || leavesRelease(s) {
			return nil
		}
	default:
		if slices.Contains(accepts[c], s) {
			return nil
		}
	}
	return fault.Precondition(ReasonStateForbids, "the deployment is %s, so it cannot %s; see what runs with `golive describe`", s, c)
}

// leavesRelease reports whether a deployment may have ended with its release on some target.
func leavesRelease(s DeploymentState) bool {
	switch s {
	case deploymentv1.Deployment_SUCCEEDED, deploymentv1.Deployment_FAILED, deploymentv1.Deployment_ROLLBACK_FAILED, deploymentv1.Deployment_CANCELLED,
		deploymentv1.Deployment_ABANDONED, deploymentv1.Deployment_REJECTED, deploymentv1.Deployment_EXPIRED, deploymentv1.Deployment_SUPERSEDED:
		return true
	default:
		return false
	}
}

// Give records a command of a person; Advance then follows it.
func Give(d *deploymentv1.Deployment, c Command, by, reason string, now time.Time) error {
	if err := Accepts(d.GetState(), c); err != nil {
		return err
	}
	switch c {
	case Pause:
		d.DesiredState = deploymentv1.Deployment_PAUSE
		if d.GetStateReason() == ReasonStopTheLine {
			d.StateReason = ReasonPausedByOperator // it stays when the line goes on
		}
	case Resume:
		d.DesiredState = deploymentv1.Deployment_RUN
		if d.GetState() == deploymentv1.Deployment_FROZEN {
			d.StateReason = ReasonResumed
		}
	case Cancel:
		d.DesiredState = deploymentv1.Deployment_CANCEL
	case Abandon:
		d.DesiredState = deploymentv1.Deployment_ABANDON
	case Rollback:
		return nil // the linked deployment does the work
	}
	d.CommandedBy, d.CommandTime = by, stamp(now)
	if reason != "" {
		d.StateMessage = reason
	}
	return nil
}

// TakeBack ends a deployment whose targets a rollback takes over.
func TakeBack(s *State, f *Facts, message string) Effects {
	var e Effects
	s.Deployment.Counts = f.total()
	s.move(f, deploymentv1.Deployment_ROLLED_BACK, "ROLLED_BACK", message)
	finish(s, f, &e)
	explain(s, f)
	return e
}

// Skip leaves out a wave that has not started.
func Skip(w *deploymentv1.Wave, by, reason string, now time.Time) error {
	if err := waveMoves.check("wave "+w.GetRule().GetId(), w.GetState(), deploymentv1.Wave_SKIPPED); err != nil {
		return err
	}
	w.State, w.EndTime = deploymentv1.Wave_SKIPPED, stamp(now)
	w.StateReason, w.StateMessage = "SKIPPED_BY_OPERATOR", by+": "+reason
	return nil
}
