// Package config gives the flags of a command their values.
//
// A setting is declared once, as a flag with its type, default and help text;
// everything else follows from its name. --data-dir may also be given as
// GOLIVE_DATA_DIR, as GOLIVE_DATA_DIR_FILE (a file that holds the value, for
// secrets), or as data-dir in a YAML file. The first of these wins: command
// line, environment, file, default. [Apply] fills in what the command line left
// open, and its errors say which key of which source is wrong.
package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// Prefix begins the name of every environment variable.
const Prefix = "GOLIVE_"

// Apply gives each flag that the command line did not set its value from the
// environment or from the YAML file at path, if any. Env is os.LookupEnv outside tests.
func Apply(flags *pflag.FlagSet, env func(key string) (string, bool), path string) error {
	file, err := readFile(path)
	if err != nil {
		return err
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(file)) {
		if flags.Lookup(key) == nil {
			errs = append(errs, fmt.Errorf("%s: unknown setting %q%s", path, key, closest(flags, key)))
		}
	}
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Changed {
			errs = append(errs, fill(flags, f, env, file, path))
		}
	})
	return errors.Join(errs...)
}

func fill(flags *pflag.FlagSet, f *pflag.Flag, env func(string) (string, bool), file map[string]string, path string) error {
	key := EnvKey(f.Name)
	value, ok := env(key)
	source := key
	if name, _ := env(key + "_FILE"); name != "" && !ok {
		content, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("%s_FILE: %w", key, err)
		}
		value, ok, source = strings.TrimSpace(string(content)), true, key+"_FILE"
	}
	if !ok {
		value, ok = file[f.Name]
		source = path + ": " + f.Name
	}
	if !ok {
		return nil
	}
	if err := flags.Set(f.Name, value); err != nil {
		// pflag repeats the value in its error, and the value may be a secret.
		return fmt.Errorf("%s is not a valid %s for --%s (%s)", source, f.Value.Type(), f.Name, f.Usage)
	}
	return nil
}

// EnvKey is the environment variable of a flag: data-dir is GOLIVE_DATA_DIR.
func EnvKey(flag string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// readFile reads a flat YAML mapping; a list becomes what its flag takes, comma-separated.
func readFile(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	var raw map[string]yaml.Node
	if err := yaml.Unmarshal(content, &raw); err != nil {
		return nil, fmt.Errorf("read settings %s: %w", path, err)
	}
	settings := make(map[string]string, len(raw))
	for key, node := range raw {
		value, err := scalar(&node)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", path, node.Line, key, err)
		}
		settings[key] = value
	}
	return settings, nil
}

func scalar(node *yaml.Node) (string, error) {
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag != "!!null":
		return node.Value, nil
	case node.Kind == yaml.SequenceNode:
		values := make([]string, 0, len(node.Content))
		for _, item := range node.Content {
			value, err := scalar(item)
			if err != nil {
				return "", err
			}
			values = append(values, value)
		}
		return strings.Join(values, ","), nil
	default:
		return "", errors.New("must be a single value or a list of them")
	}
}

// closest proposes a setting that begins or ends like the unknown one.
func closest(flags *pflag.FlagSet, key string) (hint string) {
	wanted := strings.ReplaceAll(strings.ToLower(key), "_", "-")
	flags.VisitAll(func(f *pflag.Flag) {
		if hint == "" && (f.Name == wanted || strings.HasPrefix(f.Name, wanted) || strings.HasSuffix(f.Name, wanted)) {
			hint = fmt.Sprintf("; did you mean %q?", f.Name)
		}
	})
	return hint
}
