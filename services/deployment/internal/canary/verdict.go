package canary

import (
	"fmt"
	"math"
	"strings"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// Verdict is what the metrics of a wave say together: one FAIL is FAIL, PASS takes every critical one,
// and all else is UNDECIDED. Its reasons are the metrics in the way. Informational ones have no say.
func Verdict(wave string, metrics []*deploymentv1.Analysis) *gatev1.Verdict {
	v := &gatev1.Verdict{Resource: wave, State: gatev1.Verdict_PASS}
	for _, a := range metrics {
		if until := a.GetAnalyzedUntil(); until.AsTime().After(v.GetEvaluatedAt().AsTime()) {
			v.EvaluatedAt = until
		}
		v.Evidence = append(v.Evidence, evidence(a))
		if a.GetRule().GetInformational() || a.GetState() == gatev1.Verdict_PASS {
			continue
		}
		if v.GetState() != gatev1.Verdict_FAIL {
			v.State = a.GetState()
		}
		v.Reasons = append(v.Reasons, reason(wave, a))
		v.WaitingOn = append(v.WaitingOn, a.GetName())
	}
	return v
}

// evidence is what a metric was judged by.
func evidence(a *deploymentv1.Analysis) *gatev1.Evidence {
	_, pass := margins(a.GetRule())
	return &gatev1.Evidence{
		Criterion: a.GetRule().GetId(), State: a.GetState(), Value: a.GetCanaryShare(), Numerator: a.GetStatistics().GetCanaryBad(), Denominator: a.GetCanaryTotal(),
		Threshold: (1+pass)*a.GetBaselineShare() + a.GetRule().GetAbsoluteMargin(), AsOf: a.GetAnalyzedUntil(), Resource: a.GetName(), Detail: a.GetReason(),
	}
}

// reason says what keeps a metric from passing, with the numbers.
func reason(wave string, a *deploymentv1.Analysis) *gatev1.BlockedBy {
	_, pass := margins(a.GetRule())
	required := fmt.Sprintf("%s at most %s worse than the baseline", a.GetRule().GetId(), percent(pass))
	if absolute := a.GetRule().GetAbsoluteMargin(); absolute > 0 {
		required += fmt.Sprintf(" and %s", points(absolute))
	}
	return &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_ANALYSIS, Resource: a.GetName(), Current: a.GetReason(), Required: required,
		Owner: "time", Command: "golive analysis " + wave,
	}
}

// sentence says what was found and how sure that is.
func sentence(a *deploymentv1.Analysis, skipped string) string {
	s, id := a.GetStatistics(), a.GetRule().GetId()
	var b strings.Builder
	if s.GetN() == 0 {
		fmt.Fprintf(&b, "%s: no interval counts yet", id)
	} else {
		fmt.Fprintf(&b, "%s %s against %s of the baseline in %d intervals (%d and %d events); ", id, percent(a.GetCanaryShare()), percent(a.GetBaselineShare()),
			s.GetN(), a.GetCanaryTotal(), a.GetBaselineTotal())
		b.WriteString(finding(a))
	}
	if skipped != "" {
		fmt.Fprintf(&b, "; the last interval does not count: %s", skipped)
	}
	return b.String()
}

// finding is the verdict in words, with its bound and what of α it stands on.
func finding(a *deploymentv1.Analysis) string {
	fail, pass := margins(a.GetRule())
	alpha := fmt.Sprintf("α %.2g", a.GetAlpha())
	switch {
	case a.GetState() == gatev1.Verdict_FAIL && a.GetLower() > 0 && a.GetStatistics().GetN() >= leastIntervals:
		return fmt.Sprintf("worse by %s than the margin of %s allows, at least by %s (%s)", points(a.GetEstimate()), percent(fail), points(a.GetLower()), alpha)
	case a.GetState() == gatev1.Verdict_FAIL:
		return fmt.Sprintf("worse than the margin of %s allows, at odds of 10^%.0f to 1 (%s)", percent(fail), math.Floor(logEvidence(a.GetStatistics())/math.Ln10), alpha)
	case a.GetState() == gatev1.Verdict_PASS:
		return fmt.Sprintf("within the margin of %s, with %s to spare (%s)", percent(pass), points(max(-a.GetUpper(), 0)), alpha)
	case a.GetStatistics().GetN() < leastIntervals:
		return fmt.Sprintf("too early, %d intervals are needed (%s)", leastIntervals, alpha)
	case a.GetStatistics().GetPooledBad() == 0 && a.GetRule().GetAbsoluteMargin() == 0:
		return fmt.Sprintf("nothing bad on either side, and without an absolute_margin no number of events is enough to pass (%s)", alpha)
	case a.GetUpper() < 0:
		return fmt.Sprintf("too few events to pass: neither %d bad ones nor enough for them to have shown (%s)", leastErrors, alpha)
	default:
		return fmt.Sprintf("between %s and %s from the margins of %s and %s, not decided (%s)", points(a.GetLower()), points(a.GetUpper()), percent(fail), percent(pass), alpha)
	}
}

func percent(share float64) string { return fmt.Sprintf("%.3g %%", share*100) }

func points(difference float64) string { return fmt.Sprintf("%.3g points", difference*100) }
