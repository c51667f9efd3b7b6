package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// supposition is what a question supposes.
type supposition struct {
	set, without, away []string
	start, target      string
}

func (a *app) planWhatIf() *cobra.Command {
	var s supposition
	cmd := &cobra.Command{
		Use: "whatif IMPLEMENTATION", Short: "Show what a change would do, without making it",
		Long: "--set TASK.FIELD=VALUE, where FIELD is likely, optimistic, pessimistic (2d, 4h, 90m), earliest-start or deadline (a time).\n" +
			"A task whose estimate is set has no other points than those that are set.",
		Example: "  golive plan whatif crm-rollout --set migrate-data.likely=3d\n  golive plan whatif crm-rollout --away ada=2026-12-01..2026-12-05 --without pilot-review",
		Args:    cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringArrayVar(&s.set, "set", nil, "a task as it would be: TASK.likely=3d")
	f.StringSliceVar(&s.without, "without", nil, "tasks that would not be")
	f.StringArrayVar(&s.away, "away", nil, "a resource that would be away, last day included: ada=2026-12-01..2026-12-05")
	f.StringVar(&s.start, "start", "", "when the plan would begin: 2026-11-30 09:00 local, or RFC 3339")
	f.StringVar(&s.target, "target", "", "when it should be done then")
	cmd.MarkFlagsOneRequired("set", "without", "away", "start", "target")
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		req, err := c.simulation(ctx, name, &s)
		if err != nil {
			return err
		}
		resp, err := implementationv1.NewScheduleServiceClient(c.people).SimulateSchedule(ctx, req)
		if err != nil {
			return err
		}
		for _, d := range resp.GetDifferences() {
			if d.GetBefore() == nil { // only the API supposes new tasks, which have links and more
				return usage("there is no task "+ident(d.GetName())+" in the plan", "golive plan show "+args[0]+" shows those there are")
			}
		}
		return c.printSimulation(resp)
	})
}

func (c *client) simulation(ctx context.Context, name string, s *supposition) (req *implementationv1.SimulateScheduleRequest, err error) {
	req = &implementationv1.SimulateScheduleRequest{Parent: name}
	if req.StartTime, err = moment("start", s.start); err != nil {
		return nil, err
	}
	if req.TargetDate, err = moment("target", s.target); err != nil {
		return nil, err
	}
	for _, id := range s.without {
		req.DeletedTasks = append(req.DeletedTasks, name+"/tasks/"+ident(id))
	}
	changes := map[string]*implementationv1.TaskChange{}
	for _, one := range s.set {
		left, value, ok := strings.Cut(one, "=")
		dot := strings.LastIndexByte(left, '.')
		if !ok || dot < 1 {
			return nil, usage("--set "+one+" says nothing", "write --set TASK.likely=3d")
		}
		task := name + "/tasks/" + ident(left[:dot])
		change := changes[task]
		if change == nil {
			change = &implementationv1.TaskChange{Task: &implementationv1.Task{Name: task}, UpdateMask: &fieldmaskpb.FieldMask{}}
			changes[task] = change
			req.Tasks = append(req.Tasks, change)
		}
		if err := suppose(change, left[dot+1:], value); err != nil {
			return nil, err
		}
	}
	for _, one := range s.away {
		r, err := c.supposeAway(ctx, one)
		if err != nil {
			return nil, err
		}
		req.Resources = append(req.Resources, r)
	}
	return req, nil
}

// suppose sets one field of a task.
func suppose(change *implementationv1.TaskChange, field, value string) (err error) {
	t := change.GetTask()
	path := "estimate"
	switch field {
	case "earliest-start":
		path = "earliest_start_time"
		t.EarliestStartTime, err = moment("set", value)
	case "deadline":
		path = "deadline"
		t.Deadline, err = moment("set", value)
	case "likely", "optimistic", "pessimistic":
		if t.GetEstimate() == nil {
			t.Estimate = &implementationv1.Estimate{}
		}
		var minutes int32
		minutes, err = workMinutes("set", value)
		switch field {
		case "likely":
			t.Estimate.LikelyMinutes = minutes
		case "optimistic":
			t.Estimate.OptimisticMinutes = &minutes
		default:
			t.Estimate.PessimisticMinutes = &minutes
		}
	default:
		return usage("a task has no "+field+" to suppose", "it has likely, optimistic, pessimistic, earliest-start and deadline")
	}
	change.UpdateMask.Paths = append(change.GetUpdateMask().GetPaths(), path)
	return err
}

// supposeAway is a resource with one more absence.
func (c *client) supposeAway(ctx context.Context, text string) (*implementationv1.Resource, error) {
	given, days, ok := strings.Cut(text, "=")
	first, last, both := strings.Cut(days, "..")
	if !both {
		last = first
	}
	if !ok || first == "" || last == "" {
		return nil, usage("--away "+text+" says nothing", "write --away ada=2026-12-01..2026-12-05")
	}
	start, err := moment("away", first)
	if err != nil {
		return nil, err
	}
	end, err := moment("away", last)
	if err != nil {
		return nil, err
	}
	name, err := c.name(mustFind("resource"), given)
	if err != nil {
		return nil, err
	}
	r, err := implementationv1.NewResourceServiceClient(c.people).GetResource(ctx, &implementationv1.GetResourceRequest{Name: name})
	if err != nil {
		return nil, err
	}
	after := timestamppb.New(end.AsTime().Local().AddDate(0, 0, 1)) //nolint:gosmopolitan // a day where it was written, of 23 hours now and then
	r.Absences = append(r.Absences, &implementationv1.Absence{StartTime: start, EndTime: after})
	return r, nil
}

func (c *client) printSimulation(r *implementationv1.SimulateScheduleResponse) error {
	switch {
	case c.format == show.Name:
		names := make([]string, len(r.GetDifferences()))
		for i, d := range r.GetDifferences() {
			names[i] = d.GetName()
		}
		return c.printNames(names)
	case !c.format.ForPeople():
		return show.Encode(c.out, c.format, r)
	}
	moved := "the end stays"
	switch by := r.GetEndMinutes(); {
	case r.GetAfter().GetEndTime() == nil:
		moved = "nothing would be left to do"
	case by != 0:
		moved = earlier(-by, "earlier", "later")
	}
	if err := c.say("%s → %s, %s", onDay(r.GetBefore().GetEndTime()), onDay(r.GetAfter().GetEndTime()), c.style.Bold(moved)); err != nil {
		return err
	}
	if len(r.GetDifferences()) == 0 {
		return c.say("nothing would change")
	}
	rows := [][]string{c.heads("TASK", "START", "END", "MOVES", "FLOAT", "")}
	for _, d := range r.GetDifferences() {
		rows = append(rows, c.differenceRow(d))
	}
	return show.Rows(c.out, rows)
}

func (c *client) differenceRow(d *implementationv1.TaskDifference) []string {
	was, will := d.GetBefore(), d.GetAfter()
	switch {
	case will == nil:
		return []string{ident(d.GetName()), onDay(was.GetEarlyStartTime()), onDay(was.GetEarlyEndTime()), "", "", "gone"}
	case was == nil:
		return []string{ident(d.GetName()), onDay(will.GetEarlyStartTime()), onDay(will.GetEarlyEndTime()), "", show.Work(will.GetTotalFloatMinutes()), "new"}
	}
	word := ""
	switch {
	case will.GetCritical() && !was.GetCritical():
		word = c.style.Bold("becomes critical")
	case was.GetCritical() && !will.GetCritical():
		word = "no longer critical"
	case will.GetCritical():
		word = "critical"
	}
	return []string{
		ident(d.GetName()), onDay(will.GetEarlyStartTime()), onDay(will.GetEarlyEndTime()), show.Work(d.GetEndMinutes()),
		fmt.Sprintf("%s → %s", show.Work(was.GetTotalFloatMinutes()), show.Work(will.GetTotalFloatMinutes())), word,
	}
}
