package detect_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

// The page about challenges names every rule, and its defaults as they are.
func TestThePageSaysWhatTheRulesDo(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/explanation/challenges.md")
	require.NoError(t, err)
	for _, rule := range detect.Rules() {
		row := regexp.MustCompile(`(?m)^\| ` + string(rule.ID) + ` ` + regexp.QuoteMeta(rule.Title) + ` \|.*$`).Find(page)
		require.NotEmpty(t, row, "%s %s has no row", rule.ID, rule.Title)
		for _, threshold := range rule.Thresholds {
			require.Contains(t, string(row), fmt.Sprintf("`%s` %s", threshold.Name, strconv.FormatFloat(threshold.Default, 'f', -1, 64)), rule.ID)
		}
	}
}
