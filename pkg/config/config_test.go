package config_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/config"
)

type bundle struct {
	flags   *pflag.FlagSet
	dataDir *string
	grace   *time.Duration
	pprof   *bool
	issuers *[]string
	env     map[string]string
}

func setup(t *testing.T, args ...string) *bundle {
	t.Helper()
	f := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	b := &bundle{
		flags: f, dataDir: f.String("data-dir", "/var/lib/golive", "where data lives"),
		grace: f.Duration("grace", time.Second, "how long to wait"), pprof: f.Bool("pprof", false, "serve profiles"),
		issuers: f.StringSlice("trusted-issuers", nil, "key set files"), env: map[string]string{},
	}
	require.NoError(t, f.Parse(args))
	return b
}

func (b *bundle) apply(path string) error {
	return config.Apply(b.flags, func(key string) (string, bool) { v, ok := b.env[key]; return v, ok }, path)
}

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "golive.yaml")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestCommandLineThenEnvironmentThenFileThenDefault(t *testing.T) {
	file := write(t, "data-dir: /file\ngrace: 3s\npprof: true\ntrusted-issuers: [a.json, b.json]\n")
	b := setup(t, "--data-dir", "/flag")
	b.env = map[string]string{"GOLIVE_DATA_DIR": "/env", "GOLIVE_GRACE": "2s"}
	require.NoError(t, b.apply(file))
	require.Equal(t, "/flag", *b.dataDir)
	require.Equal(t, 2*time.Second, *b.grace)
	require.True(t, *b.pprof)
	require.Equal(t, []string{"a.json", "b.json"}, *b.issuers)

	b = setup(t)
	require.NoError(t, b.apply(""))
	require.Equal(t, "/var/lib/golive", *b.dataDir)
}

func TestValueMayComeFromAFileNamedInTheEnvironment(t *testing.T) {
	b := setup(t)
	b.env["GOLIVE_DATA_DIR_FILE"] = write(t, "/from/secret\n")
	require.NoError(t, b.apply(""))
	require.Equal(t, "/from/secret", *b.dataDir)
	b = setup(t)
	b.env["GOLIVE_DATA_DIR_FILE"] = "/nowhere"
	require.ErrorContains(t, b.apply(""), "GOLIVE_DATA_DIR_FILE")
	b = setup(t)
	b.env["GOLIVE_DATA_DIR_FILE"] = "" // as a unit file or a pipeline leaves it
	require.NoError(t, b.apply(""))
	require.Equal(t, "/var/lib/golive", *b.dataDir)
}

func TestErrorsNameTheKeyAndTheSourceButNotTheValue(t *testing.T) {
	b := setup(t)
	b.env["GOLIVE_GRACE"] = "hunter2"
	err := b.apply("")
	require.ErrorContains(t, err, "GOLIVE_GRACE is not a valid duration for --grace")
	require.NotContains(t, err.Error(), "hunter2")

	file := write(t, "grace: soon\ndata_dir: /x\n")
	err = setup(t).apply(file)
	require.ErrorContains(t, err, file+": grace")
	require.ErrorContains(t, err, `unknown setting "data_dir"; did you mean "data-dir"?`)

	require.ErrorContains(t, setup(t).apply(write(t, "\ngrace: {a: b}\n")), "golive.yaml:2: grace: must be")
	require.ErrorContains(t, setup(t).apply(write(t, "- a\n")), "read settings")
	require.ErrorContains(t, setup(t).apply("/nowhere.yaml"), "/nowhere.yaml")
}
