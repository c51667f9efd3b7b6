package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) ledger() *cobra.Command {
	return group("ledger", "What an implementation costs and brings",
		a.ledgerShow(), a.ledgerClaim(), a.ledgerVerify(), a.ledgerReverse())
}

func (a *app) ledgerShow() *cobra.Command {
	var rate float64
	cmd := &cobra.Command{
		Use: "show IMPLEMENTATION", Short: "Show what it is worth, planned and realised",
		Long: "Only benefits that somebody else has verified count as realised; costs count when they are claimed.\n" +
			"Net present value leaves the first flow undiscounted; later ones count days/365 years.",
		Example: "  golive ledger show crm-rollout --rate 0.08", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().Float64Var(&rate, "rate", 0.08, "the yearly discount rate: 0.08 for 8 %")
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		b, err := implementationv1.NewBenefitServiceClient(c.people).ComputeBenefits(ctx, &implementationv1.ComputeBenefitsRequest{Parent: name, DiscountRate: &rate})
		if err != nil {
			return err
		}
		if !c.format.ForPeople() {
			return show.Encode(c.out, c.format, b)
		}
		return c.printBenefits(b)
	})
}

func (c *client) printBenefits(b *implementationv1.Benefits) error {
	currency := "no currency yet: the implementation's currency says which"
	if b.GetCurrency() != "" {
		currency = "in " + b.GetCurrency()
	}
	if err := c.say("%s  %s, discounted by %.3g %% a year", c.style.Bold(kind.Short(b.GetImplementation())), currency, 100*b.GetDiscountRate()); err != nil {
		return err
	}
	p, r := b.GetPlanned(), b.GetRealised()
	row := func(what string, value func(*implementationv1.CashSummary) string) []string {
		return []string{what, value(p), value(r)}
	}
	rows := [][]string{
		{"", "PLANNED", "REALISED"},
		row("Cost", func(s *implementationv1.CashSummary) string { return major(s.GetCostMinor()) }),
		row("Benefit", func(s *implementationv1.CashSummary) string { return major(s.GetBenefitMinor()) }),
		row("Net present value", func(s *implementationv1.CashSummary) string {
			return defined(s.NpvMinor, func(v float64) string { return major(int64(v)) })
		}),
		row("Internal rate of return", internalRate),
		row("Return on investment", func(s *implementationv1.CashSummary) string {
			return defined(s.Roi, func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) })
		}),
		row("Payback", func(s *implementationv1.CashSummary) string { return defined(s.PaybackYears, years) }),
		row("Payback, discounted", func(s *implementationv1.CashSummary) string { return defined(s.DiscountedPaybackYears, years) }),
	}
	if err := show.Rows(c.out, rows); err != nil {
		return err
	}
	if b.GetClaimedBenefitMinor() != 0 {
		return c.say("%s claimed and not verified yet: golive list ledgerEntries %s --filter 'state = CLAIMED'", major(b.GetClaimedBenefitMinor()), kind.Short(b.GetImplementation()))
	}
	return nil
}

func internalRate(s *implementationv1.CashSummary) string {
	if s.GetIrrCount() > 1 {
		return fmt.Sprintf("not defined: %d rates fit", s.GetIrrCount())
	}
	return defined(s.Irr, func(v float64) string { return fmt.Sprintf("%.2f %%", 100*v) })
}

func defined(v *float64, text func(float64) string) string {
	if v == nil {
		return "not defined"
	}
	return text(*v)
}

func years(v float64) string { return fmt.Sprintf("%.2f years", v) }

// major writes minor units with two decimals.
func major(minor int64) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	return fmt.Sprintf("%s%d.%02d", sign, minor/100, minor%100)
}

// minorUnits reads an amount as people write it: 1250.50 or 1250.
func minorUnits(text string) (int64, error) {
	whole, cents, _ := strings.Cut(text, ".")
	var minor int64
	if _, err := fmt.Sscanf(whole+(cents + "00")[:2], "%d", &minor); err != nil || len(cents) > 2 || strings.Trim(whole+cents, "0123456789") != "" {
		return 0, usage(text+" is no amount", "write it with a point and at most two decimals: 1250.50")
	}
	return minor, nil
}

func (a *app) ledgerClaim() *cobra.Command {
	var date, line, description, evidence, id string
	cmd := &cobra.Command{
		Use: "claim IMPLEMENTATION cost|benefit AMOUNT", Short: "Write into the ledger what was spent or saved",
		Example: "  golive ledger claim crm-rollout cost 12500.00 --date 2026-03-31 --description 'licences, first quarter'\n" +
			"  golive ledger claim crm-rollout benefit 4100 --date 2026-04-30 --evidence https://…",
		Args: cobra.ExactArgs(3),
	}
	a.completeKind(cmd, "implementation")
	f := cmd.Flags()
	f.StringVar(&date, "date", "", "the date of the money, 2026-12-24")
	f.StringVar(&line, "budget-line", "", "the budget line it belongs to")
	f.StringVar(&description, "description", "", "what it was for")
	f.StringVar(&evidence, "evidence", "", "where it can be looked up")
	f.StringVar(&id, "id", "", "its id; made by the server when not given")
	must(cmd.MarkFlagRequired("date"))
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		parent, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		direction, ok := implementationv1.CashDirection_value[strings.ToUpper(args[1])]
		if !ok || direction == 0 {
			return usage(args[1]+" is neither cost nor benefit", "say whether money went out (cost) or came in (benefit)")
		}
		amount, err := minorUnits(args[2])
		if err != nil {
			return err
		}
		if line != "" && !strings.Contains(line, "/") {
			line = parent + "/budgetLines/" + line
		}
		entry, err := implementationv1.NewLedgerEntryServiceClient(c.people).CreateLedgerEntry(ctx, &implementationv1.CreateLedgerEntryRequest{
			Parent: parent, LedgerEntryId: id, LedgerEntry: &implementationv1.LedgerEntry{
				Direction: implementationv1.CashDirection(direction), AmountMinor: amount, Date: date, BudgetLine: line, Description: description, Evidence: evidence,
			},
		})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("ledgerEntry"), entry)
	})
}

func (a *app) ledgerVerify() *cobra.Command {
	var evidence string
	cmd := &cobra.Command{
		Use: "verify ENTRY", Short: "Confirm that a claimed entry is true; not your own", Args: cobra.ExactArgs(1),
		Example: "  golive ledger verify crm-rollout/ledgerEntries/l42 --evidence 'seen in the books of May'",
	}
	cmd.Flags().StringVar(&evidence, "evidence", "", "what was looked at")
	a.completeKind(cmd, "ledgerEntry")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("ledgerEntry"), args[0])
		if err != nil {
			return err
		}
		entry, err := implementationv1.NewLedgerEntryServiceClient(c.people).VerifyLedgerEntry(ctx, &implementationv1.VerifyLedgerEntryRequest{Name: name, Evidence: evidence})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("ledgerEntry"), entry)
	})
}

func (a *app) ledgerReverse() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "reverse ENTRY", Short: "Take an entry back by another one", Args: cobra.ExactArgs(1),
		Example: "  golive ledger reverse crm-rollout/ledgerEntries/l42 --reason 'booked twice'",
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	must(cmd.MarkFlagRequired("reason"))
	a.completeKind(cmd, "ledgerEntry")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("ledgerEntry"), args[0])
		if err != nil {
			return err
		}
		entry, err := implementationv1.NewLedgerEntryServiceClient(c.people).ReverseLedgerEntry(ctx, &implementationv1.ReverseLedgerEntryRequest{Name: name, Reason: reason})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("ledgerEntry"), entry)
	})
}
