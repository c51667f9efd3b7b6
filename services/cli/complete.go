package cli

import (
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

// names asks the server; a shell that completes wants no errors, so there are none.
func (a *app) names(cmd *cobra.Command, word string) []cobra.Completion {
	k, err := kind.Find(word)
	if err != nil {
		return nil
	}
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
	parent, err := k.Parent(c.workspace, "")
	if err != nil {
		return nil
	}
	all, _, err := c.all(ctx, k, query{parent: parent, limit: page})
	if err != nil {
		return nil
	}
	names := make([]cobra.Completion, 0, len(all))
	for _, m := range all {
		names = append(names, kind.Short(nameOf(m)))
	}
	return names
}
