package adoption

import (
	"fmt"
	"math"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Planned is the share that is planned to be active some days after the go-live; false without a curve, and before the go-live.
func Planned(plan *implementationv1.AdoptionPlan, day int) (share float64, ok bool) {
	if day < 0 {
		return 0, false
	}
	switch curve := plan.GetPlannedCurve().GetCurve().(type) {
	case *implementationv1.PlannedCurve_Points:
		return between(curve.Points.GetPoints(), day), true
	case *implementationv1.PlannedCurve_Logistic:
		// ln 81 lies between a tenth and nine tenths: ln(9) on each side of the middle.
		slope := math.Log(81) / curve.Logistic.GetRiseDays()
		return plan.GetTarget() / (1 + math.Exp(-slope*(float64(day)-curve.Logistic.GetMidpointDay()))), true
	default:
		return 0, false
	}
}

// between is the value of straight lines between points, from (0, 0) unless there is a point of day 0, level after the last.
func between(points []*implementationv1.PlannedPoint, day int) float64 {
	fromDay, fromShare := 0.0, 0.0
	at := float64(day)
	for _, p := range points {
		toDay, toShare := float64(p.GetDay()), p.GetShare()
		if at == toDay {
			return toShare
		}
		if at < toDay {
			return fromShare + (toShare-fromShare)*(at-fromDay)/(toDay-fromDay)
		}
		fromDay, fromShare = toDay, toShare
	}
	return fromShare
}

// Check refuses a plan whose parts contradict each other. Field is the path of the plan.
func Check(plan *implementationv1.AdoptionPlan, field string) error {
	window := Window{Days: int(plan.GetWindowDays()), Active: int(plan.GetActiveDays())}
	whole := Window{Days: window.Days}.OrDefault().Days
	if window.Active > whole {
		return fault.Invalid("WINDOW_INVALID", "nobody is active on %d of %d days; lower active_days or raise window_days", window.Active, whole).
			Field(field+".active_days", "is above window_days")
	}
	if s := plan.GetTaskStandard(); int(s.GetDays()) > whole {
		return fault.Invalid("WINDOW_INVALID", "nobody does a task on %d of %d days; lower days or raise window_days", s.GetDays(), whole).
			Field(field+".task_standard.days", "is above window_days")
	}
	if s := plan.GetTaskStandard(); len(s.GetFeatures()) > 0 && int(s.GetTasks()) > len(s.GetFeatures()) {
		return fault.Invalid("TASKS_INVALID", "nobody does %d of %d tasks; lower tasks or name more features", s.GetTasks(), len(s.GetFeatures())).
			Field(field+".task_standard.tasks", "is above the number of features")
	}
	return checkCurve(plan, field)
}

func checkCurve(plan *implementationv1.AdoptionPlan, field string) error {
	switch curve := plan.GetPlannedCurve().GetCurve().(type) {
	case *implementationv1.PlannedCurve_Points:
		points := curve.Points.GetPoints()
		for i := 1; i < len(points); i++ {
			if points[i].GetDay() <= points[i-1].GetDay() {
				return fault.Invalid("CURVE_INVALID", "the planned curve goes back from day %d to day %d; order its points by day, each day once",
					points[i-1].GetDay(), points[i].GetDay()).
					Field(fmt.Sprintf("%s.planned_curve.points.points[%d].day", field, i), "must be after the day before")
			}
		}
	case *implementationv1.PlannedCurve_Logistic:
		if plan.GetTarget() == 0 {
			return fault.Invalid("CURVE_INVALID", "a logistic curve rises to the target, and there is none; set target").
				Field(field+".target", "is needed for a logistic curve")
		}
	}
	return nil
}
