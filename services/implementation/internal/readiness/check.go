package readiness

import (
	"fmt"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Check refuses a plan that says one thing twice, or a help desk that ends before it begins.
func Check(plan *implementationv1.CohortPlan) error {
	seen := map[string]bool{}
	for i, c := range plan.GetReadinessPolicy().GetCriteria() {
		if seen[c.GetId()] {
			return fault.Invalid("CRITERION_DUPLICATE", "two criteria have the id %q; give each its own", c.GetId()).
				Field(fmt.Sprintf("cohort_plan.readiness_policy.criteria[%d].id", i), "is there twice")
		}
		seen[c.GetId()] = true
	}
	aspects := map[implementationv1.Impact_Aspect]bool{}
	for i, impact := range plan.GetImpacts() {
		if aspects[impact.GetAspect()] {
			return fault.Invalid("ASPECT_DUPLICATE", "the impact on %s is given twice; give it once", impact.GetAspect()).
				Field(fmt.Sprintf("cohort_plan.impacts[%d].aspect", i), "is there twice")
		}
		aspects[impact.GetAspect()] = true
	}
	desk := plan.GetHelpDesk()
	if desk.GetStartTime() != nil && desk.GetEndTime() != nil && !desk.GetEndTime().AsTime().After(desk.GetStartTime().AsTime()) {
		return fault.Invalid("INVALID_FIELD", "the help desk ends before it begins; correct one of the times").
			Field("cohort_plan.help_desk.end_time", "must be after start_time")
	}
	return nil
}
