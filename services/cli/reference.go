package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// WriteReference writes docs/reference/cli.md. A test holds the file to it.
func WriteReference(w io.Writer) error {
	var out bytes.Buffer
	out.WriteString("# golive, command by command\n\n" +
		"Generated from the commands themselves; `GOLIVE_UPDATE=1 go test ./services/cli -run Reference` writes it anew.\n\n" +
		"Data goes to stdout, everything else to stderr. `-o json`, `ndjson` and `yaml` and the exit codes are an interface; tables are not.\n" +
		"Every flag can be given by the environment: `--data-dir` as `GOLIVE_DATA_DIR`, or as a file that holds it, `GOLIVE_DATA_DIR_FILE`.\n\n" +
		"| exit code | means |\n|---|---|\n| 0 | done, or go |\n| 1 | error |\n| 2 | usage |\n| 3 | not found |\n| 4 | conflict |\n| 5 | not authorised |\n" +
		"| 6 | finished, but failed, rolled back or with bad rows |\n| 7 | not yet, or no-go |\n| 8 | timeout while waiting |\n| 130 | interrupted |\n")
	root := Reference()
	root.InitDefaultCompletionCmd()
	var connection *cobra.Command
	for _, c := range root.Commands() {
		if c.Name() == "get" {
			connection = c
		}
	}
	out.WriteString("\n## Flags of a connection\n\nEvery command that talks to a server takes these.\n")
	shared := writeFlags(&out, connection, nil, isConnection)
	writeCommand(&out, root, shared)
	_, err := w.Write(out.Bytes())
	return err
}

// isConnection tells the flags that remote gives to every command.
func isConnection(f *pflag.Flag) bool {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(connection).register(own)
	return own.Lookup(f.Name) != nil && own.Lookup(f.Name).Usage == f.Usage
}

func writeCommand(out *bytes.Buffer, cmd *cobra.Command, shared map[string]bool) {
	for _, c := range cmd.Commands() {
		if c.Hidden || c.Name() == "help" {
			continue
		}
		if c.HasSubCommands() && c.Args == nil { // it is a group and does nothing itself
			writeCommand(out, c, shared)
			continue
		}
		fmt.Fprintf(out, "\n## %s\n\n%s.\n\n```\n%s\n```\n", c.CommandPath(), strings.TrimSuffix(c.Short, "."), c.UseLine())
		if c.Long != "" && c.Name() != "bash" && c.Name() != "zsh" && c.Name() != "fish" && c.Name() != "powershell" {
			fmt.Fprintf(out, "\n%s\n", c.Long)
		}
		if c.Example != "" {
			fmt.Fprintf(out, "\n```sh\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(c.Example, "  "), "\n  ", "\n"))
		}
		writeFlags(out, c, shared, func(*pflag.Flag) bool { return true })
		writeCommand(out, c, shared)
	}
}

func writeFlags(out *bytes.Buffer, cmd *cobra.Command, skip map[string]bool, want func(*pflag.Flag) bool) map[string]bool {
	written := make(map[string]bool)
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || !want(f) || skip[f.Name] && isConnection(f) {
			return
		}
		if len(written) == 0 {
			out.WriteString("\n| flag | default | |\n|---|---|---|\n")
		}
		written[f.Name] = true
		name := "`--" + f.Name + "`"
		if f.Shorthand != "" {
			name = "`-" + f.Shorthand + "`, " + name
		}
		value := f.DefValue
		if value == "" || value == "[]" || value == "false" {
			value = " "
		} else {
			value = "`" + value + "`"
		}
		fmt.Fprintf(out, "| %s | %s | %s |\n", name, value, strings.ReplaceAll(f.Usage, "|", `\|`))
	})
	return written
}
