package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func (a *app) trainSession() *cobra.Command {
	return group("session", "The dates on which a training is given", a.sessionCreate(), a.sessionList(), a.sessionCancel(), a.sessionImport(), a.sessionExport())
}

func (a *app) sessionCreate() *cobra.Command {
	var (
		start, place, trainer string
		lasts                 time.Duration
		seats                 int32
	)
	cmd := &cobra.Command{
		Use: "create TRAINING/SESSION --start TIME", Short: "Offer a training on a date",
		Example: "  golive train session create crm-basics/monday --start 2026-11-30T09:00:00Z --lasts 3h --seats 12 --place 'Room 2'", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&start, "start", "", "when it begins, RFC 3339")
	cmd.Flags().DurationVar(&lasts, "lasts", time.Hour, "how long it takes")
	cmd.Flags().Int32Var(&seats, "seats", 0, "how many can come; as the training says when 0")
	cmd.Flags().StringVar(&place, "place", "", "a room or a link")
	cmd.Flags().StringVar(&trainer, "trainer", "", "who gives it, a resource")
	must(cmd.MarkFlagRequired("start"))
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		k := mustFind("session")
		name, err := c.name(k, args[0])
		if err != nil {
			return err
		}
		s := &implementationv1.Session{Place: place, Seats: seats}
		if s.StartTime, err = moment("start", start); err != nil {
			return err
		}
		s.EndTime = timestamppb.New(s.GetStartTime().AsTime().Add(lasts))
		if trainer != "" {
			if s.Trainer, err = c.name(mustFind("resource"), trainer); err != nil {
				return err
			}
		}
		made, err := c.create(ctx, k, name, s, false)
		if err != nil {
			return err
		}
		return c.printOne(k, made)
	})
}

func (a *app) sessionList() *cobra.Command {
	cmd := &cobra.Command{Use: "list [TRAINING]", Short: "List the sessions of a training, or of all", Args: cobra.MaximumNArgs(1)}
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		parent := "workspaces/" + c.workspace + "/trainings/-"
		if len(args) > 0 {
			var err error
			if parent, err = c.name(mustFind("training"), args[0]); err != nil {
				return err
			}
		}
		k := mustFind("session")
		found, _, err := c.all(ctx, k, query{parent: parent, order: "start_time"})
		if err != nil {
			return err
		}
		return c.printAll(k, found)
	})
}

func (a *app) sessionCancel() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "cancel TRAINING/SESSION --reason TEXT", Short: "Call a session off; who had a seat is to be booked again",
		Example: "  golive train session cancel crm-basics/monday --reason 'the trainer is ill'", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	must(cmd.MarkFlagRequired("reason"))
	a.completeKind(cmd, "session")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("session"), args[0])
		if err != nil {
			return err
		}
		s, err := implementationv1.NewSessionServiceClient(c.people).CancelSession(ctx, &implementationv1.CancelSessionRequest{Name: name, Reason: reason})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("session"), s)
	})
}

func (a *app) sessionImport() *cobra.Command {
	var (
		file    string
		columns map[string]string
		dryRun  bool
	)
	cmd := &cobra.Command{
		Use: "import TRAINING -f FILE", Short: "Create and change sessions out of a CSV file with the columns session, start_time, end_time, place, seats, trainer",
		Example: "  golive train session import crm-basics -f sessions.csv --dry-run",
		Long:    "All rows are good or nothing is changed: bad rows are listed with their line, and the exit code is 6.", Args: cobra.ExactArgs(1),
	}
	importFlags(cmd, &file, &columns, &dryRun)
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("training"), args[0])
		if err != nil {
			return err
		}
		data, err := c.readFile(file)
		if err != nil {
			return err
		}
		resp, err := implementationv1.NewSessionServiceClient(c.people).ImportSessions(ctx, &implementationv1.ImportSessionsRequest{
			Parent: name, Csv: data, Columns: columns, ValidateOnly: dryRun,
		})
		if err != nil {
			return err
		}
		return c.printImport(resp)
	})
}

func (a *app) sessionExport() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "export TRAINING", Short: "Write the sessions of a training as CSV",
		Example: "  golive train session export crm-basics -f sessions.csv", Args: cobra.ExactArgs(1),
	}
	exportFlags(cmd, &file)
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("training"), args[0])
		if err != nil {
			return err
		}
		return c.writePages(ctx, file, func(ctx context.Context, token string) (*implementationv1.ExportResult, error) {
			return implementationv1.NewSessionServiceClient(c.people).ExportSessions(ctx, &implementationv1.ExportSessionsRequest{Parent: name, PageToken: token})
		})
	})
}
