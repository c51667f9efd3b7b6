package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) plan() *cobra.Command {
	return group("plan", "See when what is done, what is critical, what a change would do, and how sure all of that is",
		a.planShow(), a.planCriticalPath(), a.planWhatIf(), a.planLint(), a.planValue(), a.planForecast(), a.planLevel(), a.planApplyProposal(),
		a.planBaseline(), a.planTemplate(), a.planImport(), a.planExport(), a.planICal())
}

// onSchedule is a command on the schedule of one implementation.
func (a *app) onSchedule(cmd *cobra.Command, tell func(c *client, s *implementationv1.Schedule) error) *cobra.Command {
	var near string
	cmd.Args = cobra.ExactArgs(1)
	cmd.Flags().StringVar(&near, "near", "", "float up to which a task is near-critical: 2d; 5d when not given")
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		req := &implementationv1.GetScheduleRequest{Parent: name}
		minutes, err := optionalWork("near", near)
		if err != nil {
			return err
		}
		if minutes != nil {
			req.NearCriticalMinutes = new(int64(*minutes))
		}
		s, err := implementationv1.NewScheduleServiceClient(c.people).GetSchedule(ctx, req)
		if err != nil {
			return err
		}
		if !c.format.ForPeople() && c.format != show.Name {
			return show.Encode(c.out, c.format, s)
		}
		return tell(c, s)
	})
}

func (a *app) planShow() *cobra.Command {
	return a.onSchedule(&cobra.Command{
		Use: "show IMPLEMENTATION", Short: "Show when each task begins and ends, as a table with bars",
		Long: "█ critical, ▒ not critical, ░ done, · how much later it may end, ◆ milestone, │ today.\n" +
			"Dates are in your time zone, float is in working time: 2d are two days of 8 hours. -o wide says why something is late,\nblocked or at risk; golive why IMPLEMENTATION/tasks/TASK says it of one task.",
		Example: "  golive plan show crm-rollout\n  golive plan show crm-rollout -o json",
	}, (*client).printSchedule)
}

func (a *app) planCriticalPath() *cobra.Command {
	return a.onSchedule(&cobra.Command{
		Use: "critical-path IMPLEMENTATION", Short: "Show what decides when the plan ends, and what nearly does",
		Example: "  golive plan critical-path crm-rollout --near 10d",
	}, (*client).printCritical)
}

func (c *client) printCritical(s *implementationv1.Schedule) error {
	if c.format == show.Name {
		return c.printNames(s.GetCriticalTasks())
	}
	if err := c.printEnd(s); err != nil {
		return err
	}
	rows := [][]string{c.heads("TASK", "TITLE", "START", "END", "TAKES", "FLOAT", "DRIVEN BY", "SEEN")}
	for _, t := range s.GetTasks() {
		if !t.GetCritical() && !t.GetNearCritical() {
			continue
		}
		task := ident(t.GetName())
		if t.GetCritical() {
			task = c.style.Bold(task)
		}
		rows = append(rows, []string{
			task, t.GetDisplayName(), onDay(t.GetEarlyStartTime()), onDay(t.GetEarlyEndTime()), show.Work(t.GetDurationMinutes()),
			show.Work(t.GetTotalFloatMinutes()), idents(t.GetDrivingPredecessors()), c.seenWords(t.GetConditions()),
		})
	}
	if err := show.Rows(c.out, rows); err != nil {
		return err
	}
	p := s.GetClassicalPert()
	c.note("classical PERT: %s ± %s along %s (optimistic because of merge bias; golive plan forecast knows better)",
		show.Work(int64(p.GetMeanMinutes())), show.Work(int64(p.GetStandardDeviationMinutes())), idents(p.GetPath()))
	return nil
}

// printEnd is when a plan ends, against its target and its baseline.
func (c *client) printEnd(s *implementationv1.Schedule) error {
	if s.GetEndTime() == nil {
		short := kind.Short(s.GetImplementation())
		return c.say("%s has no tasks; begin with golive plan template apply %s software-rollout, or golive plan import %s -f FILE", short, short, short)
	}
	text := fmt.Sprintf("%s  %s to %s, %s of work, %.0f %% done", c.style.Bold(kind.Short(s.GetImplementation())),
		onDay(s.GetStartTime()), onDay(s.GetEndTime()), show.Work(s.GetDurationMinutes()), s.GetProgressPercent())
	if s.TargetFloatMinutes != nil {
		text += fmt.Sprintf("; target %s, %s", onDay(s.GetTargetDate()), earlier(s.GetTargetFloatMinutes(), "to spare", "too late"))
	}
	switch late := s.GetEndVarianceMinutes(); {
	case s.EndVarianceMinutes == nil:
	case late == 0:
		text += "; as in the baseline"
	default:
		text += "; " + earlier(-late, "before the baseline", "after the baseline")
	}
	if err := c.say("%s", text); err != nil {
		return err
	}
	for _, condition := range s.GetConditions() {
		if condition.GetStatus() != implementationv1.PlanCondition_TRUE {
			continue
		}
		if err := c.say("%s: %s", c.style.Bold(strings.ToLower(strings.ReplaceAll(condition.GetType().String(), "_", " "))), condition.GetMessage()); err != nil {
			return err
		}
	}
	return nil
}

// earlier is a float in words.
func earlier(minutes int64, spare, late string) string {
	if minutes < 0 {
		return show.Work(-minutes) + " " + late
	}
	return show.Work(minutes) + " " + spare
}

func (c *client) printNames(names []string) error {
	for _, name := range names {
		if err := c.say("%s", name); err != nil {
			return err
		}
	}
	return nil
}

// onDay is a date for a table, where the reader is.
func onDay(t *timestamppb.Timestamp) string {
	if t == nil {
		return "-"
	}
	return t.AsTime().Local().Format(time.DateOnly) //nolint:gosmopolitan // for who reads it
}
