package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) train() *cobra.Command {
	return group("train", "Enrol people in trainings, give out seats, and record who came, passed and completed",
		a.trainPublish(), a.trainSession(), a.trainEnrol(), a.trainBook(), a.trainDecline(), a.trainReassign(), a.trainAttend(), a.trainAssess(),
		a.trainRecord(), a.trainImport(), a.trainExport(), a.trainStatus())
}

func (a *app) trainPublish() *cobra.Command {
	cmd := &cobra.Command{Use: "publish TRAINING", Short: "Open a draft for enrolment", Example: "  golive train publish crm-basics", Args: cobra.ExactArgs(1)}
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
	var cohort, due, file string
	cmd := &cobra.Command{
		Use: "enrol TRAINING [PERSON…]", Short: "Assign people, everybody in a cohort, or those in a CSV file, to a training",
		Long:    "The file has the columns person and due_time; all rows are good or nothing is changed. Who is enrolled already is left as is.",
		Example: "  golive train enrol crm-basics --cohort sales --due 2026-12-15\n  golive train enrol crm-basics -f new.csv", Args: cobra.MinimumNArgs(1),
	}
	cmd.Flags().StringVar(&cohort, "cohort", "", "everybody who is in this cohort today")
	cmd.Flags().StringVar(&due, "due", "", "until when it should be completed: 2026-11-30 18:00 local, or RFC 3339")
	cmd.Flags().StringVarP(&file, "filename", "f", "", "a CSV file of people, or - for stdin")
	cmd.MarkFlagsMutuallyExclusive("filename", "cohort")
	cmd.MarkFlagsMutuallyExclusive("filename", "due")
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		names, err := c.trainingAndPeople(args)
		if err != nil {
			return err
		}
		if file != "" && len(names) == 1 {
			return c.enrolFile(ctx, names[0], file)
		}
		if file != "" || cohort == "" && len(args) == 1 {
			return usage("it is not clear who is to be enrolled", "name people, or a cohort with --cohort, or a file with -f")
		}
		req := &implementationv1.EnrolPeopleRequest{Training: names[0], People: names[1:]}
		if req.DueTime, err = moment("due", due); err != nil {
			return err
		}
		if cohort != "" {
			if req.Cohort, err = c.name(mustFind("cohort"), cohort); err != nil {
				return err
			}
		}
		resp, err := implementationv1.NewEnrolmentServiceClient(c.people).EnrolPeople(ctx, req)
		if err != nil {
			return err
		}
		return c.printResult(resp, fmt.Sprintf("%d enrolled, %d were already", resp.GetCreatedCount(), resp.GetUnchangedCount()))
	})
}

func (c *client) enrolFile(ctx context.Context, training, file string) error {
	data, err := c.readFile(file)
	if err != nil {
		return err
	}
	resp, err := implementationv1.NewEnrolmentServiceClient(c.people).ImportEnrolments(ctx, &implementationv1.ImportEnrolmentsRequest{Training: training, Csv: data})
	if err != nil {
		return err
	}
	return c.printImport(resp)
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
	cmd.Flags().StringVar(&at, "time", "", "when: 2026-11-30 18:00 local, or RFC 3339; now when not given")
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		names, err := c.trainingAndPeople(append(args, people...))
		if err != nil {
			return err
		}
		if len(names) == 1 {
			return usage("nobody is named who has completed it", "write golive train record TRAINING PERSON…")
		}
		when, err := moment("time", at)
		if err != nil {
			return err
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
		Example: "  golive train import crm-basics -f completions.csv --dry-run",
		Long:    "All rows are good or nothing is recorded: bad rows are listed with their line, and the exit code is 6.", Args: cobra.ExactArgs(1),
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

func (a *app) trainStatus() *cobra.Command {
	var cohort string
	cmd := &cobra.Command{
		Use: "status TRAINING", Short: "Count the people of a training by where they are",
		Example: "  golive train status crm-basics --cohort sales", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&cohort, "cohort", "", "only who is in this cohort today")
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("training"), args[0])
		if err != nil {
			return err
		}
		req := &implementationv1.CountEnrolmentsRequest{Training: name}
		if cohort != "" {
			if req.Cohort, err = c.name(mustFind("cohort"), cohort); err != nil {
				return err
			}
		}
		counts, err := implementationv1.NewEnrolmentServiceClient(c.people).CountEnrolments(ctx, req)
		if err != nil {
			return err
		}
		return c.printCounts(name, counts)
	})
}

func (c *client) printCounts(training string, counts *implementationv1.CountEnrolmentsResponse) error {
	if !c.format.ForPeople() {
		states := make(map[string]int64)
		for _, one := range counts.GetCounts() {
			states[one.GetState().String()] = one.GetCount()
		}
		return show.Encode(c.out, c.format, struct {
			Training string           `json:"training"`
			Enrolled int64            `json:"enrolled"`
			States   map[string]int64 `json:"states"`
			Overdue  int64            `json:"overdue"`
			Passed   int64            `json:"passed"`
			Members  int64            `json:"members,omitempty"`
		}{training, counts.GetEnrolledCount(), states, counts.GetOverdueCount(), counts.GetPassedCount(), counts.GetMemberCount()})
	}
	rows := [][]string{{c.style.Bold("STATE"), c.style.Bold("PEOPLE")}}
	for _, one := range counts.GetCounts() {
		rows = append(rows, []string{c.style.State(one.GetState().String()), fmt.Sprint(one.GetCount())})
	}
	rows = append(rows, []string{"all", fmt.Sprint(counts.GetEnrolledCount())})
	if n := counts.GetMemberCount(); n > 0 {
		rows = append(rows, []string{"members", fmt.Sprint(n)})
	}
	if n := counts.GetPassedCount(); n > 0 {
		rows = append(rows, []string{"passed an assessment", fmt.Sprint(n)})
	}
	if n := counts.GetOverdueCount(); n > 0 {
		rows = append(rows, []string{"overdue", fmt.Sprint(n)})
	}
	return show.Rows(c.out, rows)
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
