package technical

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// waveSince is when a wave came to the state it is in, so that a reason keeps its since for as long as it holds.
func waveSince(w *deploymentv1.Wave) *timestamppb.Timestamp {
	switch state := w.GetState(); {
	case state == deploymentv1.Wave_GATED:
		return first(w.GetGatedTime(), w.GetCreateTime())
	case state == deploymentv1.Wave_RUNNING:
		return first(w.GetStartTime(), w.GetGatedTime(), w.GetCreateTime())
	case state == deploymentv1.Wave_BAKING:
		return first(w.GetBakeStartTime(), w.GetStartTime(), w.GetCreateTime())
	case state == deploymentv1.Wave_HELD:
		return first(w.GetHeldTime(), w.GetStartTime(), w.GetGatedTime(), w.GetCreateTime())
	case rollout.WaveEnded(state):
		return first(w.GetEndTime(), w.GetStartTime(), w.GetCreateTime())
	default: // PENDING since it was made; FAILED and REVERTING since it broke, which nobody noted: since it started
		return first(w.GetStartTime(), w.GetCreateTime())
	}
}

// deploymentSince is the same of a deployment.
func deploymentSince(d *deploymentv1.Deployment) *timestamppb.Timestamp {
	switch state := d.GetState(); {
	case rollout.Ended(state):
		return first(d.GetEndTime(), d.GetCreateTime())
	case state == deploymentv1.Deployment_FROZEN:
		return first(d.GetFreezeTime(), d.GetStartTime(), d.GetCreateTime())
	case state == deploymentv1.Deployment_REVERTING:
		return first(d.GetFailureTime(), d.GetCommandTime(), d.GetStartTime(), d.GetCreateTime())
	case state == deploymentv1.Deployment_PAUSING, state == deploymentv1.Deployment_PAUSED, state == deploymentv1.Deployment_CANCELLING:
		return first(d.GetCommandTime(), d.GetStartTime(), d.GetCreateTime())
	default:
		return first(d.GetStartTime(), d.GetCreateTime())
	}
}

// first is the first time that is set.
func first(times ...*timestamppb.Timestamp) *timestamppb.Timestamp {
	for _, t := range times {
		if t != nil {
			return t
		}
	}
	return nil
}
