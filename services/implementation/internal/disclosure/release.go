package disclosure

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Decision is what may be told of a group.
type Decision struct {
	Group

	State     implementationv1.SurveyGroup_State
	Responses int64 // 0 where they are not told
}

// Decide says of which groups the numbers of a wave may be told, given how many
// answered in each cell and of which people numbers were told before.
//
// The groups are looked at in their order, so that what is told does not depend
// on what was answered, other than by how many: everybody comes first, and a site loses before its cohort does.
func Decide(k int64, groups []Group, responses []int64, before []*roaring.Bitmap) []Decision {
	within := NewAudit(k, responses)
	sets := slices.Clone(before)
	for _, g := range groups {
		sets = append(sets, g.People)
	}
	classes, of := Partition(sets)
	across := NewAudit(k, classes)
	for i := range before {
		across.Told(of[i])
	}
	decisions := make([]Decision, len(groups))
	for i, g := range groups {
		decisions[i] = Decision{Group: g}
		var answered int64
		for _, cell := range g.Cells {
			answered += responses[cell]
		}
		d := &decisions[i]
		switch people := of[len(before)+i]; {
		case !g.Whole:
			d.State = implementationv1.SurveyGroup_POOLED
		case answered < k:
			d.State = implementationv1.SurveyGroup_TOO_FEW
		case !across.Allows(people):
			d.State = implementationv1.SurveyGroup_DIFFERENCING
		case !within.Admit(g.Cells):
			d.State = implementationv1.SurveyGroup_COMPLEMENTARY
		default:
			across.Told(people)
			d.State, d.Responses = implementationv1.SurveyGroup_TOLD, answered
		}
	}
	return decisions
}
