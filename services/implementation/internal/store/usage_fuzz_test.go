package store

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// Whatever is sent, each event is either taken with a feature of the workspace, a subject and a day in bounds, or refused once.
func FuzzUsageEvent(f *testing.F) {
	f.Add("quotes", "people/ada", "2026-03-02")
	f.Add("workspaces/default/features/quotes", strings.Repeat("a0", 32), "")
	f.Add("workspaces/other/features/quotes", "workspaces/other/people/ada", "2026-02-30")
	f.Add("", "ada@example.com", "0000-00-00")
	f.Add("a/b", "people/", "9999-12-31")
	f.Add("\x00", strings.Repeat("A0", 32), "-1-01-01")
	f.Fuzz(func(t *testing.T, feature, subject, day string) {
		today := adoption.Day(20500)
		b := &usageBatch{workspace: "workspaces/default", today: today, events: []*implementationv1.UsageEvent{{Feature: feature, Subject: subject, Day: day}}}
		b.parse()
		require.Equal(t, 1, len(b.marks)+b.rejected)
		require.Len(t, b.errors, b.rejected)
		for _, m := range b.marks {
			require.True(t, strings.HasPrefix(m.feature, "workspaces/default/features/"))
			require.NotEqual(t, m.key == "", m.person == "", "a key or a person")
			require.True(t, m.key == "" || isKey(m.key))
			require.NotContains(t, m.person, "@")
			require.True(t, m.day <= today+1 && m.day >= today-oldestUsage)
		}
	})
}
