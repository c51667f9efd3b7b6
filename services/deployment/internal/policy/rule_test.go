package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
)

var facts = policy.Facts{
	Deployment:  &deploymentv1.Deployment{Name: "workspaces/default/applications/shop/deployments/d", Hotfix: true, Creator: "users/alice", State: deploymentv1.Deployment_RUNNING},
	Wave:        &deploymentv1.Wave{Ordinal: 2, Rule: &deploymentv1.WaveRule{Id: "sales"}},
	Release:     &deploymentv1.Release{Version: "2.0.0-rc.1", Labels: map[string]string{"team": "crm"}},
	Environment: &deploymentv1.Environment{Labels: map[string]string{"tier": "1"}},
	Counts:      &deploymentv1.InstallationCounts{Total: 10, Failed: 1},
	Verb:        deploymentv1.Verb_START_WAVE,
	Principal:   "users/bob",
	Now:         time.Date(2026, 11, 27, 18, 30, 0, 0, time.UTC), // a Friday
}

func TestRulesSeeWhatIsDeployed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expression string
		holds      bool
		why        string
	}{
		{`true`, true, ""},
		{`deployment.hotfix`, true, ""},
		{`deployment.state == Deployment.State.RUNNING`, true, ""},
		{`!release.version.contains("-")`, false, ""},
		{`release.version.matches("^\\d+\\.\\d+\\.\\d+$") || environment.labels["tier"] != "1"`, false, ""},
		{`environment.labels["nothing"] == "1"`, false, "no such key"},
		{`!("nothing" in environment.labels)`, true, ""},
		{`application.display_name == ""`, true, ""},
		{`wave.rule.id == "sales" && wave.ordinal == 2`, true, ""},
		{`double(counts.failed) / double(counts.total) < 0.2`, true, ""},
		{`verb in ["START_WAVE", "CREATE"] && principal != deployment.creator`, true, ""},
		{`now.getDayOfWeek("Europe/Berlin") == 5 && now.getHours("Europe/Berlin") == 19`, true, ""},
		{`now < timestamp("2026-11-27T18:30:00Z") + duration("1s")`, true, ""},
		{`[0,1,2,3,4,5,6,7,8,9].all(a, [0,1,2,3,4,5,6,7,8,9].all(b, [0,1,2,3,4,5,6,7,8,9].all(c, [0,1,2,3,4,5,6,7,8,9].all(d, a+b+c+d >= 0))))`, false, "costs more than"},
	} {
		t.Run(c.expression, func(t *testing.T) {
			t.Parallel()
			rule, err := policy.NewRule(c.expression, "policy.rules[0].expression")
			require.NoError(t, err)
			holds, why := rule.Holds(facts)
			require.Equal(t, c.holds, holds)
			require.Contains(t, why, c.why)
			if c.why == "" {
				require.Empty(t, why)
			}
		})
	}
}

func TestWhatIsNoRuleIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expression, wants string }{
		{`deployment.hotfx`, "line 1, column 11: undefined field 'hotfx'"},
		{"deployment.hotfix &&\n  relese.version == '1'", "line 2, column 3: undeclared reference to 'relese'"},
		{`deployment.hotfix &&`, "line 1, column 21"},
		{`release.version`, "must be true or false; it is of type string"},
		{`release.version == 2`, "line 1, column 17"},
		{`release.version.matches("(")`, "line 1, column 25: invalid matches argument"},
		{`now < timestamp("tomorrow")`, "line 1, column 17: invalid timestamp argument"},
		{strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200), "recursion"},
		{`"` + strings.Repeat("a", 5000) + `" == ""`, "size"},
	} {
		t.Run(c.wants, func(t *testing.T) {
			t.Parallel()
			_, err := policy.NewRule(c.expression, "policy.rules[0].expression")
			require.Equal(t, policy.ReasonRuleInvalid, fault.ReasonOf(err))
			f := fault.From(err)
			require.Equal(t, "policy.rules[0].expression", f.Fields()[0].GetField())
			require.Contains(t, f.Fields()[0].GetDescription(), c.wants)
		})
	}
}

// FuzzRule gives any text as a rule: it is refused or answered, soon, and never breaks.
func FuzzRule(f *testing.F) {
	for _, expression := range []string{
		`deployment.hotfix`, `release.version.matches("a+")`, `[1,2].map(x, x*2).exists(y, y > 3)`, `now.getHours("UTC") < 9`, `"a" in environment.labels`, `1/0 == 0`, `dyn(wave).nothing`,
	} {
		f.Add(expression)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		began := time.Now()
		rule, err := policy.NewRule(expression, "rule")
		if err == nil {
			_, _ = rule.Holds(facts)
		}
		require.Less(t, time.Since(began), 5*time.Second)
	})
}

func BenchmarkRule(b *testing.B) {
	rule, err := policy.NewRule(`!release.version.contains("-") || environment.labels["tier"] != "1"`, "rule")
	require.NoError(b, err)
	b.Run("holds", func(b *testing.B) {
		for b.Loop() {
			rule.Holds(facts)
		}
	})
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			_, _ = policy.NewRule(`!release.version.contains("-") || environment.labels["tier"] != "1"`, "rule")
		}
	})
	costly, err := policy.NewRule(`[0,1,2,3,4,5,6,7,8,9].all(a, [0,1,2,3,4,5,6,7,8,9].all(b, [0,1,2,3,4,5,6,7,8,9].all(c, [0,1,2,3,4,5,6,7,8,9].all(d, a+b+c+d >= 0))))`, "rule")
	require.NoError(b, err)
	b.Run("given up", func(b *testing.B) {
		for b.Loop() {
			costly.Holds(facts)
		}
	})
}
