package docs

import (
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/syntax"

	"github.com/golive-dev/golive/pkg/config"
	"github.com/golive-dev/golive/services/cli"
)

// TestEveryCommandInTheDocumentationParses holds each golive command of every shell block to
// the command tree: the command, its flags and their values, and the number of its arguments.
func TestEveryCommandInTheDocumentationParses(t *testing.T) {
	blocks := regexp.MustCompile("(?ms)^```(?:sh|console)\n(.*?)^```")
	commands := 0
	for name, text := range pages(t) {
		for _, block := range blocks.FindAllStringSubmatch(text, -1) {
			for _, words := range invocations(t, name, block[1]) {
				commands++
				require.NoError(t, parse(words), "%s: golive %s", name, strings.Join(words, " "))
			}
		}
	}
	require.Greater(t, commands, 60)
}

// invocations are the golive commands of a script; what the shell would expand stands as a word of its own.
func invocations(t *testing.T, name, script string) (all [][]string) {
	t.Helper()
	file, err := syntax.NewParser().Parse(strings.NewReader(script), name)
	require.NoError(t, err)
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok {
			return true
		}
		words := make([]string, 0, len(call.Args))
		for _, w := range call.Args {
			words = append(words, literal(w))
		}
		if len(words) > 0 && words[0] == "sudo" {
			words = words[1:]
		}
		if len(words) > 0 && words[0] == "golive" {
			all = append(all, words[1:])
		}
		return true
	})
	return all
}

// literal is a word as the shell would hand it over, with x for what only it knows.
func literal(w *syntax.Word) string {
	var out strings.Builder
	var write func(parts []syntax.WordPart)
	write = func(parts []syntax.WordPart) {
		for _, part := range parts {
			switch part := part.(type) {
			case *syntax.Lit:
				out.WriteString(part.Value)
			case *syntax.SglQuoted:
				out.WriteString(part.Value)
			case *syntax.DblQuoted:
				write(part.Parts)
			default:
				out.WriteString("x")
			}
		}
	}
	write(w.Parts)
	return out.String()
}

var errNoCommand = errors.New("there is no such command")

// parse goes as far with a command as it can go without running it.
func parse(words []string) error {
	root := cli.Reference()
	root.SetOut(io.Discard)
	cmd, rest, err := root.Find(words)
	if err != nil {
		return errNoCommand
	}
	switch {
	case cmd == root || cmd.HasSubCommands() && cmd.Args == nil && len(rest) > 0 && !strings.HasPrefix(rest[0], "-"):
		return errNoCommand
	case cmd.DisableFlagParsing:
		return nil // another program reads them
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if err := cmd.ValidateRequiredFlags(); err != nil {
		return err
	}
	if err := cmd.ValidateFlagGroups(); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// flagNames are the flags of one command.
func flagNames(cmd *cobra.Command) (all []string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) { all = append(all, f.Name) })
	return all
}

// TestEveryVariableInTheDocumentationExists holds each GOLIVE_… that pages and units name to the flags there are.
func TestEveryVariableInTheDocumentationExists(t *testing.T) {
	known := map[string]bool{"GOLIVE_CONFIG": true, "GOLIVE_TEST_POSTGRES": true, "GOLIVE_TEST_PROMETHEUS": true, "GOLIVE_TEST_MINISIGN": true, "GOLIVE_UPDATE": true}
	for _, f := range agentFlags(t) {
		known[f[1]] = true
	}
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, f := range flagNames(cmd) {
			known[config.EnvKey(f)], known[config.EnvKey(f)+"_FILE"] = true, true
		}
		for _, c := range cmd.Commands() {
			visit(c)
		}
	}
	visit(cli.Reference())
	all := pages(t)
	for _, unit := range []string{"golive.service", "golive-agent.service"} {
		text, err := os.ReadFile(root + "/deploy/systemd/" + unit)
		require.NoError(t, err)
		all[unit] = string(text)
	}
	for name, text := range all {
		for _, variable := range regexp.MustCompile(`\bGOLIVE_[A-Z_]+\b`).FindAllString(text, -1) {
			require.True(t, known[variable], "%s names %s, which nothing reads", name, variable)
		}
	}
}
