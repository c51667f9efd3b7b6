package demo

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"path"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

const (
	survey  = Workspace + "/surveys/pulse"
	feature = Workspace + "/features/orders"
)

// Sixth watches what became of it all: whether people work with the new version, what they say, and what it saves.
func (d *Demo) Sixth(ctx context.Context) error {
	d.say("The stage `monitor` begins: do people work with it, are they content, does it pay?")
	if err := d.begin(ctx, "monitor"); err != nil {
		return err
	}
	for _, part := range []func(context.Context) error{d.used, d.asked, d.saved, d.rated} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// used sends who took an order on which day: on the two days of the rehearsal, and today. Four of five did.
func (d *Demo) used(ctx context.Context) error {
	if _, err := d.features.CreateFeature(ctx, &implementationv1.CreateFeatureRequest{Parent: Workspace, FeatureId: path.Base(feature), Feature: &implementationv1.Feature{
		DisplayName: "Orders", Kind: implementationv1.Feature_NEW, Application: Application,
	}}); err != nil {
		return err
	}
	req := &implementationv1.ReportUsageRequest{Parent: Workspace}
	today := time.Now().UTC()
	var people, active int64
	for _, c := range d.cfg.Cohorts {
		people += int64(c.People)
		active += int64(c.users())
		for i := range c.users() {
			for back := range 3 {
				req.Events = append(req.Events, &implementationv1.UsageEvent{Feature: path.Base(feature), Subject: "people/" + person(c.ID, i), Day: today.AddDate(0, 0, -back).Format(time.DateOnly)})
			}
		}
	}
	taken, err := d.usage.ReportUsage(ctx, req)
	if err != nil {
		return err
	}
	counted, err := d.adoption.GetAdoption(ctx, &implementationv1.GetAdoptionRequest{Parent: Implementation, EndDay: today.Format(time.DateOnly)})
	if err != nil {
		return err
	}
	points := counted.GetTotal().GetPoints()
	if last := points[len(points)-1]; taken.GetRejectedCount() > 0 || last.GetActive() != active || last.GetEligible() != people {
		return fmt.Errorf("%d of %d people use it, and %d of %d are counted; %d events were refused", active, people, last.GetActive(), last.GetEligible(), taken.GetRejectedCount())
	}
	d.note("%-12s %d of %d people have worked with it, on two days of rehearsal and today", "adoption", active, people)
	return nil
}

// users are how many of a cohort take orders with it.
func (c Cohort) users() int { return c.People - c.People/5 }

// asked sends a survey to everybody. Two of three answer, and four of five of them are satisfied.
func (d *Demo) asked(ctx context.Context) error {
	if _, err := d.surveys.CreateSurvey(ctx, &implementationv1.CreateSurveyRequest{Parent: Workspace, SurveyId: path.Base(survey), Survey: &implementationv1.Survey{
		DisplayName: "How is the new CRM?", Owner: "users/lead", Questions: []*implementationv1.Question{{Id: "content", Kind: implementationv1.Question_CSAT, Text: "How satisfied are you with the new CRM?"}},
	}}); err != nil {
		return err
	}
	wave := &implementationv1.SurveyWave{DisplayName: "First day", Delivery: implementationv1.SurveyWave_BY_HAND, BaseUrl: "http://crm.example"}
	for _, c := range d.cfg.Cohorts {
		wave.Cohorts = append(wave.Cohorts, Workspace+"/cohorts/"+c.ID)
	}
	made, err := d.surveyWaves.CreateSurveyWave(ctx, &implementationv1.CreateSurveyWaveRequest{Parent: survey, SurveyWaveId: "first-day", SurveyWave: wave})
	if err != nil {
		return err
	}
	if _, err := d.surveyWaves.OpenSurveyWave(ctx, &implementationv1.OpenSurveyWaveRequest{Name: made.GetName()}); err != nil {
		return err
	}
	answered, content, err := d.answer(ctx, made.GetName())
	if err != nil {
		return err
	}
	if _, err := d.surveyWaves.CloseSurveyWave(ctx, &implementationv1.CloseSurveyWaveRequest{Name: made.GetName()}); err != nil {
		return err
	}
	if _, err := d.surveyWaves.PublishSurveyWave(ctx, &implementationv1.PublishSurveyWaveRequest{Name: made.GetName()}); err != nil {
		return err
	}
	d.note("%-12s %d people have answered, unseen by anybody; %d are satisfied", "satisfaction", answered, content)
	return nil
}

// answer opens the links as people do. Nobody can tell afterwards who said what.
func (d *Demo) answer(ctx context.Context, wave string) (answered, content int, err error) {
	links, err := d.surveyWaves.SendSurveyLinks(ctx, &implementationv1.SendSurveyLinksRequest{Name: wave, HandOver: true})
	if err != nil {
		return 0, 0, err
	}
	rows, err := csv.NewReader(bytes.NewReader(links.GetCsv())).ReadAll()
	if err != nil {
		return 0, 0, err
	}
	for i, row := range rows[1:] {
		if i%3 == 2 {
			continue
		}
		value := int32(5)
		if answered++; answered%5 == 0 {
			value = 2
		} else {
			content++
		}
		if _, err := d.responses.SubmitAnswers(ctx, &implementationv1.SubmitAnswersRequest{Token: path.Base(row[1]), Answers: []*implementationv1.Answer{{Question: "content", Value: &value}}}); err != nil {
			return 0, 0, err
		}
	}
	return answered, content, nil
}

// saved books what the first day has saved. It counts once somebody else has seen that it is so.
func (d *Demo) saved(ctx context.Context) error {
	today := time.Now().UTC().Format(time.DateOnly)
	if _, err := d.budget.CreateBudgetLine(ctx, &implementationv1.CreateBudgetLineRequest{Parent: Implementation, BudgetLineId: "licences", BudgetLine: &implementationv1.BudgetLine{
		DisplayName: "Licences of the old system", Direction: implementationv1.CashDirection_BENEFIT, Owner: "users/lead",
		Amounts: []*implementationv1.PlannedAmount{{Date: today, AmountMinor: 12_000_00}},
	}}); err != nil {
		return err
	}
	claimed, err := d.ledger.CreateLedgerEntry(ctx, &implementationv1.CreateLedgerEntryRequest{Parent: Implementation, LedgerEntryId: "licences", LedgerEntry: &implementationv1.LedgerEntry{
		Direction: implementationv1.CashDirection_BENEFIT, AmountMinor: 12_600_00, Date: today, BudgetLine: Implementation + "/budgetLines/licences", Description: "The old licences were given back", Evidence: "credit note 4711",
	}})
	if err != nil {
		return err
	}
	if _, err := d.ledger.VerifyLedgerEntry(ctx, &implementationv1.VerifyLedgerEntryRequest{Name: claimed.GetName(), Evidence: "I say so"}); err == nil {
		return errors.New("who claims a saving could verify it as well")
	}
	person, err := d.approves(ctx)
	if err != nil {
		return err
	}
	if _, err := person.ledger.VerifyLedgerEntry(ctx, &implementationv1.VerifyLedgerEntryRequest{Name: claimed.GetName(), Evidence: "the credit note is on the account"}); err != nil {
		return err
	}
	d.note("%-12s EUR 12 600 of the 12 000 that were planned by today, verified by another person", "savings")
	return nil
}

// rated lets users rate the release that runs now. No name of them is kept.
func (d *Demo) rated(ctx context.Context) error {
	ratings := []int32{5, 4, 5, 3, 4, 5, 5, 4, 2, 5}
	for i, rating := range ratings {
		if _, err := d.feedback.CreateFeedback(ctx, &deploymentv1.CreateFeedbackRequest{Parent: Application, Feedback: &deploymentv1.Feedback{
			Release: Application + "/releases/" + ReleaseID("5.0.0"), Rating: rating, Cohort: "sales", Author: person("sales", i),
		}}); err != nil {
			return err
		}
	}
	d.note("%-12s %d people of sales have rated the release", "feedback", len(ratings))
	return nil
}
