package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/config"
	"github.com/golive-dev/golive/services/cli"
)

func TestTheConfigPageIsWhatTheFlagsSay(t *testing.T) {
	out := page("Configuration", `
Every flag of every command can be given in four ways. The first of these wins:

1. on the command line: `+"`--data-dir /var/lib/golive`"+`
2. in the environment: `+"`GOLIVE_DATA_DIR=/var/lib/golive`, or `GOLIVE_DATA_DIR_FILE` with the name of a file that holds the value, for secrets"+`
3. for servers, in a YAML file that `+"`--settings` names: `data-dir: /var/lib/golive`"+`
4. its default

An unknown key in the file, and a value that does not fit, stop the start with a line that says which. Commands that talk to a server take their
address and token from the current context ([golive login, golive context](cli.md)), unless a flag says otherwise.`)
	for _, path := range []string{"up", "serve deployment", "serve implementation", "serve gateway"} {
		cmd, _, err := cli.Reference().Find(strings.Fields(path))
		require.NoError(t, err)
		fmt.Fprintf(out, "\n## golive %s\n\n%s.\n", path, cmd.Short)
		settings(out, cmd)
	}
	out.WriteString("\n## golive-agent\n\nThe agent of a host. It knows these and no others.\n")
	head(out, "flag", "environment", "default", "meaning")
	agent := agentFlags(t)
	for _, f := range agent {
		row(out, "`--"+f[0]+"`", "`"+f[1]+"`", f[2], f[3])
	}
	out.WriteString("\n## Other variables\n")
	head(out, "variable", "meaning")
	row(out, "`GOLIVE_CONFIG`", "Where the command line keeps its contexts; `golive/config.yaml` in the user's folder for settings otherwise.")
	row(out, "`NO_COLOR`, `CI`, `TERM=dumb`", "No colour; no redrawing.")
	row(out, "`GOLIVE_TEST_POSTGRES=require`", "Tests fail where PostgreSQL is absent, instead of running on SQLite alone.")
	row(out, "`GOLIVE_TEST_PROMETHEUS=require`", "Tests fail where the `prometheus` server is absent, instead of leaving out what needs it.")
	row(out, "`GOLIVE_TEST_MINISIGN=require`", "The same for `minisign`.")
	generated(t, "config.md", out.String())
}

func settings(out *strings.Builder, cmd *cobra.Command) {
	head(out, "flag", "environment", "default", "meaning")
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		value := f.DefValue
		if value == "[]" {
			value = ""
		}
		row(out, "`--"+f.Name+"`", "`"+config.EnvKey(f.Name)+"`", code(value), f.Usage)
	})
}

func code(value string) string {
	if value == "" {
		return ""
	}
	return "`" + value + "`"
}

// agentFlags reads the flags of golive-agent out of its source: a main package can be asked no other way.
func agentFlags(t *testing.T) (all [][4]string) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, "services", "cmd", "golive-agent", "main.go"))
	require.NoError(t, err)
	declared := regexp.MustCompile(`flags\.String(?:Var)?\((?:&([\w.]+), )?"([a-z-]+)", (?:""|(?:or\()?os\.Getenv\("(\w+)"\)(?:, "([^"]*)"\))?), "([^"]*)"`)
	for _, f := range declared.FindAllStringSubmatch(string(source), -1) {
		if f[3] == "" { // a secret is read later, lest help shows it as a default
			later := regexp.MustCompile(regexp.QuoteMeta(f[1]) + ` = or\([\w.]+, os\.Getenv\("(\w+)"\)\)`).FindStringSubmatch(string(source))
			require.NotNil(t, later, "--%s has no variable", f[2])
			f[3] = later[1]
		}
		all = append(all, [4]string{f[2], f[3], code(f[4]), f[5]})
	}
	require.Len(t, all, strings.Count(string(source), "flags.String"), "a flag is declared in a way that this does not read")
	return all
}
