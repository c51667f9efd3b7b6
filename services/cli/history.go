package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// moment reads a time that a person writes: RFC 3339, or only a date or date and minute in the local zone.
func moment(flag, given string) (*timestamppb.Timestamp, error) {
	if given == "" {
		return nil, nil //nolint:nilnil // no time was named
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04", time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, given, time.Local); err == nil { //nolint:gosmopolitan // what a person writes is meant where they are
			return timestamppb.New(t), nil
		}
	}
	return nil, usage("--"+flag+" "+given+" is no time", "write 2026-11-20T18:00:00Z, or 2026-11-20 18:00 for the local time")
}

func (a *app) history() *cobra.Command {
	var (
		application, target, at string
		limit                   int
	)
	cmd := &cobra.Command{
		Use: "history ENVIRONMENT", Short: "Show what ran where and when",
		Example: "  golive history prod\n  golive history prod --application crm --at '2026-11-20 12:00'", Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&application, "application", "", "only of this application")
	f.StringVar(&target, "target", "", "only on this target")
	f.StringVar(&at, "at", "", "only what ran at this time")
	f.IntVar(&limit, "limit", 50, "how many at most; 0 for all")
	a.completeKind(cmd, "environment")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		req := &deploymentv1.ListRunsRequest{PageSize: page}
		var err error
		if req.Parent, err = c.name(mustFind("environment"), args[0]); err != nil {
			return err
		}
		if req.At, err = moment("at", at); err != nil {
			return err
		}
		if req.Application, req.Target, err = c.scopeNames(application, target, req.GetParent()); err != nil {
			return err
		}
		var runs []*deploymentv1.Run
		for {
			if limit > 0 {
				req.PageSize = int32(min(page, limit-len(runs))) //nolint:gosec // at most a page
			}
			resp, err := deploymentv1.NewHistoryServiceClient(c.software).ListRuns(ctx, req)
			if err != nil {
				return err
			}
			runs = append(runs, resp.GetRuns()...)
			if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" || limit > 0 && len(runs) >= limit {
				return c.printRuns(runs)
			}
		}
	})
}

// scopeNames completes the names of an application and of a target of an environment, where they are given.
func (c *client) scopeNames(application, target, environment string) (app, on string, err error) {
	if application != "" {
		if app, err = c.name(mustFind("application"), application); err != nil {
			return "", "", err
		}
	}
	if target != "" {
		if !strings.Contains(target, "/") {
			target = environment + "/targets/" + target
		}
		if on, err = c.name(mustFind("target"), target); err != nil {
			return "", "", err
		}
	}
	return app, on, nil
}

func (c *client) printRuns(runs []*deploymentv1.Run) error {
	if !c.format.ForPeople() {
		all := make([]proto.Message, 0, len(runs))
		for _, r := range runs {
			all = append(all, r)
		}
		return show.EncodeList(c.out, c.format, all)
	}
	rows := [][]string{{"TARGET", "APPLICATION", "RELEASE", "FROM", "TO", "BROUGHT BY"}}
	for _, r := range runs {
		to := "now"
		if r.GetEndTime() != nil {
			to = r.GetEndTime().AsTime().Local().Format(time.DateTime) //nolint:gosmopolitan // for the person who reads it
		}
		deployment, _, _ := strings.Cut(r.GetInstallation(), "/installations/")
		rows = append(rows, []string{
			kind.ID(r.GetTarget()), kind.ID(r.GetApplication()), kind.ID(r.GetRelease()),
			r.GetStartTime().AsTime().Local().Format(time.DateTime), to, kind.Short(deployment), //nolint:gosmopolitan // likewise
		})
	}
	return show.Rows(c.out, rows)
}

func (a *app) availability() *cobra.Command {
	var (
		release, target, from, to string
		last                      time.Duration
		objective                 float64
	)
	cmd := &cobra.Command{
		Use: "availability ENVIRONMENT APPLICATION", Short: "Show which share of a time an application was up, and how fast it answered",
		Long:    "With --objective the exit code is 0 where it was reached, and 7 where it was not or too little was observed to say.",
		Example: "  golive availability prod crm\n  golive availability prod crm --last 24h --objective 0.999\n  golive availability prod crm --release 2.0.0 --last 720h",
		Args:    cobra.ExactArgs(2),
	}
	f := cmd.Flags()
	f.StringVar(&release, "release", "", "only while this release ran; its id or version")
	f.StringVar(&target, "target", "", "only on this target")
	f.StringVar(&from, "from", "", "the begin of the time")
	f.StringVar(&to, "until", "", "the end of the time; now when not given")
	f.DurationVar(&last, "last", 24*time.Hour, "the length of the time, where it has no begin")
	f.Float64Var(&objective, "objective", 0, "the share that must be reached, 0.999")
	a.completeKind(cmd, "environment")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		req := &deploymentv1.GetAvailabilityRequest{Last: durationpb.New(last), Objective: objective}
		var err error
		if req.Parent, err = c.name(mustFind("environment"), args[0]); err != nil {
			return err
		}
		if req.Application, req.Target, err = c.scopeNames(args[1], target, req.GetParent()); err != nil {
			return err
		}
		if release != "" {
			if req.Release, err = c.releaseOf(ctx, req.GetApplication(), release); err != nil {
				return err
			}
		}
		if req.StartTime, err = moment("from", from); err != nil {
			return err
		}
		if req.EndTime, err = moment("until", to); err != nil {
			return err
		}
		return c.showAvailability(ctx, req)
	})
}

func (c *client) showAvailability(ctx context.Context, req *deploymentv1.GetAvailabilityRequest) error {
	history := deploymentv1.NewHistoryServiceClient(c.software)
	answer, err := history.GetAvailability(ctx, req)
	if err != nil {
		return err
	}
	if !c.format.ForPeople() {
		if err := show.Encode(c.out, c.format, answer); err != nil {
			return err
		}
		return reached(answer)
	}
	series, err := history.GetAvailabilitySeries(ctx, &deploymentv1.GetAvailabilitySeriesRequest{
		Parent: req.GetParent(), Application: req.GetApplication(), Release: req.GetRelease(), Target: req.GetTarget(),
		StartTime: req.GetStartTime(), EndTime: req.GetEndTime(), Last: req.GetLast(),
	})
	if err != nil {
		return err
	}
	rows := [][]string{
		{"up", fmt.Sprintf("%.3f %%", 100*answer.GetAvailability()), answer.GetReason()},
		{"observed", fmt.Sprintf("%.1f %%", 100*answer.GetCoverage()), show.Span(answer.GetObserved().AsDuration()) + " of " + show.Span(answer.GetExpected().AsDuration())},
		{"probes", fmt.Sprint(answer.GetProbesSucceeded() + answer.GetProbesFailed()), fmt.Sprintf("%d failed", answer.GetProbesFailed())},
	}
	if p := answer.GetLatencyP50(); p != nil {
		rows = append(rows, []string{
			"latency", show.Latency(p.AsDuration()),
			fmt.Sprintf("half; 95 %% within %s, 99 %% within %s", show.Latency(answer.GetLatencyP95().AsDuration()), show.Latency(answer.GetLatencyP99().AsDuration())),
		})
	}
	if answer.GetState() != gatev1.Verdict_STATE_UNSPECIFIED {
		rows = append(rows, []string{"objective", c.style.State(answer.GetState().String())})
	}
	if err := show.Rows(c.out, rows); err != nil {
		return err
	}
	shares := make([]float64, 0, len(series.GetPoints()))
	for _, p := range series.GetPoints() {
		shares = append(shares, p.GetAvailability())
	}
	if len(shares) > 1 {
		if err := c.say("\n%s  lowest %.2f %%", show.Spark(shares, 60, 0.9, 1), 100*lowest(shares)); err != nil {
			return err
		}
	}
	return reached(answer)
}

func lowest(all []float64) float64 {
	least := 1.0
	for _, v := range all {
		least = min(least, v)
	}
	return least
}

// reached is the exit code of an objective.
func reached(a *deploymentv1.Availability) error {
	if s := a.GetState(); s == gatev1.Verdict_FAIL || s == gatev1.Verdict_UNDECIDED {
		return outcome(exitNotYet)
	}
	return nil
}
