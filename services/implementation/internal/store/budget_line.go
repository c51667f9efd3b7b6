package store

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// BudgetLines is the kind of budget lines.
var BudgetLines = resource.Define(resource.Spec[*implementationv1.BudgetLine]{
	Table: "budget_lines",
	Columns: []resource.Column[*implementationv1.BudgetLine]{
		{Field: "display_name"}, {Field: "direction"}, {Field: "category"}, {Field: "labels"},
	},
	Parent: Implementations.RequiredLater,
	Hooks: resource.Hooks[*implementationv1.BudgetLine]{
		Default: func(ctx context.Context, tx *sqldb.Tx, line *implementationv1.BudgetLine) (err error) {
			line.Currency, err = ownCurrency(ctx, tx, parent(line.GetName()), "budget_line.currency", line.GetCurrency())
			return err
		},
		Validate: func(_ context.Context, _ *sqldb.Tx, _, line *implementationv1.BudgetLine) error { return addUp(line) },
		BeforeDelete: takingComments(func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.BudgetLine) error {
			return unused(ctx, tx, old.GetName(),
				"SELECT name FROM ledger_entries WHERE budget_line = $1 ORDER BY name LIMIT 1", old.GetName())
		}),
	},
})

// addUp checks the dates of a line and sums it.
func addUp(line *implementationv1.BudgetLine) error {
	total := new(big.Int)
	for i, amount := range line.GetAmounts() {
		if _, err := day(fmt.Sprintf("budget_line.amounts[%d].date", i), amount.GetDate()); err != nil {
			return err
		}
		total.Add(total, big.NewInt(amount.GetAmountMinor()))
	}
	if !total.IsInt64() {
		return fault.Invalid(resource.ReasonInvalidField, "the amounts of the budget line add up to more than can be kept; split the line").
			Field("budget_line.amounts", "add up to more than 9.2e18 minor units")
	}
	line.TotalMinor = total.Int64()
	return nil
}

// ownCurrency is the one currency of an implementation. What names another one is refused.
func ownCurrency(ctx context.Context, tx *sqldb.Tx, implementation, field, given string) (string, error) {
	i, err := Implementations.Load(ctx, tx, implementation)
	if err != nil {
		return "", err
	}
	own := i.GetCurrency()
	switch {
	case own == "":
		return "", fault.Precondition("CURRENCY_MISSING", "%s has no currency; set it first: golive api PATCH /v1/%s -d '{\"currency\": \"EUR\"}'", implementation, implementation).
			Subject("CURRENCY", implementation, "is not set")
	case given != "" && given != own:
		return "", fault.Invalid("CURRENCY_MISMATCH", "%s counts in %s, not in %s; convert the amount and say so in its description", implementation, own, given).
			Field(field, "must be "+own)
	}
	return own, nil
}

// day reads a date of a field.
func day(field, date string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return t, fault.Invalid(resource.ReasonInvalidField, "%s is %s, which is no date of the calendar; write it as 2026-12-24", field, quoted(date)).
			Field(field, "must be a date as YYYY-MM-DD")
	}
	return t, nil
}
