package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
	"github.com/golive-dev/golive/services/implementation/internal/waits"
)

// technical reads what the deployment service last said of the resources that criteria name.
func (j *judgement) technical(ctx context.Context, q sqldb.Queryer, plans []string) error {
	said := map[string]readiness.Technical{}
	var resources []string
	for _, plan := range plans {
		for _, c := range j.plans[plan].GetReadinessPolicy().GetCriteria() {
			if name := c.GetTechnical().GetResource(); name != "" {
				resources = append(resources, name)
			}
		}
		j.facts[plan].Technical = said
	}
	answers, err := technicalAnswers(ctx, q, resources)
	if err != nil {
		return err
	}
	for _, resource := range resources {
		if a := answers[waits.Question{Resource: resource, Window: waits.DefaultWindow}]; a.Verdict != nil {
			v := a.Verdict
			said[resource] = readiness.Technical{State: v.GetState(), Asked: a.Asked, Reasons: v.GetReasons(), Waiting: v.GetWaitingOn()}
		}
	}
	return nil
}
