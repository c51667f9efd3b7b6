package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/auth"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
	"github.com/golive-dev/golive/services/server"
)

func (a *app) token() *cobra.Command {
	return group("token", "Say who may do what", a.tokenMint(), a.tokenRevoke(), a.tokenWhoAmI())
}

// roles are the words for roles that people and services may have.
func roles() []string { return []string{"viewer", "operator", "approver", "admin", "service"} }

func (a *app) tokenMint() *cobra.Command {
	var (
		granted []string
		ttl     time.Duration
		all     bool
		dataDir string
	)
	cmd := &cobra.Command{
		Use: "mint PRINCIPAL", Short: "Make a token for a person or a service; it is printed to stdout, once",
		Long: "With --data-dir the token is signed with the key in that data folder and no server is asked: the way back in\n" +
			"for who operates the server and has lost every token.",
		Example: "  golive token mint users/bob --role approver --ttl 168h\n  golive token mint users/admin --role admin --all-workspaces --data-dir /var/lib/golive",
		Args:    cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringSliceVar(&granted, "role", nil, strings.Join(roles(), ", ")+"; repeatable")
	f.DurationVar(&ttl, "ttl", auth.DefaultTTL, "how long it is valid")
	f.BoolVar(&all, "all-workspaces", false, "in every workspace instead of one")
	f.StringVar(&dataDir, "data-dir", "", "sign with the key in this data folder instead of asking a server")
	must(cmd.MarkFlagRequired("role"))
	must(cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions(roles(), cobra.ShellCompDirectiveNoFileComp)))
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		for _, r := range granted {
			if !slices.Contains(roles(), r) {
				return usage("there is no role "+r, "choose among "+strings.Join(roles(), ", "))
			}
		}
		workspace := c.workspace
		if all {
			workspace = auth.AllWorkspaces
		}
		if flag := cmd.Flags().Lookup("data-dir"); flag.Changed {
			return c.mintHere(dataDir, args[0], workspace, granted, ttl)
		}
		grant := &accessv1.Grant{Workspace: "workspaces/" + workspace}
		for _, r := range granted {
			grant.Roles = append(grant.Roles, accessv1.Role(accessv1.Role_value["ROLE_"+strings.ToUpper(r)]))
		}
		resp, err := accessv1.NewAccessServiceClient(c.software).MintToken(ctx, &accessv1.MintTokenRequest{
			Principal: args[0], Grants: []*accessv1.Grant{grant}, Ttl: durationpb.New(ttl),
		})
		if err != nil {
			return err
		}
		if !c.format.ForPeople() && c.format != show.Name {
			return show.Encode(c.out, c.format, resp)
		}
		c.note("token %s for %s, until %s; it is not shown again", resp.GetPrincipal().GetTokenId(), args[0], resp.GetPrincipal().GetExpireTime().AsTime().Format(time.RFC3339))
		return c.say("%s", resp.GetToken())
	})
}

// mintHere signs with the key in a data folder.
func (c *client) mintHere(dataDir, principal, workspace string, granted []string, ttl time.Duration) error {
	issuer, err := server.OpenIssuer(dataDir)
	if err != nil {
		return err
	}
	claims := auth.Claims{Name: principal, Grants: map[string][]auth.Role{}, TTL: ttl}
	for _, r := range granted {
		claims.Grants[workspace] = append(claims.Grants[workspace], auth.Role(r))
	}
	token, id, err := issuer.Mint(claims)
	if err != nil {
		return err
	}
	c.note("token %s for %s", id, principal)
	return c.say("%s", token)
}

func (a *app) tokenRevoke() *cobra.Command {
	var (
		reason string
		yes    bool
	)
	cmd := &cobra.Command{
		Use: "revoke TOKEN-ID", Short: "End a token at once, in both services",
		Long: "golive token whoami shows the id of the own token, and who minted one was told its id.", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
	yesFlag(cmd, &yes)
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		if err := c.confirm(yes, "revoke", "token "+args[0]); err != nil {
			return err
		}
		var errs []error
		for _, service := range []struct {
			name   string
			client accessv1.AccessServiceClient
		}{
			{"deployment", accessv1.NewAccessServiceClient(c.software)}, {"implementation", accessv1.NewAccessServiceClient(c.people)},
		} {
			if _, err := service.client.RevokeToken(ctx, &accessv1.RevokeTokenRequest{TokenId: args[0], Reason: reason}); err != nil {
				c.note("the %s service did not revoke it: %s", service.name, explain(err).what)
				errs = append(errs, err)
				continue
			}
			c.note("revoked in the %s service", service.name)
		}
		return errors.Join(errs...)
	})
}

func (a *app) tokenWhoAmI() *cobra.Command {
	cmd := &cobra.Command{Use: "whoami", Short: "Show who you are and what you may do", Args: cobra.NoArgs}
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		resp, err := accessv1.NewAccessServiceClient(c.software).WhoAmI(ctx, &accessv1.WhoAmIRequest{})
		if err != nil {
			return err
		}
		p := resp.GetPrincipal()
		switch {
		case c.format == show.Name:
			return c.say("%s", p.GetName())
		case !c.format.ForPeople():
			return show.Encode(c.out, c.format, p)
		}
		rows := [][]string{{"principal", p.GetName()}, {"token", p.GetTokenId()}, {"expires", fmt.Sprintf("%s (%s)",
			p.GetExpireTime().AsTime().Format(time.RFC3339), show.Ago(p.GetExpireTime().AsTime(), time.Now()))}}
		if scope := p.GetScope(); scope != nil {
			rows = append(rows, []string{"only for", scope.GetResource()}, []string{"only to", strings.Join(scope.GetPermissions(), ", ")})
		}
		for _, g := range p.GetGrants() {
			words := make([]string, 0, len(g.GetRoles()))
			for _, r := range g.GetRoles() {
				words = append(words, strings.ToLower(strings.TrimPrefix(r.String(), "ROLE_")))
			}
			rows = append(rows, []string{strings.TrimPrefix(g.GetWorkspace(), "workspaces/"), strings.Join(words, ", ")})
		}
		return show.Rows(c.out, rows)
	})
}
