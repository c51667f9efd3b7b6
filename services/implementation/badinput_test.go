package implementation_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// TestBadInput: each is refused with its code and reason, says something to a
// person, and changes nothing.
func TestBadInput(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		cohort, training := w.cohort("sales", 2), w.training("basics", 0)
		plan := w.plan("sales", cohort, time.Time{}, training)
		_, err := w.trainings.CreateTraining(t.Context(), &implementationv1.CreateTrainingRequest{Parent: ws, TrainingId: "draft", Training: &implementationv1.Training{}})
		require.NoError(t, err)
		w.verdict(plan)
		before := w.logged()
		for name, c := range badInput(w, cohort, training, plan) {
			t.Run(name, func(t *testing.T) {
				err := c.call(t.Context())
				refused(t, err, c.code, c.reason)
			})
		}
		require.Equal(t, before, w.logged(), "no refusal changed anything")
	})
}

// logged counts the events that a change makes; verdicts follow by themselves.
func (w *world) logged() int {
	w.Helper()
	log, err := w.events.ListEvents(w.Context(), &eventv1.ListEventsRequest{Parent: ws, PageSize: 1000})
	require.NoError(w, err)
	n := 0
	for _, e := range log.GetEvents() {
		if e.GetType() != "implementation.verdict.changed" {
			n++
		}
	}
	return n
}

type badCase struct {
	code   codes.Code
	reason string
	call   func(ctx context.Context) error
}

func badInput(w *world, cohort, training, plan string) map[string]badCase {
	all := map[string]badCase{}
	add := func(name string, code codes.Code, reason string, call func(ctx context.Context) error) {
		all[name] = badCase{code, reason, call}
	}
	badGates(w, training, plan, add)
	badPeople(w, cohort, training, add)
	createCohort := func(id, displayName string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.cohorts.CreateCohort(ctx, &implementationv1.CreateCohortRequest{
				Parent: ws, CohortId: id, Cohort: &implementationv1.Cohort{DisplayName: displayName},
			})
			return err
		}
	}
	add("a cohort that is there", codes.AlreadyExists, "ALREADY_EXISTS", createCohort("sales", ""))
	add("an id with capitals", codes.InvalidArgument, "INVALID_RESOURCE_ID", createCohort("Sales!", ""))
	add("a name that is too long", codes.InvalidArgument, "INVALID_FIELD", createCohort("x", strings.Repeat("x", 201)))
	updateCohort := func(etag string, paths ...string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.cohorts.UpdateCohort(ctx, &implementationv1.UpdateCohortRequest{
				Cohort:     &implementationv1.Cohort{Name: cohort, DisplayName: "new", Etag: etag},
				UpdateMask: &fieldmaskpb.FieldMask{Paths: paths},
			})
			return err
		}
	}
	add("a stale etag", codes.Aborted, "ETAG_MISMATCH", updateCohort(`"stale"`))
	add("a mask of an unknown field", codes.InvalidArgument, "UNKNOWN_FIELD", updateCohort("", "colour"))
	add("a page token of another filter", codes.InvalidArgument, "PAGE_TOKEN_MISMATCH", func(ctx context.Context) error {
		page, err := w.people.ListPeople(ctx, &implementationv1.ListPeopleRequest{Parent: ws, PageSize: 1})
		if err != nil {
			return err
		}
		_, err = w.people.ListPeople(ctx, &implementationv1.ListPeopleRequest{Parent: ws, PageToken: page.GetNextPageToken(), Filter: "ordinal > 0"})
		return err
	})
	add("a plan under no implementation", codes.NotFound, "RESOURCE_NOT_FOUND", func(ctx context.Context) error {
		_, err := w.plans.CreateCohortPlan(ctx, &implementationv1.CreateCohortPlanRequest{
			Parent: ws + "/implementations/none", CohortPlan: &implementationv1.CohortPlan{Cohort: cohort},
		})
		return err
	})
	add("another cohort for a plan", codes.InvalidArgument, "IMMUTABLE_FIELD", func(ctx context.Context) error {
		_, err := w.plans.UpdateCohortPlan(ctx, &implementationv1.UpdateCohortPlanRequest{
			CohortPlan: &implementationv1.CohortPlan{Name: plan, Cohort: ws + "/cohorts/other"},
		})
		return err
	})
	return all
}

func badGates(w *world, training, plan string, add func(string, codes.Code, string, func(context.Context) error)) {
	gate := func(resource string, purpose gatev1.Purpose) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.gates.EvaluateGate(ctx, &gatev1.EvaluateGateRequest{Resource: resource, Purpose: purpose})
			return err
		}
	}
	add("a technical gate", codes.InvalidArgument, "GATE_UNSUPPORTED", gate(plan, gatev1.Purpose_PURPOSE_TECHNICAL))
	add("a gate of another kind", codes.InvalidArgument, "GATE_UNSUPPORTED", gate(ws+"/deployments/d/waves/w", gatev1.Purpose_PURPOSE_READINESS))
	add("a gate of a training", codes.InvalidArgument, "GATE_UNSUPPORTED", gate(training, gatev1.Purpose_PURPOSE_ALL))
	add("a plan that is not there", codes.NotFound, "RESOURCE_NOT_FOUND", gate(ws+"/implementations/crm/cohortPlans/none", gatev1.Purpose_PURPOSE_ALL))
	add("a gate without a name", codes.InvalidArgument, "INVALID_FIELD", gate("", gatev1.Purpose_PURPOSE_ALL))
	add("no such purpose", codes.InvalidArgument, "INVALID_FIELD", gate(plan, 17))
	watch := func(parent string, resources ...string) func(context.Context) error {
		return func(ctx context.Context) error {
			stream, err := w.gates.WatchGates(ctx, &gatev1.WatchGatesRequest{Parent: parent, Resources: resources})
			if err != nil {
				return err
			}
			_, err = stream.Recv()
			return err
		}
	}
	add("watching another workspace", codes.InvalidArgument, "OTHER_WORKSPACE", watch("workspaces/other", plan))
	add("watching nothing", codes.InvalidArgument, "INVALID_FIELD", watch(ws))
	add("watching what is not there", codes.NotFound, "RESOURCE_NOT_FOUND", watch(ws, plan, plan+"x"))
	add("readiness of what is not there", codes.NotFound, "RESOURCE_NOT_FOUND", func(ctx context.Context) error {
		_, err := w.plans.EvaluateReadiness(ctx, &implementationv1.EvaluateReadinessRequest{Name: plan + "x"})
		return err
	})
}

func badPeople(w *world, cohort, training string, add func(string, codes.Code, string, func(context.Context) error)) {
	createPerson := func(id string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.people.CreatePerson(ctx, &implementationv1.CreatePersonRequest{Parent: ws, PersonId: id, Person: &implementationv1.Person{}})
			return err
		}
	}
	add("a person without a pseudonym", codes.InvalidArgument, "REQUIRED_FIELD", createPerson(""))
	add("an address for a pseudonym", codes.InvalidArgument, "INVALID_RESOURCE_ID", createPerson("ann@example.com"))
	record := func(training string, completions ...*implementationv1.Completion) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.enrolments.RecordCompletions(ctx, &implementationv1.RecordCompletionsRequest{Training: training, Completions: completions})
			return err
		}
	}
	good := &implementationv1.Completion{Person: person(0)}
	add("nobody completed", codes.InvalidArgument, "INVALID_FIELD", record(training))
	add("a training that is not there", codes.NotFound, "RESOURCE_NOT_FOUND", record(ws+"/trainings/none", good))
	add("a training that is a draft", codes.FailedPrecondition, "STATE_FORBIDS", record(ws+"/trainings/draft", good))
	add("a person who is not there", codes.InvalidArgument, "PERSON_UNKNOWN", record(training, good, &implementationv1.Completion{Person: ws + "/people/none"}))
	add("a person of another workspace", codes.InvalidArgument, "OTHER_WORKSPACE", record(training, &implementationv1.Completion{Person: "workspaces/other/people/p-000"}))
	add("a person twice", codes.InvalidArgument, "PERSON_DUPLICATE", record(training, good, good))
	add("a completion in the future", codes.InvalidArgument, "TIME_IN_FUTURE",
		record(training, &implementationv1.Completion{Person: person(0), CompleteTime: stampOf(w.clock.now().Add(time.Hour))}))
	add("a score above one", codes.InvalidArgument, "INVALID_FIELD", record(training, &implementationv1.Completion{Person: person(0), Score: new(1.5)}))
	enrol := func(req *implementationv1.EnrolPeopleRequest) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.enrolments.EnrolPeople(ctx, req)
			return err
		}
	}
	add("nobody to enrol", codes.InvalidArgument, "REQUIRED_FIELD", enrol(&implementationv1.EnrolPeopleRequest{Training: training}))
	add("a cohort that is not there", codes.InvalidArgument, "REFERENCE_NOT_FOUND", enrol(&implementationv1.EnrolPeopleRequest{Training: training, Cohort: ws + "/cohorts/none"}))
	add("an unknown person to enrol", codes.InvalidArgument, "PERSON_UNKNOWN", enrol(&implementationv1.EnrolPeopleRequest{Training: training, People: []string{ws + "/people/none"}}))
	imported := func(parent, csv string, columns map[string]string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.memberships.ImportMemberships(ctx, &implementationv1.ImportMembershipsRequest{Parent: parent, Csv: []byte(csv), Columns: columns})
			return err
		}
	}
	add("an empty file", codes.InvalidArgument, "INVALID_FIELD", imported(cohort, "", nil))
	add("a file for no cohort", codes.NotFound, "RESOURCE_NOT_FOUND", imported(ws+"/cohorts/none", "person\n", nil))
	add("a column for no field", codes.InvalidArgument, "UNKNOWN_FIELD", imported(cohort, "person\n", map[string]string{"x": "y"}))
	add("an oversize file", codes.InvalidArgument, "INVALID_FIELD", imported(cohort, strings.Repeat("x", 16<<20+1), nil))
	publish := func(name, etag string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.trainings.PublishTraining(ctx, &implementationv1.PublishTrainingRequest{Name: name, Etag: etag})
			return err
		}
	}
	add("publishing again", codes.FailedPrecondition, "STATE_FORBIDS", publish(training, ""))
	add("publishing with a stale etag", codes.Aborted, "ETAG_MISMATCH", publish(ws+"/trainings/draft", "stale"))
	add("retiring a draft", codes.FailedPrecondition, "STATE_FORBIDS", func(ctx context.Context) error {
		_, err := w.trainings.RetireTraining(ctx, &implementationv1.RetireTrainingRequest{Name: ws + "/trainings/draft"})
		return err
	})
}
