// Package dora computes the five measures of DORA (https://dora.dev/guides/dora-metrics) from what is known
// of each deployment. It is pure. What others guess by nearness in time is said here by name: which rollback took
// which deployment back, which fix mends which, and which incident a person put down to which.
package dora

import (
	"math"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Why a deployment was a failure.
const (
	RolledBack = "ROLLED_BACK"
	Frozen     = "FROZEN"
	Failed     = "FAILED"
	Mended     = "MENDED"
	ByIncident = "INCIDENT"
)

// maxEvidence bounds how many deployments an answer names.
const maxEvidence = 1000

// Deployment is what counts of one deployment.
type Deployment struct {
	*deploymentv1.Deployment
	// Commit is when the commit of its release was made; zero where nobody said.
	Commit time.Time
	// Rollback is the one that took it back, Fix the one that mends it; nil where there is none.
	Rollback, Fix *deploymentv1.Deployment
	// Incidents name it as their cause.
	Incidents []*deploymentv1.Incident
	// Exposures is how long its release ran, a wave each.
	Exposures []*deploymentv1.WaveExposure
}

// Counts tells whether a deployment is one of a window: it started a wave, ended inside, and is no mere
// consequence of another.
func Counts(d *deploymentv1.Deployment, start, end time.Time) bool {
	switch d.GetKind() {
	case deploymentv1.Deployment_ROLLBACK, deploymentv1.Deployment_CATCH_UP, deploymentv1.Deployment_REAPPLY:
		return false
	default:
	}
	if d.GetRollbackOf() != "" || d.GetStartTime() == nil || d.GetEndTime() == nil {
		return false
	}
	ended := d.GetEndTime().AsTime()
	return !ended.Before(start) && ended.Before(end)
}

// Failures says why a deployment was a failure; empty where it was none.
func (d *Deployment) Failures() []string {
	var why []string
	add := func(reason string, is bool) {
		if is {
			why = append(why, reason)
		}
	}
	state := d.GetState()
	add(RolledBack, state == deploymentv1.Deployment_ROLLED_BACK || d.Rollback != nil)
	add(Frozen, d.GetFreezeTime() != nil)
	add(Failed, state == deploymentv1.Deployment_FAILED || state == deploymentv1.Deployment_ROLLBACK_FAILED)
	add(Mended, d.Fix != nil)
	add(ByIncident, len(d.Incidents) > 0)
	return why
}

// Rework tells whether it was unplanned: a hotfix, or the fix of another.
func (d *Deployment) Rework() bool { return d.GetHotfix() || d.GetFixes() != "" }

// LeadTime is from the commit to its end, where it succeeded and the commit is known.
func (d *Deployment) LeadTime() (time.Duration, bool) {
	if d.GetState() != deploymentv1.Deployment_SUCCEEDED || d.Commit.IsZero() {
		return 0, false
	}
	lead := d.GetEndTime().AsTime().Sub(d.Commit)
	return lead, lead >= 0
}

// Recovery is from the first sign of failure to the moment when everything that was broken worked again. It
// is not known while any of it goes on.
func (d *Deployment) Recovery() (time.Duration, bool) {
	began, ok := d.failed()
	if !ok {
		return 0, false
	}
	restored, ok := d.restored()
	if !ok || restored.Before(began) {
		return 0, false
	}
	return restored.Sub(began), true
}

// failed is the first sign of failure.
func (d *Deployment) failed() (first time.Time, ok bool) {
	at := func(t *timestamppb.Timestamp) {
		if t != nil && (!ok || t.AsTime().Before(first)) {
			first, ok = t.AsTime(), true
		}
	}
	at(d.GetFailureTime())
	at(d.GetFreezeTime())
	for _, i := range d.Incidents {
		at(i.GetDetectedTime())
	}
	if !ok {
		at(d.Rollback.GetCreateTime())
		at(d.Fix.GetCreateTime())
	}
	return first, ok
}

// restored is when the last of what was broken worked again.
func (d *Deployment) restored() (time.Time, bool) {
	var last time.Time
	for _, i := range d.Incidents {
		if i.GetRestoredTime() == nil {
			return last, false
		}
		last = later(last, i.GetRestoredTime().AsTime())
	}
	own := d.GetState() == deploymentv1.Deployment_FAILED || d.GetState() == deploymentv1.Deployment_SUCCEEDED && d.Rollback == nil && d.Fix == nil
	switch {
	case d.Rollback.GetState() == deploymentv1.Deployment_SUCCEEDED:
		return later(last, d.Rollback.GetEndTime().AsTime()), true
	case d.Fix.GetState() == deploymentv1.Deployment_SUCCEEDED:
		return later(last, d.Fix.GetEndTime().AsTime()), true
	case own && (d.GetFreezeTime() != nil || d.GetFailureTime() != nil):
		return later(last, d.GetEndTime().AsTime()), true // reverted by itself, or gone on after a freeze
	default:
		return last, len(d.Incidents) > 0 && own
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Compute sums up the deployments of a window.
func Compute(all []*Deployment, start, end time.Time) *deploymentv1.DoraMetrics {
	m := &deploymentv1.DoraMetrics{StartTime: timestamppb.New(start), EndTime: timestamppb.New(end)}
	var leads, recoveries []time.Duration
	var targets, users time.Duration
	counted := slices.Clone(all)
	slices.SortFunc(counted, func(a, b *Deployment) int {
		return byEnd(a.Deployment, b.Deployment)
	})
	for _, d := range counted {
		e := &deploymentv1.DoraDeployment{
			Deployment: d.GetName(), Release: d.GetRelease(), EndTime: d.GetEndTime(), Failures: d.Failures(), Rework: d.Rework(),
		}
		m.Deployments++
		if d.GetState() == deploymentv1.Deployment_SUCCEEDED {
			m.Succeeded++
		}
		if lead, ok := d.LeadTime(); ok {
			leads = append(leads, lead)
			e.LeadTime = durationpb.New(lead)
		}
		if e.GetRework() {
			m.Rework++
		}
		if len(e.GetFailures()) > 0 {
			m.Failed++
			if recovery, ok := d.Recovery(); ok {
				recoveries = append(recoveries, recovery)
				e.RecoveryTime = durationpb.New(recovery)
			}
			e.Exposures = d.Exposures
			for _, x := range d.Exposures {
				targets += x.GetTargetExposure().AsDuration()
				users += x.GetUserExposure().AsDuration()
			}
		}
		for _, i := range d.Incidents {
			e.Incidents = append(e.Incidents, i.GetName())
		}
		if len(m.GetEvidence()) < maxEvidence {
			m.Evidence = append(m.Evidence, e)
		}
	}
	if days := end.Sub(start).Hours() / 24; days > 0 {
		m.DeploymentFrequency = float64(m.GetSucceeded()) / days
	}
	if m.GetDeployments() > 0 {
		m.ChangeFailureRate = float64(m.GetFailed()) / float64(m.GetDeployments())
		m.ReworkRate = float64(m.GetRework()) / float64(m.GetDeployments())
	}
	m.LeadTime, m.RecoveryTime = statistic(leads), statistic(recoveries)
	m.TargetExposure, m.UserExposure = durationpb.New(targets), durationpb.New(users)
	return m
}

// byEnd orders newest first.
func byEnd(a, b *deploymentv1.Deployment) int {
	if c := b.GetEndTime().AsTime().Compare(a.GetEndTime().AsTime()); c != 0 {
		return c
	}
	return strings.Compare(a.GetName(), b.GetName())
}

// statistic sums up durations; quantiles are by nearest rank, so that each is one that happened.
func statistic(all []time.Duration) *deploymentv1.DurationStatistic {
	s := &deploymentv1.DurationStatistic{N: int32(len(all))} //nolint:gosec // G115: a count of deployments
	if len(all) == 0 {
		return s
	}
	slices.Sort(all)
	var sum time.Duration
	for _, d := range all {
		sum += d
	}
	rank := func(q float64) *durationpb.Duration {
		return durationpb.New(all[int(math.Ceil(q*float64(len(all))))-1])
	}
	s.P50, s.P90, s.Mean = rank(0.5), rank(0.9), durationpb.New(sum/time.Duration(len(all)))
	return s
}
