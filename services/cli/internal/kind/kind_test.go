package kind_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/services/cli/internal/kind"
)

func TestEveryFormOfANameMeansTheSame(t *testing.T) {
	cases := map[string][]string{
		"deployment":  {"workspaces/w/applications/crm/deployments/d1", "applications/crm/deployments/d1", "crm/deployments/d1", "crm/d1", "crm/Deployments/d1"},
		"wave":        {"workspaces/w/applications/crm/deployments/d1/waves/sales", "crm/deployments/d1/waves/sales", "crm/d1/sales"},
		"cohort":      {"workspaces/w/cohorts/sales", "cohorts/sales", "sales"},
		"cohort-plan": {"workspaces/w/implementations/i/cohortPlans/sales", "i/cohort-plans/sales", "i/sales"},
		"person":      {"workspaces/w/people/p0001", "people/p0001", "p0001"},
		"plan":        {"workspaces/w/deploymentPlans/x", "x"},
	}
	for word, forms := range cases {
		k, err := kind.Find(word)
		require.NoError(t, err)
		for _, form := range forms {
			name, err := k.Name("w", form)
			require.NoError(t, err)
			require.Equal(t, forms[0], name)
		}
	}
}

func TestNamesThatFitNothingSayWhatWould(t *testing.T) {
	k, err := kind.Find("deployments")
	require.NoError(t, err)
	for _, bad := range []string{"", "crm", "crm/releases/1", "workspaces/w/applications/crm", "crm//d1", "a b/c", "crm/deployments/d1/waves/x"} {
		_, err := k.Name("w", bad)
		require.ErrorContains(t, err, "not the name of a deployment", bad)
	}
	_, err = kind.Find("pod")
	require.ErrorContains(t, err, "deploymentPlan")
}

func TestKindIsToldByTheName(t *testing.T) {
	for given, want := range map[string]string{
		"crm/deployments/d1": "deployment", "crm/deployments/d1/waves/a": "wave", "crm/deployments/d1/installations/t": "installation",
		"i/cohortPlans/sales": "cohortPlan", "prod/targets/t1": "target", "cohorts/sales": "cohort", "workspaces/x/trainings/t": "training",
	} {
		k, name, err := kind.Of("w", given)
		require.NoError(t, err, given)
		require.Equal(t, want, k.Singular)
		require.True(t, strings.HasPrefix(name, "workspaces/"))
	}
	_, _, err := kind.Of("w", "crm")
	require.ErrorContains(t, err, "write its collection too")
}

func TestParentsDefaultToEverything(t *testing.T) {
	for word, want := range map[string]string{
		"wave": "workspaces/w/applications/-/deployments/-", "deployment": "workspaces/w/applications/-", "cohort": "workspaces/w",
	} {
		k, err := kind.Find(word)
		require.NoError(t, err)
		parent, err := k.Parent("w", "")
		require.NoError(t, err)
		require.Equal(t, want, parent)
	}
}

func TestEveryKindCanBeReadAndFound(t *testing.T) {
	require.Greater(t, len(kind.All()), 12)
	for _, k := range kind.All() {
		require.NotNil(t, k.Get, k.Singular)
		found, err := kind.Find(strings.ToUpper(k.Plural))
		require.NoError(t, err)
		require.Same(t, k, found)
	}
}

func TestNamingIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(kind.All()).Draw(t, "kind")
		ids := rapid.SliceOfN(rapid.StringMatching(`[a-z][a-z0-9-]{0,9}`), len(k.Pattern)/2-1, len(k.Pattern)/2-1).Draw(t, "ids")
		name, err := k.Name("w", strings.Join(ids, "/"))
		require.NoError(t, err)
		again, err := k.Name("other", name)
		require.NoError(t, err)
		require.Equal(t, name, again, "a full name is left alone")
		short, err := k.Name("w", kind.Short(name))
		require.NoError(t, err)
		require.Equal(t, name, short)
		require.Equal(t, ids[len(ids)-1], kind.ID(name))
	})
}
