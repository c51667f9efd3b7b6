package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func (d *Demo) seedPeople(ctx context.Context) error {
	if _, err := d.implementations.CreateImplementation(ctx, &implementationv1.CreateImplementationRequest{Parent: Workspace, ImplementationId: "crm", Implementation: &implementationv1.Implementation{
		DisplayName: "New CRM", Goal: "Sales and warehouse work with the new CRM", Scope: "Offers and orders; not the shop", Owner: "users/lead", Sponsor: "users/sponsor",
		Applications: []string{Application}, Environments: []string{Environment}, Currency: "EUR", ScorecardTargets: targets(),
	}}); err != nil {
		return err
	}
	if _, err := d.trainings.CreateTraining(ctx, &implementationv1.CreateTrainingRequest{Parent: Workspace, TrainingId: "crm-basics", Training: &implementationv1.Training{DisplayName: "CRM basics", Owner: "users/trainer"}}); err != nil {
		return err
	}
	if _, err := d.trainings.PublishTraining(ctx, &implementationv1.PublishTrainingRequest{Name: Training}); err != nil {
		return err
	}
	for _, c := range d.cfg.Cohorts {
		if err := d.seedCohort(ctx, c); err != nil {
			return fmt.Errorf("cohort %s: %w", c.ID, err)
		}
	}
	if d.cfg.Unwatched {
		return nil
	}
	return d.seedPlan(ctx)
}

// targets are what the whole change is to reach. Two bad versions on the way are reckoned with.
func targets() *implementationv1.ScorecardTargets {
	return &implementationv1.ScorecardTargets{Uptime: 0.9, Performance: 0.95, Feedback: 0.7, Adoption: 0.8, Savings: 1, Satisfaction: 0.7, SatisfactionSurvey: survey}
}

func (d *Demo) seedCohort(ctx context.Context, c Cohort) error {
	name := Workspace + "/cohorts/" + c.ID
	if _, err := d.cohorts.CreateCohort(ctx, &implementationv1.CreateCohortRequest{Parent: Workspace, CohortId: c.ID, Cohort: &implementationv1.Cohort{DisplayName: c.ID, Owner: "users/lead"}}); err != nil {
		return err
	}
	if c.People == 0 {
		return nil
	}
	var file strings.Builder
	file.WriteString("person\n")
	for i := range c.People {
		fmt.Fprintln(&file, person(c.ID, i))
	}
	if _, err := d.memberships.ImportMemberships(ctx, &implementationv1.ImportMembershipsRequest{Parent: name, Csv: []byte(file.String()), CreatePeople: true}); err != nil {
		return err
	}
	if _, err := d.enrolments.EnrolPeople(ctx, &implementationv1.EnrolPeopleRequest{Training: Training, Cohort: name}); err != nil {
		return err
	}
	if _, err := d.plans.CreateCohortPlan(ctx, &implementationv1.CreateCohortPlanRequest{Parent: Implementation, CohortPlanId: c.ID, CohortPlan: &implementationv1.CohortPlan{
		Cohort: name, Owner: "users/trainer", Adoption: &implementationv1.AdoptionPlan{Target: 0.8, TargetDay: 30},
		ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{{
			Id: "trained", Must: new(true), Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: []string{Training}, Threshold: 0.9}},
		}}},
	}}); err != nil {
		return err
	}
	return d.train(ctx, c.ID, 0, c.Trained)
}

func person(cohort string, i int) string { return fmt.Sprintf("%s-%02d", cohort, i+1) }

// train records that some people of a cohort have completed the training.
func (d *Demo) train(ctx context.Context, cohort string, from, to int) error {
	req := &implementationv1.RecordCompletionsRequest{Training: Training}
	for i := from; i < to; i++ {
		req.Completions = append(req.Completions, &implementationv1.Completion{Person: Workspace + "/people/" + person(cohort, i), CompleteTime: timestamppb.New(time.Now().Add(-time.Minute))})
	}
	_, err := d.enrolments.RecordCompletions(ctx, req)
	return err
}
