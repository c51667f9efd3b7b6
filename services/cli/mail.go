package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
	"github.com/golive-dev/golive/services/implementation"
)

// mailFlags declares how messages to people leave a server.
func mailFlags(cmd *cobra.Command, m *implementation.SMTP) {
	f := cmd.Flags()
	f.StringVar(&m.Address, "mail-server", "", "send messages to people by this mail server, host:port; they wait for golive mail hand-over when not given")
	f.StringVar(&m.From, "mail-from", "", "whom messages are from: 'Roll-out <rollout@example.com>'")
	f.StringVar(&m.ReplyTo, "mail-reply-to", "", "where answers and wishes to get no more mail go; the sender when not given")
	f.StringVar(&m.Username, "mail-user", "", "who signs in to the mail server; nobody when not given")
	f.StringVar(&m.PasswordFile, "mail-password-file", "", "the file with their password, read again for each connection")
	f.StringVar(&m.TLS, "mail-tls", "", "starttls, tls or none; starttls when not given")
	f.StringVar(&m.CAFile, "mail-ca-file", "", "trust certificates of this authority there")
}

func (a *app) mail() *cobra.Command {
	return group("mail", "Invite and remind people, and see what became of messages",
		a.mailStatus(), a.mailInvite(false), a.mailInvite(true), a.mailHandOver(), a.mailBounced())
}

func (a *app) mailStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use: "status", Short: "Show how messages leave the server, and how many wait", Args: cobra.NoArgs,
		Long: "golive list mails --filter 'state=BOUNCED' shows single messages, without their words.",
	}
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		resp, err := implementationv1.NewMailServiceClient(c.people).CheckMail(ctx, &implementationv1.CheckMailRequest{Parent: "workspaces/" + c.workspace})
		if err != nil {
			return err
		}
		text := "messages wait until somebody takes them: golive mail hand-over; the server has no --mail-server"
		if resp.GetSending() {
			text = fmt.Sprintf("messages are sent by %s (%s) from %s", resp.GetServer(), resp.GetTls(), resp.GetFrom())
		}
		text += fmt.Sprintf("\n%d wait", resp.GetQueuedCount())
		if resp.GetQueuedCount() > 0 {
			text += ", the oldest for " + show.Span(time.Since(resp.GetOldestTime().AsTime()))
		}
		return c.printResult(resp, text)
	})
}

// mailInvite is invite, or remind.
func (a *app) mailInvite(remind bool) *cobra.Command {
	var cohort, note, link string
	var dryRun bool
	use, short := "invite", "Write to people who are to take a training"
	if remind {
		use, short = "remind", "Write again to people who have not taken a training yet"
	}
	cmd := &cobra.Command{
		Use: use + " TRAINING|SESSION [PERSON…]", Short: short,
		Long: "Those who are enrolled and not done, of the cohort or among the people that are named.\n" +
			"Nobody is written to twice a day about the same thing.",
		Example: "  golive mail " + use + " crm-basics --cohort sales --link https://example.com/crm", Args: cobra.MinimumNArgs(1),
	}
	cmd.Flags().StringVar(&cohort, "cohort", "", "those who are in this cohort today")
	cmd.Flags().StringVar(&note, "note", "", "words of your own, above the rest")
	cmd.Flags().StringVar(&link, "link", "", "where people sign up or learn more")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "count and send nothing")
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		about, err := c.name(mustFind("training"), args[0])
		if err != nil {
			if about, err = c.name(mustFind("session"), args[0]); err != nil {
				return err
			}
		}
		req := &implementationv1.InvitePeopleRequest{Parent: "workspaces/" + c.workspace, About: about, Note: note, Link: link, ValidateOnly: dryRun}
		if req.People, err = c.each(mustFind("person"), args[1:]); err != nil {
			return err
		}
		if cohort != "" {
			if req.Cohort, err = c.name(mustFind("cohort"), cohort); err != nil {
				return err
			}
		}
		mails := implementationv1.NewMailServiceClient(c.people)
		if !remind {
			resp, err := mails.InvitePeople(ctx, req)
			if err != nil {
				return err
			}
			return c.printResult(resp, queued(resp.GetQueuedCount(), resp.GetSkippedCount(), dryRun))
		}
		resp, err := mails.RemindPeople(ctx, &implementationv1.RemindPeopleRequest{
			Parent: req.GetParent(), About: about, People: req.GetPeople(), Cohort: req.GetCohort(), Note: note, Link: link, ValidateOnly: dryRun,
		})
		if err != nil {
			return err
		}
		return c.printResult(resp, queued(resp.GetQueuedCount(), resp.GetSkippedCount(), dryRun))
	})
}

func queued(n, skipped int32, dryRun bool) string {
	text := fmt.Sprintf("%d messages queued, %d people left out", n, skipped)
	if dryRun {
		text += " (dry run)"
	}
	return text
}

// each completes the names of resources of one kind.
func (c *client) each(k *kind.Kind, given []string) ([]string, error) {
	names := make([]string, len(given))
	for i, one := range given {
		var err error
		if names[i], err = c.name(k, one); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func (a *app) mailHandOver() *cobra.Command {
	var file, about string
	var yes bool
	cmd := &cobra.Command{
		Use: "hand-over -f FILE", Short: "Take the messages that wait as a CSV file, to send them by other means",
		Long: "The columns are mail, person, kind, about, subject, text; no address is in it. golive does not send these messages then.\n" +
			"Record whom they reached: golive communication delivered.",
		Example: "  golive mail hand-over -f messages.csv --about crm-rollout/communications/begin", Args: cobra.NoArgs,
	}
	cmd.Flags().StringVarP(&file, "filename", "f", "", "the file to write; it holds links that are for one person each")
	cmd.Flags().StringVar(&about, "about", "", "only messages about this resource, by its full name or as IMPLEMENTATION/communications/ID")
	must(cmd.MarkFlagRequired("filename"))
	yesFlag(cmd, &yes)
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		req := &implementationv1.HandOverMailsRequest{Parent: "workspaces/" + c.workspace}
		if about != "" {
			_, name, err := c.any(about)
			if err != nil {
				return err
			}
			req.About = name
		}
		if err := c.confirm(yes, "take over the sending of the messages that wait into", file); err != nil {
			return err
		}
		// The file first: what was handed over and not written down would be lost.
		out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return usage(err.Error(), "name a file that does not exist yet")
		}
		total, err := c.handOver(ctx, req, out)
		if err != nil {
			return err
		}
		return c.printResult(&implementationv1.HandOverMailsResponse{Count: total}, fmt.Sprintf("%d messages are in %s; they are yours to send", total, file))
	})
}

// handOver writes page after page, the header once.
func (c *client) handOver(ctx context.Context, req *implementationv1.HandOverMailsRequest, out *os.File) (total int32, err error) {
	defer func() {
		if closed := out.Close(); err == nil {
			err = closed
		}
	}()
	for {
		resp, err := implementationv1.NewMailServiceClient(c.people).HandOverMails(ctx, req)
		if err != nil {
			return total, err
		}
		page := resp.GetCsv()
		if total > 0 {
			_, page, _ = bytes.Cut(page, []byte("\n"))
		}
		if resp.GetCount() > 0 || total == 0 {
			if _, err := out.Write(page); err != nil {
				return total, fmt.Errorf("write %s: %w", out.Name(), err)
			}
		}
		total += resp.GetCount()
		if resp.GetCount() == 0 {
			return total, out.Sync()
		}
	}
}

func (a *app) mailBounced() *cobra.Command {
	var code int32
	cmd := &cobra.Command{
		Use: "bounced MAIL", Short: "Record that a message came back after the mail server had taken it", Args: cobra.ExactArgs(1),
		Example: "  golive mail bounced m7k2 --code 550",
	}
	cmd.Flags().Int32Var(&code, "code", 0, "the code of the answer, where it is known")
	a.completeKind(cmd, "mail")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("mail"), args[0])
		if err != nil {
			return err
		}
		m, err := implementationv1.NewMailServiceClient(c.people).RecordBounce(ctx, &implementationv1.RecordBounceRequest{Name: name, ReplyCode: code})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("mail"), m)
	})
}
