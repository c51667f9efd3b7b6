package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) policy() *cobra.Command {
	return group("policy", "Ask what policies allow, and stop or release the line", a.policyCheck(), a.stopLine(), a.releaseLine())
}

func (a *app) stopLine() *cobra.Command {
	cmd := &cobra.Command{
		Use: "stop-line POLICY", Short: "Stop the line: whatever the policy binds begins nothing any more", Args: cobra.ExactArgs(1),
		Example: "  golive policy stop-line production --reason 'payments are down'",
	}
	return a.line(cmd, "EngageStopLine")
}

func (a *app) releaseLine() *cobra.Command {
	cmd := &cobra.Command{Use: "release-line POLICY", Short: "Let the line go on", Args: cobra.ExactArgs(1)}
	return a.line(cmd, "ReleaseStopLine")
}

// line is a command that calls a method of policies with a reason.
func (a *app) line(cmd *cobra.Command, method protoreflect.Name) *cobra.Command {
	var reason string
	cmd.Flags().StringVar(&reason, "reason", "", "why, for everyone who is stopped by it")
	must(cmd.MarkFlagRequired("reason"))
	a.completeKind(cmd, "policy")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("policy"), args[0])
		if err != nil {
			return err
		}
		k := mustFind("policy")
		methods := k.Get.Parent().(protoreflect.ServiceDescriptor).Methods() //nolint:errcheck // a method's parent is its service
		after, err := c.call(ctx, k, methods.ByName(method), func(req protoreflect.Message) {
			put(req, "name", name)
			put(req, "reason", reason)
		})
		if err != nil {
			return err
		}
		return c.printOne(k, after.Interface())
	})
}

func (a *app) policyCheck() *cobra.Command {
	var (
		release, at, verb string
		hotfix            bool
	)
	cmd := &cobra.Command{
		Use: "check APPLICATION ENVIRONMENT", Short: "Say whether something is allowed, now or at another time",
		Long:    "The exit code is 0 where it is allowed and 7 where it is not.",
		Example: "  golive policy check crm prod --at '2026-12-18 18:00'\n  golive policy check crm prod --verb start-wave --hotfix", Args: cobra.ExactArgs(2),
	}
	f := cmd.Flags()
	f.StringVar(&release, "release", "", "the release, for rules that look at it")
	f.StringVar(&verb, "verb", "create", "what is to be done: create, start-wave, resume, retry, promote, skip or approve")
	f.StringVar(&at, "at", "", "when; now when not given")
	f.BoolVar(&hotfix, "hotfix", false, "it is a hotfix")
	must(cmd.RegisterFlagCompletionFunc("verb", cobra.FixedCompletions(verbWords(), cobra.ShellCompDirectiveNoFileComp)))
	a.completeKind(cmd, "application")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		req := &deploymentv1.EvaluatePoliciesRequest{Parent: "workspaces/" + c.workspace, Hotfix: hotfix}
		var err error
		if req.Application, err = c.name(mustFind("application"), args[0]); err != nil {
			return err
		}
		if req.Environment, err = c.name(mustFind("environment"), args[1]); err != nil {
			return err
		}
		if release != "" {
			if req.Release, err = c.releaseOf(ctx, req.GetApplication(), release); err != nil {
				return err
			}
		}
		if req.Verb, err = verbOf(verb); err != nil {
			return err
		}
		if req.Time, err = moment("at", at); err != nil {
			return err
		}
		answer, err := deploymentv1.NewPolicyServiceClient(c.software).EvaluatePolicies(ctx, req)
		if err != nil {
			return err
		}
		return c.printAllowed(answer)
	})
}

func (c *client) printAllowed(answer *deploymentv1.EvaluatePoliciesResponse) error {
	if !c.format.ForPeople() {
		if err := show.Encode(c.out, c.format, answer); err != nil {
			return err
		}
	} else if answer.GetAllowed() {
		if err := c.say("%s", c.style.State("PASS")+" allowed"); err != nil {
			return err
		}
	}
	if answer.GetAllowed() {
		return nil
	}
	if c.format.ForPeople() {
		for _, b := range answer.GetBlockedBy() {
			if err := c.say("%s %s", c.style.State("FAIL"), oneReason(b)); err != nil {
				return err
			}
			if b.GetCommand() != "" {
				if err := c.say("  %s", c.shortCommand(b.GetCommand())); err != nil {
					return err
				}
			}
		}
	}
	return outcome(exitNotYet)
}

func verbWords() []string {
	var words []string
	for number := range deploymentv1.Verb_name {
		if number != 0 {
			words = append(words, strings.ReplaceAll(strings.ToLower(deploymentv1.Verb(number).String()), "_", "-"))
		}
	}
	slices.Sort(words)
	return words
}

func verbOf(word string) (deploymentv1.Verb, error) {
	v, ok := deploymentv1.Verb_value[strings.ToUpper(strings.ReplaceAll(word, "-", "_"))]
	if !ok || v == 0 {
		return 0, usage("policies bind no verb "+word, "choose "+strings.Join(verbWords(), ", "))
	}
	return deploymentv1.Verb(v), nil
}

func (a *app) override() *cobra.Command {
	var (
		gate, policy, reason, id string
		verbs                    []string
		length                   time.Duration
	)
	cmd := &cobra.Command{
		Use: "override SUBJECT (--gate GATE | --policy POLICY) --reason WHY", Short: "Open a gate or set a policy aside for a time, in your own name",
		Long: "SUBJECT is a wave, a deployment, an application or an environment. The override ends by itself within 24 hours, is in the\n" +
			"audit trail with your name, and can be revoked with golive override revoke.",
		Example: "  golive override crm/waves/sales --gate trained --reason 'trained on paper' --for 2h\n" +
			"  golive override crm --policy year-end --reason 'the fix for the outage' --verbs create,start-wave",
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&gate, "gate", "", "the id of the gate")
	f.StringVar(&policy, "policy", "", "the policy")
	f.StringSliceVar(&verbs, "verbs", nil, "with --policy: only for these verbs")
	f.StringVar(&reason, "reason", "", "why, for the audit trail")
	f.DurationVar(&length, "for", 4*time.Hour, "how long, at most 24h")
	f.StringVar(&id, "id", "", "its id; made by the server when not given")
	must(cmd.MarkFlagRequired("reason"))
	cmd.MarkFlagsMutuallyExclusive("gate", "policy")
	cmd.MarkFlagsOneRequired("gate", "policy")
	a.completeKind(cmd, "wave")
	a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		o := &deploymentv1.Override{Reason: reason, ExpireTime: timestamppb.New(time.Now().Add(length))}
		var err error
		if o.Subject, err = c.overridden(ctx, args[0]); err != nil {
			return err
		}
		if gate != "" {
			o.Opens = &deploymentv1.Override_Gate{Gate: gate}
		} else {
			name, err := c.name(mustFind("policy"), policy)
			if err != nil {
				return err
			}
			o.Opens = &deploymentv1.Override_Policy{Policy: name}
		}
		for _, word := range verbs {
			v, err := verbOf(word)
			if err != nil {
				return err
			}
			o.Verbs = append(o.Verbs, v)
		}
		created, err := deploymentv1.NewOverrideServiceClient(c.software).CreateOverride(ctx, &deploymentv1.CreateOverrideRequest{
			Parent: "workspaces/" + c.workspace, OverrideId: id, Override: o,
		})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("override"), created)
	})
	cmd.AddCommand(a.verb(verb{
		use: "revoke OVERRIDE", short: "End an override before its time", word: "Revoke", kind: "override", needReason: true,
		subject: func(c *client, _ context.Context, given string) (string, error) {
			return c.name(mustFind("override"), given)
		},
	}))
	return cmd
}

// overridden resolves what an override is for. One word is an application and not, as elsewhere, its newest deployment.
func (c *client) overridden(ctx context.Context, given string) (string, error) {
	if !strings.Contains(strings.Trim(given, "/"), "/") {
		return c.name(mustFind("application"), given)
	}
	if _, name, err := c.any(given); err == nil {
		return name, nil
	}
	_, name, err := c.subject(ctx, given)
	return name, err
}
