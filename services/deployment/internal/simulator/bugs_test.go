//go:build bugs

package simulator_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// most is within how many seeds a planted bug has to be found.
const most = "2000"

var found = regexp.MustCompile(`: seed (\d+): ([^;\n]*)`)

// TestPlantedBugs builds the simulator over an engine with a bug in it, for each bug in
// testdata/bugs, and shows that seeds find it and how many it takes. The bugs live in the
// overlay of the build alone.
func TestPlantedBugs(t *testing.T) {
	bugs, err := filepath.Glob("testdata/bugs/*.txt")
	require.NoError(t, err)
	require.Len(t, bugs, 5)
	for _, bug := range bugs {
		t.Run(strings.TrimSuffix(filepath.Base(bug), ".txt"), func(t *testing.T) {
			binary := filepath.Join(t.TempDir(), "sim.test")
			build := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", plant(t, bug), "-o", binary, ".")
			out, err := build.CombinedOutput()
			require.NoError(t, err, "%s", out)
			run := exec.CommandContext(t.Context(), binary, "-test.run=^TestSeeds$", "-test.timeout=10m")
			run.Env = append(os.Environ(), "SEEDS="+most, "KEEP=1")
			out, err = run.CombinedOutput()
			require.Error(t, err, "no seed found it")
			first := found.FindSubmatch(out)
			require.NotNil(t, first, "%s", out)
			t.Logf("found by seed %s: %s", first[1], first[2])
		})
	}
}

// plant writes the files that a bug changes and returns the overlay that puts them in place.
func plant(t *testing.T, bug string) string {
	t.Helper()
	archive, err := txtar.ParseFile(bug)
	require.NoError(t, err)
	root, err := filepath.Abs("../../../..")
	require.NoError(t, err)
	dir, overlay := t.TempDir(), map[string]map[string]string{"Replace": {}}
	var path, text, old string
	save := func() {
		if path == "" {
			return
		}
		changed := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		require.NoError(t, os.WriteFile(changed, []byte(text), 0o600))
		overlay["Replace"][filepath.Join(root, path)] = changed
	}
	for _, f := range archive.Files {
		part := strings.TrimSuffix(string(f.Data), "\n")
		switch f.Name {
		case "old":
			old = part
		case "new":
			require.Equal(t, 1, strings.Count(text, old), "%s has this exactly once:\n%s", path, old)
			text = strings.Replace(text, old, part, 1)
		default:
			save()
			raw, err := os.ReadFile(filepath.Join(root, f.Name))
			require.NoError(t, err)
			path, text = f.Name, string(raw)
		}
	}
	save()
	raw, err := json.Marshal(overlay)
	require.NoError(t, err)
	file := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	return file
}
