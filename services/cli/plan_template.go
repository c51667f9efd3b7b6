package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) planTemplate() *cobra.Command {
	return group("template", "Begin a plan with one that comes with the product", a.templateList(), a.templateApply())
}

func (a *app) templateList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "Show the templates and the roles they need", Args: cobra.NoArgs}
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		got, err := implementationv1.NewPlanTemplateServiceClient(c.people).ListPlanTemplates(ctx, &implementationv1.ListPlanTemplatesRequest{Parent: "workspaces/" + c.workspace})
		if err != nil {
			return err
		}
		if !c.format.ForPeople() {
			return show.Encode(c.out, c.format, got)
		}
		rows := [][]string{c.heads("TEMPLATE", "TITLE", "STAGES", "TASKS", "TAKES", "ROLES")}
		for _, t := range got.GetPlanTemplates() {
			roles := make([]string, len(t.GetRoles()))
			for i, r := range t.GetRoles() {
				roles[i] = r.GetId()
			}
			rows = append(rows, []string{
				t.GetId(), t.GetDisplayName(), fmt.Sprint(len(t.GetStages())), fmt.Sprint(len(t.GetTasks())),
				fmt.Sprintf("%d days", (t.GetDurationMinutes()+show.WorkDay-1)/show.WorkDay), strings.Join(roles, " "),
			})
		}
		return show.Rows(c.out, rows)
	})
}

func (a *app) templateApply() *cobra.Command {
	var (
		start  string
		owners map[string]string
		dryRun bool
	)
	cmd := &cobra.Command{
		Use: "apply IMPLEMENTATION TEMPLATE", Short: "Create the stages and tasks of a template in an implementation",
		Long:    "All of them or none: nothing is created when one of its names is taken. Who answers for a role is said with --owner;\nthe owner of the implementation answers for the others, and its sponsor for what sponsors do.",
		Example: "  golive plan template apply crm-rollout software-rollout --start 2026-04-01 --owner training=users/tom", Args: cobra.ExactArgs(2),
	}
	cmd.Flags().StringVar(&start, "start", "", "when the plan begins; left as it is when not given")
	cmd.Flags().StringToStringVar(&owners, "owner", nil, "who answers for a role: training=users/tom; repeatable")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "check everything and change nothing")
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return a.names(cmd, "implementation"), cobra.ShellCompDirectiveNoFileComp
		}
		return a.templates(cmd), cobra.ShellCompDirectiveNoFileComp
	}
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		req := &implementationv1.ApplyTemplateRequest{Implementation: name, Template: args[1], Owners: owners, ValidateOnly: dryRun}
		if req.StartTime, err = moment("start", start); err != nil {
			return err
		}
		got, err := implementationv1.NewPlanTemplateServiceClient(c.people).ApplyTemplate(ctx, req)
		if err != nil {
			return err
		}
		return c.printResult(got, fmt.Sprintf("%d stages and %d tasks created", got.GetStageCount(), got.GetTaskCount()))
	})
}

// knowsTemplate refuses a template that is none before anything is made for it; empty is no template.
func (c *client) knowsTemplate(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	all, err := c.planTemplates(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(t *implementationv1.PlanTemplate) bool { return t.GetId() == id }) {
		return nil
	}
	return &complaint{code: exitNotFound, what: "there is no template " + id, fix: "golive plan template list shows those there are"}
}

func (c *client) planTemplates(ctx context.Context) ([]*implementationv1.PlanTemplate, error) {
	got, err := implementationv1.NewPlanTemplateServiceClient(c.people).ListPlanTemplates(ctx, &implementationv1.ListPlanTemplatesRequest{Parent: "workspaces/" + c.workspace})
	return got.GetPlanTemplates(), err
}
