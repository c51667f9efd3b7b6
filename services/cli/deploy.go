package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
)

// strategy is the flags that stand for a plan.
type strategy struct {
	name, people        string
	count, parallel     int32
	maxFailed           int32
	percents            []float64
	batch               float64
	cohorts             []string
	bake                time.Duration
	pilotFree, freezing bool
}

func (s *strategy) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.name, "strategy", "", "instead of a plan: canary, rolling, by-cohort or all-at-once")
	f.Int32Var(&s.count, "count", 1, "canary: how many targets come first")
	f.Float64SliceVar(&s.percents, "percents", nil, "canary: then these shares of all targets, 25,50")
	f.Float64Var(&s.batch, "batch-percent", 25, "rolling: the share of one batch")
	f.StringSliceVar(&s.cohorts, "cohorts", nil, "by-cohort: the cohorts in their order")
	f.StringVar(&s.people, "people", "", "by-cohort: the implementation whose cohort plans say whether people are ready")
	f.BoolVar(&s.pilotFree, "pilot-without-gate", false, "by-cohort: the first cohort goes without asking")
	f.DurationVar(&s.bake, "bake", 0, "how long a wave must stay healthy before the next")
	f.Int32Var(&s.parallel, "max-parallel", 0, "how many installations at once in a wave; all when 0")
	f.Int32Var(&s.maxFailed, "max-failed", 0, "how many installations of a wave may fail")
	f.BoolVar(&s.freezing, "freeze-on-failure", false, "leave a failed wave as it is for a person to decide, instead of taking it back")
	must(cmd.RegisterFlagCompletionFunc("strategy", cobra.FixedCompletions(
		[]string{"canary", "rolling", "by-cohort", "all-at-once"}, cobra.ShellCompDirectiveNoFileComp)))
}

// rollout is the plan that the flags describe; nil where they name none.
func (s *strategy) rollout(c *client) (*deploymentv1.Rollout, error) {
	r := new(deploymentv1.Rollout)
	if s.freezing {
		r.OnFailure = deploymentv1.Rollout_FREEZE
	}
	bake, budget := durationpb.New(s.bake), &deploymentv1.FailureBudget{MaxFailed: s.maxFailed}
	switch s.name {
	case "":
		return nil, nil //nolint:nilnil // no strategy is no rollout
	case "canary":
		r.Preset = &deploymentv1.Rollout_Canary{Canary: &deploymentv1.Canary{
			Count: s.count, Percents: s.percents, Bake: bake, MaxParallel: s.parallel, Budget: budget,
		}}
	case "rolling":
		r.Preset = &deploymentv1.Rollout_Rolling{Rolling: &deploymentv1.Rolling{
			BatchPercent: s.batch, Bake: bake, MaxParallel: s.parallel, Budget: budget,
		}}
	case "by-cohort":
		preset := &deploymentv1.ByCohort{Cohorts: s.cohorts, Bake: bake, MaxParallel: s.parallel, Budget: budget, PilotWithoutGate: s.pilotFree}
		if s.people != "" {
			name, err := c.name(mustFind("implementation"), s.people)
			if err != nil {
				return nil, err
			}
			preset.Implementation = name
		}
		r.Preset = &deploymentv1.Rollout_ByCohort{ByCohort: preset}
	case "all-at-once":
		r.Preset = &deploymentv1.Rollout_AllAtOnce{AllAtOnce: &deploymentv1.AllAtOnce{Bake: bake, MaxParallel: s.parallel, Budget: budget}}
	default:
		return nil, usage("there is no strategy "+s.name, "choose canary, rolling, by-cohort or all-at-once")
	}
	return r, nil
}

func (a *app) deploy() *cobra.Command {
	var (
		to, plan, reason, id   string
		purpose, fixes, expect string
		hotfix                 bool
		watch, detach, dryRun  bool
		s                      strategy
		w                      watching
	)
	cmd := &cobra.Command{
		Use: "deploy APPLICATION RELEASE --to ENVIRONMENT", Short: "Take a release to an environment, in waves",
		Long: "RELEASE is a release's id or its version. In a terminal the deployment is watched until it ends; elsewhere the\n" +
			"command returns when it is created. --watch and --detach say otherwise.",
		Example: "  golive deploy crm 2.0.0 --to prod --strategy by-cohort --cohorts pilot,sales --people crm-rollout\n" +
			"  golive deploy crm 2.0.1 --to prod --strategy canary --percents 25 --bake 10m --watch",
		Args: cobra.ExactArgs(2),
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "the environment")
	f.StringVar(&plan, "plan", "", "the deployment plan; the application's default when not given")
	f.StringVar(&reason, "reason", "", "why, for the audit trail")
	f.StringVar(&id, "id", "", "the id of the deployment; made by the server when not given")
	f.StringVar(&purpose, "kind", "release", "what for: release; configuration, changed variables and secrets for what runs; reapply, what drifted")
	f.StringVar(&fixes, "fixes", "", "the frozen deployment that this one mends and whose targets it takes over")
	f.BoolVar(&hotfix, "hotfix", false, "it is a hotfix: a stopped line may let it pass, and it counts as rework")
	f.StringVar(&expect, "expect-targets", "", "refuse it unless its targetSetDigest is this one, as --dry-run -o json has shown it")
	f.BoolVar(&watch, "watch", false, "follow it to its end")
	f.BoolVar(&detach, "detach", false, "return when it is created")
	f.BoolVar(&dryRun, "dry-run", false, "check everything on the server and change nothing")
	must(cmd.MarkFlagRequired("to"))
	cmd.MarkFlagsMutuallyExclusive("watch", "detach")
	must(cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"release", "configuration", "reapply"}, cobra.ShellCompDirectiveNoFileComp)))
	s.register(cmd)
	cmd.MarkFlagsMutuallyExclusive("plan", "strategy")
	w.register(cmd)
	a.completeKind(cmd, "application")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		d := &deploymentv1.Deployment{Reason: reason, Hotfix: hotfix}
		number, ok := deploymentv1.Deployment_Kind_value[strings.ToUpper(purpose)]
		if d.Kind = deploymentv1.Deployment_Kind(number); !ok {
			return usage("there is no kind "+purpose, "choose release, configuration or reapply")
		}
		parent, err := c.deploymentFor(ctx, d, args, to, plan)
		if err != nil {
			return err
		}
		if d.Rollout, err = s.rollout(c); err != nil {
			return err
		}
		if fixes != "" {
			if d.Fixes, err = c.deploymentOf(ctx, fixes); err != nil {
				return err
			}
		}
		created, err := deploymentv1.NewDeploymentServiceClient(c.software).CreateDeployment(ctx, &deploymentv1.CreateDeploymentRequest{
			Parent: parent, DeploymentId: id, Deployment: d, ValidateOnly: dryRun, ExpectTargetSetDigest: expect,
		})
		if err != nil {
			return err
		}
		_, terminal := c.terminal(c.out)
		if dryRun || detach || !watch && !terminal {
			return c.printOne(mustFind("deployment"), created)
		}
		return c.watchDeployment(ctx, created.GetName(), &w)
	})
}

// deploymentFor completes the names of a new deployment and returns its application.
func (c *client) deploymentFor(ctx context.Context, d *deploymentv1.Deployment, args []string, to, plan string) (application string, err error) {
	if application, err = c.name(mustFind("application"), args[0]); err != nil {
		return "", err
	}
	if d.Environment, err = c.name(mustFind("environment"), to); err != nil {
		return "", err
	}
	if plan != "" {
		if d.DeploymentPlan, err = c.name(mustFind("deploymentPlan"), plan); err != nil {
			return "", err
		}
	}
	d.Release, err = c.releaseOf(ctx, application, args[1])
	return application, err
}

// releaseOf finds a release of an application by its id or its version.
func (c *client) releaseOf(ctx context.Context, application, given string) (string, error) {
	k := mustFind("release")
	if strings.Contains(given, "/") {
		return c.name(k, given)
	}
	found, _, err := c.all(ctx, k, query{parent: application, filter: `version="` + strings.ReplaceAll(given, `"`, "") + `"`, limit: 2})
	if err != nil {
		return "", err
	}
	if len(found) == 1 {
		return nameOf(found[0]), nil
	}
	name := application + "/releases/" + given
	if _, err := c.fetch(ctx, k, name); err != nil {
		if !absent(err) {
			return "", err
		}
		return "", &complaint{
			code: exitNotFound, what: kind.Short(application) + " has no release " + given,
			fix: "golive list releases " + kind.Short(application) + " shows them; golive release create registers one",
		}
	}
	return name, nil
}

// reasonsOf lists the reasons of anything that waits, for a line.
func reasonsOf(d *deploymentv1.Deployment) string {
	words := make([]string, 0, len(d.GetBlockedBy()))
	for _, b := range d.GetBlockedBy() {
		words = append(words, oneReason(b))
	}
	return strings.Join(slices.Compact(words), "; ")
}
