package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/rpc"
	"github.com/golive-dev/golive/services/demo"
	"github.com/golive-dev/golive/services/server"
)

// stage is where the parts of a demonstration are.
type stage struct {
	dir, agent, apps string
	once             bool
}

func (a *app) demo() *cobra.Command {
	var s stage
	cmd := &cobra.Command{
		Use: "demo", Short: "See a go-live happen on this machine",
		Long: "Starts the control plane with three real agents and six targets on this machine, and three cohorts of people, and takes an\n" +
			"application through five versions: the first everywhere; the second by cohort, where a wave waits until its people are trained and\n" +
			"somebody says go; the third falls ill, and is caught while it bakes; the fourth answers its probes and fails its users, and is\n" +
			"judged by them; the fifth waits for a freeze, until somebody overrides it. Then people use it, rate it and save money with it, and\n" +
			"the story ends with a decision, a scorecard of both halves, and the two side by side. Everything is checked from outside.\n" +
			"`make run` builds what it needs and runs it.",
		Args: cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.play(cmd.Context(), s) },
	}
	beside := "."
	if self, err := os.Executable(); err == nil {
		beside = filepath.Dir(self)
	}
	f := cmd.Flags()
	f.StringVar(&s.dir, "data-dir", ".golive-demo", "a folder for all of it; that of an earlier demonstration is emptied")
	f.StringVar(&s.agent, "agent", filepath.Join(beside, "golive-agent"), "the golive-agent program")
	f.StringVar(&s.apps, "apps", filepath.Join(beside, "demo"), "the folder with the built application, crm-VERSION")
	f.BoolVar(&s.once, "once", false, "end when the story has been told; the exit code says whether it is true")
	f.Lookup("agent").DefValue, f.Lookup("apps").DefValue = "beside this program", "demo beside this program"
	return cmd
}

// play starts the control plane, tells the story, and keeps the stage open to be looked at.
func (a *app) play(ctx context.Context, s stage) error {
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return err
	}
	if err := demo.Fresh(dir); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(dir, "golive.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // whoever wants it has it by then
	plane, err := server.Up(ctx, server.Config{
		Process: server.Process{DataDir: filepath.Join(dir, "server"), Admin: free(ctx, server.DefaultAdmin), LogTo: log},
		HTTP:    free(ctx, server.DefaultHTTP), Deployment: free(ctx, server.DefaultDeployment),
		Implementation: free(ctx, server.DefaultImplementation), Agents: free(ctx, server.DefaultAgents),
		Private: true, // the receiver of the story is on this machine
	})
	if err != nil {
		return err
	}
	if err := a.remember(plane, false); err != nil {
		a.note("the token is not remembered for later commands: %v", err)
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx)) // the plane outlives the story, which ends first
	ended := make(chan error, 1)
	go func() { ended <- plane.Run(serving) }()
	told := a.tell(ctx, s, dir, plane, ended)
	stop()
	return errors.Join(told, <-ended)
}

// tell runs the demonstration against a plane that serves.
func (a *app) tell(ctx context.Context, s stage, dir string, plane *server.Server, ended chan error) error {
	a.note("golive is up: %s", plane.URL(false))
	token := auth.StaticToken(plane.BootstrapToken())
	deployment, implementation := plane.Local()
	d := demo.New(demo.Config{
		Deployment: rpc.WithToken(deployment, token), Implementation: rpc.WithToken(implementation, token),
		AgentAddress: plane.Addresses().Agents, AgentProgram: s.agent, Applications: versions(s.apps), Dir: dir, Out: a.err,
		Show: func(ctx context.Context, args ...string) { a.showOff(ctx, plane, args) },
		As: func(token string) (machines, people grpc.ClientConnInterface, err error) {
			as := auth.StaticToken(token)
			return rpc.WithToken(deployment, as), rpc.WithToken(implementation, as), nil
		},
	})
	defer d.Close()
	if err := d.Run(ctx); err != nil {
		return fmt.Errorf("the demonstration: %w (its logs are in %s)", err, dir)
	}
	if s.once {
		return nil
	}
	a.note("\nThat was the story. Everything is still running; look at it:\n    %s\n    %[2]s list deployments crm\n    %[2]s describe crm/deployments/third\n    %[2]s analysis crm/deployments/fourth/waves/pilot\n    %[2]s decide show crm/second\n    %[2]s scorecard crm\nCtrl-C ends it.", plane.URL(false), os.Args[0])
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		ended <- nil
		return err
	}
}

// showOff runs what a person would type.
func (a *app) showOff(ctx context.Context, plane *server.Server, args []string) {
	self, err := os.Executable()
	if err != nil {
		return // the story goes on without
	}
	at := plane.Addresses()
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), "GOLIVE_TOKEN="+plane.BootstrapToken(), "GOLIVE_DEPLOYMENT="+at.Deployment, "GOLIVE_IMPLEMENTATION="+at.Implementation)
	cmd.Stdout, cmd.Stderr = a.err, a.err
	_ = cmd.Run() // its exit code says that something waits, which is the point
}

func versions(dir string) map[string]string {
	out := map[string]string{}
	for _, version := range demo.Versions() {
		out[version] = filepath.Join(dir, "crm-"+version)
	}
	return out
}

// free returns the address, or one with a port of the kernel's choice where the port is taken.
func free(ctx context.Context, address string) string {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return "127.0.0.1:0"
	}
	_ = l.Close() // it was opened only to see
	return address
}
