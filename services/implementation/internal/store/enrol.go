package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// The reasons of faults about people and when they did something.
const (
	ReasonPersonUnknown = "PERSON_UNKNOWN"
	ReasonInFuture      = "TIME_IN_FUTURE"
)

// lockOpen keeps others from the training's enrolments and refuses one that is not given.
func lockOpen(ctx context.Context, tx *sqldb.Tx, name string) (*implementationv1.Training, error) {
	if _, err := Trainings.Parse(name); err != nil {
		return nil, err
	}
	training, err := Trainings.Lock(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	return training, lifecycle.Open(training)
}

// Enrol assigns people, and the members of a cohort today, to a training.
func (s *Store) Enrol(ctx context.Context, req *implementationv1.EnrolPeopleRequest) (*implementationv1.EnrolPeopleResponse, error) {
	if len(req.GetPeople()) == 0 && req.GetCohort() == "" {
		return nil, fault.Invalid(resource.ReasonRequired, "nobody is named; name people or a cohort").
			Field("people", "or cohort is required")
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.EnrolPeopleResponse, error) {
		training, err := lockOpen(ctx, tx, req.GetTraining())
		if err != nil {
			return nil, err
		}
		people, err := s.whom(ctx, tx, req)
		if err != nil {
			return nil, err
		}
		now := s.Now()
		changed, err := s.advance(ctx, tx, training, people, func(e lifecycle.Enrolment, _ int) (lifecycle.Enrolment, bool) {
			return e.Assign(now, moment(req.GetDueTime()))
		})
		if err != nil {
			return nil, err
		}
		answer := &implementationv1.EnrolPeopleResponse{
			CreatedCount:   count(changed),
			UnchangedCount: count(len(people) - changed),
		}
		return answer, s.tellBatch(ctx, tx, training, "assigned", changed, answer)
	})
}

// whom are the people named, and the members of the cohort named.
func (s *Store) whom(ctx context.Context, tx *sqldb.Tx, req *implementationv1.EnrolPeopleRequest) ([]string, error) {
	people := slices.Clone(req.GetPeople())
	if err := known(ctx, tx, req.GetTraining(), people, "people[%d]"); err != nil {
		return nil, err
	}
	if req.GetCohort() == "" {
		return people, nil
	}
	if err := reference(ctx, tx, Cohorts, req.GetTraining(), "cohort", req.GetCohort()); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT m.person FROM memberships m WHERE m.parent = $1 AND "+effective("$2")+" ORDER BY m.person",
		req.GetCohort(), s.Now().UnixMicro())
	members, err := sqldb.Collect(rows, err, scanText)
	if err != nil {
		return nil, fmt.Errorf("members of %s: %w", req.GetCohort(), err)
	}
	people = append(people, members...)
	slices.Sort(people)
	return slices.Compact(people), nil
}

// RecordCompletions records who has completed a training: all of them or none.
func (s *Store) RecordCompletions(ctx context.Context, req *implementationv1.RecordCompletionsRequest) (*implementationv1.ImportResult, error) {
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ImportResult, error) {
		training, err := lockOpen(ctx, tx, req.GetTraining())
		if err != nil {
			return nil, err
		}
		now := s.Now()
		people := make([]string, len(req.GetCompletions()))
		all := make([]sheet.Completion, len(people))
		seen := make(map[string]bool, len(people))
		for i, c := range req.GetCompletions() {
			people[i] = c.GetPerson()
			at, ok := sheet.NotInFuture(moment(c.GetCompleteTime()).Truncate(time.Microsecond), now, false)
			if !ok {
				return nil, fault.Invalid(ReasonInFuture, "completions[%d] lies in the future; record it when it has happened", i).
					Field(fmt.Sprintf("completions[%d].complete_time", i), "lies in the future")
			}
			if seen[c.GetPerson()] {
				return nil, fault.Invalid("PERSON_DUPLICATE", "completions[%d] names a person again; send one completion each", i).
					Field(fmt.Sprintf("completions[%d].person", i), "is there twice")
			}
			seen[c.GetPerson()] = true
			all[i] = sheet.Completion{Time: at, Score: c.Score}
		}
		if err := known(ctx, tx, req.GetTraining(), people, "completions[%d].person"); err != nil {
			return nil, err
		}
		return s.complete(ctx, tx, training, people, all)
	})
}

func (s *Store) complete(ctx context.Context, tx *sqldb.Tx, training *implementationv1.Training, people []string, all []sheet.Completion) (*implementationv1.ImportResult, error) {
	now, terms := s.Now(), lifecycle.TermsOf(training)
	changed, err := s.advance(ctx, tx, training, people, func(e lifecycle.Enrolment, i int) (lifecycle.Enrolment, bool) {
		return e.Complete(now, all[i].Time, terms, all[i].Score)
	})
	if err != nil {
		return nil, err
	}
	result := &implementationv1.ImportResult{
		RowCount:       count(len(people)),
		CreatedCount:   count(changed),
		UnchangedCount: count(len(people) - changed),
	}
	return result, s.tellBatch(ctx, tx, training, "recorded", changed, result)
}

// advance takes every person through step and stores what changed; it says how many did.
func (s *Store) advance(ctx context.Context, tx *sqldb.Tx, training *implementationv1.Training, people []string,
	step func(e lifecycle.Enrolment, i int) (lifecycle.Enrolment, bool),
) (int, error) {
	before, err := enrolments(ctx, tx, training.GetName(), people)
	if err != nil {
		return 0, err
	}
	now := s.Now()
	changed := make([]enrolment, 0, len(people))
	for i, person := range people {
		e := before[person]
		next, moved := step(e.Enrolment, i)
		if !moved {
			continue
		}
		changed = append(changed, enrolment{
			Enrolment: next, training: training.GetName(), person: person, updated: now, revision: e.revision + 1,
		})
	}
	return len(changed), saveEnrolments(ctx, tx, changed)
}

// tellBatch appends one event for all the enrolments that changed: counts, and nobody's name.
func (s *Store) tellBatch(ctx context.Context, tx *sqldb.Tx, training *implementationv1.Training, verb string, changed int, counts proto.Message) error {
	if changed == 0 {
		return nil
	}
	return s.tell(ctx, tx, feed.Record{
		Resource: training.GetName() + "/enrolments",
		Type:     "implementation.enrolment." + verb,
		After:    counts,
	})
}

// known refuses people who do not exist, each by the path of the field that names them.
func known(ctx context.Context, tx *sqldb.Tx, owner string, people []string, path string) error {
	for i, person := range people {
		if err := shape(People, owner, fmt.Sprintf(path, i), person); err != nil {
			return err
		}
	}
	found, err := existing(ctx, tx, "people", people)
	if err != nil {
		return err
	}
	const told = 20 // of what may be thousands
	var unknown *fault.Error
	for i, person := range people {
		if found[person] {
			continue
		}
		if unknown == nil {
			unknown = fault.Invalid(ReasonPersonUnknown, "%s is not known; create the person first or correct the name", person)
		}
		if len(unknown.Fields()) < told {
			unknown = unknown.Field(fmt.Sprintf(path, i), "is not known")
		}
	}
	if unknown != nil {
		return unknown
	}
	return nil
}

// count is a number of rows, which a request of bounded size keeps small.
func count(n int) int32 { return int32(n) } //nolint:gosec // bounded by the size of a request
