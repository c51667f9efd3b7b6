package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

const (
	// patience is how long any chapter may take before it counts as broken.
	patience = 60 * time.Second
	// turnaround is how soon a wave must start after its people are ready.
	turnaround = 2 * time.Second
	// look is how often the story looks whether something has happened.
	look = 20 * time.Millisecond
)

// First brings version 1 to all targets.
func (d *Demo) First(ctx context.Context) error {
	d.say("Version 1.0.0 goes to all six targets: each agent downloads it, checks its digest, installs, configures, tests, activates and probes it.")
	name, err := d.Deploy(ctx, "first", "1.0.0", nil)
	if err != nil {
		return err
	}
	if err := d.Reach(ctx, name, deploymentv1.Deployment_SUCCEEDED); err != nil {
		return err
	}
	return d.Expect(ctx, map[string]string{"pilot": "1.0.0", "sales": "1.0.0", "warehouse": "1.0.0"})
}

// Second brings version 2 cohort by cohort; sales has to learn first.
func (d *Demo) Second(ctx context.Context) (err error) {
	d.say("Version 2.0.0 goes out by cohort. The pilot goes first and is judged by the errors of its users; every other wave waits until its people are trained.")
	stop := d.push(ctx)
	defer func() { err = errors.Join(err, stop()) }()
	name, err := d.Deploy(ctx, "second", "2.0.0", d.judged(time.Second))
	if err != nil {
		return err
	}
	sales := name + "/waves/sales"
	if err := d.until(ctx, "wave sales to wait for its people", func() (bool, error) {
		w, err := d.wave(ctx, sales)
		return w.GetState() == deploymentv1.Wave_GATED && strings.Contains(w.GetBlockedBy()[0].GetCurrent(), "60.0 %"), err
	}); err != nil {
		return err
	}
	if err := d.verdict(ctx, name+"/waves/pilot", gatev1.Verdict_PASS); err != nil {
		return err
	}
	d.say("The pilot is sealed. Wave sales holds: its cohort is 60 %% trained. This is what `golive why` says:")
	if d.cfg.Why != nil {
		d.cfg.Why(ctx, sales)
	}
	if err := d.Expect(ctx, map[string]string{"pilot": "2.0.0", "sales": "1.0.0", "warehouse": "1.0.0"}); err != nil {
		return err
	}
	d.say("Training goes on: eight more people of sales complete it.")
	if err := d.train(ctx, "sales", 12, 20); err != nil {
		return err
	}
	trained := time.Now()
	if err := d.started(ctx, sales, trained); err != nil {
		return err
	}
	d.say("The gate turned and the wave went on by itself, %d ms after the last completion.", time.Since(trained).Milliseconds())
	if err := d.Reach(ctx, name, deploymentv1.Deployment_SUCCEEDED); err != nil {
		return err
	}
	return d.Expect(ctx, map[string]string{"pilot": "2.0.0", "sales": "2.0.0", "warehouse": "2.0.0"})
}

// Third brings a version that falls ill after it was healthy. Nobody watches, and it is caught.
func (d *Demo) Third(ctx context.Context) error {
	d.say("Version 3.0.0 is bad: healthy at first, ill after a few seconds. The pilot bakes for ten.")
	began := time.Now()
	name, err := d.Deploy(ctx, "third", "3.0.0", d.byCohort(10*time.Second))
	if err != nil {
		return err
	}
	if err := d.Reach(ctx, name, deploymentv1.Deployment_FAILED); err != nil {
		return err
	}
	ended, err := d.deployments.GetDeployment(ctx, &deploymentv1.GetDeploymentRequest{Name: name})
	if err != nil {
		return err
	}
	d.say("Caught while baking, and reverted by itself: %s.", ended.GetStateMessage())
	if err := d.Expect(ctx, map[string]string{"pilot": "2.0.0", "sales": "2.0.0", "warehouse": "2.0.0"}); err != nil {
		return err
	}
	if err := d.untouched(ctx, name, began); err != nil {
		return err
	}
	d.say("Every target is back on 2.0.0, and no other wave was touched.")
	return nil
}

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

func (d *Demo) byCohort(bake time.Duration) *deploymentv1.Rollout {
	by := &deploymentv1.ByCohort{Implementation: Implementation, PilotWithoutGate: true, Bake: durationpb.New(bake)}
	for _, c := range d.cfg.Cohorts {
		by.Cohorts = append(by.Cohorts, c.ID)
	}
	return &deploymentv1.Rollout{Preset: &deploymentv1.Rollout_ByCohort{ByCohort: by}}
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
