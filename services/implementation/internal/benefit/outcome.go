// Package benefit says what an implementation is worth: it sums budget lines and
// the ledger to cash flows, and judges outcomes by their measurements. It is pure; the
// formulas of money are those of package money.
package benefit

import (
	"slices"
	"strconv"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// reasonInvalidField is what package resource says of a field too.
const reasonInvalidField = "INVALID_FIELD"

// maxMeasurements is how many an outcome keeps; the event log has all.
const maxMeasurements = 500

// Measure puts a measurement where its time says.
func Measure(o *implementationv1.Outcome, m *implementationv1.Measurement) {
	at, _ := slices.BinarySearchFunc(o.GetMeasurements(), m, func(one, other *implementationv1.Measurement) int {
		if one.GetTime().AsTime().After(other.GetTime().AsTime()) {
			return 1
		}
		return -1 // the later recorded of two of one moment stands last
	})
	o.Measurements = slices.Insert(o.GetMeasurements(), at, m)
	if extra := len(o.GetMeasurements()) - maxMeasurements; extra > 0 {
		o.Measurements = o.GetMeasurements()[extra:]
	}
	Attain(o)
}

// Attain computes how much of the way from baseline to target the newest measurement is.
func Attain(o *implementationv1.Outcome) {
	o.Attainment = nil
	if n := len(o.GetMeasurements()); n > 0 {
		newest := o.GetMeasurements()[n-1].GetValue()
		o.Attainment = new((newest - o.GetBaselineValue()) / (o.GetTargetValue() - o.GetBaselineValue()))
	}
}

// Decide records a verdict, or refuses it: MET takes a measurement that says so, the others a reason and an owner of what remains.
func Decide(o *implementationv1.Outcome, req *implementationv1.DecideOutcomeRequest) error {
	if req.GetVerdict() == implementationv1.Outcome_MET {
		if o.Attainment == nil || o.GetAttainment() < 1 {
			return fault.Precondition("OUTCOME_NOT_REACHED", "%s has %s, and its target is %v; record a measurement that reaches it, or decide MISSED", o.GetName(), newest(o), o.GetTargetValue()).
				Subject("OUTCOME", o.GetName(), "is not reached")
		}
	} else {
		for field, value := range map[string]string{"reason": req.GetReason(), "remaining_owner": req.GetRemainingOwner()} {
			if value == "" {
				return fault.Invalid(reasonInvalidField, "%s needs a reason and somebody who carries on; say both", req.GetVerdict()).
					Field(field, "is required unless the verdict is MET")
			}
		}
	}
	o.Verdict, o.Reason, o.RemainingOwner = req.GetVerdict(), req.GetReason(), req.GetRemainingOwner()
	return nil
}

func newest(o *implementationv1.Outcome) string {
	n := len(o.GetMeasurements())
	if n == 0 {
		return "no measurement"
	}
	return strconv.FormatFloat(o.GetMeasurements()[n-1].GetValue(), 'g', -1, 64) + " as its newest measurement"
}
