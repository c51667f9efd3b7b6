package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func (a *app) implementation() *cobra.Command {
	verb := func(use, short, word string, reason, asking bool) *cobra.Command {
		return a.verb(verb{use: use + " IMPLEMENTATION", short: short, word: word, kind: "implementation", needReason: reason, asking: asking, subject: named("implementation")})
	}
	cmd := group("implementation", "Take an implementation through its life",
		verb("submit", "Agree on the plan of a draft: it needs a sponsor, a baseline, and a plan without errors", "Submit", false, false),
		verb("start", "Begin a planned implementation", "Start", false, false),
		verb("hold", "Interrupt an implementation", "Hold", true, false),
		verb("resume", "Go on after an interruption", "Resume", false, false),
		a.implementationLive(),
		verb("sustain", "Record that every cohort is live; what was won has to stay now", "Sustain", false, false),
		verb("complete", "End an implementation whose outcomes all have a verdict", "Complete", false, false),
		verb("cancel", "Give an implementation up", "Cancel", true, true))
	cmd.Aliases = []string{"impl"}
	return cmd
}

// named resolves names of a kind as people write them.
func named(word string) func(c *client, ctx context.Context, given string) (string, error) {
	return func(c *client, _ context.Context, given string) (string, error) { return c.name(mustFind(word), given) }
}
