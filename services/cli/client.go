package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/observe"
	"github.com/golive-dev/golive/pkg/rpc"
	"github.com/golive-dev/golive/services/cli/internal/show"
	"github.com/golive-dev/golive/services/server"
)

// client is a command's way to a control plane.
type client struct {
	*app

	format    show.Format
	style     show.Style
	workspace string
	url       string
	token     string
	tls       *tls.Config
	noInput   bool
	software  grpc.ClientConnInterface // the deployment service
	people    grpc.ClientConnInterface // the implementation service
	close     []func() error
}

// connection is the flags of a connection.
type connection struct {
	context, workspace, deployment, implementation, url, caFile, output string
	token                                                               observe.Secret
	tls, plaintext, noInput                                             bool
}

func (f *connection) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.context, "context", "", "the remembered server to use; see golive context")
	flags.StringVarP(&f.workspace, "workspace", "w", "", `the workspace, "default" where nothing says otherwise`)
	flags.StringVar(&f.deployment, "deployment", "", "address of the deployment service, host:port")
	flags.StringVar(&f.implementation, "implementation", "", "address of the implementation service, host:port")
	flags.StringVar(&f.url, "url", "", "address of the gateway, for golive api")
	flags.StringVar(&f.caFile, "ca-file", "", "trust the certificates of this authority; implies --tls")
	flags.BoolVar(&f.tls, "tls", false, "use TLS")
	flags.BoolVar(&f.plaintext, "plaintext", false, "send the token in plain text beyond this machine, over a private network")
	flags.Var(&f.token, "token", "who you are; better given as GOLIVE_TOKEN or, as a file, GOLIVE_TOKEN_FILE")
	flags.BoolVar(&f.noInput, "no-input", false, "never ask; fail instead")
	flags.StringVarP(&f.output, "output", "o", string(show.Table), "table, wide, json, ndjson, yaml or name")
}

// remote makes a command one that talks to a control plane.
func (a *app) remote(cmd *cobra.Command, run func(ctx context.Context, c *client, args []string) error) *cobra.Command {
	f := new(connection)
	f.register(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		c, err := a.connect(f)
		if err != nil {
			return err
		}
		defer func() {
			for _, end := range c.close {
				err = errors.Join(err, end())
			}
		}()
		return run(cmd.Context(), c, args)
	}
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(show.Formats(), cobra.ShellCompDirectiveNoFileComp)))
	if cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	return cmd
}

// connect completes the flags by the current context and dials, which itself connects nothing yet.
func (a *app) connect(f *connection) (*client, error) {
	format, err := show.ParseFormat(f.output)
	if err != nil {
		return nil, usage(err.Error(), "choose one with -o")
	}
	remembered, err := a.remembered(f.context)
	if err != nil {
		return nil, err
	}
	c := &client{
		app: a, format: format, style: a.style(), noInput: f.noInput,
		workspace: cmp.Or(f.workspace, remembered.Workspace, "default"),
		url:       cmp.Or(f.url, remembered.URL, "http://"+server.DefaultHTTP),
		token:     cmp.Or(f.token.Reveal(), remembered.Token),
	}
	if _, terminal := a.terminal(a.in); !terminal {
		c.noInput = true
	}
	caFile := cmp.Or(f.caFile, remembered.CAFile)
	if f.tls || remembered.TLS || caFile != "" {
		if c.tls, err = rpc.ClientTLS(caFile, "", ""); err != nil {
			return nil, err
		}
	}
	dial := rpc.ClientConfig{TLS: c.tls, Plaintext: f.plaintext}
	if c.token != "" {
		dial.Token = auth.StaticToken(c.token)
	}
	for _, peer := range []struct {
		to      *grpc.ClientConnInterface
		address string
	}{
		{&c.software, cmp.Or(f.deployment, remembered.Deployment, server.DefaultDeployment)},
		{&c.people, cmp.Or(f.implementation, remembered.Implementation, server.DefaultImplementation)},
	} {
		conn, err := rpc.Dial(peer.address, dial)
		if err != nil {
			return nil, &complaint{code: exitUsage, what: err.Error(), fix: "add --tls, --ca-file or, on a private network, --plaintext"}
		}
		*peer.to, c.close = conn, append(c.close, conn.Close)
	}
	return c, nil
}

// remembered returns the named context, or the current one; an empty one where there is none.
func (a *app) remembered(name string) (*contextData, error) {
	f, err := a.loadContexts()
	if err != nil {
		return nil, err
	}
	if name == "" {
		return cmp.Or(f.Contexts[f.Current], &contextData{}), nil
	}
	if f.Contexts[name] == nil {
		return nil, &complaint{code: exitNotFound, what: fmt.Sprintf("there is no context %q", name), fix: "golive context list shows them; golive login adds one"}
	}
	return f.Contexts[name], nil
}

// note says something that is not data.
func (a *app) note(format string, args ...any) {
	_, _ = fmt.Fprintln(a.err, show.Safe(fmt.Sprintf(format, args...)))
}

// say writes a line of data, as a terminal may get it.
func (a *app) say(format string, args ...any) error {
	_, err := fmt.Fprintln(a.out, show.Safe(fmt.Sprintf(format, args...)))
	return err
}

// must is for what only a programmer's mistake can break.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// quickly bounds what the shell waits for while it completes a word.
func quickly(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Second)
}

// readFile reads a file, or stdin where it is called "-".
func (a *app) readFile(path string) ([]byte, error) {
	if path == "-" {
		return readAll(a.in)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, usage(err.Error(), "name a file that can be read, or - for stdin")
	}
	return data, nil
}
