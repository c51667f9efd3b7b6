package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const (
	// patience is how long any chapter may take before it counts as broken.
	patience = 60 * time.Second
	// turnaround is how soon a wave must start after its people are ready.
	turnaround = 2 * time.Second
	// look is how often the story looks whether something has happened.
	look = 20 * time.Millisecond
)

// untouched checks that nothing was done to any cohort but the pilot.
func (d *Demo) untouched(ctx context.Context, name string, began time.Time) error {
	for target, gaps := range d.Witness.GapsSince(began) {
		if !strings.HasPrefix(target, "pilot") {
			return fmt.Errorf("%s stopped answering at %s although nothing was done to it", target, gaps[0].From.Format(time.RFC3339Nano))
		}
	}
	for _, wave := range []string{"sales", "warehouse"} {
		w, err := d.wave(ctx, name+"/waves/"+wave)
		if err != nil {
			return err
		}
		if w.GetStartTime() != nil {
			return fmt.Errorf("wave %s was touched", wave)
		}
	}
	return nil
}

// started waits until a wave has started, which must be soon after it could.
func (d *Demo) started(ctx context.Context, wave string, ready time.Time) error {
	if err := d.until(ctx, wave+" to start", func() (bool, error) {
		w, err := d.wave(ctx, wave)
		return w.GetStartTime() != nil, err
	}); err != nil {
		return err
	}
	if took := time.Since(ready); took > turnaround {
		return fmt.Errorf("%s started %s after it could; %s is promised", wave, took, turnaround)
	}
	return nil
}

// byCohort is a wave for each cohort, in their order; every one but the pilot's waits until its people are ready.
func (d *Demo) byCohort(bake time.Duration) *deploymentv1.Rollout {
	out := &deploymentv1.Rollout{}
	for i, c := range d.cfg.Cohorts {
		w := &deploymentv1.WaveRule{Id: c.ID, Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Cohort{Cohort: c.ID}}, Bake: durationpb.New(bake)}
		if i > 0 {
			w.Gates = []*deploymentv1.GateRule{{Id: "ready", Type: &deploymentv1.GateRule_Readiness{Readiness: &deploymentv1.ReadinessGate{CohortPlan: plan(c.ID)}}}}
		}
		out.Waves = append(out.Waves, w)
	}
	return out
}

// Deploy creates a deployment of a version and returns its name.
func (d *Demo) Deploy(ctx context.Context, id, version string, rollout *deploymentv1.Rollout) (string, error) {
	created, err := d.deployments.CreateDeployment(ctx, &deploymentv1.CreateDeploymentRequest{Parent: Application, DeploymentId: id, RequestId: "demo-" + id, Deployment: &deploymentv1.Deployment{
		Release: Application + "/releases/" + ReleaseID(version), Environment: Environment, Rollout: rollout, Reason: "demonstration",
	}})
	return created.GetName(), err
}

// Reach waits until a deployment has come to a state, and tells of its waves on the way.
func (d *Demo) Reach(ctx context.Context, name string, state deploymentv1.Deployment_State) error {
	told := map[string]string{}
	return d.until(ctx, fmt.Sprintf("%s to be %s", name, state), func() (bool, error) {
		got, err := d.deployments.GetDeployment(ctx, &deploymentv1.GetDeploymentRequest{Name: name})
		if err != nil {
			return false, err
		}
		if err := d.tell(ctx, name, told); err != nil {
			return false, err
		}
		if final(got) && got.GetState() != state {
			return false, fmt.Errorf("%s ended %s: %s%s", name, got.GetState(), got.GetStateMessage(), d.causes(ctx, name))
		}
		return got.GetState() == state, nil
	})
}

// causes says what went wrong on which target.
func (d *Demo) causes(ctx context.Context, name string) string {
	list, err := d.installations.ListInstallations(ctx, &deploymentv1.ListInstallationsRequest{Parent: name, PageSize: 1000})
	if err != nil {
		return ""
	}
	var out strings.Builder
	for _, i := range list.GetInstallations() {
		if i.GetCause() != "" {
			fmt.Fprintf(&out, "\n  %s: %s: %s", i.GetTarget(), i.GetCause(), i.GetMessage())
		}
	}
	return out.String()
}

// final reports whether a deployment has ended.
func final(d *deploymentv1.Deployment) bool { return d.GetEndTime() != nil }

// tell prints the waves that have changed.
func (d *Demo) tell(ctx context.Context, name string, told map[string]string) error {
	list, err := d.waves.ListWaves(ctx, &deploymentv1.ListWavesRequest{Parent: name})
	if err != nil {
		return err
	}
	for _, w := range list.GetWaves() {
		c := w.GetCounts()
		line := fmt.Sprintf("%-10s %-9s %d of %d done", w.GetRule().GetId(), w.GetState(), c.GetHealthy()+c.GetSealed()+c.GetSkipped()-c.GetUnhealthy(), c.GetTotal())
		if told[w.GetName()] != line && w.GetState() != deploymentv1.Wave_PENDING {
			told[w.GetName()] = line
			d.note("%s", line)
		}
	}
	return nil
}

// Expect checks from outside that the targets of each cohort answer with a version.
func (d *Demo) Expect(ctx context.Context, want map[string]string) error {
	var wrong []string
	err := d.until(ctx, "every target to answer with its version", func() (bool, error) {
		wrong = wrong[:0]
		answers := d.Witness.Versions()
		for _, c := range d.cfg.Cohorts {
			for _, t := range c.Targets {
				if answers[t] != want[c.ID] {
					wrong = append(wrong, fmt.Sprintf("%s answers %q, not %q", t, answers[t], want[c.ID]))
				}
			}
		}
		return len(wrong) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("%w (%s)", err, strings.Join(wrong, "; "))
	}
	return nil
}

func (d *Demo) wave(ctx context.Context, name string) (*deploymentv1.Wave, error) {
	return d.waves.GetWave(ctx, &deploymentv1.GetWaveRequest{Name: name})
}

// until waits for a condition, and says what it waited for if it never came.
func (d *Demo) until(ctx context.Context, what string, met func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		ok, err := met()
		if ok || err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}
