package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryExampleIsAccepted applies each file below examples/ to a real server, and asks whether a release could be
// deployed by each plan. Files called release.yaml are releases; all others are resources.
func TestEveryExampleIsAccepted(t *testing.T) {
	run := plane(t)
	examples := filepath.Join(root, "examples")
	for _, file := range []string{"application", "environment", "people"} {
		run("apply", "-f", filepath.Join(examples, "hello", file+".yaml"))
	}
	archive := filepath.Join(t.TempDir(), "hello.tar.gz")
	require.NoError(t, os.WriteFile(archive, []byte("any bytes are an artifact until an agent unpacks them"), 0o600))
	run("release", "create", "hello", "1.0.0", "-f", filepath.Join(examples, "hello", "release.yaml"), "--artifact", "linux/amd64="+archive)

	plans, err := filepath.Glob(filepath.Join(examples, "plans", "*.yaml"))
	require.NoError(t, err)
	require.Greater(t, len(plans), 2)
	for _, file := range append(plans, filepath.Join(examples, "hello", "waves.yaml"), filepath.Join(examples, "hello", "plan-by-cohort.yaml")) {
		run("apply", "-f", file)
		run("deploy", "hello", "1.0.0", "--to", "desk", "--plan", named(t, file), "--dry-run")
	}

	others := 0
	require.NoError(t, filepath.WalkDir(examples, func(path string, d os.DirEntry, err error) error {
		if d != nil && d.Name() == "gate-check" {
			return filepath.SkipDir // files of other tools
		}
		if err != nil || filepath.Ext(path) != ".yaml" || d.Name() == "release.yaml" {
			return err
		}
		others++
		run("apply", "-f", path, "--dry-run")
		run("apply", "-f", path)
		return nil
	}))
	require.Greater(t, others, 10)
	run("policy", "stop-line", "line", "--reason", "payments are down")
	run("policy", "release-line", "line", "--reason", "payments are back")
}

// named is the id of the one resource that a file describes.
func named(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	_, rest, found := strings.Cut("\n"+string(text), "\nname: deploymentPlans/")
	require.True(t, found, "%s names no plan", file)
	id, _, _ := strings.Cut(rest, "\n")
	return id
}
