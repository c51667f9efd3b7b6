package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/cli"
	"github.com/golive-dev/golive/services/server"
)

// TestEveryResourceInTheDocumentationIsAccepted applies the example files, and then every YAML
// block of the pages, to a real server. A block without a name is a part: of a release, of a plan, or of a plan's wave.
func TestEveryResourceInTheDocumentationIsAccepted(t *testing.T) {
	run := plane(t)
	examples := filepath.Join(root, "examples", "hello")
	for _, file := range []string{"application", "environment", "people", "plan-by-cohort", "waves"} {
		run("apply", "-f", filepath.Join(examples, file+".yaml"))
	}
	run("train", "publish", "hello-basics")
	run("members", "import", "pilot", "-f", filepath.Join(examples, "people-pilot.csv"), "--create-people")
	run("members", "import", "sales", "-f", filepath.Join(examples, "people-sales.csv"), "--create-people")
	run("train", "import", "hello-basics", "-f", filepath.Join(examples, "completions.csv"))

	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	archive := file("x.tar.gz", "any bytes are an artifact until an agent unpacks them")
	run("apply", "-f", file("world.yaml", "name: environments/prod\n---\nname: implementations/crm-rollout\n---\nname: trainings/crm-basics\n"))

	run("apply", "-f", filepath.Join(root, "examples", "stage-that-waits.yaml"))
	run("apply", "-f", filepath.Join(root, "examples", "decision.yaml"))

	adopt := filepath.Join(root, "examples", "adopt")
	run("apply", "-f", filepath.Join(adopt, "application.yaml"))
	run("release", "create", "web", "1.0.0", "-f", filepath.Join(adopt, "release.yaml"))
	run("release", "create", "hello", "2.0.0", "-f", filepath.Join(root, "examples", "side-by-side", "release.yaml"), "--artifact", "linux/amd64="+archive)

	blocks := 0
	for name, text := range pages(t) {
		for _, block := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```").FindAllStringSubmatch(text, -1) {
			blocks++
			t.Logf("a block of %s", name)
			content := block[1]
			switch {
			case regexp.MustCompile(`(?m)^name: `).MatchString(content):
				run("apply", "-f", file("block.yaml", content))
			case strings.HasPrefix(content, "waves:"):
				run("apply", "-f", file("block.yaml", "name: deploymentPlans/part\nrollout:\n"+indent(content, "  ")))
			case strings.HasPrefix(content, "gates:"):
				run("apply", "-f", file("block.yaml", "name: deploymentPlans/part\nrollout:\n  waves:\n  - {id: zeroth, members: {count: 1}}\n  - id: first\n    members: {rest: true}\n"+indent(content, "    ")))
			default:
				artifact := []string{"--artifact", "linux/amd64=" + archive}
				if strings.Contains(content, "  external:") { // it needs neither
					artifact = nil
				} else if !regexp.MustCompile(`(?m)^  command:`).MatchString(content) {
					content = strings.Replace(content, "run:\n", "run:\n  command: [x]\n", 1)
				}
				if !strings.Contains(content, "run:\n") {
					content += "run: {command: [x]}\n"
				}
				create := []string{"release", "create", "hello", "0.0.1", "--id", "block-" + strconv.Itoa(blocks), "-f", file("block.yaml", content)}
				run(append(create, artifact...)...)
			}
		}
	}
	require.Greater(t, blocks, 6)
}

// indent moves lines to the right.
func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+by) + "\n"
}

// plane starts a server and returns what runs a command against it.
func plane(t *testing.T) func(args ...string) {
	t.Helper()
	local := "127.0.0.1:0"
	s, err := server.Up(t.Context(), server.Config{Process: server.Process{DataDir: t.TempDir()}, HTTP: local, Deployment: local, Implementation: local, Agents: local})
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context()) }()
	t.Cleanup(func() { require.NoError(t, <-done) })
	t.Setenv("GOLIVE_CONFIG", filepath.Join(t.TempDir(), "contexts.yaml"))
	t.Setenv("GOLIVE_TOKEN", s.BootstrapToken())
	t.Setenv("GOLIVE_DEPLOYMENT", s.Addresses().Deployment)
	t.Setenv("GOLIVE_IMPLEMENTATION", s.Addresses().Implementation)
	t.Setenv("GOLIVE_OUTPUT", "name")
	return func(args ...string) {
		t.Helper()
		require.Zero(t, cli.Main(t.Context(), "test", args), "golive %s", strings.Join(args, " "))
	}
}
