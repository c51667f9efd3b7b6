package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

func (a *app) incident() *cobra.Command {
	return group("incident", "Record incidents and which deployment caused them", a.incidentOpen(), a.incidentResolve())
}

func (a *app) incidentOpen() *cobra.Command {
	var severity, causedBy, detected, restored, description, id string
	cmd := &cobra.Command{
		Use: "open SUMMARY", Short: "Record an incident",
		Long:    "--caused-by is said by a person who knows; it is never guessed. It makes the deployment a failure in golive dora.",
		Example: "  golive incident open 'orders time out' --severity major --caused-by crm/deployments/d7", Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&severity, "severity", "minor", "minor, major or critical")
	f.StringVar(&causedBy, "caused-by", "", "the deployment that caused it")
	f.StringVar(&detected, "detected", "", "when it was noticed; now when not given")
	f.StringVar(&restored, "restored", "", "when users were served again, where they are")
	f.StringVar(&description, "description", "", "more, in Markdown")
	f.StringVar(&id, "id", "", "its id; made by the server when not given")
	must(cmd.RegisterFlagCompletionFunc("severity", cobra.FixedCompletions([]string{"minor", "major", "critical"}, cobra.ShellCompDirectiveNoFileComp)))
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		i := &deploymentv1.Incident{Summary: args[0], Description: description}
		if !slices.Contains([]string{"minor", "major", "critical"}, severity) {
			return usage("there is no severity "+severity, "choose minor, major or critical")
		}
		i.Severity = deploymentv1.Incident_Severity(deploymentv1.Incident_Severity_value[strings.ToUpper(severity)])
		var err error
		if causedBy != "" {
			if i.CausedBy, err = c.deploymentOf(ctx, causedBy); err != nil {
				return err
			}
		}
		if i.DetectedTime, err = moment("detected", detected); err != nil {
			return err
		}
		if i.RestoredTime, err = moment("restored", restored); err != nil {
			return err
		}
		created, err := deploymentv1.NewIncidentServiceClient(c.software).CreateIncident(ctx, &deploymentv1.CreateIncidentRequest{
			Parent: "workspaces/" + c.workspace, IncidentId: id, Incident: i,
		})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("incident"), created)
	})
}

func (a *app) incidentResolve() *cobra.Command {
	var restored string
	cmd := &cobra.Command{
		Use: "resolve INCIDENT", Short: "Say that users are served again",
		Example: "  golive incident resolve orders-time-out", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&restored, "restored", "", "when; now when not given")
	a.completeKind(cmd, "incident")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		req := &deploymentv1.ResolveIncidentRequest{}
		var err error
		if req.Name, err = c.name(mustFind("incident"), args[0]); err != nil {
			return err
		}
		if req.RestoredTime, err = moment("restored", restored); err != nil {
			return err
		}
		resolved, err := deploymentv1.NewIncidentServiceClient(c.software).ResolveIncident(ctx, req)
		if err != nil {
			return err
		}
		return c.printOne(mustFind("incident"), resolved)
	})
}
