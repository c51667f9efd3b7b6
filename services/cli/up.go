package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/golive-dev/golive/pkg/config"
	"github.com/golive-dev/golive/services/server"
)

// local is the context of a server on this machine.
const local = "local"

// processFlags declares the flags of every server process.
func (a *app) processFlags(cmd *cobra.Command, p *server.Process, settings *string) {
	f := cmd.Flags()
	f.StringVar(&p.DataDir, "data-dir", "", "databases, keys and certificates; ~/.local/share/golive when not given")
	f.StringVar(&p.Admin, "listen-admin", server.DefaultAdmin, "where operators look: metrics, health, reflection; knows no credentials")
	f.StringVar(&p.TLSCert, "tls-cert", "", "certificate file of HTTP and gRPC; read again when it changes")
	f.StringVar(&p.TLSKey, "tls-key", "", "its key file")
	f.StringVar(&p.Log.Level, "log-level", "info", "debug, info, warn or error; debug has a line for each request")
	f.StringVar(&p.Log.Format, "log-format", "", "json or console; console in a terminal")
	f.StringVar(&p.Trace.Endpoint, "otlp-endpoint", "", "send traces here, http://collector:4317")
	f.Float64Var(&p.Trace.Ratio, "trace-ratio", 0, "the share of traces that are kept; 0.05 when 0")
	f.BoolVar(&p.Profiles, "pprof", false, "serve profiles on the admin port")
	f.StringVar(settings, "settings", "", "a YAML file with any of these flags, data-dir: /var/lib/golive")
	cmd.ValidArgsFunction = cobra.NoFileCompletions
}

// prepare completes the flags of a process.
func (a *app) prepare(cmd *cobra.Command, p *server.Process, settings string) error {
	if settings != "" {
		if err := config.Apply(cmd.Flags(), a.env, settings); err != nil {
			return usage(err.Error(), cmd.CommandPath()+" --help shows the settings")
		}
	}
	if p.DataDir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return usage("there is no home folder for the data", "name a folder with --data-dir")
		}
		p.DataDir = filepath.Join(home, ".local", "share", "golive")
	}
	p.LogTo = a.err
	if file, ok := a.err.(*os.File); ok && p.Log.Format == "" && term.IsTerminal(int(file.Fd())) {
		p.Log.Format = "console"
	}
	return nil
}

func (a *app) up() *cobra.Command {
	var (
		cfg      server.Config
		settings string
	)
	cmd := &cobra.Command{
		Use: "up", Short: "Run the whole control plane in one process",
		Long: "Both services, the gateway and the port for agents, with SQLite files in the data folder or with PostgreSQL.\n" +
			"Everything listens on this machine alone unless told otherwise. The first start shows the address with the first\n" +
			"administrator's token, once, and remembers it for the commands of this user; golive token mint --data-dir is the way back in.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.prepare(cmd, &cfg.Process, settings); err != nil {
				return err
			}
			s, err := server.Up(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			return a.run(cmd.Context(), s, cfg.TLSCert != "")
		},
	}
	a.processFlags(cmd, &cfg.Process, &settings)
	f := cmd.Flags()
	f.StringVar(&cfg.HTTP, "listen", server.DefaultHTTP, "where HTTP listens")
	f.StringVar(&cfg.Deployment, "listen-deployment", server.DefaultDeployment, "where the deployment service listens")
	f.StringVar(&cfg.Implementation, "listen-implementation", server.DefaultImplementation, "where the implementation service listens")
	a.softwareFlags(cmd, &cfg.Agents, &cfg.AgentNames, &cfg.Authority, &cfg.Database, &cfg.BlobURL, &cfg.Public)
	mailFlags(cmd, &cfg.Mail)
	receiverFlag(cmd, &cfg.Private)
	return cmd
}

func (a *app) softwareFlags(cmd *cobra.Command, agents *string, names *[]string, authority, database, blobs *string, public *bool) {
	f := cmd.Flags()
	f.StringVar(agents, "listen-agents", server.DefaultAgents, "where host agents connect; always TLS")
	f.StringSliceVar(names, "agent-names", nil, "more names and addresses under which agents reach it")
	f.StringVar(authority, "authority-dir", "", "the folder of the agents' certificate authority, which servers on one database share; a folder of the data folder when not given")
	f.StringVar(database, "database", "", "a PostgreSQL URL; SQLite in the data folder when not given")
	f.BoolVar(public, "gates-public-only", false, "let what plans name (webhooks, load tests, Prometheus) be at public addresses only")
	f.StringVar(blobs, "blob-url", "", "where artifacts are kept, file:///folder; a folder of the data folder when not given")
}

// run announces a server that is ready and serves until the program is told to stop.
func (a *app) run(ctx context.Context, s *server.Server, secure bool) error {
	if err := a.remember(s, secure); err != nil {
		a.note("the token is not remembered for later commands: %v", err)
	}
	if err := a.say("golive is up: %s", s.URL(secure)); err != nil {
		return err
	}
	if s.BootstrapToken() == "" {
		a.note("sign in with the token you have, or make one: golive token mint users/admin --role admin --all-workspaces --data-dir DIR")
	}
	return s.Run(ctx)
}

// remember makes a new server the current context of this user, and gives one
// that it knows already its new addresses.
func (a *app) remember(s *server.Server, secure bool) error {
	f, err := a.loadContexts()
	if err != nil {
		return err
	}
	token := s.BootstrapToken()
	if token == "" {
		if token = cmp.Or(f.Contexts[local], &contextData{}).Token; !s.Trusts(token) {
			return nil
		}
	}
	scheme := "http"
	if secure {
		scheme = "https"
	}
	at := s.Addresses()
	f.Current = local
	f.Contexts[local] = &contextData{
		URL: fmt.Sprintf("%s://%s", scheme, at.HTTP), Deployment: at.Deployment, Implementation: at.Implementation,
		Workspace: "default", Token: token, TLS: secure,
	}
	return a.saveContexts(f)
}
