// Package cli is the golive command.
//
// Data goes to stdout, everything else to stderr. What -o json, ndjson and yaml
// print and the exit codes (exit.go) are an interface; tables and words are not.
//
// A command is one file named like its noun or verb. Those that talk to a server
// are built by remote, which gives them the flags of a connection and a client
// (client.go); resources of every kind go through one piece of code over the
// contracts' descriptors (resource.go), so that a new kind needs none here.
package cli

import (
	"cmp"
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/golive-dev/golive/pkg/config"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// app is what every command stands on.
type app struct {
	version string
	in      io.Reader
	out     io.Writer
	err     io.Writer
	env     func(string) (string, bool)
}

// Main runs the command line and returns its exit code.
func Main(ctx context.Context, version string, args []string) int {
	a := &app{version: version, in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv}
	root := a.Root()
	root.SetArgs(args)
	return report(ctx, a.err, root.ExecuteContext(ctx))
}

// Reference is the command tree as its documentation is generated from.
func Reference() *cobra.Command {
	a := &app{version: "reference", in: os.Stdin, out: io.Discard, err: io.Discard, env: func(string) (string, bool) { return "", false }}
	return a.Root()
}

// Root is the command tree.
func (a *app) Root() *cobra.Command {
	root := &cobra.Command{
		Use:   "golive",
		Short: "Take a new version to the machines and to the people",
		Long: "golive takes a new version to the machines and to the people, in the same waves, with one go/no-go.\n\n" +
			"Every flag can also be given by the environment: --data-dir as GOLIVE_DATA_DIR.\n" +
			"Exit codes: 0 done or go, 1 error, 2 usage, 3 not found, 4 conflict, 5 not authorised,\n" +
			"6 finished but failed or rolled back, 7 not yet or no-go, 8 timeout, 130 interrupted.",
		SilenceErrors: true, SilenceUsage: true, DisableAutoGenTag: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := config.Apply(cmd.Flags(), a.env, ""); err != nil {
				return usage(err.Error(), "golive "+cmd.Name()+" --help shows the flags")
			}
			// Cobra checks these too, but later and without saying that it is about usage.
			if err := cmp.Or(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups()); err != nil {
				return usage(err.Error(), cmd.CommandPath()+" --help shows the flags")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(err.Error(), cmd.CommandPath()+" --help shows what it takes")
	})
	root.AddGroup(
		&cobra.Group{ID: "server", Title: "Run:"}, &cobra.Group{ID: "rollout", Title: "Roll out:"},
		&cobra.Group{ID: "operate", Title: "Operate:"},
		&cobra.Group{ID: "plan", Title: "Plan:"}, &cobra.Group{ID: "people", Title: "People:"},
		&cobra.Group{ID: "resource", Title: "Resources:"}, &cobra.Group{ID: "access", Title: "Access and machines:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("server", a.up(), a.serve(), a.demo())
	add("rollout", a.deploy(), a.release(), a.watch(), a.why(), a.inbox(), a.gate(), a.pause(), a.resume(), a.cancel(), a.abandon(), a.rollback(), a.retry(),
		a.approve(), a.reject(), a.skip(), a.logs(), a.promote(), a.matrix(), a.analysis(), a.override(), a.policy())
	add("operate", a.history(), a.availability(), a.drift(), a.resolve(), a.incident(), a.dora(), a.feedback())
	add("plan", a.implementation(), a.plan(), a.stage(), a.task(), a.agenda(), a.comment(), a.challenges(), a.decide(), a.ledger(), a.outcome(), a.report(), a.scorecard(), a.compare())
	add("people", a.people(), a.members(), a.train(), a.accounts(), a.readiness(), a.adoption(), a.usageCommand(), a.survey(),
		a.stakeholder(), a.communication(), a.contact(), a.mail(), a.erase())
	add("resource", a.get(), a.list(), a.describe(), a.apply(), a.delete(), a.events(), a.subscription(), a.api())
	add("access", a.login(), a.context(), a.token(), a.agent())
	root.AddCommand(a.versionCommand())
	strict(root)
	exemplify(root)
	return root
}

// strict makes wrong arguments and unknown verbs usage errors, with exit code 2.
func strict(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usage(err.Error(), "write "+cmd.UseLine())
			}
			return nil
		}
	} else if cmd.HasSubCommands() {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage(cmd.CommandPath()+" has no command "+args[0], cmd.CommandPath()+" --help shows what there is")
			}
			return nil
		}
	}
	for _, c := range cmd.Commands() {
		strict(c)
	}
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(commands...)
	return c
}

// set tells whether an environment variable says yes, as NO_COLOR and CI do by being there.
func (a *app) set(key string) bool {
	value, ok := a.env(key)
	return ok && value != "" && value != "false"
}

// terminal returns the file behind a writer or reader if it is a terminal that can redraw.
func (a *app) terminal(stream any) (*os.File, bool) {
	file, ok := stream.(*os.File)
	kind, _ := a.env("TERM")
	if !ok || a.set("CI") || kind == "dumb" || !term.IsTerminal(int(file.Fd())) {
		return nil, false
	}
	return file, true
}

// style is how text to stdout may look.
func (a *app) style() show.Style {
	_, terminal := a.terminal(a.out)
	return show.Style{Colour: terminal && !a.set("NO_COLOR")}
}
