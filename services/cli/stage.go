package cli

import (
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func (a *app) stage() *cobra.Command {
	verb := func(use, short, word string, reason bool, more ...func(*cobra.Command, *filler)) *cobra.Command {
		return a.verb(verb{use: use + " STAGE", short: short, word: word, kind: "stage", needReason: reason, subject: named("stage")}, more...)
	}
	return group("stage", "Take a stage of a plan through its review, and see what it waits for", a.stageShow(), a.stageOverride(), a.stageWithdraw(),
		verb("start", "Begin a stage that is READY", "Start", false),
		verb("review", "Look at the exit criteria of a stage", "Review", false),
		verb("complete", "End a stage in review whose criteria hold", "Complete", false),
		verb("reject", "Send a stage in review back into work", "Reject", true),
		verb("skip", "Leave a stage out that has not begun", "Skip", true),
		verb("cancel", "Give a stage up", "Cancel", true),
		verb("confirm", "Say that an exit criterion holds", "Confirm", false, func(cmd *cobra.Command, fill *filler) {
			var criterion, note string
			var withdraw bool
			cmd.Example = "  golive stage confirm crm-rollout/prepare --criterion goal-agreed --note 'steering committee of 3 March'"
			cmd.Flags().StringVar(&criterion, "criterion", "", "the id of the exit criterion")
			cmd.Flags().StringVar(&note, "note", "", "what was seen")
			cmd.Flags().BoolVar(&withdraw, "withdraw", false, "take back what was said")
			must(cmd.MarkFlagRequired("criterion"))
			*fill = append(*fill, func(req protoreflect.Message) {
				put(req, "criterion", criterion)
				put(req, "note", note)
				put(req, "withdraw", withdraw)
			})
		}))
}
