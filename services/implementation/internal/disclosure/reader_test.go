package disclosure_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNobodyElseReadsWhatSinglePeopleSaid looks for the tables of single answers,
// and of usage, in the source of the whole product: whoever names them reads around the rules.
func TestNobodyElseReadsWhatSinglePeopleSaid(t *testing.T) {
	const service = "services/implementation/internal/"
	rules := []struct {
		tables  *regexp.Regexp
		readers *regexp.Regexp
	}{
		{regexp.MustCompile(`survey_(inbox|responses|answers|comments)\b`), regexp.MustCompile(`^` + service + `disclosure/`)},
		// Usage is one bit a person, feature and day; what is told of it goes through adoption's own thresholds.
		{regexp.MustCompile(`usage_(days|subjects)\b`), regexp.MustCompile(`^` + service + `store/(usage\w*|opt_out|erasure_wipe)\.go$`)},
	}
	found := make([]int, len(rules))
	root := "../../../.."
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			if entry != nil && entry.IsDir() && entry.Name() == "node_modules" {
				return fs.SkipDir
			}
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		require.NoError(t, err)
		for i, rule := range rules {
			if table := rule.tables.Find(source); table != nil {
				found[i]++
				require.Regexp(t, rule.readers, filepath.ToSlash(name), "%s reads %s", name, table)
			}
		}
		return nil
	}))
	for i, n := range found {
		require.Positive(t, n, "rule %d looks for a table that nobody reads", i)
	}
}
