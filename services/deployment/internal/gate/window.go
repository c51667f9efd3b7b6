package gate

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
)

// window opens while the time is inside any of its windows. A window that closes later kills nothing that has started.
func window(ask Question, gate *deploymentv1.WindowGate, now time.Time) (*gatev1.Verdict, error) {
	open, next, err := policy.EvaluateWindows(gate.GetWindows(), now)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(gate.GetWindows()))
	for _, w := range gate.GetWindows() {
		name := w.GetDisplayName()
		if name == "" {
			name = fmt.Sprintf("%s to %s %s", w.GetStart(), w.GetEnd(), w.GetTimeZone())
			if w.GetRecurrence() != "" {
				name += " (" + w.GetRecurrence() + ")"
			}
		}
		names = append(names, name)
	}
	evidence := &gatev1.Evidence{Criterion: "window", State: passIf(open), Resource: ask.Wave.GetName(), Detail: strings.Join(names, ", ")}
	if open {
		return judged(ask.Wave, gatev1.Verdict_WAIT, nil, evidence), nil
	}
	reason := &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_POLICY, Resource: ask.Wave.GetName(), Current: "outside of every window", Required: "inside of " + strings.Join(names, ", "),
		Owner: "time",
	}
	if next.IsZero() {
		reason.Current, reason.Owner = "outside of every window, and none comes again", operators
		return judged(ask.Wave, gatev1.Verdict_FAIL, []*gatev1.BlockedBy{reason}, evidence), nil
	}
	reason.Current += ", until " + next.UTC().Format(time.RFC3339)
	reason.Eta = timestamppb.New(next)
	return judged(ask.Wave, gatev1.Verdict_WAIT, []*gatev1.BlockedBy{reason}, evidence), nil
}
