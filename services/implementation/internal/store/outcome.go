package store

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/benefit"
	"github.com/golive-dev/golive/services/implementation/internal/waiting"
)

// Outcomes is the kind of outcomes.
var Outcomes = resource.Define(resource.Spec[*implementationv1.Outcome]{
	Table: "outcomes",
	Columns: []resource.Column[*implementationv1.Outcome]{
		{Field: "display_name"},
		{Field: "verdict"},
		{Field: "due_time"},
		{Field: "owner"},
		{Field: "labels"},
		{Name: "waiting_since", Time: waiting.SinceOutcome, Internal: true},
	},
	Parent: Implementations.RequiredLater,
	Hooks: resource.Hooks[*implementationv1.Outcome]{
		Validate: func(_ context.Context, _ *sqldb.Tx, _, o *implementationv1.Outcome) error {
			if o.GetTargetValue() == o.GetBaselineValue() {
				return fault.Invalid(resource.ReasonInvalidField, "the target is the baseline, %v; say what shall change", o.GetTargetValue()).
					Field("outcome.target_value", "must not be the baseline value")
			}
			benefit.Attain(o)
			return nil
		},
		BeforeDelete: takingComments[*implementationv1.Outcome](nil),
	},
})

// RecordOutcome adds a measurement.
func (s *Store) RecordOutcome(ctx context.Context, req *implementationv1.RecordOutcomeRequest) (*implementationv1.Outcome, error) {
	return move(ctx, s, Outcomes, req, "recorded", func(_ context.Context, _ *sqldb.Tx, o *implementationv1.Outcome) error {
		m := req.GetMeasurement()
		if m.GetTime() == nil {
			m.Time = timestamppb.New(s.Now())
		}
		if at := m.GetTime().AsTime(); at.After(s.Now()) {
			return fault.Invalid("TIME_IN_FUTURE", "the measurement is of %s, which lies ahead; correct its time", at.Format(time.RFC3339)).
				Field("measurement.time", "must not be in the future")
		}
		benefit.Measure(o, m)
		return nil
	})
}

// DecideOutcome records the verdict of a person.
func (s *Store) DecideOutcome(ctx context.Context, req *implementationv1.DecideOutcomeRequest) (*implementationv1.Outcome, error) {
	return move(ctx, s, Outcomes, req, "decided", func(ctx context.Context, _ *sqldb.Tx, o *implementationv1.Outcome) error {
		if err := benefit.Decide(o, req); err != nil {
			return err
		}
		o.DecidedBy, o.DecideTime = actor(ctx), timestamppb.New(s.Now())
		return nil
	})
}
