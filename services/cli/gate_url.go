package cli

import (
	"context"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

func (a *app) gateURL() *cobra.Command {
	purpose, ttl := "", lifetime(addressLife)
	cmd := &cobra.Command{
		Use: "url COHORT-PLAN|STAGE|DECISION|WAVE|DEPLOYMENT|ENVIRONMENT", Short: "Make a secret address at which a tool without a token can check one gate",
		Long: "For tools that cannot send headers, such as Flagger's hooks. The address carries a token that opens this one gate and\n" +
			"nothing else. It is printed to stdout, once. Treat it as a password: golive token revoke ends it.",
		Example: "  golive gate url crm-rollout/cohortPlans/sales\n  golive gate url environments/prod --purpose technical --ttl 30d",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&purpose, "purpose", "", "which half of the evidence the address asks for: readiness, technical or all")
	cmd.Flags().Var(&ttl, "ttl", "how long it works: 90d, 12h")
	must(cmd.RegisterFlagCompletionFunc("purpose", cobra.FixedCompletions([]string{"readiness", "technical", "all"}, cobra.ShellCompDirectiveNoFileComp)))
	a.completeKind(cmd, "cohortPlan")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		_, name, err := c.subject(ctx, args[0])
		if err != nil {
			return err
		}
		query := url.Values{}
		if purpose != "" {
			if _, ok := gatev1.Purpose_value["PURPOSE_"+strings.ToUpper(purpose)]; !ok {
				return usage("there is no purpose "+purpose, "choose readiness, technical or all")
			}
			query.Set("purpose", purpose)
		}
		return c.printAddress(ctx, name, ":checkGate", query, ttl, "gate.gates.evaluate", "gate.gates.watch")
	})
}
