package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
	"github.com/golive-dev/golive/services/deployment"
)

func (a *app) agent() *cobra.Command {
	return group("agent", "Let hosts in and run their agent", a.agentToken(), a.agentList(), a.agentRelease(),
		a.agentRevoke(), a.agentUpgrade(), a.agentRotate(),
		a.agentProgram("run", "Run the agent of this host; takes the flags of golive-agent run"),
		a.agentProgram("enrol", "Enrol this host; takes the flags of golive-agent enrol"))
}

func (a *app) agentToken() *cobra.Command {
	var (
		targets, cohorts []string
		environment      string
		labels           map[string]string
		ttl              time.Duration
	)
	cmd := &cobra.Command{
		Use: "token AGENT", Short: "Make a join token with which one agent enrols, once",
		Long: "The agent serves the targets that are named, or one of its own name that is created in an environment.\nThe token is printed to stdout, alone.",
		Example: "  golive agent token shop-1 --environment prod --cohorts sales\n" +
			"  golive agent token host-9 --target prod/targets/a --target prod/targets/b",
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringArrayVar(&targets, "target", nil, "a target that it serves; repeatable")
	f.StringVar(&environment, "environment", "", "or the environment in which its target is created")
	f.StringSliceVar(&cohorts, "cohorts", nil, "the cohorts of a target so created")
	f.StringToStringVar(&labels, "labels", nil, "its labels, key=value")
	f.DurationVar(&ttl, "ttl", time.Hour, "how long it may be redeemed")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		req := &deploymentv1.CreateJoinTokenRequest{
			Parent: "workspaces/" + c.workspace, AgentId: args[0], Cohorts: cohorts, Labels: labels, Ttl: durationpb.New(ttl),
		}
		for _, given := range targets {
			name, err := c.name(mustFind("target"), given)
			if err != nil {
				return err
			}
			req.Targets = append(req.Targets, name)
		}
		if environment != "" {
			name, err := c.name(mustFind("environment"), environment)
			if err != nil {
				return err
			}
			req.Environment = name
		}
		agents := deploymentv1.NewAgentServiceClient(c.software)
		token, err := agents.CreateJoinToken(ctx, req)
		if err != nil {
			return err
		}
		// Only a warning: whoever may make tokens may do without it, where the agent cannot be read.
		if agent, err := agents.GetAgent(ctx, &deploymentv1.GetAgentRequest{Name: token.GetAgent()}); err == nil && agent.GetCertificateExpireTime() != nil {
			c.note("warning: %s is enrolled already; the host that redeems this token takes its place, and the agent that runs now is turned away", args[0])
		}
		if !c.format.ForPeople() && c.format != show.Name {
			return show.Encode(c.out, c.format, token)
		}
		c.note("on the host: golive agent enrol --server HOST:8443 --token TOKEN, before %s", token.GetExpireTime().AsTime().Format(time.RFC3339))
		return c.say("%s", token.GetToken())
	})
}

func (a *app) agentList() *cobra.Command {
	var l listing
	cmd := &cobra.Command{Use: "list", Short: "List the agents", Args: cobra.NoArgs}
	l.register(cmd)
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		return c.showList(ctx, mustFind("agent"), "", l)
	})
}

func (a *app) agentRelease() *cobra.Command {
	cmd := &cobra.Command{
		Use: "release AGENT", Short: "Let an agent work again whose identity two processes had claimed",
		Long: "Stop one of the two processes before: while both run, they are put into quarantine again. golive why agents/NAME\n" +
			"tells who they are.",
		Example: "  golive agent release shop-1",
		Args:    cobra.ExactArgs(1),
	}
	a.completeKind(cmd, "agent")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("agent"), args[0])
		if err != nil {
			return err
		}
		agent, err := deploymentv1.NewAgentServiceClient(c.software).ReleaseQuarantine(ctx, &deploymentv1.ReleaseQuarantineRequest{Name: name})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("agent"), agent)
	})
}

func (a *app) agentRevoke() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "revoke AGENT", Short: "Refuse an agent for good: its stream is cut and its certificate ends",
		Long:    "Applications on the host go on. To let the host in again make a join token for the same agent and enrol it anew.",
		Example: "  golive agent revoke shop-1 --reason 'the host was stolen'",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
	a.completeKind(cmd, "agent")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("agent"), args[0])
		if err != nil {
			return err
		}
		agent, err := deploymentv1.NewAgentServiceClient(c.software).RevokeAgent(ctx, &deploymentv1.RevokeAgentRequest{Name: name, Reason: reason})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("agent"), agent)
	})
}

func (a *app) agentUpgrade() *cobra.Command {
	var artifacts []string
	cmd := &cobra.Command{
		Use: "upgrade AGENT VERSION", Short: "Have an agent replace its own program",
		Long: "An archive holds golive-agent and golive-shim at its top. The agent fetches it, runs it beside itself, and hands over\n" +
			"once the new program was welcomed by the server; if it is not, the agent goes on as it was, and says why.\n" +
			"Applications do not notice. The same command takes it back to an earlier version.",
		Example: "  golive agent upgrade shop-1 1.4.0 --artifact linux/amd64=golive-agent_1.4.0_linux_amd64.tar.gz",
		Args:    cobra.ExactArgs(2),
	}
	cmd.Flags().StringArrayVar(&artifacts, "artifact", nil, "the archive for a platform, linux/amd64=FILE; repeatable")
	must(cmd.MarkFlagRequired("artifact"))
	a.completeKind(cmd, "agent")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("agent"), args[0])
		if err != nil {
			return err
		}
		req := &deploymentv1.UpgradeAgentRequest{Name: name, Version: args[1]}
		for _, given := range artifacts {
			artifact, err := c.upload(ctx, given)
			if err != nil {
				return err
			}
			req.Artifacts = append(req.Artifacts, artifact)
		}
		agent, err := deploymentv1.NewAgentServiceClient(c.software).UpgradeAgent(ctx, req)
		if err != nil {
			return err
		}
		return c.printOne(mustFind("agent"), agent)
	})
}

func (a *app) agentRotate() *cobra.Command {
	var dataDir, dir string
	cmd := &cobra.Command{
		Use: "rotate-authority", Short: "Give the agents' certificate authority a successor, on the server's host",
		Long: "For a day the new one is only told to agents as they renew their certificates, then it signs, and a day later the old one is\n" +
			"forgotten. Nothing is restarted. Join tokens from before it signs should be redeemed within that second day.",
		Example: "  golive agent rotate-authority --data-dir /var/lib/golive",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if dataDir == "" && dir == "" {
				return usage("where the authority is was not said", "name the server's folder with --data-dir, or --authority-dir")
			}
			at, err := deployment.RotateAuthority(deployment.AuthorityDir(dataDir, dir))
			if err != nil {
				return err
			}
			return a.say("the new authority signs from %s on", at.UTC().Format(time.RFC3339))
		},
	}
	cmd.Flags().StringVar(&dataDir, "data-dir", "", "the data folder of the server")
	cmd.Flags().StringVar(&dir, "authority-dir", "", "the folder of the authority, where it is not in the data folder")
	return cmd
}

// agentProgram hands over to golive-agent, which is installed beside this program.
func (a *app) agentProgram(word, short string) *cobra.Command {
	return &cobra.Command{
		Use: word + " [FLAGS]", Short: short, DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := beside("golive-agent")
			if err != nil {
				return err
			}
			program := exec.CommandContext(cmd.Context(), path, append([]string{word}, args...)...)
			program.Stdin, program.Stdout, program.Stderr = a.in, a.out, a.err
			program.Cancel = func() error { return program.Process.Signal(os.Interrupt) } // it stops in order
			err = program.Run()
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				return outcome(exit.ExitCode())
			}
			return err
		},
	}
}

// beside finds another program of the product: next to this one, or in PATH.
func beside(program string) (string, error) {
	if self, err := os.Executable(); err == nil {
		path := filepath.Join(filepath.Dir(self), program)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return "", &complaint{code: exitError, what: program + " was not found", why: fmt.Sprint(err), fix: "install it beside golive"}
	}
	return path, nil
}
