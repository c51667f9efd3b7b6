package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) communication() *cobra.Command {
	named := func(c *client, _ context.Context, given string) (string, error) {
		return c.name(mustFind("communication"), given)
	}
	return group("communication", "Tell people something, and count whom it reached",
		a.communicationCreate(), a.communicationSchedule(),
		a.verb(verb{use: "send IMPLEMENTATION/COMMUNICATION", short: "Send it now", word: "Send", kind: "communication", asking: true, subject: named}),
		a.verb(verb{
			use: "cancel IMPLEMENTATION/COMMUNICATION", short: "Give it up, and what of it still waits", word: "Cancel",
			kind: "communication", needReason: true, asking: true, subject: named,
		}),
		a.communicationDelivered(), a.communicationStatus())
}

func (a *app) communicationCreate() *cobra.Command {
	var (
		m                             implementationv1.Communication
		body, channel                 string
		cohorts, people, stakeholders []string
	)
	cmd := &cobra.Command{
		Use: "create IMPLEMENTATION/COMMUNICATION", Short: "Write a draft",
		Example: "  golive communication create crm-rollout/begin --subject 'It begins on Monday' --body begin.md --cohort sales --must-know", Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&m.Subject, "subject", "", "one line")
	f.StringVar(&body, "body", "", "a file with the text, plain or Markdown, or - for stdin")
	f.StringVar(&channel, "channel", "email", "email, meeting or other")
	f.StringVar(&m.DisplayName, "name", "", "its name for those who plan")
	f.StringVar(&m.Owner, "owner", "", "who sees to it: users/ada")
	f.BoolVar(&m.MustKnow, "must-know", false, "readiness asks whether people got it")
	f.StringSliceVar(&cohorts, "cohort", nil, "the members of this cohort; may be repeated")
	f.StringSliceVar(&people, "person", nil, "this person; may be repeated")
	f.StringSliceVar(&stakeholders, "stakeholder", nil, "this stakeholder of the implementation; may be repeated")
	must(cmd.RegisterFlagCompletionFunc("channel", cobra.FixedCompletions([]string{"email", "meeting", "other"}, cobra.ShellCompDirectiveNoFileComp)))
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("communication"), args[0])
		if err != nil {
			return err
		}
		parent, id, _ := strings.Cut(name, "/communications/")
		number, known := implementationv1.Communication_Channel_value[strings.ToUpper(channel)]
		if !known || number == 0 {
			return usage("there is no channel "+channel, "choose email, meeting or other")
		}
		m.Channel, m.Audience = implementationv1.Communication_Channel(number), &implementationv1.Audience{}
		if m.Audience.Cohorts, err = c.each(mustFind("cohort"), cohorts); err != nil {
			return err
		}
		if m.Audience.People, err = c.each(mustFind("person"), people); err != nil {
			return err
		}
		for _, s := range stakeholders {
			if !strings.Contains(s, "/") {
				s = parent + "/stakeholders/" + s
			}
			m.Audience.Stakeholders = append(m.Audience.Stakeholders, s)
		}
		if body != "" {
			text, err := c.readFile(body)
			if err != nil {
				return err
			}
			m.Body = string(text)
		}
		created, err := implementationv1.NewCommunicationServiceClient(c.people).CreateCommunication(ctx, &implementationv1.CreateCommunicationRequest{
			Parent: parent, CommunicationId: id, Communication: &m,
		})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("communication"), created)
	})
}

func (a *app) communicationSchedule() *cobra.Command {
	var at string
	return a.verb(verb{
		use: "schedule IMPLEMENTATION/COMMUNICATION", short: "Plan when it is sent", word: "Schedule", kind: "communication",
		subject: func(c *client, _ context.Context, given string) (string, error) {
			return c.name(mustFind("communication"), given)
		},
	}, func(cmd *cobra.Command, fill *filler) {
		cmd.Example = "  golive communication schedule crm-rollout/begin --time '2026-11-30 08:00'"
		cmd.Flags().StringVar(&at, "time", "", "when: 2026-11-30 18:00 local, or RFC 3339")
		must(cmd.MarkFlagRequired("time"))
		must(cmd.Flags().MarkHidden("reason"))
		cmd.PreRunE = func(*cobra.Command, []string) error {
			when, err := moment("time", at)
			if err != nil {
				return err
			}
			*fill = append(*fill, func(req protoreflect.Message) { put(req, "send_time", when.ProtoReflect()) })
			return nil
		}
	})
}

func (a *app) communicationDelivered() *cobra.Command {
	var cohort string
	var reached, read int64
	cmd := &cobra.Command{
		Use: "delivered IMPLEMENTATION/COMMUNICATION", Short: "Record how many people it reached, as somebody counted",
		Example: "  golive communication delivered crm-rollout/town-hall --cohort sales --reached 42", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&cohort, "cohort", "", "the cohort of the audience that was counted; the whole audience when not given")
	cmd.Flags().Int64Var(&reached, "reached", 0, "how many were reached")
	cmd.Flags().Int64Var(&read, "read", 0, "how many of them have read it, where that is known")
	must(cmd.MarkFlagRequired("reached"))
	a.completeKind(cmd, "communication")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("communication"), args[0])
		if err != nil {
			return err
		}
		req := &implementationv1.RecordDeliveryRequest{Name: name, DeliveredCount: reached, ReadCount: read}
		if cohort != "" {
			if req.Cohort, err = c.name(mustFind("cohort"), cohort); err != nil {
				return err
			}
		}
		m, err := implementationv1.NewCommunicationServiceClient(c.people).RecordDelivery(ctx, req)
		if err != nil {
			return err
		}
		return c.printCommunication(m)
	})
}

func (a *app) communicationStatus() *cobra.Command {
	cmd := &cobra.Command{Use: "status IMPLEMENTATION/COMMUNICATION", Short: "Count whom it reached", Example: "  golive communication status crm-rollout/begin", Args: cobra.ExactArgs(1)}
	a.completeKind(cmd, "communication")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("communication"), args[0])
		if err != nil {
			return err
		}
		m, err := implementationv1.NewCommunicationServiceClient(c.people).GetCommunication(ctx, &implementationv1.GetCommunicationRequest{Name: name})
		if err != nil {
			return err
		}
		return c.printCommunication(m)
	})
}

// printCommunication shows the counts.
func (c *client) printCommunication(m *implementationv1.Communication) error {
	switch {
	case c.format == show.Name:
		return c.say("%s", m.GetName())
	case !c.format.ForPeople():
		return show.Encode(c.out, c.format, m)
	}
	if err := c.say("%s  %s  for %d people", c.style.Bold(kind.Short(m.GetName())), c.style.State(m.GetState().String()), m.GetAudienceCount()); err != nil {
		return err
	}
	rows := [][]string{{c.style.Bold("WHAT"), c.style.Bold("PEOPLE")}}
	for _, r := range []struct {
		what string
		n    int64
	}{
		{"reached", m.GetDeliveredCount()},
		{"have read it", m.GetReadCount()},
		{"came back", m.GetBouncedCount()},
		{"not written to", m.GetSkippedCount()},
		{"handed over", m.GetHandedOverCount()},
	} {
		rows = append(rows, []string{r.what, fmt.Sprint(r.n)})
	}
	return show.Rows(c.out, rows)
}
