package store

import (
	"context"
	"fmt"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// RecordAssessments records scores: all of them or none.
func (s *Store) RecordAssessments(ctx context.Context, req *implementationv1.RecordAssessmentsRequest) (*implementationv1.RecordAssessmentsResponse, error) {
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.RecordAssessmentsResponse, error) {
		training, err := lockOpen(ctx, tx, req.GetTraining())
		if err != nil {
			return nil, err
		}
		people, times, err := assessed(req, s.Now())
		if err != nil {
			return nil, err
		}
		if err := known(ctx, tx, req.GetTraining(), people, "assessments[%d].person"); err != nil {
			return nil, err
		}
		now, terms := s.Now(), lifecycle.TermsOf(training)
		answer := &implementationv1.RecordAssessmentsResponse{}
		var refused error
		changed, err := s.advance(ctx, tx, training, people, func(e lifecycle.Enrolment, i int) (lifecycle.Enrolment, bool) {
			next, moved, err := e.Assess(now, times[i], terms, req.GetAssessments()[i].GetScore())
			switch {
			case err != nil && refused == nil:
				refused = fault.Precondition(lifecycle.ReasonStateForbids, "assessments[%d], of %s, cannot be recorded; %v", i, people[i], err).
					Field(fmt.Sprintf("assessments[%d]", i), "cannot be recorded")
			case next.State == implementationv1.Enrolment_FAILED:
				answer.FailedCount++
			default:
				answer.PassedCount++
			}
			return next, moved
		})
		if err == nil {
			err = refused
		}
		if err != nil {
			return nil, err
		}
		answer.UnchangedCount = count(len(people) - changed)
		return answer, s.tellBatch(ctx, tx, training, "assessed", changed, answer)
	})
}

// assessed checks what the assessments say for themselves.
func assessed(req *implementationv1.RecordAssessmentsRequest, now time.Time) (people []string, times []time.Time, err error) {
	seen := make(map[string]bool, len(req.GetAssessments()))
	for i, a := range req.GetAssessments() {
		at, ok := sheet.NotInFuture(moment(a.GetAssessTime()).Truncate(time.Microsecond), now, false)
		if !ok {
			return nil, nil, fault.Invalid(ReasonInFuture, "assessments[%d] lies in the future; record it when it has happened", i).
				Field(fmt.Sprintf("assessments[%d].assess_time", i), "lies in the future")
		}
		if seen[a.GetPerson()] {
			return nil, nil, fault.Invalid("PERSON_DUPLICATE", "assessments[%d] names a person again; send one assessment each", i).
				Field(fmt.Sprintf("assessments[%d].person", i), "is there twice")
		}
		seen[a.GetPerson()] = true
		people, times = append(people, a.GetPerson()), append(times, at)
	}
	return people, times, nil
}
