package measure

import (
	"context"
	"strings"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// mostDeployments is how many deployments of a scope are told.
const mostDeployments = 10

func (f *facts) gatherUnderWay(ctx context.Context, st *store.Store, workspace string, applications []string) (err error) {
	if f.deployments, err = st.DeploymentsUnderWay(ctx, applications); err != nil {
		return err
	}
	var names []string
	for _, d := range f.deployments {
		names = append(names, d.GetName())
	}
	waves, err := st.WavesOf(ctx, names)
	if err != nil {
		return err
	}
	f.waves = map[string][]*deploymentv1.Wave{}
	for _, w := range waves {
		deployment, _, _ := strings.Cut(w.GetName(), "/waves/")
		f.waves[deployment] = append(f.waves[deployment], w)
	}
	if f.incidents, err = st.OpenIncidents(ctx, workspace); err != nil {
		return err
	}
	f.overrides, err = store.LiveOverrides(ctx, st.DB.Read(), workspace, st.Now())
	return err
}

// underWay fills in what happens in a scope now: deployments, incidents, overrides.
func (f *facts) underWay(m *deploymentv1.Measures, s scope) {
	ended := false
	for _, d := range f.deployments { // the newest first
		if !s.has(siteOf(d)) || len(m.GetDeployments()) == mostDeployments || ended && rollout.Ended(d.GetState()) {
			continue
		}
		ended = ended || rollout.Ended(d.GetState())
		m.Deployments = append(m.Deployments, f.short(d))
	}
	for _, i := range f.incidents {
		if s.has(i.Site) {
			m.OpenIncidents = append(m.OpenIncidents, i.Name)
		}
	}
	environments := f.environmentsOf()
	for _, o := range f.overrides {
		if s.covers(o.GetSubject(), environments) {
			subject := o.GetGate()
			if o.GetPolicy() != "" {
				subject = o.GetPolicy()
			}
			m.Overrides = append(m.Overrides, &deploymentv1.MeasuredOverride{
				Override: o.GetName(), Subject: subject, Person: o.GetPerson(), Reason: o.GetReason(), ExpireTime: o.GetExpireTime(),
			})
		}
	}
}

func siteOf(d *deploymentv1.Deployment) store.Site {
	application, _, _ := strings.Cut(d.GetName(), "/deployments/")
	return store.Site{Application: application, Environment: d.GetEnvironment()}
}

// environmentsOf is where deployments go, by name.
func (f *facts) environmentsOf() map[string]string {
	all := make(map[string]string, len(f.deployments))
	for _, d := range f.deployments {
		all[d.GetName()] = d.GetEnvironment()
	}
	return all
}

// covers says whether an override on a subject opens something of the scope. The environment of a deployment that is not among those
// told is not known: it counts, because an override too many can be explained and one too few cannot.
func (s scope) covers(subject string, environments map[string]string) bool {
	if strings.Contains(subject, "/environments/") {
		return s.in(subject)
	}
	application, _, _ := strings.Cut(subject, "/deployments/")
	deployment, _, _ := strings.Cut(subject, "/waves/")
	environment, known := environments[deployment]
	return s.applications[application] && (!known || s.in(environment))
}

func (f *facts) short(d *deploymentv1.Deployment) *deploymentv1.MeasuredDeployment {
	m := &deploymentv1.MeasuredDeployment{
		Deployment: d.GetName(), Release: d.GetRelease(), Environment: d.GetEnvironment(), State: d.GetState().String(),
		CreateTime: d.GetCreateTime(), StartTime: d.GetStartTime(), EndTime: d.GetEndTime(), BlockedBy: d.GetBlockedBy(),
		Targets: d.GetCounts().GetTotal(), Healthy: d.GetCounts().GetHealthy() + d.GetCounts().GetSealed(),
	}
	for _, w := range f.waves[d.GetName()] {
		m.Waves = append(m.Waves, &deploymentv1.MeasuredWave{Wave: w.GetName(), State: w.GetState().String(), StartTime: w.GetStartTime(), EndTime: w.GetEndTime()})
	}
	return m
}
