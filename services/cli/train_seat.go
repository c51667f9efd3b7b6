package cli

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// onEnrolments is a verb on the enrolments of people, one after the other: it
// stops at the first who is refused, and says how far it came.
func (c *client) onEnrolments(training string, people []string, verb func(enrolment string) (*implementationv1.Enrolment, error)) error {
	done := make([]*implementationv1.Enrolment, 0, len(people))
	for _, person := range people {
		e, err := verb(training + "/enrolments/" + path.Base(person))
		if err != nil {
			if len(done) > 0 {
				c.note("%d of %d done before this one, %s", len(done), len(people), path.Base(person))
			}
			return err
		}
		done = append(done, e)
	}
	if !c.format.ForPeople() && c.format != show.Name {
		return show.EncodeList(c.out, c.format, done)
	}
	for _, e := range done {
		if err := c.say("%s %s", path.Base(e.GetName()), c.style.State(e.GetState().String())); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) trainBook() *cobra.Command {
	cmd := &cobra.Command{
		Use: "book TRAINING/SESSION PERSON…", Short: "Give people seats in a session",
		Long:    "Who has a seat in another session of the training changes seats. No more seats are given out than there are.",
		Example: "  golive train book crm-basics/monday p0013 p0014", Args: cobra.MinimumNArgs(2),
	}
	a.completeKind(cmd, "session")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		session, people, err := c.sessionAndPeople(args)
		if err != nil {
			return err
		}
		return c.onEnrolments(path.Dir(path.Dir(session)), people, func(name string) (*implementationv1.Enrolment, error) {
			return implementationv1.NewEnrolmentServiceClient(c.people).BookEnrolment(ctx, &implementationv1.BookEnrolmentRequest{Name: name, Session: session})
		})
	})
}

func (a *app) trainDecline() *cobra.Command {
	var reason string
	reasons := []string{"conflict", "not-needed", "other"}
	cmd := &cobra.Command{
		Use: "decline TRAINING PERSON… --reason WORD", Short: "Record that people declined; their seats are free again",
		Example: "  golive train decline crm-basics p0013 --reason conflict", Args: cobra.MinimumNArgs(2),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why: "+strings.Join(reasons, ", "))
	must(cmd.MarkFlagRequired("reason"))
	must(cmd.RegisterFlagCompletionFunc("reason", cobra.FixedCompletions(reasons, cobra.ShellCompDirectiveNoFileComp)))
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		if !slices.Contains(reasons, reason) {
			return usage("--reason "+reason+" is none", "write one of "+strings.Join(reasons, ", "))
		}
		names, err := c.trainingAndPeople(args)
		if err != nil {
			return err
		}
		why := implementationv1.Enrolment_DeclineReason(implementationv1.Enrolment_DeclineReason_value[strings.ToUpper(strings.ReplaceAll(reason, "-", "_"))])
		return c.onEnrolments(names[0], names[1:], func(name string) (*implementationv1.Enrolment, error) {
			return implementationv1.NewEnrolmentServiceClient(c.people).DeclineEnrolment(ctx, &implementationv1.DeclineEnrolmentRequest{Name: name, Reason: why})
		})
	})
}

func (a *app) trainReassign() *cobra.Command {
	var due string
	cmd := &cobra.Command{
		Use: "reassign TRAINING PERSON…", Short: "Ask people again who failed, did not come, were let off, or whose completion expired",
		Example: "  golive train reassign crm-basics p0013 --due 2026-12-15", Args: cobra.MinimumNArgs(2),
	}
	cmd.Flags().StringVar(&due, "due", "", "until when it should be completed: 2026-11-30 18:00 local, or RFC 3339; as before when not given")
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		names, err := c.trainingAndPeople(args)
		if err != nil {
			return err
		}
		at, err := moment("due", due)
		if err != nil {
			return err
		}
		return c.onEnrolments(names[0], names[1:], func(name string) (*implementationv1.Enrolment, error) {
			return implementationv1.NewEnrolmentServiceClient(c.people).ReassignEnrolment(ctx, &implementationv1.ReassignEnrolmentRequest{Name: name, DueTime: at})
		})
	})
}

func (a *app) trainAttend() *cobra.Command {
	var nobody bool
	cmd := &cobra.Command{
		Use: "attend TRAINING/SESSION PERSON…", Short: "Record who came to a session; who was booked and is not named did not",
		Long:    "Send the whole list again to correct it. Who has a result already keeps it.",
		Example: "  golive train attend crm-basics/monday p0013 p0014", Args: cobra.MinimumNArgs(1),
	}
	cmd.Flags().BoolVar(&nobody, "nobody", false, "nobody came")
	a.completeKind(cmd, "session")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		session, people, err := c.sessionAndPeople(args)
		if err != nil {
			return err
		}
		if (len(people) == 0) != nobody {
			return usage("say who came, or --nobody", "write golive train attend TRAINING/SESSION PERSON…")
		}
		resp, err := implementationv1.NewSessionServiceClient(c.people).RecordAttendance(ctx, &implementationv1.RecordAttendanceRequest{Name: session, Present: people})
		if err != nil {
			return err
		}
		return c.printResult(resp, fmt.Sprintf("%d came, %d did not", resp.GetAttendedCount(), resp.GetNoShowCount()))
	})
}

func (a *app) trainAssess() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: "assess TRAINING PERSON=SCORE…", Short: "Record scores from 0 to 1: the pass mark of the training decides",
		Example: "  golive train assess crm-basics p0013=0.9 p0014=0.55", Args: cobra.MinimumNArgs(2),
	}
	cmd.Flags().StringVar(&at, "time", "", "when: 2026-11-30 18:00 local, or RFC 3339; now when not given")
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		training, err := c.name(mustFind("training"), args[0])
		if err != nil {
			return err
		}
		when, err := moment("time", at)
		if err != nil {
			return err
		}
		req := &implementationv1.RecordAssessmentsRequest{Training: training}
		for _, arg := range args[1:] {
			who, text, _ := strings.Cut(arg, "=")
			score, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return usage(arg+" has no score", "write it like p0013=0.9")
			}
			person, err := c.name(mustFind("person"), who)
			if err != nil {
				return err
			}
			req.Assessments = append(req.Assessments, &implementationv1.Assessment{Person: person, Score: score, AssessTime: when})
		}
		resp, err := implementationv1.NewEnrolmentServiceClient(c.people).RecordAssessments(ctx, req)
		if err != nil {
			return err
		}
		return c.printResult(resp, fmt.Sprintf("%d passed, %d failed, %d of them known", resp.GetPassedCount(), resp.GetFailedCount(), resp.GetUnchangedCount()))
	})
}

func (a *app) trainExport() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "export TRAINING", Short: "Write who is where with a training as CSV",
		Example: "  golive train export crm-basics -f basics.csv", Args: cobra.ExactArgs(1),
	}
	exportFlags(cmd, &file)
	a.completeKind(cmd, "training")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("training"), args[0])
		if err != nil {
			return err
		}
		return c.writePages(ctx, file, func(ctx context.Context, token string) (*implementationv1.ExportResult, error) {
			return implementationv1.NewEnrolmentServiceClient(c.people).ExportEnrolments(ctx, &implementationv1.ExportEnrolmentsRequest{Parent: name, PageToken: token})
		})
	})
}

// sessionAndPeople completes the names of a session and the people after it.
func (c *client) sessionAndPeople(args []string) (session string, people []string, err error) {
	if session, err = c.name(mustFind("session"), args[0]); err != nil {
		return "", nil, err
	}
	for _, given := range args[1:] {
		person, err := c.name(mustFind("person"), given)
		if err != nil {
			return "", nil, err
		}
		people = append(people, person)
	}
	return session, people, nil
}
