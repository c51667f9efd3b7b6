package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) task() *cobra.Command {
	verb := func(use, short, word string) *cobra.Command {
		return a.verb(verb{use: use + " TASK", short: short, word: word, kind: "task", needReason: true, subject: named("task")})
	}
	return group("task", "Say how far tasks of a plan are", a.taskStart(), a.taskReport(), a.taskComplete(),
		verb("reopen", "Take a task that was done back into work", "Reopen"),
		verb("cancel", "Give a task up; what depends on it no longer waits for it", "Cancel"))
}

// onTask makes a command of a method of tasks.
func (a *app) onTask(cmd *cobra.Command, call func(ctx context.Context, tasks implementationv1.TaskServiceClient, name string) (*implementationv1.Task, error)) *cobra.Command {
	cmd.Args = cobra.ExactArgs(1)
	a.completeKind(cmd, "task")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("task"), args[0])
		if err != nil {
			return err
		}
		t, err := call(ctx, implementationv1.NewTaskServiceClient(c.people), name)
		if err != nil {
			return err
		}
		return c.printOne(mustFind("task"), t)
	})
}

func (a *app) taskStart() *cobra.Command {
	var at string
	cmd := &cobra.Command{Use: "start TASK", Short: "Record that work on a task has begun", Example: "  golive task start crm-rollout/configure --time '2026-03-02 09:00'"}
	cmd.Flags().StringVar(&at, "time", "", "when it began; now when not given")
	return a.onTask(cmd, func(ctx context.Context, tasks implementationv1.TaskServiceClient, name string) (*implementationv1.Task, error) {
		began, err := moment("time", at)
		if err != nil {
			return nil, err
		}
		return tasks.StartTask(ctx, &implementationv1.StartTaskRequest{Name: name, StartTime: began})
	})
}

func (a *app) taskReport() *cobra.Command {
	var left, effort string
	var progress int32
	cmd := &cobra.Command{
		Use: "report TASK", Short: "Record how far a task is, and how much is left",
		Example: "  golive task report crm-rollout/configure --progress 60\n  golive task report crm-rollout/configure --left 3d --effort 5d",
	}
	cmd.Flags().Int32Var(&progress, "progress", 0, "how much of it is done, in percent, 0 to 99")
	cmd.Flags().StringVar(&left, "left", "", "the work that is left: 3d, 4h")
	cmd.Flags().StringVar(&effort, "effort", "", "the effort spent so far: 5d")
	cmd.MarkFlagsOneRequired("progress", "left", "effort")
	return a.onTask(cmd, func(ctx context.Context, tasks implementationv1.TaskServiceClient, name string) (*implementationv1.Task, error) {
		req := &implementationv1.ReportTaskRequest{Name: name}
		if cmd.Flags().Changed("progress") {
			req.ProgressPercent = &progress
		}
		var err error
		if req.RemainingMinutes, err = optionalWork("left", left); err != nil {
			return nil, err
		}
		if req.ActualEffortMinutes, err = optionalWork("effort", effort); err != nil {
			return nil, err
		}
		return tasks.ReportTask(ctx, req)
	})
}

func (a *app) taskComplete() *cobra.Command {
	var began, ended, effort string
	cmd := &cobra.Command{Use: "complete TASK", Short: "Record that a task is done", Example: "  golive task complete crm-rollout/kickoff\n  golive task complete crm-rollout/goal --effort 3d"}
	cmd.Flags().StringVar(&ended, "time", "", "when it was done; now when not given")
	cmd.Flags().StringVar(&began, "began", "", "when it began, where nobody recorded it")
	cmd.Flags().StringVar(&effort, "effort", "", "the effort spent in all: 3d")
	return a.onTask(cmd, func(ctx context.Context, tasks implementationv1.TaskServiceClient, name string) (*implementationv1.Task, error) {
		req := &implementationv1.CompleteTaskRequest{Name: name}
		var err error
		if req.EndTime, err = moment("time", ended); err != nil {
			return nil, err
		}
		if req.StartTime, err = moment("began", began); err != nil {
			return nil, err
		}
		if req.ActualEffortMinutes, err = optionalWork("effort", effort); err != nil {
			return nil, err
		}
		return tasks.CompleteTask(ctx, req)
	})
}

// optionalWork reads a duration that may be left out.
func optionalWork(flag, text string) (*int32, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // it is optional
	}
	minutes, err := workMinutes(flag, text)
	return &minutes, err
}

// agenda is `golive tasks`.
func (a *app) agenda() *cobra.Command {
	var of string
	var limit int32
	cmd := &cobra.Command{
		Use: "tasks", Short: "Show what you have to do in all plans, what is due first first",
		Long:    "Tasks that you own, and tasks that a resource with you as its principal is assigned to.",
		Example: "  golive tasks\n  golive tasks --of users/ada -o json", Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&of, "of", "", "somebody else's: users/ada")
	cmd.Flags().Int32Var(&limit, "limit", 0, "how many at most; 200 when not given")
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		got, err := implementationv1.NewAgendaServiceClient(c.people).GetAgenda(ctx, &implementationv1.GetAgendaRequest{
			Parent: "workspaces/" + c.workspace, Principal: of, PageSize: limit,
		})
		if err != nil {
			return err
		}
		return c.printAgenda(got)
	})
}

func (c *client) printAgenda(agenda *implementationv1.Agenda) error {
	switch {
	case c.format == show.Name:
		for _, t := range agenda.GetTasks() {
			if err := c.say("%s", t.GetTask().GetName()); err != nil {
				return err
			}
		}
		return nil
	case !c.format.ForPeople():
		return show.Encode(c.out, c.format, agenda)
	case len(agenda.GetTasks()) == 0:
		c.note("%s has nothing to do", agenda.GetPrincipal())
		return nil
	}
	rows := [][]string{c.heads("TASK", "TITLE", "DUE", "STATE", "DONE", "SEEN")}
	for _, t := range agenda.GetTasks() {
		due := "-"
		if t.GetDueTime() != nil {
			due = t.GetDueTime().AsTime().Local().Format(time.DateOnly) //nolint:gosmopolitan // for who reads it
		}
		rows = append(rows, []string{
			kind.Short(t.GetTask().GetName()), t.GetTask().GetDisplayName(), due, c.style.State(t.GetTask().GetState().String()),
			fmt.Sprintf("%d %%", t.GetTask().GetProgressPercent()), c.seen(t),
		})
	}
	if err := show.Rows(c.out, rows); err != nil {
		return err
	}
	if more := int(agenda.GetTotalCount()) - len(agenda.GetTasks()); more > 0 {
		c.note("and %d more", more)
	}
	return nil
}

// seen is what is to be seen about a task of an agenda, in words.
func (c *client) seen(t *implementationv1.AgendaTask) string {
	var words []string
	if t.GetSchedule().GetCritical() {
		words = append(words, c.style.Bold("critical"))
	}
	words = append(words, conditionNames(t.GetSchedule().GetConditions())...)
	if !t.GetWorkable() && t.GetTask().GetState() == implementationv1.Task_TODO {
		words = append(words, "waits")
	}
	return strings.Join(words, ", ")
}

// heads is the first row of a table.
func (c *client) heads(words ...string) []string {
	for i := range words {
		words[i] = c.style.Bold(words[i])
	}
	return words
}
