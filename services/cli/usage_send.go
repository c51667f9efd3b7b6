package cli

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// usageBatch is how many events are sent at once.
const usageBatch = 5000

// usageCommand is called so because usage is the name of an error here.
func (a *app) usageCommand() *cobra.Command {
	return group("usage", "Send who used what on which day, and say who is behind a key", a.usageSend(), a.usageKey(), a.usageBind(),
		a.usageConsent("opt-out", "Take a person out of all counting of usage"), a.usageConsent("opt-in", "Count a person again"))
}

func (a *app) usageSend() *cobra.Command {
	var file, keyFile string
	cmd := &cobra.Command{
		Use: "send -f FILE", Short: "Send usage out of a CSV file with the columns feature, user or subject, and day",
		Long: "A column user holds your own ids of people: they are turned into keys here, with the secret in --key-file, and never leave this machine.\n" +
			"A column subject holds keys, or people/… of golive. Without a day it was today. Bad events are listed with their line, the\n" +
			"others are kept, and the exit code is 6. Sending a file again does no harm.",
		Example: "  golive usage send -f usage.csv --key-file usage.key", Args: cobra.NoArgs,
	}
	cmd.Flags().StringVarP(&file, "filename", "f", "", "the CSV file, or - for stdin")
	cmd.Flags().StringVar(&keyFile, "key-file", "", "the secret that makes keys of users; see golive usage key")
	must(cmd.MarkFlagRequired("filename"))
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		data, err := c.readFile(file)
		if err != nil {
			return err
		}
		hash, err := c.hasher(keyFile)
		if err != nil {
			return err
		}
		return c.sendUsage(ctx, data, hash)
	})
}

// sendUsage sends the rows of a file in batches, over one stream.
func (c *client) sendUsage(ctx context.Context, data []byte, hash func(user string) string) error {
	rows, err := usageRows(data, hash)
	if err != nil {
		return err
	}
	stream, err := implementationv1.NewUsageServiceClient(c.people).IngestUsage(ctx)
	if err != nil {
		return err
	}
	all := &implementationv1.ReportUsageResponse{}
	line := int32(2)
	for batch := range slices.Chunk(rows, usageBatch) {
		if err := stream.Send(&implementationv1.IngestUsageRequest{Parent: "workspaces/" + c.workspace, Events: batch}); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		taken, err := stream.Recv()
		if err != nil {
			return err
		}
		all.AcceptedCount += taken.GetAcceptedCount()
		all.RejectedCount += taken.GetRejectedCount()
		for _, e := range taken.GetErrors() {
			e.Index += line
			all.Errors = append(all.Errors, e)
		}
		line += int32(len(batch)) //nolint:gosec // G115: a batch
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return c.printUsage(all)
}

// printUsage shows what became of a file; the index of an error is its line by now.
func (c *client) printUsage(r *implementationv1.ReportUsageResponse) error {
	if !c.format.ForPeople() {
		if err := show.Encode(c.out, c.format, r); err != nil {
			return err
		}
	} else {
		if err := c.say("%d events kept, %d refused", r.GetAcceptedCount(), r.GetRejectedCount()); err != nil {
			return err
		}
		for _, e := range r.GetErrors() {
			if err := c.say("line %d %s: %s (%s)", e.GetIndex(), e.GetField(), e.GetMessage(), e.GetReason()); err != nil {
				return err
			}
		}
	}
	if r.GetRejectedCount() > 0 {
		return outcome(exitUnwell)
	}
	return nil
}

// usageRows reads events. Users become keys here.
func usageRows(data []byte, hash func(user string) string) ([]*implementationv1.UsageEvent, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return nil, usage("the file has no header line", "begin it with feature,user,day")
	}
	feature, user, subject, day := slices.Index(header, "feature"), slices.Index(header, "user"), slices.Index(header, "subject"), slices.Index(header, "day")
	switch {
	case feature < 0 || (user < 0) == (subject < 0):
		return nil, usage("the header is "+strings.Join(header, ","), "it needs feature, and one of user and subject; day where it was not today")
	case user >= 0 && hash == nil:
		return nil, usage("the file has a column user and there is no secret to make keys of", "give --key-file, or a column subject")
	}
	var events []*implementationv1.UsageEvent
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return nil, usage(fmt.Sprintf("the file cannot be read: %v", err), "correct it; nothing was sent")
		}
		e := &implementationv1.UsageEvent{Feature: strings.Clone(record[feature])}
		if user >= 0 {
			e.Subject = hash(record[user])
		} else {
			e.Subject = strings.Clone(record[subject])
		}
		if day >= 0 {
			e.Day = strings.Clone(record[day])
		}
		events = append(events, e)
	}
}

// hasher makes keys of users: the hex of HMAC-SHA-256 over the id as it is written. Nil without a file.
func (c *client) hasher(file string) (func(user string) string, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // none is usual
	}
	secret, err := c.readFile(file)
	if err != nil {
		return nil, err
	}
	secret = bytes.TrimSpace(secret)
	if len(secret) < 32 {
		return nil, usage("the secret in "+file+" has less than 32 characters: keys could be guessed", "golive usage key makes one")
	}
	return func(user string) string {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(user))
		return hex.EncodeToString(mac.Sum(nil))
	}, nil
}

func (a *app) usageKey() *cobra.Command {
	cmd := &cobra.Command{
		Use: "key FILE", Short: "Make the secret with which applications turn their users into keys",
		Long: "All applications of a workspace use the same secret, so that a person has one key. Keep it where they run; golive never sees it.\n" +
			"A key is hex(HMAC-SHA-256(secret, user id)), over the text in the file.",
		Example: "  golive usage key usage.key", Args: cobra.ExactArgs(1),
	}
	cmd.RunE = func(_ *cobra.Command, args []string) (err error) {
		file, err := os.OpenFile(args[0], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		_, err = file.WriteString(rand.Text() + rand.Text() + "\n")
		return err
	}
	return cmd
}

func (a *app) usageBind() *cobra.Command {
	var (
		file, keyFile string
		columns       map[string]string
		dryRun        bool
	)
	cmd := &cobra.Command{
		Use: "bind -f FILE", Short: "Say which key is which person, out of a CSV file with the columns user or key, and person",
		Long: "A column user holds your own ids: they are turned into keys here, with the secret in --key-file. What was used under a key before\n" +
			"counts for the person too. All rows are good or nothing changes, and the exit code is 6.",
		Example: "  golive usage bind -f people.csv --key-file usage.key", Args: cobra.NoArgs,
	}
	importFlags(cmd, &file, &columns, &dryRun)
	cmd.Flags().StringVar(&keyFile, "key-file", "", "the secret that makes keys of users")
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		data, err := c.readFile(file)
		if err != nil {
			return err
		}
		hash, err := c.hasher(keyFile)
		if err != nil {
			return err
		}
		if hash != nil {
			if data, err = keyed(data, hash); err != nil {
				return err
			}
		}
		result, err := implementationv1.NewUsageServiceClient(c.people).BindSubjects(ctx, &implementationv1.BindSubjectsRequest{
			Parent: "workspaces/" + c.workspace, Csv: data, Columns: columns, ValidateOnly: dryRun,
		})
		if err != nil {
			return err
		}
		return c.printImport(result)
	})
}

// keyed is a file with keys in place of the column user.
func keyed(data []byte, hash func(user string) string) ([]byte, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	records, err := r.ReadAll()
	if err != nil || len(records) == 0 {
		return nil, usage(fmt.Sprintf("the file cannot be read: %v", err), "write it with commas and the header user,person")
	}
	user := slices.Index(records[0], "user")
	if user < 0 {
		return nil, usage("the header is "+strings.Join(records[0], ","), "it needs user and person where there is a --key-file")
	}
	records[0][user] = "key"
	for _, record := range records[1:] {
		record[user] = hash(record[user])
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	if err := w.WriteAll(records); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (a *app) usageConsent(use, short string) *cobra.Command {
	var day string
	cmd := &cobra.Command{Use: use + " PERSON", Short: short, Example: "  golive usage " + use + " p0013 --day 2026-03-02", Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&day, "day", "", "from which day on; today when not given")
	a.completeKind(cmd, "person")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		person, err := c.name(mustFind("person"), args[0])
		if err != nil {
			return err
		}
		client := implementationv1.NewUsageServiceClient(c.people)
		var consent *implementationv1.UsageConsent
		text := "%s is counted from %s on"
		if use == "opt-out" {
			text = "%s is not counted from %s on"
			consent, err = client.OptOut(ctx, &implementationv1.OptOutRequest{Person: person, Day: day})
		} else {
			consent, err = client.OptIn(ctx, &implementationv1.OptInRequest{Person: person, Day: day})
		}
		if err != nil {
			return err
		}
		return c.printResult(consent, fmt.Sprintf(text, person, consent.GetSinceDay()))
	})
}
