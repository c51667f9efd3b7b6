package cli

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// words are what a person can decide.
func decideWords() map[string]implementationv1.Decision_Outcome {
	return map[string]implementationv1.Decision_Outcome{
		"go": implementationv1.Decision_OUTCOME_GO, "no-go": implementationv1.Decision_OUTCOME_NO_GO, "conditional": implementationv1.Decision_OUTCOME_CONDITIONAL_GO,
	}
}

func (a *app) decide() *cobra.Command {
	var reason, expires, digest string
	var conditions []string
	cmd := &cobra.Command{
		Use: "decide DECISION go|no-go|conditional", Short: "Take a go/no-go on the evidence of machines and people",
		Long: "The evidence of both halves is frozen into the decision at that moment. It opens the waves that it names until its date,\n" +
			"until its evidence gets worse, or until a condition is overdue. A go takes evidence that passes; golive decide preview shows it.",
		Example: "  golive decide crm-rollout/go-sales go --reason 'all are trained' --digest 4f1c…\n" +
			"  golive decide crm-rollout/go-sales conditional --reason 'twelve of twenty are trained' --condition 'train-the-rest=Train the rest;owner=users/carol;due=2026-12-01'",
		Args: cobra.ExactArgs(2),
	}
	f := cmd.Flags()
	f.StringVar(&reason, "reason", "", "why")
	f.StringArrayVar(&conditions, "condition", nil, "what must be done, ID=WHAT;owner=WHO;due=WHEN; may be given again")
	f.StringVar(&expires, "expires", "", "when it ends if nothing ends it before: 2026-12-01, a time of RFC 3339, or 72h from now; 14 days when not given")
	f.StringVar(&digest, "digest", "", "refuse it unless the evidence, and the waves that it opens, are still what golive decide preview has shown")
	must(cmd.MarkFlagRequired("reason"))
	words := slices.Sorted(maps.Keys(decideWords()))
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return a.names(cmd, "decision"), cobra.ShellCompDirectiveNoFileComp
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
	shown := a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("decision"), args[0])
		if err != nil {
			return err
		}
		req := &implementationv1.DecideDecisionRequest{Name: name, Reason: reason, EvidenceDigest: digest, Outcome: decideWords()[strings.ToLower(args[1])]}
		if req.GetOutcome() == implementationv1.Decision_OUTCOME_UNSPECIFIED {
			return usage("there is nothing to decide that is called "+args[1], "choose go, no-go or conditional")
		}
		for _, given := range conditions {
			condition, err := parseCondition(given)
			if err != nil {
				return err
			}
			req.Conditions = append(req.Conditions, condition)
		}
		if expires != "" {
			if req.ExpireTime, err = deadline("--expires", expires); err != nil {
				return err
			}
		}
		asked, err := c.decision(ctx, name)
		if err != nil {
			return err
		}
		req.Etag = asked.GetEtag() // what it opens and stands on is what it was when it was read
		d, err := implementationv1.NewDecisionServiceClient(c.people).DecideDecision(ctx, req)
		if err != nil {
			return err
		}
		return c.printDecision(d)
	})
	shown.AddCommand(a.decideShow(), a.decidePreview(), a.decideReport(), a.decideVerify())
	shown.AddCommand(a.decideVerbs()...)
	return shown
}
