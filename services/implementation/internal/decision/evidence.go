package decision

import (
	"slices"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Evidence is what both halves said when they were asked.
type Evidence struct {
	All    []*implementationv1.DecisionEvidence
	Silent []string // What could not be asked, each with why.
}

// Passes says that there is evidence and all of it passes.
func (e Evidence) Passes() bool {
	return len(e.All) > 0 && !slices.ContainsFunc(e.All, func(e *implementationv1.DecisionEvidence) bool { return !opens(e.GetVerdict().GetState()) })
}

// opens says that a state lets go.
func opens(s gatev1.Verdict_State) bool {
	return s == gatev1.Verdict_PASS || s == gatev1.Verdict_WAIVED
}
