package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) train() *cobra.Command {
	return group("train", "Enrol people in trainings and record who has completed them",
		a.trainPublish(), a.trainEnrol(), a.trainRecord(), a.trainImport(), a.trainStatus())
}

func (a *app) trainPublish() *cobra.Command {
	cmd := &cobra.Command{Use: "publish TRAINING", Short: "Open a draft for enrolment", Args: cobra.ExactArgs(1)}
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("training"), args[0])
		if err != nil {
			return err
		}
		t, err := implementationv1.NewTrainingServiceClient(c.people).PublishTraining(ctx, &implementationv1.PublishTrainingRequest{Name: name})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("training"), t)
	})
}

func (a *app) trainEnrol() *cobra.Command {
	var cohort string
	cmd := &cobra.Command{
		Use: "enrol TRAINING [PERSON…]", Short: "Assign people, or everybody in a cohort, to a training",
		Example: "  golive train enrol crm-basics --cohort sales", Args: cobra.MinimumNArgs(1),
	}
	cmd.Flags().StringVar(&cohort, "cohort", "", "everybody who is in this cohort today")
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		names, err := c.trainingAndPeople(args)
		if err != nil {
			return err
		}
		req := &implementationv1.EnrolPeopleRequest{Training: names[0], People: names[1:]}
		if cohort != "" {
			if req.Cohort, err = c.name(mustFind("cohort"), cohort); err != nil {
				return err
			}
		}
		if cohort == "" && len(args) == 1 {
			return usage("nobody is named to be enrolled", "name people, or a cohort with --cohort")
		}
		resp, err := implementationv1.NewEnrolmentServiceClient(c.people).EnrolPeople(ctx, req)
		if err != nil {
			return err
		}
		return c.printResult(resp, fmt.Sprintf("%d enrolled, %d were already", resp.GetCreatedCount(), resp.GetUnchangedCount()))
	})
}

func (a *app) trainRecord() *cobra.Command {
	var (
		at     string
		people []string
	)
	cmd := &cobra.Command{
		Use: "record TRAINING PERSON…", Short: "Record that people have completed a training",
		Example: "  golive train record crm-basics p0013 p0014", Args: cobra.MinimumNArgs(1),
	}
	cmd.Flags().StringSliceVar(&people, "person", nil, "the same as the arguments PERSON")
	cmd.Flags().StringVar(&at, "time", "", "when, RFC 3339; now when not given")
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		names, err := c.trainingAndPeople(append(args, people...))
		if err != nil {
			return err
		}
		if len(names) == 1 {
			return usage("nobody is named who has completed it", "write golive train record TRAINING PERSON…")
		}
		var when *timestamppb.Timestamp
		if at != "" {
			t, err := time.Parse(time.RFC3339, at)
			if err != nil {
				return usage("--time "+at+" is not a moment", "write it like 2026-11-30T14:00:00Z")
			}
			when = timestamppb.New(t)
		}
		req := &implementationv1.RecordCompletionsRequest{Training: names[0]}
		for _, person := range names[1:] {
			req.Completions = append(req.Completions, &implementationv1.Completion{Person: person, CompleteTime: when})
		}
		resp, err := implementationv1.NewEnrolmentServiceClient(c.people).RecordCompletions(ctx, req)
		if err != nil {
			return err
		}
		return c.printImport(resp)
	})
}

func (a *app) trainImport() *cobra.Command {
	var (
		file    string
		columns map[string]string
		dryRun  bool
	)
	cmd := &cobra.Command{
		Use: "import TRAINING -f FILE", Short: "Record completions out of a CSV file with the columns person, complete_time, score",
		Long: "All rows are good or nothing is recorded: bad rows are listed with their line, and the exit code is 6.", Args: cobra.ExactArgs(1),
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
		resp, err := implementationv1.NewEnrolmentServiceClient(c.people).ImportCompletions(ctx, &implementationv1.ImportCompletionsRequest{
			Training: name, Csv: data, Columns: columns, ValidateOnly: dryRun,
		})
		if err != nil {
			return err
		}
		return c.printImport(resp)
	})
}

func importFlags(cmd *cobra.Command, file *string, columns *map[string]string, dryRun *bool) {
	cmd.Flags().StringVarP(file, "filename", "f", "", "the CSV file, or - for stdin")
	cmd.Flags().StringToStringVar(columns, "columns", nil, "where the header says otherwise: person=Employee")
	cmd.Flags().BoolVar(dryRun, "dry-run", false, "check every row and change nothing")
	must(cmd.MarkFlagRequired("filename"))
}

func (a *app) trainStatus() *cobra.Command {
	cmd := &cobra.Command{Use: "status TRAINING", Short: "Count the people of a training by where they are", Args: cobra.ExactArgs(1)}
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("training"), args[0])
		if err != nil {
			return err
		}
		if _, err := c.fetch(ctx, mustFind("training"), name); err != nil {
			return err
		}
		found, _, err := c.all(ctx, mustFind("enrolment"), query{parent: name})
		if err != nil {
			return err
		}
		counts := make(map[string]int)
		for _, e := range as[*implementationv1.Enrolment](found) {
			counts[e.GetState().String()]++
		}
		if !c.format.ForPeople() {
			return show.Encode(c.out, c.format, struct {
				Training string         `json:"training"`
				Enrolled int            `json:"enrolled"`
				States   map[string]int `json:"states"`
			}{name, len(found), counts})
		}
		rows := [][]string{{c.style.Bold("STATE"), c.style.Bold("PEOPLE")}}
		for number := range int32(len(implementationv1.Enrolment_State_name)) { //nolint:gosec // five
			if state := implementationv1.Enrolment_State_name[number]; counts[state] > 0 {
				rows = append(rows, []string{c.style.State(state), fmt.Sprint(counts[state])})
			}
		}
		return show.Rows(c.out, append(rows, []string{"all", fmt.Sprint(len(found))}))
	})
}

func (a *app) members() *cobra.Command {
	var (
		file           string
		columns        map[string]string
		dryRun, create bool
	)
	cmd := &cobra.Command{
		Use: "import COHORT -f FILE", Short: "Put people into a cohort out of a CSV file with the columns person, start_date, end_date",
		Long: "All rows are good or nothing is changed: bad rows are listed with their line, and the exit code is 6.", Args: cobra.ExactArgs(1),
	}
	importFlags(cmd, &file, &columns, &dryRun)
	cmd.Flags().BoolVar(&create, "create-people", false, "create people that are not known yet")
	a.completeKind(cmd, "cohort")
	return group("members", "Say who belongs to a cohort", a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("cohort"), args[0])
		if err != nil {
			return err
		}
		data, err := c.readFile(file)
		if err != nil {
			return err
		}
		resp, err := implementationv1.NewMembershipServiceClient(c.people).ImportMemberships(ctx, &implementationv1.ImportMembershipsRequest{
			Parent: name, Csv: data, Columns: columns, ValidateOnly: dryRun, CreatePeople: create,
		})
		if err != nil {
			return err
		}
		return c.printImport(resp)
	}))
}

// trainingAndPeople completes the names of a training and the people after it.
func (c *client) trainingAndPeople(args []string) ([]string, error) {
	names := make([]string, 0, len(args))
	k := mustFind("training")
	for _, given := range args {
		name, err := c.name(k, given)
		if err != nil {
			return nil, err
		}
		names, k = append(names, name), mustFind("person")
	}
	return names, nil
}

// printImport shows what an import did. Bad rows are data: the caller has to mend them.
func (c *client) printImport(r *implementationv1.ImportResult) error {
	text := fmt.Sprintf("%d rows: %d recorded, %d were so already", r.GetRowCount(), r.GetCreatedCount(), r.GetUnchangedCount())
	if r.GetErrorCount() > 0 {
		text = fmt.Sprintf("%d of %d rows are bad, nothing was changed", r.GetErrorCount(), r.GetRowCount())
		for _, e := range r.GetErrors() {
			text += fmt.Sprintf("\nline %d %s: %s (%s)", e.GetLine(), e.GetColumn(), e.GetMessage(), e.GetReason())
		}
	}
	if err := c.printResult(r, text); err != nil || r.GetErrorCount() == 0 {
		return err
	}
	return outcome(exitUnwell)
}

func (c *client) printResult(m proto.Message, text string) error {
	if c.format.ForPeople() || c.format == show.Name {
		return c.say("%s", text)
	}
	return show.Encode(c.out, c.format, m)
}
