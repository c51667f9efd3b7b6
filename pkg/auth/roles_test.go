package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
)

var allRoles = []auth.Role{auth.Viewer, auth.Operator, auth.Approver, auth.Admin, auth.Service, auth.Agent}

// TestEveryRoleAndVerb is the whole table, both ways: who is named holds the
// permission, who is not named does not.
func TestEveryRoleAndVerb(t *testing.T) {
	everybody := []auth.Role{auth.Viewer, auth.Operator, auth.Approver, auth.Admin, auth.Service}
	classes := []struct {
		name        string
		holders     []auth.Role
		permissions []string
	}{
		{"reads", everybody, verbs("deployment.waves.",
			"get", "list", "watch", "search", "read", "explain", "why", "describe", "compare", "count", "query", "export", "preview",
			"diff", "plan", "check", "validate", "forecast", "simulate", "download", "compute", "tail", "batchGet", "getLogs", "watchLogs")},
		{"gates", everybody, []string{"gate.gates.evaluate", "gate.gates.watch"}},
		{"reads of what binds", everybody, []string{"deployment.policies.get", "deployment.policies.list", "deployment.overrides.get", "deployment.overrides.list"}},
		{"who am I", everybody, []string{"access.principals.get"}},
		{"reads about one person", []auth.Role{auth.Operator, auth.Approver, auth.Admin}, []string{
			"implementation.enrolments.get", "implementation.enrolments.list", "implementation.enrolments.watch",
			"implementation.completions.list", "implementation.completions.batchGet",
			"implementation.enrolments.export", "implementation.enrolments.count", "implementation.provisionings.count",
			"implementation.contacts.get", "implementation.stakeholders.list", "implementation.mails.list", "implementation.erasures.get",
		}},
		{"changes", []auth.Role{auth.Operator, auth.Admin}, append(verbs("deployment.deployments.",
			"create", "update", "delete", "undelete", "upload", "write", "apply", "import", "add", "remove", "set", "move", "start", "run", "pause",
			"resume", "cancel", "stop", "retry", "skip", "promote", "rollback", "revert", "seal", "freeze", "unfreeze", "abandonRelease", "archive", "activate",
			"deactivate", "publish", "schedule", "reschedule", "assign", "enrol", "record", "send", "complete", "reopen", "close", "raise",
			"triage", "acknowledge", "drain", "fence", "test", "bind", "unbind", "releaseQuarantine", "enable", "disable", "redeliver", "rotate", "submit", "refresh", "evaluate", "batchCreate", "pauseWave", "importCompletions"),
			"implementation.enrolments.create", "implementation.contacts.optOut", "implementation.mails.handOver", "implementation.mails.invite",
			"deployment.policies.engageStopLine")},
		{"decisions", []auth.Role{auth.Approver, auth.Admin}, append(verbs("deployment.approvals.",
			"approve", "reject", "decide", "waive", "override", "sign", "accept", "withdraw", "approveAll", "batchApprove"),
			"deployment.overrides.create", "deployment.overrides.revoke", "deployment.policies.releaseStopLine", "implementation.decisions.reopen")},
		{"governing", []auth.Role{auth.Admin}, []string{
			"access.tokens.mint", "access.tokens.revoke", "access.revocations.list", "deployment.deployments.abandon",
			"deployment.policies.create", "deployment.policies.update", "deployment.policies.delete", "deployment.joinTokens.create", "deployment.joinTokens.list", "deployment.secrets.get",
			"deployment.waves.frobnicate", "deployment.waves.Get", "deployment.waves.batch", "deployment.waves.getter", "deployment.waves.createx", "deployment.agents.release",
			"implementation.people.erase",
		}},
		{"the agent port", []auth.Role{auth.Agent}, []string{
			"agent.streams.connect", "agent.certificates.renew", "agent.artifacts.read", "agent.anything.get",
		}},
		{"malformed", nil, []string{
			"", ".", "..", "get", "deployment.get", "deployment..get", ".waves.get", "deployment.waves.", "deployment.waves.get.all", "*",
		}},
	}
	for _, c := range classes {
		t.Run(c.name, func(t *testing.T) {
			for _, permission := range c.permissions {
				for _, role := range append(allRoles, "", "ADMIN", "root") {
					want := false
					for _, holder := range c.holders {
						want = want || holder == role
					}
					require.Equal(t, want, auth.Allows(role, permission), "%q %q", role, permission)
				}
			}
		})
	}
}

func verbs(prefix string, verbs ...string) (permissions []string) {
	for _, v := range verbs {
		permissions = append(permissions, prefix+v)
	}
	return permissions
}

func TestGrantsEndAtTheWorkspace(t *testing.T) {
	const get = "deployment.releases.get"
	alice := &auth.Principal{Grants: map[string][]auth.Role{"alpha": {auth.Viewer}, "beta": {auth.Agent}}}
	require.True(t, alice.May("alpha", get))
	require.False(t, alice.May("beta", get))
	require.False(t, alice.May("gamma", get))
	require.False(t, alice.May("-", get), "the wildcard of AIP-159 is no workspace of hers")
	require.False(t, alice.May(auth.AllWorkspaces, get))
	require.True(t, alice.May("", get), "a method of no workspace takes any grant")
	require.False(t, alice.May("", "deployment.releases.create"))

	everywhere := &auth.Principal{Grants: map[string][]auth.Role{auth.AllWorkspaces: {auth.Viewer}}}
	require.True(t, everywhere.May("gamma", get))
	require.True(t, everywhere.May("-", get))
	require.True(t, everywhere.May(auth.AllWorkspaces, get))
	require.False(t, (&auth.Principal{}).May("", get))
}

func TestAdminHoldsEveryRoleButAgent(t *testing.T) {
	admin := &auth.Principal{Grants: map[string][]auth.Role{"alpha": {auth.Admin}}}
	for _, role := range allRoles {
		require.Equal(t, role != auth.Agent, admin.Holds("alpha", role), role)
		require.False(t, admin.Holds("beta", role), role)
		require.False(t, admin.Holds(auth.AllWorkspaces, role), role)
	}
}
