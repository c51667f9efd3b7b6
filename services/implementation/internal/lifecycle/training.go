// Package lifecycle holds the state machines of the implementation service as
// tables: legal sources, one destination. What is not in a table is refused.
package lifecycle

import (
	"path"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// ReasonStateForbids is the reason of every refusal in this package.
const ReasonStateForbids = "STATE_FORBIDS"

// TrainingEvent is what can happen to a training. Its value is the past
// participle that the event log says.
type TrainingEvent string

// The events of a training.
//
//	DRAFT ──published──▶ PUBLISHED ──retired──▶ RETIRED
const (
	Published TrainingEvent = "published"
	Retired   TrainingEvent = "retired"
)

func trainingRules() map[TrainingEvent]transition[implementationv1.Training_State] {
	return map[TrainingEvent]transition[implementationv1.Training_State]{
		Published: {from: []implementationv1.Training_State{implementationv1.Training_DRAFT}, to: implementationv1.Training_PUBLISHED},
		Retired:   {from: []implementationv1.Training_State{implementationv1.Training_PUBLISHED}, to: implementationv1.Training_RETIRED},
	}
}

// Apply moves the training, or refuses with STATE_FORBIDS.
func (e TrainingEvent) Apply(t *implementationv1.Training) error {
	rule := trainingRules()[e]
	if err := allow(subject{"training", t.GetName()}, t.GetState(), string(e), rule); err != nil {
		return err
	}
	t.State = rule.to
	return nil
}

// Open refuses with STATE_FORBIDS unless people can be enrolled and complete the training.
func Open(t *implementationv1.Training) error {
	switch t.GetState() {
	case implementationv1.Training_PUBLISHED:
		return nil
	case implementationv1.Training_DRAFT:
		return forbidden(t, "publish it first: golive train publish "+path.Base(t.GetName()))
	default:
		return forbidden(t, "it is no longer given")
	}
}

// Deletable refuses with STATE_FORBIDS unless the training is a draft.
func Deletable(t *implementationv1.Training) error {
	if t.GetState() != implementationv1.Training_DRAFT {
		return forbidden(t, "only a DRAFT can be deleted; retire it instead")
	}
	return nil
}

func forbidden(t *implementationv1.Training, what string) error {
	return fault.Precondition(ReasonStateForbids, "training %s is %s; %s", t.GetName(), t.GetState(), what).
		Subject("STATE", t.GetName(), "is "+t.GetState().String())
}
