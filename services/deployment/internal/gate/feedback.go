package gate

import (
	"context"
	"fmt"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rating"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// DefaultRatings is how many ratings a gate wants where it does not say.
const DefaultRatings = 10

// FeedbackFacts is how the release is rated, and how what the targets come from is.
type FeedbackFacts struct{ Upgraded, Rest rating.Histogram }

func feedback(ctx context.Context, q sqldb.Queryer, ask Question, gate *deploymentv1.FeedbackGate) (*gatev1.Verdict, error) {
	var f FeedbackFacts
	releases := []string{ask.Deployment.GetRelease()}
	if gate.GetMaxDrop() > 0 {
		from, err := store.FromReleases(ctx, q, ask.Deployment.GetName())
		if err != nil {
			return nil, err
		}
		releases = append(releases, from...)
	}
	all, err := store.CountRatings(ctx, q, store.RatingsQuery{Application: applicationOf(ask.Deployment), Releases: releases, Together: true})
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		if r.Release == ask.Deployment.GetRelease() {
			f.Upgraded = r.Counts
		} else {
			f.Rest = f.Rest.Plus(r.Counts)
		}
	}
	return JudgeFeedback(ask, gate, f), nil
}

// JudgeFeedback opens once enough users have rated the release, well enough, and not much lower than the rest rate theirs.
func JudgeFeedback(ask Question, gate *deploymentv1.FeedbackGate, f FeedbackFacts) *gatev1.Verdict {
	release, up := ask.Deployment.GetRelease(), rating.Summarize(f.Upgraded)
	want := int(gate.GetMinRatings())
	if want == 0 {
		want = DefaultRatings
	}
	state := gatev1.Verdict_WAIT
	var reasons []*gatev1.BlockedBy
	hold := func(current, required string) {
		reasons = append(reasons, &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_FEEDBACK, Resource: release, Current: current, Required: required, Owner: "users", Command: "golive feedback summary " + applicationOf(ask.Deployment),
		})
	}
	evidence := []*gatev1.Evidence{counted("ratings", release, int(up.Count), int(up.Count), want)}
	if int(up.Count) < want {
		hold(fmt.Sprintf("%d have rated it", up.Count), fmt.Sprintf("at least %d", want))
	}
	if least := gate.GetMinRating(); least > 0 && up.Count > 0 {
		evidence = append(evidence, &gatev1.Evidence{
			Criterion: "mean", State: passIf(up.Mean >= least), Value: up.Mean, Threshold: least, Denominator: up.Count, Resource: release,
			Detail: fmt.Sprintf("95 %% interval %.2f to %.2f", up.Lower, up.Upper),
		})
		if up.Mean < least {
			hold(fmt.Sprintf("rated %.2f (%.2f to %.2f) by %d", up.Mean, up.Lower, up.Upper, up.Count), fmt.Sprintf("at least %.2f", least))
			if up.Upper < least && int(up.Count) >= want {
				state = gatev1.Verdict_FAIL // more of the same users would not change it
			}
		}
	}
	if drop := gate.GetMaxDrop(); drop > 0 {
		d := rating.Compare(f.Upgraded, f.Rest)
		rest := rating.Summarize(f.Rest)
		met := d.Defined && d.Lower >= -drop
		detail := "too few have rated either to compare them"
		if d.Defined {
			detail = fmt.Sprintf("%+.2f (%+.2f to %+.2f) against %.2f by %d who have what was before", d.Mean, d.Lower, d.Upper, rest.Mean, rest.Count)
		}
		evidence = append(evidence, &gatev1.Evidence{Criterion: "difference", State: passIf(met), Value: d.Mean, Threshold: -drop, Denominator: rest.Count, Resource: release, Detail: detail})
		if !met {
			hold(detail, fmt.Sprintf("surely no more than %.2f lower", drop))
			if d.Defined && d.Upper < -drop && state == gatev1.Verdict_WAIT && int(up.Count) >= want {
				state = gatev1.Verdict_FAIL
			}
			if !d.Defined && len(reasons) == 1 {
				state = gatev1.Verdict_UNDECIDED
			}
		}
	}
	return judged(ask.Wave, state, reasons, evidence...)
}
