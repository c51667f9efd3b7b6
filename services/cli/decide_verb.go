package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// decideVerbs are what happens to a decision besides the word itself. Each is about the decision as it was read: waves
// that somebody names meanwhile are refused.
func (a *app) decideVerbs() []*cobra.Command {
	of := func(use, short, word, long string, more ...func(*cobra.Command, *filler)) *cobra.Command {
		etag := ""
		read := func(c *client, ctx context.Context, given string) (string, error) {
			d, err := c.decision(ctx, given)
			etag = d.GetEtag()
			return d.GetName(), err
		}
		more = append(more, func(_ *cobra.Command, fill *filler) {
			*fill = append(*fill, func(req protoreflect.Message) { put(req, "etag", etag) })
		})
		cmd := a.verb(verb{use: use + " DECISION", short: short, word: word, kind: "decision", needReason: true, subject: read, shows: decisionAfter}, more...)
		cmd.Long = long
		cmd.Example = "  golive decide " + use + " crm-rollout/go-sales --reason 'the board wants it'"
		return cmd
	}
	return []*cobra.Command{
		a.decideConfirm(),
		of("override", "Break the glass: let the waves of a decision start for 24 hours at most", "Override",
			"Whatever the evidence says. Your name and the reason are on the report and on the scorecard.", func(cmd *cobra.Command, fill *filler) {
				hold := cmd.Flags().Duration("for", 4*time.Hour, "how long it holds, 24h at most")
				*fill = append(*fill, func(req protoreflect.Message) {
					put(req, "expire_time", timestamppb.New(time.Now().Add(*hold)).ProtoReflect())
				})
			}),
		of("withdraw", "Take a decision, or its override, back for good", "Withdraw", "What has begun goes on; what has not begun does not begin."),
		of("reopen", "Make an expired decision or a no-go one that is to be taken", "Reopen", "What was decided before stays in its history."),
	}
}

func decisionAfter(c *client, after proto.Message) error {
	d, ok := after.(*implementationv1.Decision)
	if !ok {
		return fmt.Errorf("the server answered with a %s", after.ProtoReflect().Descriptor().Name())
	}
	return c.printDecision(d)
}

func (a *app) decideConfirm() *cobra.Command {
	var note string
	var withdraw bool
	cmd := &cobra.Command{
		Use: "confirm DECISION CONDITION", Short: "Say that a condition of a conditional go is met", Args: cobra.ExactArgs(2),
		Example: "  golive decide confirm crm-rollout/go-sales train-the-rest --note 'all twenty'",
	}
	cmd.Flags().StringVar(&note, "note", "", "what was seen")
	cmd.Flags().BoolVar(&withdraw, "withdraw", false, "take back what was said")
	a.completeKind(cmd, "decision")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("decision"), args[0])
		if err != nil {
			return err
		}
		d, err := implementationv1.NewDecisionServiceClient(c.people).ConfirmDecision(ctx, &implementationv1.ConfirmDecisionRequest{Name: name, Condition: args[1], Note: note, Withdraw: withdraw})
		if err != nil {
			return err
		}
		return c.printDecision(d)
	})
}
