package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/golive-dev/golive/pkg/observe"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
	"github.com/golive-dev/golive/services/server"
)

func (a *app) login() *cobra.Command {
	var name string
	f := new(connection)
	cmd := &cobra.Command{
		Use: "login", Short: "Remember a server and who you are there",
		Long:    "The token is asked for, or read from stdin, GOLIVE_TOKEN or GOLIVE_TOKEN_FILE. It is kept in the context file, readable by you alone.",
		Example: "  golive login --name prod --deployment golive.example:8081 --implementation golive.example:8082 --url https://golive.example --tls",
		Args:    cobra.NoArgs,
	}
	f.register(cmd.Flags())
	cmd.Flags().StringVar(&name, "name", "default", "the name of the context")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		token := f.token.Reveal()
		if token == "" {
			var err error
			if token, err = a.askToken(f.noInput); err != nil {
				return err
			}
			f.token = observe.Secret(token)
		}
		c, err := a.connect(f)
		if err != nil {
			return err
		}
		who, err := accessv1.NewAccessServiceClient(c.software).WhoAmI(cmd.Context(), &accessv1.WhoAmIRequest{})
		for _, end := range c.close {
			err = errors.Join(err, end())
		}
		if err != nil {
			return err
		}
		contexts, err := a.loadContexts()
		if err != nil {
			return err
		}
		contexts.Current = name
		contexts.Contexts[name] = &contextData{
			URL: c.url, Token: token, Workspace: c.workspace, TLS: c.tls != nil, CAFile: f.caFile,
			Deployment: cmp.Or(f.deployment, server.DefaultDeployment), Implementation: cmp.Or(f.implementation, server.DefaultImplementation),
		}
		if err := a.saveContexts(contexts); err != nil {
			return err
		}
		a.note("signed in as %s; context %s is the current one", who.GetPrincipal().GetName(), name)
		return nil
	}
	return cmd
}

// askToken reads a token from stdin; a terminal does not show it.
func (a *app) askToken(noInput bool) (string, error) {
	if file, ok := a.terminal(a.in); ok {
		if noInput {
			return "", usage("a token is needed, and --no-input forbids to ask", "set GOLIVE_TOKEN")
		}
		_, _ = fmt.Fprint(a.err, "token: ")
		token, err := term.ReadPassword(int(file.Fd()))
		a.note("")
		return strings.TrimSpace(string(token)), err
	}
	line, err := bufio.NewReader(a.in).ReadString('\n')
	if token := strings.TrimSpace(line); token != "" {
		return token, nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read token: %w", err)
	}
	return "", usage("a token is needed", "pipe it to golive login, or set GOLIVE_TOKEN")
}

func (a *app) context() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List the remembered servers", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		f, err := a.loadContexts()
		if err != nil {
			return err
		}
		rows := [][]string{{"NAME", "CURRENT", "URL", "WORKSPACE"}}
		for _, name := range slices.Sorted(maps.Keys(f.Contexts)) {
			current := ""
			if name == f.Current {
				current = "*"
			}
			rows = append(rows, []string{name, current, f.Contexts[name].URL, f.Contexts[name].Workspace})
		}
		return show.Rows(a.out, rows)
	}}
	use := &cobra.Command{Use: "use NAME", Short: "Make a remembered server the current one", Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		return a.change(args[0], func(f *contextFile) { f.Current = args[0] })
	}}
	remove := &cobra.Command{Use: "delete NAME", Short: "Forget a server and its token", Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		return a.change(args[0], func(f *contextFile) { delete(f.Contexts, args[0]) })
	}}
	current := &cobra.Command{Use: "show", Short: "Show where commands go now; the token is not shown", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		d, err := a.remembered("")
		if err != nil {
			return err
		}
		hidden := *d
		hidden.Token = observe.Secret(d.Token).String()
		return show.Rows(a.out, [][]string{
			{"url", cmp.Or(d.URL, "http://"+server.DefaultHTTP)},
			{"deployment", cmp.Or(d.Deployment, server.DefaultDeployment)},
			{"implementation", cmp.Or(d.Implementation, server.DefaultImplementation)},
			{"workspace", cmp.Or(d.Workspace, "default")},
			{"token", cmp.Or(hidden.Token, "-")},
		})
	}}
	for _, c := range []*cobra.Command{use, remove} {
		c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			f, err := a.loadContexts()
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return slices.Sorted(maps.Keys(f.Contexts)), cobra.ShellCompDirectiveNoFileComp
		}
	}
	return group("context", "Choose among remembered servers", list, use, current, remove)
}

func (a *app) change(name string, change func(*contextFile)) error {
	if _, err := a.remembered(name); err != nil {
		return err
	}
	f, err := a.loadContexts()
	if err != nil {
		return err
	}
	change(f)
	return a.saveContexts(f)
}
