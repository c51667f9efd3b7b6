package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/golive-dev/golive/services/cli/internal/kind"
)

// completeKinds completes the first argument by the kinds.
func (a *app) completeKinds(cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		words := make([]cobra.Completion, 0, len(kind.All()))
		for _, k := range kind.All() {
			words = append(words, k.Plural)
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeNames completes the first argument by the kinds and the others by what the server has.
func (a *app) completeNames(cmd *cobra.Command) {
	a.completeKinds(cmd)
	kinds := cmd.ValidArgsFunction
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return kinds(cmd, args, prefix)
		}
		return a.names(cmd, args[0]), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeKind completes every argument by the names of one kind.
func (a *app) completeKind(cmd *cobra.Command, word string) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return a.names(cmd, word), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeTemplates completes a flag by the templates of plans.
func (a *app) completeTemplates(cmd *cobra.Command, flag string) {
	must(cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return a.templates(cmd), cobra.ShellCompDirectiveNoFileComp
	}))
}

// names are those of the resources of a kind.
func (a *app) names(cmd *cobra.Command, word string) []cobra.Completion {
	k, err := kind.Find(word)
	if err != nil {
		return nil
	}
	return a.ask(cmd, func(ctx context.Context, c *client) (names []cobra.Completion, err error) {
		parent, err := k.Parent(c.workspace, "")
		if err != nil {
			return nil, err
		}
		all, _, err := c.all(ctx, k, query{parent: parent, limit: page})
		for _, m := range all {
			names = append(names, kind.Short(nameOf(m)))
		}
		return names, err
	})
}

func (a *app) templates(cmd *cobra.Command) []cobra.Completion {
	return a.ask(cmd, func(ctx context.Context, c *client) (ids []cobra.Completion, err error) {
		all, err := c.planTemplates(ctx)
		for _, t := range all {
			ids = append(ids, cobra.CompletionWithDesc(t.GetId(), t.GetDisplayName()))
		}
		return ids, err
	})
}

// ask asks the server; a shell that completes wants no errors, so there are none.
func (a *app) ask(cmd *cobra.Command, question func(ctx context.Context, c *client) ([]cobra.Completion, error)) []cobra.Completion {
	c, err := a.connect(&connection{output: "name"})
	if err != nil {
		return nil
	}
	defer func() {
		for _, end := range c.close {
			_ = end() // a completion has nobody to tell
		}
	}()
	ctx, cancel := quickly(cmd.Context())
	defer cancel()
	answer, err := question(ctx, c)
	if err != nil {
		return nil
	}
	return answer
}
