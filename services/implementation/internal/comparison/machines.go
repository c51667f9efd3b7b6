package comparison

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func (f Facts) machinesDefinition() *side {
	s := &side{Text: "Puts a release on machines, wave by wave."}
	for _, d := range f.Machines.GetDeployments() {
		s.Items = append(s.Items, &item{Label: id(d.GetDeployment()), Value: id(d.GetRelease()) + " to " + id(d.GetEnvironment()), State: deploymentStands(d), Resource: d.GetDeployment()})
	}
	if len(s.GetItems()) == 0 {
		s.Text = "Puts a release on machines; none was deployed yet."
	}
	return s
}

// machinesTiming is what has to come before a wave, and what begins with it.
func (f Facts) machinesTiming() *side {
	s := &side{Text: "Comes first: people can use only what runs."}
	for _, d := range f.Decisions {
		for _, wave := range d.GetWaves() {
			s.Items = append(s.Items, &item{Label: "before " + id(wave), Value: d.GetDisplayName(), State: decisionStands(d), Resource: d.GetName(), Time: d.GetDueTime()})
		}
	}
	for _, p := range f.Plans {
		if p.GetLiveWave() != "" {
			s.Items = append(s.Items, &item{Label: "with " + id(p.GetLiveWave()), Value: id(p.GetName()) + " went live", State: gatev1.Verdict_PASS, Resource: p.GetLiveWave(), Time: p.GetLiveTime()})
		}
	}
	return s
}

func (f Facts) machinesScope() *side {
	i := f.Implementation
	s := &side{Text: fmt.Sprintf("%s, %s, %s.", plural(len(i.GetApplications()), "application"), environments(i), plural(int(f.Machines.GetTargets()), "target"))}
	for _, name := range i.GetApplications() {
		s.Items = append(s.Items, &item{Label: "application", Value: id(name), Resource: name})
	}
	for _, name := range i.GetEnvironments() {
		s.Items = append(s.Items, &item{Label: "environment", Value: id(name), Resource: name})
	}
	return s
}

func environments(i *implementationv1.Implementation) string {
	if n := len(i.GetEnvironments()); n > 0 {
		return plural(n, "environment")
	}
	return "all environments"
}

func (f Facts) machinesGoal() *side {
	s := &side{Text: "The release runs on every target, and stays healthy."}
	for _, d := range f.Machines.GetDeployments() {
		state := gatev1.Verdict_WAIT
		if d.GetTargets() > 0 && d.GetHealthy() == d.GetTargets() {
			state = gatev1.Verdict_PASS
		}
		s.Items = append(s.Items, &item{
			Label: id(d.GetDeployment()), Value: fmt.Sprintf("%d of %s healthy", d.GetHealthy(), plural(int(d.GetTargets()), "target")), State: state, Resource: d.GetDeployment(),
		})
	}
	return s
}

func (f Facts) machinesProcess() *side {
	s := &side{}
	done := 0
	for _, d := range f.Machines.GetDeployments() {
		for _, w := range d.GetWaves() {
			one := &item{Label: "wave " + id(w.GetWave()), Value: w.GetState(), State: waveStands(w.GetState()), Resource: w.GetWave(), Time: w.GetEndTime()}
			if len(f.Machines.GetDeployments()) > 1 {
				one.Label = id(d.GetDeployment()) + " " + one.GetLabel()
			}
			if one.GetState() == gatev1.Verdict_PASS {
				done++
			}
			s.Items = append(s.Items, one)
		}
	}
	s.Text = fmt.Sprintf("%d of %s done.", done, plural(len(s.GetItems()), "wave"))
	if len(s.GetItems()) == 0 {
		s.Text = "No wave is planned."
	}
	return s
}

// machinesTimeline foretells a rollout by its own waves: each that is left takes as long as those that are done.
func (f Facts) machinesTimeline() *side {
	s := &side{Text: "Nothing is under way."}
	for _, d := range f.Machines.GetDeployments() {
		if d.GetStartTime() == nil || d.GetEndTime() != nil {
			continue
		}
		s.Text = "Hours to days: as long as its waves need to prove healthy."
		s.Items = append(s.Items, &item{Label: "elapsed", Value: span(f.Now.Sub(d.GetStartTime().AsTime())), Resource: d.GetDeployment(), Time: d.GetStartTime()})
		for _, quantile := range []struct {
			label string
			share float64
		}{{"forecast, even odds", .5}, {"forecast, four in five", .8}} {
			if end, ok := f.foretold(d, quantile.share); ok {
				s.Items = append(s.Items, &item{Label: quantile.label, Value: date(end), Resource: d.GetDeployment(), Time: timestamppb.New(end)})
			}
		}
	}
	return s
}

// foretold is when a deployment ends where each wave that is left takes as long as a share of those that are done; false without one.
func (f Facts) foretold(d *deploymentv1.MeasuredDeployment, share float64) (end time.Time, ok bool) {
	var took []time.Duration
	left := 0
	for _, w := range d.GetWaves() {
		switch {
		case w.GetEndTime() == nil:
			left++
		case w.GetStartTime() != nil:
			took = append(took, w.GetEndTime().AsTime().Sub(w.GetStartTime().AsTime()))
		}
	}
	if len(took) == 0 || left == 0 {
		return end, false
	}
	slices.Sort(took)
	each := took[min(int(share*float64(len(took))), len(took)-1)]
	return f.Now.Add(time.Duration(left) * each), true
}

func (f Facts) machinesSuccess() *side {
	return &side{
		Text:  "The software runs, answers in time, and its users rate it well.",
		Items: f.measures(implementationv1.ScorecardMeasure_UPTIME, implementationv1.ScorecardMeasure_PERFORMANCE, implementationv1.ScorecardMeasure_FEEDBACK),
	}
}

func (f Facts) machinesChallenges() *side {
	s := &side{}
	for _, name := range f.Machines.GetOpenIncidents() {
		s.Items = append(s.Items, &item{Label: "incident", Value: id(name), State: gatev1.Verdict_FAIL, Resource: name})
	}
	for _, d := range f.Machines.GetDeployments() {
		for _, w := range d.GetWaves() {
			if d.GetEndTime() == nil && waveStands(w.GetState()) == gatev1.Verdict_FAIL {
				s.Items = append(s.Items, &item{Label: "wave " + id(w.GetWave()), Value: w.GetState(), State: gatev1.Verdict_FAIL, Resource: w.GetWave()})
			}
		}
	}
	s.Text = open(len(s.GetItems()), "incident or failing wave", "incidents or failing waves")
	return s
}

func (f Facts) machinesWait() *side {
	s := &side{}
	for _, d := range f.Machines.GetDeployments() {
		s.Items = append(s.Items, blocked(id(d.GetDeployment()), d.GetBlockedBy())...)
	}
	s.Text = waiting(len(s.GetItems()))
	return s
}

func deploymentStands(d *deploymentv1.MeasuredDeployment) gatev1.Verdict_State {
	switch {
	case d.GetEndTime() == nil:
		return gatev1.Verdict_WAIT
	case d.GetState() == deploymentv1.Deployment_SUCCEEDED.String():
		return gatev1.Verdict_PASS
	default:
		return gatev1.Verdict_FAIL
	}
}

func waveStands(state string) gatev1.Verdict_State {
	switch deploymentv1.Wave_State(deploymentv1.Wave_State_value[state]) {
	case deploymentv1.Wave_SEALED, deploymentv1.Wave_SKIPPED:
		return gatev1.Verdict_PASS
	case deploymentv1.Wave_FAILED, deploymentv1.Wave_REVERTING, deploymentv1.Wave_REVERTED, deploymentv1.Wave_CANCELLED:
		return gatev1.Verdict_FAIL
	default:
		return gatev1.Verdict_WAIT
	}
}
