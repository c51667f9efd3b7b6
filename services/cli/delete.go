package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/golive-dev/golive/services/cli/internal/kind"
)

func (a *app) delete() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{Use: "delete KIND NAME…", Short: "Delete resources", Args: cobra.MinimumNArgs(2)}
	yesFlag(cmd, &yes)
	a.completeNames(cmd)
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		k, err := find(args[0])
		if err != nil {
			return err
		}
		if k.Delete == nil {
			return usage(k.Plural+" cannot be deleted", "they are part of the record")
		}
		names := make([]string, 0, len(args)-1)
		for _, given := range args[1:] {
			name, err := c.name(k, given)
			if err != nil {
				return err
			}
			names = append(names, name)
		}
		if err := c.confirm(yes, "delete", names...); err != nil {
			return err
		}
		for _, name := range names {
			if _, err := c.call(ctx, k, k.Delete, func(req protoreflect.Message) { put(req, "name", name) }); err != nil {
				return err
			}
			c.note("%s %s deleted", k.Singular, kind.Short(name))
		}
		return nil
	})
}

func yesFlag(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask; needed where there is no terminal")
}

// confirm shows what is about to happen and asks.
func (c *client) confirm(yes bool, action string, subjects ...string) error {
	if yes {
		return nil
	}
	if c.noInput {
		return usage(fmt.Sprintf("%s %s needs a yes, and nobody can be asked here", action, strings.Join(subjects, " ")), "add --yes if you mean it")
	}
	c.note("about to %s:", action)
	for _, s := range subjects {
		c.note("  %s", s)
	}
	_, _ = fmt.Fprint(c.err, "go on? [y/N] ")
	answer, err := bufio.NewReader(c.in).ReadString('\n')
	if word := strings.ToLower(strings.TrimSpace(answer)); err != nil || word != "y" && word != "yes" {
		return &complaint{code: exitError, what: "nothing was done"}
	}
	return nil
}
