package cli

import (
	"runtime"

	"github.com/spf13/cobra"

	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) versionCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{Use: "version", Short: "Show the version of this program", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		format, err := show.ParseFormat(output)
		if err != nil {
			return usage(err.Error(), "choose one with -o")
		}
		if format.ForPeople() || format == show.Name {
			return a.say("golive %s %s %s/%s", a.version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		}
		return show.Encode(a.out, format, map[string]string{"version": a.version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
	}}
	cmd.Flags().StringVarP(&output, "output", "o", string(show.Table), "table, json, yaml or name")
	return cmd
}
