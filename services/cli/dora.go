package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) dora() *cobra.Command {
	var (
		environment, from, to string
		last                  time.Duration
		evidence              bool
	)
	cmd := &cobra.Command{
		Use: "dora [APPLICATION]", Short: "Measure delivery: frequency, lead time, failures, recovery, rework, exposure",
		Long:    "Over one application, or all of the workspace. --evidence lists the deployments behind the figures.",
		Example: "  golive dora\n  golive dora crm --environment prod --last 2160h --evidence", Args: cobra.MaximumNArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&environment, "environment", "", "only deployments to this environment")
	f.StringVar(&from, "from", "", "the begin of the time")
	f.StringVar(&to, "until", "", "the end of the time; now when not given")
	f.DurationVar(&last, "last", 30*24*time.Hour, "the length of the time, where it has no begin")
	f.BoolVar(&evidence, "evidence", false, "list the deployments that were counted")
	a.completeKind(cmd, "application")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		req := &deploymentv1.GetDoraMetricsRequest{Parent: "workspaces/" + c.workspace + "/applications/-", Last: durationpb.New(last)}
		var err error
		if len(args) == 1 {
			if req.Parent, err = c.name(mustFind("application"), args[0]); err != nil {
				return err
			}
		}
		if environment != "" {
			if req.Environment, err = c.name(mustFind("environment"), environment); err != nil {
				return err
			}
		}
		if req.StartTime, err = moment("from", from); err != nil {
			return err
		}
		if req.EndTime, err = moment("until", to); err != nil {
			return err
		}
		m, err := deploymentv1.NewDoraServiceClient(c.software).GetDoraMetrics(ctx, req)
		if err != nil {
			return err
		}
		if !c.format.ForPeople() {
			return show.Encode(c.out, c.format, m)
		}
		return c.printDora(m, evidence)
	})
}

func (c *client) printDora(m *deploymentv1.DoraMetrics, evidence bool) error {
	statistic := func(s *deploymentv1.DurationStatistic) (value, detail string) {
		if s.GetN() == 0 {
			return "-", "none known"
		}
		return show.Span(s.GetP50().AsDuration()), fmt.Sprintf("half; 90 %% within %s, of %d", show.Span(s.GetP90().AsDuration()), s.GetN())
	}
	lead, leads := statistic(m.GetLeadTime())
	recovery, recoveries := statistic(m.GetRecoveryTime())
	rows := [][]string{
		{"deployment frequency", fmt.Sprintf("%.2f a day", m.GetDeploymentFrequency()), fmt.Sprintf("%d of %d succeeded", m.GetSucceeded(), m.GetDeployments())},
		{"lead time", lead, leads},
		{"change failure rate", fmt.Sprintf("%.1f %%", 100*m.GetChangeFailureRate()), fmt.Sprintf("%d of %d", m.GetFailed(), m.GetDeployments())},
		{"failed deployment recovery time", recovery, recoveries},
		{"rework rate", fmt.Sprintf("%.1f %%", 100*m.GetReworkRate()), fmt.Sprintf("%d of %d", m.GetRework(), m.GetDeployments())},
		{"exposure", show.Span(m.GetTargetExposure().AsDuration()), "of targets on a bad version, " + show.Span(m.GetUserExposure().AsDuration()) + " of people"},
	}
	if err := show.Rows(c.out, rows); err != nil || !evidence {
		return err
	}
	rows = [][]string{{""}, {"DEPLOYMENT", "RELEASE", "ENDED", "LEAD TIME", "FAILURE", "RECOVERY", "REWORK"}}
	for _, e := range m.GetEvidence() {
		row := []string{kind.Short(e.GetDeployment()), kind.ID(e.GetRelease()), show.Ago(e.GetEndTime().AsTime(), time.Now()), "-", "-", "-", "-"}
		if e.GetLeadTime() != nil {
			row[3] = show.Span(e.GetLeadTime().AsDuration())
		}
		if len(e.GetFailures()) > 0 {
			row[4] = strings.Join(e.GetFailures(), ",")
		}
		if e.GetRecoveryTime() != nil {
			row[5] = show.Span(e.GetRecoveryTime().AsDuration())
		}
		if e.GetRework() {
			row[6] = "yes"
		}
		rows = append(rows, row)
	}
	return show.Rows(c.out, rows)
}
