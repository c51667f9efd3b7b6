package cli

import (
	"context"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// challengeVerbs take a challenge from one state to the next.
func (a *app) challengeVerbs() []*cobra.Command {
	of := func(use, short, word string, needReason bool, flags ...challengeFlag) *cobra.Command {
		v := verb{
			use: use + " CHALLENGE", short: short, word: word, kind: "challenge", needReason: needReason,
			subject: func(c *client, _ context.Context, given string) (string, error) {
				return c.name(mustFind("challenge"), given)
			},
		}
		return a.verb(v, func(cmd *cobra.Command, fill *filler) {
			cmd.Example = "  golive challenges " + use + " crm-rollout/challenges/r2-sales-2026-w47"
			for _, f := range flags {
				value := cmd.Flags().String(f.name, "", f.help)
				if f.required {
					must(cmd.MarkFlagRequired(f.name))
					cmd.Example += " --" + f.name + " 2026-12-24" // dates are all that is required
				}
				*fill = append(*fill, func(req protoreflect.Message) { put(req, f.field, *value) })
			}
			if needReason {
				cmd.Example += " --reason '…'"
			}
		})
	}
	owner := challengeFlag{name: "owner", field: "owner", help: "who answers for it"}
	return []*cobra.Command{
		of("open", "Take a suggestion for true", "Open", false, owner),
		of("dismiss", "Say of a suggestion that it is none; it is silent until the evidence is worse", "Dismiss", true),
		of("mitigate", "Say that something is being done", "Mitigate", false, owner, challengeFlag{name: "mitigation", field: "mitigation", help: "what is being done; the remedy of the rule when not given"}),
		of("resolve", "Say that what was done has worked", "Resolve", true),
		of("accept", "Live with it until a date; takes somebody who decides", "Accept", true, owner,
			challengeFlag{name: "review", field: "review_date", help: "when it is looked at again, 2026-12-24", required: true}),
		of("close", "End one that is resolved", "Close", false),
		of("reopen", "Take a resolved or accepted one back", "Reopen", true),
	}
}

// challengeFlag is a flag that fills a field of the request.
type challengeFlag struct {
	name, help string
	field      protoreflect.Name
	required   bool
}
