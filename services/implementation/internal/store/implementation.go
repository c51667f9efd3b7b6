package store

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/waiting"
)

// implementationRows is the kind without its hooks, which speak of baselines, whose parent it is.
var implementationRows = resource.Define(resource.Spec[*implementationv1.Implementation]{
	Table: "implementations",
	Columns: []resource.Column[*implementationv1.Implementation]{
		{Field: "display_name"},
		{Field: "owner"},
		{Field: "target_date"},
		{Field: "labels"},
		{Field: "state"},
		{Field: "priority"},
		{Name: "waiting_since", Time: waiting.SinceImplementation, Internal: true},
	},
})

// Implementations is the kind of implementations.
var Implementations = implementationRows.With(resource.Hooks[*implementationv1.Implementation]{
	Default: func(_ context.Context, _ *sqldb.Tx, i *implementationv1.Implementation) error {
		i.State = implementationv1.Implementation_DRAFT
		return nil
	},
	Validate:     validateImplementation,
	BeforeDelete: deleteImplementation,
})

func validateImplementation(ctx context.Context, tx *sqldb.Tx, old, i *implementationv1.Implementation) error {
	if err := ownNames(i); err != nil {
		return err
	}
	if _, err := calendar.New(i.GetCalendar()); err != nil {
		return under("implementation.", err)
	}
	if survey := i.GetScorecardTargets().GetSatisfactionSurvey(); survey != "" { // it may come later than the implementation
		if err := shape(Surveys, i.GetName(), "implementation.scorecard_targets.satisfaction_survey", survey); err != nil {
			return err
		}
	}
	if old.GetCurrency() != "" && old.GetCurrency() != i.GetCurrency() {
		if err := noLedger(ctx, tx, i); err != nil {
			return err
		}
	}
	const field = "implementation.current_baseline"
	if name := i.GetCurrentBaseline(); name != "" && name != old.GetCurrentBaseline() {
		if path.Dir(path.Dir(name)) != i.GetName() {
			return fault.Invalid(ReasonOtherPlan, "%s names %s, which is no baseline of %s; list its baselines", field, quoted(name), i.GetName()).
				Field(field, "must be a baseline of this implementation")
		}
		return reference(ctx, tx, Baselines, i.GetName(), field, name)
	}
	return nil
}

// noLedger keeps the currency once an amount was booked in it.
func noLedger(ctx context.Context, tx *sqldb.Tx, i *implementationv1.Implementation) error {
	err := unused(ctx, tx, i.GetName(), "SELECT name FROM ledger_entries WHERE parent = $1 ORDER BY name LIMIT 1", i.GetName())
	if !fault.Is(err, fault.KindPrecondition) {
		return err
	}
	return fault.Precondition("CURRENCY_IN_USE", "%s has amounts booked in its currency, which stays as it is; make another implementation for another currency", i.GetName()).
		Subject("CURRENCY", i.GetName(), "has entries in its ledger")
}

// deleteImplementation takes baselines, forecasts, proposals, the register of challenges and comments along. What people made below it has to go first.
func deleteImplementation(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Implementation) error {
	for _, table := range []string{"cohort_plans", "tasks", "stages", "stakeholders", "communications", "ledger_entries", "budget_lines", "outcomes", "decisions"} {
		if err := unused(ctx, tx, old.GetName(), "SELECT name FROM "+table+" WHERE parent = $1 ORDER BY name LIMIT 1", old.GetName()); err != nil {
			return err
		}
	}
	for _, statement := range []string{
		"DELETE FROM baseline_plans WHERE name IN (SELECT name FROM baselines WHERE parent = $1)",
		"DELETE FROM comments WHERE subject IN (SELECT name FROM baselines WHERE parent = $1)",
		"DELETE FROM baselines WHERE parent = $1",
		"DELETE FROM comments WHERE subject IN (SELECT name FROM forecasts WHERE parent = $1 UNION ALL SELECT name FROM proposals WHERE parent = $1)",
		"DELETE FROM forecasts WHERE parent = $1",
		"DELETE FROM proposals WHERE parent = $1",
		"DELETE FROM scorecard_snapshots WHERE parent = $1",
	} {
		if _, err := tx.ExecContext(ctx, statement, old.GetName()); err != nil {
			return fmt.Errorf("delete what was computed of %s: %w", old.GetName(), err)
		}
	}
	if err := removeFreezes(ctx, tx, old.GetName()); err != nil {
		return err
	}
	if err := unfollow(ctx, tx, DeploymentsHearer, "implementations", old.GetName()); err != nil {
		return err
	}
	if err := removeDetections(ctx, tx, old.GetName()); err != nil {
		return err
	}
	return removeComments(ctx, tx, old.GetName())
}

// ownNames checks names that the other service keeps: their shape and
// their workspace. Whether they exist is not known here.
func ownNames(i *implementationv1.Implementation) error {
	for n, name := range i.GetApplications() {
		if err := ownName(Workspace(i.GetName()), fmt.Sprintf("implementation.applications[%d]", n), name, "application"); err != nil {
			return err
		}
	}
	for n, name := range i.GetEnvironments() {
		if err := ownName(Workspace(i.GetName()), fmt.Sprintf("implementation.environments[%d]", n), name, "environment"); err != nil {
			return err
		}
	}
	return nil
}

// ownName checks the name of something of a workspace that the other service keeps.
func ownName(workspace, field, name, noun string) error {
	pattern := "workspaces/{workspace}/" + noun + "s/{" + noun + "}"
	if parts := strings.Split(name, "/"); len(parts) != 4 || parts[0] != "workspaces" || parts[2] != noun+"s" || parts[1] == "" || parts[3] == "" {
		return fault.Invalid(resource.ReasonInvalidName, "%s is %s, which names no %s; write %s", field, quoted(name), noun, pattern).
			Field(field, "must match "+pattern)
	}
	if Workspace(name) != workspace {
		return fault.Invalid(ReasonOtherWorkspace, "%s names %s, which is of another workspace; name one of %s", field, quoted(name), workspace).
			Field(field, "is of another workspace")
	}
	return nil
}
