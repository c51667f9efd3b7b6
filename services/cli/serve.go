package cli

import (
	"github.com/spf13/cobra"

	"github.com/golive-dev/golive/services/server"
)

func (a *app) serve() *cobra.Command {
	return group("serve", "Run one role of the control plane", a.serveDeployment(), a.serveImplementation(), a.serveGateway())
}

func (a *app) serveDeployment() *cobra.Command {
	var (
		cfg      server.DeploymentConfig
		settings string
	)
	cmd := &cobra.Command{
		Use: "deployment", Short: "Run the deployment service, which also holds the signing key", Args: cobra.NoArgs,
		Long: "It writes its public keys to trusted-issuer.json in its data folder: give that file to the implementation role.\n" +
			"The first start prints the first administrator's token to stdout, once.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.prepare(cmd, &cfg.Process, settings); err != nil {
				return err
			}
			s, err := server.Deployment(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			if token := s.BootstrapToken(); token != "" {
				if err := a.say("%s", token); err != nil {
					return err
				}
			}
			a.note("the deployment service listens on %s, agents connect to %s", s.Addresses().Deployment, s.Addresses().Agents)
			return s.Run(cmd.Context())
		},
	}
	a.processFlags(cmd, &cfg.Process, &settings)
	cmd.Flags().StringVar(&cfg.Listen, "listen-deployment", server.DefaultDeployment, "where it listens")
	cmd.Flags().StringSliceVar(&cfg.Trusted, "trusted-issuers", nil, "files with the public keys of more issuers")
	a.softwareFlags(cmd, &cfg.Agents, &cfg.AgentNames, &cfg.Authority, &cfg.Database, &cfg.BlobURL, &cfg.Public)
	peerFlags(cmd, "implementation", &cfg.Implementation)
	cmd.Flags().StringVar(&cfg.Implementation.TokenFile, "token-file", "", "who it is there; a token of its own making when not given")
	return cmd
}

func (a *app) serveImplementation() *cobra.Command {
	var (
		cfg      server.ImplementationConfig
		settings string
	)
	cmd := &cobra.Command{
		Use: "implementation", Short: "Run the implementation service", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.prepare(cmd, &cfg.Process, settings); err != nil {
				return err
			}
			s, err := server.Implementation(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			a.note("the implementation service listens on %s", s.Addresses().Implementation)
			return s.Run(cmd.Context())
		},
	}
	a.processFlags(cmd, &cfg.Process, &settings)
	cmd.Flags().StringVar(&cfg.Listen, "listen-implementation", server.DefaultImplementation, "where it listens")
	cmd.Flags().StringVar(&cfg.Database, "database", "", "a PostgreSQL URL; SQLite in the data folder when not given")
	cmd.Flags().StringSliceVar(&cfg.Trusted, "trusted-issuers", nil, "files with the public keys of issuers: trusted-issuer.json of the deployment role")
	peerFlags(cmd, "deployment", &cfg.Deployment)
	cmd.Flags().StringVar(&cfg.Deployment.TokenFile, "token-file", "", "who it is there: a token of the role service")
	mailFlags(cmd, &cfg.Mail)
	receiverFlag(cmd, &cfg.Private)
	return cmd
}

func (a *app) serveGateway() *cobra.Command {
	var (
		cfg      server.GatewayConfig
		settings string
	)
	cmd := &cobra.Command{
		Use: "gateway", Short: "Run the gateway: HTTP, events for browsers, the console", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.prepare(cmd, &cfg.Process, settings); err != nil {
				return err
			}
			s, err := server.Gateway(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			if err := a.say("golive is up: %s", s.URL(cfg.TLSCert != "")); err != nil {
				return err
			}
			return s.Run(cmd.Context())
		},
	}
	a.processFlags(cmd, &cfg.Process, &settings)
	cmd.Flags().StringVar(&cfg.Listen, "listen", server.DefaultHTTP, "where HTTP listens")
	peerFlags(cmd, "deployment", &cfg.Deployment)
	peerFlags(cmd, "implementation", &cfg.Implementation)
	return cmd
}

// peerFlags declares how another role is reached.
func peerFlags(cmd *cobra.Command, role string, p *server.Peer) {
	f := cmd.Flags()
	f.StringVar(&p.Address, role, "", "address of the "+role+" service, host:port")
	f.StringVar(&p.CAFile, role+"-ca-file", "", "trust certificates of this authority there; implies TLS")
	f.BoolVar(&p.TLS, role+"-tls", false, "use TLS there")
	f.BoolVar(&p.Plaintext, role+"-plaintext", false, "send tokens in plain text there, over a private network")
}
