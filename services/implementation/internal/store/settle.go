package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

// settlement is one run of the detectors, in its transaction.
type settlement struct {
	*Store

	implementation string
	standings      map[standingKey]detect.Standing
	register       *register
	answer         *implementationv1.RunDetectorsResponse
}

// conclude moves the standings by what was found, and writes signals and suggestions. Doing it again for the same week changes nothing.
func (s *Store) conclude(ctx context.Context, tx *sqldb.Tx, facts *detect.Facts, reports []detect.Report) (*implementationv1.RunDetectorsResponse, error) {
	if err := Implementations.Required(ctx, tx, facts.Implementation); err != nil {
		return nil, err
	}
	if err := s.lockDetection(ctx, tx, facts.Implementation); err != nil {
		return nil, err
	}
	run := &settlement{Store: s, implementation: facts.Implementation, answer: &implementationv1.RunDetectorsResponse{Week: facts.Week.String()}}
	var err error
	if run.standings, err = standings(ctx, tx, facts.Implementation); err != nil {
		return nil, err
	}
	if run.register, err = openRegister(ctx, tx, facts.Implementation); err != nil {
		return nil, err
	}
	for _, report := range reports {
		out, err := run.report(ctx, tx, report, facts)
		if err != nil {
			return nil, err
		}
		run.answer.Rules = append(run.answer.Rules, out)
	}
	return run.answer, run.linkSignals(ctx, tx)
}

func (r *settlement) report(ctx context.Context, tx *sqldb.Tx, report detect.Report, facts *detect.Facts) (*implementationv1.RuleReport, error) {
	out := &implementationv1.RuleReport{
		Rule: string(report.Rule.ID), DisplayName: report.Rule.Title, Class: report.Rule.Class,
		Disabled: report.Settings.Disabled, Thresholds: report.Settings.Thresholds,
	}
	for _, f := range report.Findings {
		outcome := &implementationv1.RuleOutcome{
			Subject: f.Subject, Aspect: f.Aspect, Period: f.Window.Name, Status: f.Status, Arithmetic: f.Text, Numbers: f.Numbers, Measure: f.Measure,
		}
		if f.Decides() {
			outcome.Signal = signalName(r.implementation, f) // removed again below where there is none
		}
		out.Outcomes = append(out.Outcomes, outcome)
		if err := r.decide(ctx, tx, report.Rule, f); err != nil {
			return nil, err
		}
	}
	if _, missing := facts.Missing[report.Rule.ID]; missing || report.Settings.Disabled {
		return out, nil
	}
	return out, r.forgotten(ctx, tx, report, facts.Week)
}

// decide moves one standing, unless the window was decided before.
func (r *settlement) decide(ctx context.Context, tx *sqldb.Tx, rule detect.Rule, f detect.Finding) error {
	key := keyOf(f)
	standing := r.standings[key]
	if !f.Decides() || standing.Decided(f.Window) {
		return nil
	}
	next, phase := standing.Next(f.Window, f.Status == implementationv1.RuleOutcome_HOLDS)
	r.standings[key] = next
	if err := saveStanding(ctx, tx, r.implementation, key, next); err != nil {
		return err
	}
	if phase == implementationv1.Signal_PHASE_UNSPECIFIED {
		return nil
	}
	signal := newSignal(r.implementation, rule, f, phase)
	if err := Signals.Insert(ctx, tx, r.Store.Store, signal, resource.Meta{}); err != nil {
		return err
	}
	switch phase {
	case implementationv1.Signal_ENTERED, implementationv1.Signal_CONTINUED:
		return r.speak(ctx, tx, rule, signal)
	case implementationv1.Signal_LEFT:
		return r.propose(ctx, tx, signal)
	default:
		return nil
	}
}

// forgotten lets a rule not hold of what it no longer looks at: a task that was done, a cohort that
// is no longer in the plan. Rules about surveys wait for their next wave instead.
func (r *settlement) forgotten(ctx context.Context, tx *sqldb.Tx, report detect.Report, week detect.Week) error {
	seen := make(map[standingKey]bool, len(report.Findings))
	for _, f := range report.Findings {
		seen[keyOf(f)] = true
	}
	for key, standing := range r.standings {
		if _, err := detect.ParseWeek(standing.Window); err != nil || key.rule != report.Rule.ID || seen[key] || !standing.Active {
			continue
		}
		f := detect.Finding{
			Rule: key.rule, Subject: key.subject, Aspect: key.aspect, Window: week.Window(), Status: implementationv1.RuleOutcome_CLEAR,
			Text: "there is nothing of it left to look at", Remedy: report.Rule.Remedy,
		}
		if err := r.decide(ctx, tx, report.Rule, f); err != nil {
			return err
		}
	}
	return nil
}

// linkSignals keeps the names of signals that there are.
func (r *settlement) linkSignals(ctx context.Context, tx *sqldb.Tx) error {
	var names []string
	for _, rule := range r.answer.GetRules() {
		for _, outcome := range rule.GetOutcomes() {
			if outcome.GetSignal() != "" {
				names = append(names, outcome.GetSignal())
			}
		}
	}
	there, err := existing(ctx, tx, "signals", names)
	if err != nil {
		return err
	}
	for _, rule := range r.answer.GetRules() {
		for _, outcome := range rule.GetOutcomes() {
			if !there[outcome.GetSignal()] {
				outcome.Signal = ""
			}
		}
	}
	return nil
}
