package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// receiverFlag declares where a server may send events.
func receiverFlag(cmd *cobra.Command, private *bool) {
	cmd.Flags().BoolVar(private, "allow-private-receivers", false, "let subscriptions send events into private networks, to this machine and by http, too")
}

func (a *app) subscription() *cobra.Command {
	cmd := group("subscription", "Tell others what happens: webhooks, chats, e-mail",
		a.subscriptionCreate(), a.subscriptionList(), a.subscriptionShow(), a.subscriptionTest(), a.subscriptionRotate(),
		a.subscriptionTurn("enable", "Deliver again, also what came meanwhile", "Enable", false),
		a.subscriptionTurn("disable", "Stop delivering; events are kept for 7 days", "Disable", true),
		a.subscriptionDelete(), a.subscriptionDeliveries(), a.subscriptionRedeliver())
	cmd.Aliases = []string{"webhook"}
	cmd.Long = "A subscription sends events as they happen: to a web address as signed CloudEvents, to a chat, or to people by e-mail.\n" +
		"What is about single people never leaves. golive events shows the types that there are."
	return cmd
}

func (a *app) subscriptionCreate() *cobra.Command {
	var (
		url, chat                   string
		recipients, types, resource []string
		timeout                     time.Duration
		display                     string
	)
	cmd := &cobra.Command{
		Use: "create SUBSCRIPTION", Short: "Tell somebody of events; the signing secret of a webhook is printed, once",
		Long: "The address that a chat gives for an incoming webhook is a secret: it is read from a file, or from - for stdin.",
		Example: "  golive subscription create ops --to https://ops.example.com/golive --type deployment.deployment. --type deployment.incident.\n" +
			"  golive subscription create chat --chat-url-file hook.txt --type implementation.decision.\n" +
			"  golive subscription create sponsor --email sponsor@example.com --type deployment.deployment.succeeded --resource workspaces/default/applications/crm",
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&url, "to", "", "the web address that takes the events")
	f.StringVar(&chat, "chat-url-file", "", "the file with the address of an incoming webhook of a chat; - for stdin")
	f.StringSliceVar(&recipients, "email", nil, "who gets an e-mail; repeatable")
	f.StringSliceVar(&types, "type", nil, "only this type of events, or a prefix that ends in a dot; repeatable, all when not given")
	f.StringSliceVar(&resource, "resource", nil, "only events of this resource and of what is below it, by its full name; repeatable")
	f.DurationVar(&timeout, "timeout", 0, "how long the web address may take to answer; 15s when not given")
	f.StringVar(&display, "display-name", "", "its name for people")
	cmd.MarkFlagsMutuallyExclusive("to", "chat-url-file", "email")
	cmd.MarkFlagsOneRequired("to", "chat-url-file", "email")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		sub := &implementationv1.Subscription{DisplayName: display, Types: types, Resources: resource}
		switch {
		case url != "":
			hook := &implementationv1.WebhookDestination{Url: url}
			if timeout > 0 {
				hook.Timeout = durationpb.New(timeout)
			}
			sub.Destination = &implementationv1.Subscription_Webhook{Webhook: hook}
		case chat != "":
			address, err := a.readFile(chat)
			if err != nil {
				return err
			}
			sub.Destination = &implementationv1.Subscription_Slack{Slack: &implementationv1.SlackDestination{Url: strings.TrimSpace(string(address))}}
		default:
			sub.Destination = &implementationv1.Subscription_Email{Email: &implementationv1.EmailDestination{Recipients: recipients}}
		}
		return c.createSubscription(ctx, args[0], sub)
	})
}

// createSubscription makes one, and for a webhook the secret that is told this once.
func (c *client) createSubscription(ctx context.Context, id string, sub *implementationv1.Subscription) error {
	name, err := c.name(mustFind("subscription"), id)
	if err != nil {
		return err
	}
	service := implementationv1.NewSubscriptionServiceClient(c.people)
	made, err := service.CreateSubscription(ctx, &implementationv1.CreateSubscriptionRequest{
		Parent: name[:strings.Index(name, "/subscriptions/")], SubscriptionId: kind.ID(name), Subscription: sub,
	})
	if err != nil {
		return err
	}
	if made.GetWebhook() == nil {
		return c.printOne(mustFind("subscription"), made)
	}
	rotated, err := service.RotateSubscription(ctx, &implementationv1.RotateSubscriptionRequest{Name: made.GetName(), Overlap: durationpb.New(0)})
	if err != nil {
		return fmt.Errorf("%s was made, and nobody has seen its secret yet (golive subscription rotate %s --overlap 0s shows one): %w", made.GetName(), kind.ID(made.GetName()), err)
	}
	return c.printSecret(made.GetName(), rotated)
}

// madeSecret is a subscription with what its events are signed with.
type madeSecret struct {
	Name   string `json:"name"`
	Secret string `json:"secret"`
}

func (c *client) printSecret(name string, made *implementationv1.RotateSubscriptionResponse) error {
	if !c.format.ForPeople() && c.format != show.Name {
		return show.Encode(c.out, c.format, madeSecret{name, made.GetSecret()})
	}
	c.note("%s signs with this secret; it is not shown again, and golive subscription rotate %s makes another", kind.Short(name), kind.Short(name))
	return c.say("%s", made.GetSecret())
}

func (a *app) subscriptionList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List subscriptions", Args: cobra.NoArgs, Example: "  golive subscription list"}
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		found, _, err := c.all(ctx, mustFind("subscription"), query{parent: "workspaces/" + c.workspace})
		if err != nil {
			return err
		}
		if !c.format.ForPeople() || len(found) == 0 {
			return c.printAll(mustFind("subscription"), found)
		}
		rows := [][]string{{"SUBSCRIPTION", "STATE", "TO", "TYPES"}}
		for _, m := range found {
			if sub, ok := m.(*implementationv1.Subscription); ok {
				rows = append(rows, []string{kind.ID(sub.GetName()), c.style.State(sub.GetState().String()), receiverOf(sub), cmp.Or(strings.Join(sub.GetTypes(), ", "), "all")})
			}
		}
		return show.Rows(c.out, rows)
	})
}

func (a *app) subscriptionShow() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show SUBSCRIPTION", Short: "Show one, with where its events go and how the last ones fared", Args: cobra.ExactArgs(1),
		Example: "  golive subscription show ops",
	}
	a.completeKind(cmd, "subscription")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("subscription"), args[0])
		if err != nil {
			return err
		}
		m, err := c.fetch(ctx, mustFind("subscription"), name)
		if err != nil {
			return err
		}
		sub, ok := m.(*implementationv1.Subscription)
		if !ok || !c.format.ForPeople() {
			return c.printOne(mustFind("subscription"), m)
		}
		rows := [][]string{{c.style.Bold(kind.Short(name)), c.style.State(sub.GetState().String())}}
		for _, line := range [][2]string{
			{"called", sub.GetDisplayName()},
			{"why", sub.GetStateReason()},
			{"to", receiverOf(sub)},
			{"types", strings.Join(sub.GetTypes(), ", ")},
			{"resources", strings.Join(sub.GetResources(), ", ")},
		} {
			if line[1] != "" {
				rows = append(rows, []string{line[0], line[1]})
			}
		}
		if err := show.Rows(c.out, rows); err != nil {
			return err
		}
		return c.printDeliveries(ctx, name, "", 10)
	})
}

// receiverOf says where events go, as far as anybody may know.
func receiverOf(sub *implementationv1.Subscription) string {
	switch {
	case sub.GetWebhook() != nil:
		return sub.GetWebhook().GetUrl()
	case sub.GetSlack() != nil:
		return "a chat at " + sub.GetSlack().GetHost()
	default:
		return strings.Join(sub.GetEmail().GetRecipients(), ", ")
	}
}

func (a *app) subscriptionTurn(use, short, word string, needReason bool) *cobra.Command {
	return a.verb(verb{
		use: use + " SUBSCRIPTION", short: short, word: word, kind: "subscription", needReason: needReason,
		subject: func(c *client, _ context.Context, given string) (string, error) {
			return c.name(mustFind("subscription"), given)
		},
	}, func(cmd *cobra.Command, _ *filler) {
		cmd.Example = "  golive subscription " + use + " ops"
		if needReason {
			cmd.Example += " --reason 'the receiver moves'"
		}
	})
}
