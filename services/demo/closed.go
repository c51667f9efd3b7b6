package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Seventh ends the story: the last go/no-go on both halves, the scorecard, and the two side by side.
func (d *Demo) Seventh(ctx context.Context) error {
	d.say("A day of it is over. Is the new CRM handed over to those who run it? The approver looks at both halves, and says go.")
	handover, err := d.handover(ctx)
	if err != nil {
		return err
	}
	if err := d.scored(ctx, handover); err != nil {
		return err
	}
	if err := d.compared(ctx); err != nil {
		return err
	}
	if err := d.heard(ctx, d.promised()...); err != nil {
		return err
	}
	d.say("Another system has followed all of it by webhook: every seal and every decision came signed, and its signature was right.")
	return d.paper(ctx, handover)
}

// handover asks whether everything stands, and lets the approver answer.
func (d *Demo) handover(ctx context.Context) (string, error) {
	question := &implementationv1.Decision{DisplayName: "Is the new CRM handed over to operations?", Owner: approver, Technical: []string{Environment}}
	for _, c := range d.cfg.Cohorts {
		question.CohortPlans = append(question.CohortPlans, plan(c.ID))
	}
	asked, err := d.decisions.CreateDecision(ctx, &implementationv1.CreateDecisionRequest{Parent: Implementation, DecisionId: "handover", Decision: question})
	if err != nil {
		return "", err
	}
	person, err := d.approves(ctx)
	if err != nil {
		return "", err
	}
	return asked.GetName(), d.goes(ctx, person, asked.GetName(), "it runs, and people work with it")
}

// scored shows the six measures. Each has a number by now, and has reached what it is to be.
func (d *Demo) scored(ctx context.Context, handover string) error {
	var card *implementationv1.Scorecard
	if err := d.until(ctx, "what version 4 failed to be counted", func() (met bool, err error) {
		card, err = d.scorecards.ComputeScorecard(ctx, &implementationv1.ComputeScorecardRequest{Parent: Implementation})
		return slices.ContainsFunc(card.GetMeasures(), func(m *implementationv1.ScorecardMeasure) bool {
			return m.GetKind() == implementationv1.ScorecardMeasure_PERFORMANCE && m.GetNumerator() < m.GetDenominator()
		}), err
	}); err != nil {
		return err
	}
	d.say("`golive scorecard` sets what the machines did beside what the people did:")
	d.show(ctx, "scorecard", "crm")
	for _, m := range card.GetMeasures() {
		if m.Value == nil || m.GetState() != implementationv1.ScorecardMeasure_MET {
			return fmt.Errorf("%s is %s: %s", m.GetKind(), m.GetState(), m.GetMessage())
		}
	}
	if len(card.GetMeasures()) != 6 || card.GetDecision() != handover || card.GetDecisionState() != implementationv1.Decision_GO {
		return fmt.Errorf("the scorecard has %d measures, and its decision is %s of %s", len(card.GetMeasures()), card.GetDecisionState(), card.GetDecision())
	}
	if !slices.ContainsFunc(card.GetOverrides(), func(o *implementationv1.ScorecardOverride) bool { return o.GetPerson() == approver }) {
		return fmt.Errorf("the scorecard does not tell who broke the freeze: %v", card.GetOverrides())
	}
	return nil
}

// compared shows the two halves side by side.
func (d *Demo) compared(ctx context.Context) error {
	d.say("`golive compare` is the same go-live twice, as a deployment and as an implementation:")
	d.show(ctx, "compare", "crm")
	table, err := d.comparisons.GetComparison(ctx, &implementationv1.GetComparisonRequest{Parent: Implementation})
	if err != nil {
		return err
	}
	if !table.GetDeploymentKnown() || len(table.GetRows()) != 9 {
		return fmt.Errorf("the comparison has %d rows; the machines are known: %t", len(table.GetRows()), table.GetDeploymentKnown())
	}
	for _, row := range table.GetRows() {
		if row.GetDeployment().GetText() == "" || row.GetImplementation().GetText() == "" {
			return fmt.Errorf("nothing is said of %s on one side", row.GetAttribute())
		}
	}
	return nil
}

// promised are the events that a subscriber must have got by the end of the story.
func (d *Demo) promised() (events []string) {
	for _, c := range d.cfg.Cohorts {
		events = append(events, "deployment.wave.sealed "+wave("second", c.ID))
	}
	for _, id := range []string{"second", "third", "handover"} {
		events = append(events, "implementation.decision.decided "+Implementation+"/decisions/"+id)
	}
	return append(events, "deployment.wave.sealed "+wave("fifth", "all"))
}

// paper leaves what a sponsor and an auditor want to read.
func (d *Demo) paper(ctx context.Context, handover string) error {
	card, err := d.scorecards.ComputeScorecardReport(ctx, &implementationv1.ComputeScorecardReportRequest{Parent: Implementation})
	if err != nil {
		return err
	}
	word, err := d.decisions.ComputeDecisionReport(ctx, &implementationv1.ComputeDecisionReportRequest{Name: handover})
	if err != nil {
		return err
	}
	d.say("What was decided, on which evidence, and what came of it is on paper:")
	for _, page := range []struct{ name, html string }{{"decision.html", word.GetHtml()}, {"scorecard.html", card.GetHtml()}} {
		file := filepath.Join(d.cfg.Dir, page.name)
		if err := os.WriteFile(file, []byte(page.html), 0o600); err != nil {
			return err
		}
		d.note("%s", file)
	}
	return nil
}
