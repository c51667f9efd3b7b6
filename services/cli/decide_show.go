package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) decideShow() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show DECISION", Short: "Show what was decided, on what, and what it waits for", Args: cobra.ExactArgs(1),
		Example: "  golive decide show crm-rollout/go-sales",
	}
	a.completeKind(cmd, "decision")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		d, err := c.decision(ctx, args[0])
		if err != nil {
			return err
		}
		return c.printDecision(d)
	})
}

func (c *client) decision(ctx context.Context, given string) (*implementationv1.Decision, error) {
	name, err := c.name(mustFind("decision"), given)
	if err != nil {
		return nil, err
	}
	return implementationv1.NewDecisionServiceClient(c.people).GetDecision(ctx, &implementationv1.GetDecisionRequest{Name: name})
}

func (a *app) decidePreview() *cobra.Command {
	cmd := &cobra.Command{
		Use: "preview DECISION", Short: "Show the evidence of both halves as it is now; exit code 0 when all of it passes, 7 when not", Args: cobra.ExactArgs(1),
		Example: "  golive decide preview crm-rollout/go-sales",
	}
	a.completeKind(cmd, "decision")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("decision"), args[0])
		if err != nil {
			return err
		}
		p, err := implementationv1.NewDecisionServiceClient(c.people).PreviewDecision(ctx, &implementationv1.PreviewDecisionRequest{Name: name})
		if err != nil {
			return err
		}
		if err := c.printPreview(name, p); err != nil {
			return err
		}
		if !p.GetPasses() {
			return outcome(exitNotYet)
		}
		return nil
	})
}

func (c *client) printPreview(name string, p *implementationv1.PreviewDecisionResponse) error {
	if !c.format.ForPeople() {
		return show.Encode(c.out, c.format, p)
	}
	if len(p.GetEvidence()) == 0 {
		return c.say("%s names no evidence; set cohort_plans or technical", kind.Short(name))
	}
	if err := c.printEvidence(p.GetEvidence()); err != nil {
		return err
	}
	opens := cmp.Or(some(p.GetWaves()), "no wave; set waves")
	return c.say("\na go opens  %s\ndigest      %s", opens, p.GetEvidenceDigest())
}

// printEvidence is a row for each verdict, and one for each piece below it.
func (c *client) printEvidence(all []*implementationv1.DecisionEvidence) error {
	rows := [][]string{{"EVIDENCE", "STATE", "VALUE", "WHY"}}
	for _, e := range all {
		var why []string
		for _, r := range e.GetVerdict().GetReasons() {
			why = append(why, r.GetCurrent())
		}
		rows = append(rows, []string{kind.Short(e.GetResource()), c.style.State(e.GetVerdict().GetState().String()), "", strings.Join(why, "; ")})
		for _, piece := range e.GetVerdict().GetEvidence() {
			rows = append(rows, []string{"  " + piece.GetCriterion(), c.style.State(piece.GetState().String()), evidenceValue(piece), piece.GetDetail()})
		}
	}
	return show.Rows(c.out, rows)
}

func evidenceValue(e *gatev1.Evidence) string {
	if e.GetDenominator() == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", e.GetNumerator(), e.GetDenominator())
}

func (c *client) printDecision(d *implementationv1.Decision) error {
	switch {
	case c.format == show.Name:
		return c.say("%s", d.GetName())
	case !c.format.ForPeople():
		return show.Encode(c.out, c.format, d)
	}
	if err := c.say("%s  %s", c.style.Bold(d.GetDisplayName()), c.style.State(d.GetState().String())); err != nil {
		return err
	}
	var rows [][]string
	for _, line := range [][2]string{
		{"name", kind.Short(d.GetName())},
		{"owner", d.GetOwner()},
		{"because", d.GetStateReason()},
		{"waves", some(d.GetWaves())},
		{"evidence", some(slices.Concat(d.GetCohortPlans(), d.GetTechnical()))},
	} {
		if line[1] != "" {
			rows = append(rows, []string{line[0], line[1]})
		}
	}
	if n := len(d.GetRecords()); n > 0 {
		r := d.GetRecords()[n-1]
		if !slices.Equal(r.GetWaves(), d.GetWaves()) {
			rows = append(rows, []string{"said of", cmp.Or(some(r.GetWaves()), "no wave")})
		}
		rows = append(rows, decisionRecord(r)...)
	}
	for _, o := range d.GetOverrides() {
		if o.GetRevokeTime() == nil && o.GetExpireTime().AsTime().After(time.Now()) {
			rows = append(rows, []string{"overridden", fmt.Sprintf("by %s until %s: %s", o.GetPerson(), onMinute(o.GetExpireTime()), o.GetReason())})
		}
	}
	if err := show.Rows(c.out, rows); err != nil || len(d.GetBlockedBy()) == 0 {
		return err
	}
	rows = [][]string{{""}, {"WAITS FOR", "NOW", "OWNER", "COMMAND"}}
	for _, b := range d.GetBlockedBy() {
		rows = append(rows, []string{kind.Short(b.GetResource()), b.GetCurrent(), b.GetOwner(), c.shortCommand(b.GetCommand())})
	}
	return show.Rows(c.out, rows)
}

// decisionRecord are the lines of the newest word.
func decisionRecord(r *implementationv1.DecisionRecord) [][]string {
	rows := [][]string{
		{"decided", fmt.Sprintf("%s by %s at %s: %s", strings.TrimPrefix(r.GetOutcome().String(), "OUTCOME_"), r.GetPerson(), onMinute(r.GetTime()), r.GetReason())},
		{"digest", r.GetEvidenceDigest()},
	}
	if r.GetExpireTime() != nil && r.GetEndTime() == nil {
		rows = append(rows, []string{"until", onMinute(r.GetExpireTime())})
	}
	for _, c := range r.GetConditions() {
		state := "open, due " + onMinute(c.GetDueTime())
		if c.GetMetTime() != nil {
			state = "met, says " + c.GetMetBy()
		}
		rows = append(rows, []string{"condition", fmt.Sprintf("%s: %s (%s; %s)", c.GetId(), c.GetDisplayName(), cmp.Or(c.GetOwner(), "no owner"), state)})
	}
	return rows
}

// some are the first of many names, and how many more there are.
func some(names []string) string {
	const most = 5
	all := shorts(names)
	if len(all) > most {
		all = append(all[:most], fmt.Sprintf("and %d more", len(all)-most))
	}
	return strings.Join(all, ", ")
}

func shorts(names []string) (all []string) {
	for _, name := range names {
		all = append(all, kind.Short(name))
	}
	return all
}

// onMinute is a moment for a table, where the reader is.
func onMinute(t *timestamppb.Timestamp) string {
	return t.AsTime().Local().Format("2006-01-02 15:04 MST") //nolint:gosmopolitan // for who reads it
}
