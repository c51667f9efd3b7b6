package store

import (
	"context"
	"fmt"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// The reasons of faults about what a plan is made of.
const (
	ReasonAbsenceInvalid  = "ABSENCE_INVALID"
	ReasonCapacityInvalid = "CAPACITY_INVALID"
)

// Resources is the kind of resources: who and what works on tasks.
var Resources = resource.Define(resource.Spec[*implementationv1.Resource]{
	Table: "resources",
	Columns: []resource.Column[*implementationv1.Resource]{
		{Field: "display_name"}, {Field: "kind"}, {Field: "principal"}, {Field: "labels"},
	},
	Hooks: resource.Hooks[*implementationv1.Resource]{
		Validate: func(_ context.Context, _ *sqldb.Tx, _, r *implementationv1.Resource) error { return possible(r) },
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Resource) error {
			err := unused(ctx, tx, old.GetName(), "SELECT task FROM task_assignments WHERE resource = $1 ORDER BY task LIMIT 1", old.GetName())
			if err != nil {
				return err
			}
			return removeComments(ctx, tx, old.GetName())
		},
	},
})

// possible refuses a resource that never works, or is away before it leaves.
func possible(r *implementationv1.Resource) error {
	if r.GetKind() == implementationv1.Resource_PERSON && r.GetCapacity() > 1 {
		return fault.Invalid(ReasonCapacityInvalid, "a PERSON has a capacity of at most 1; make it a ROLE where several stand in for each other").
			Field("resource.capacity", "must not be above 1 for a PERSON")
	}
	for i, a := range r.GetAbsences() {
		if field := fmt.Sprintf("resource.absences[%d].end_time", i); !a.GetEndTime().AsTime().After(a.GetStartTime().AsTime()) {
			return fault.Invalid(ReasonAbsenceInvalid, "%s is not after its start_time; correct one of them", field).
				Field(field, "must be after start_time")
		}
	}
	return workable(r)
}

// workable builds the calendar of a resource, which refuses one on which nobody ever works.
func workable(r *implementationv1.Resource) error {
	own, err := calendar.New(r.GetCalendar())
	if err != nil {
		return under("resource.", err)
	}
	if r.GetKind() == implementationv1.Resource_PERSON {
		_, err = own.Without(away(r)...)
	}
	return at("resource.absences", err)
}

// away are the absences of a resource.
func away(r *implementationv1.Resource) []calendar.Span {
	spans := make([]calendar.Span, len(r.GetAbsences()))
	for i, a := range r.GetAbsences() {
		spans[i] = calendar.Span{Start: a.GetStartTime().AsTime(), End: a.GetEndTime().AsTime()}
	}
	return spans
}

// under puts what a fault says about fields below another one, which the prefix ends in.
func under(prefix string, err error) error {
	f := fault.From(err)
	if f == nil || f.Kind() != fault.KindInvalid {
		return err
	}
	moved := fault.Invalid(f.Reason(), "%s", f.Message())
	for _, field := range f.Fields() {
		moved = moved.Field(prefix+field.GetField(), field.GetDescription())
	}
	return moved
}

// at says which field a fault is about.
func at(field string, err error) error {
	if err == nil {
		return nil
	}
	f := fault.From(err)
	return f.Field(field, f.Message())
}
