package server_test

import (
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/golive-dev/golive/pkg/auth"
)

// seedSecrets makes tokens that are narrowed to one thing.
func (w *badWorld) seedSecrets() {
	w.Helper()
	narrow := func(name, resource string, permissions ...string) {
		token, _, err := w.server.Issuer().Mint(auth.Claims{
			Name: "users/" + name, Grants: map[string][]auth.Role{"default": {auth.Admin}}, TTL: time.Hour,
			Scope: &auth.Scope{Resource: w.names[resource], Permissions: permissions},
		})
		require.NoError(w, err)
		w.tokens[name], w.names[name+"Key"] = token, token
	}
	narrow("gatekeeper", "plan", "gate.gates.evaluate", "gate.gates.watch")
	narrow("calendar", "project", "implementation.calendarFeeds.export")
}

// badSecrets is what tokens for one thing do not open, and secret addresses and calendars that make no sense.
func badSecrets() []row {
	mint := func(name, scope, reason, says, at string) row {
		return bad(name, "MintToken", `{"principal": "services/flagger", "grants": [{"workspace": "$ws", "roles": ["ROLE_VIEWER"]}], "scope": {`+scope+`}}`, invalid, reason, says).at(at)
	}
	narrowed := func(name, rpc, json, token string) row {
		return bad(name, rpc, json, denied, "TOKEN_SCOPE", "use a token without a scope").as(token)
	}
	freezes := func(name, fields, reason, says string) row {
		return bad(name, "PreviewFreezes", `{"parent": "$ws", `+fields+`}`, invalid, reason, says)
	}
	const evaluate = `"permissions": ["gate.gates.evaluate"]`
	return []row{
		mint("a scope that is a workspace", `"resource": "$ws", `+evaluate, "INVALID_FIELD", "resource", "scope.resource"),
		mint("a scope of all of them", `"resource": "$ws/implementations/-", `+evaluate, "SCOPE_INVALID", "without wildcards", "scope.resource"),
		mint("a scope with a way up", `"resource": "$project/../other", `+evaluate, "SCOPE_INVALID", "without wildcards", "scope.resource"),
		mint("a scope of another workspace", `"resource": "$other/implementations/crm", `+evaluate, "SCOPE_INVALID", "grant a role that has it", "scope.permissions"),
		mint("a scope for tokens", `"resource": "$project", "permissions": ["access.tokens.mint"]`, "SCOPE_INVALID", "leave it out", "scope.permissions"),
		mint("a scope for more than the role", `"resource": "$project", "permissions": ["implementation.implementations.delete"]`, "SCOPE_INVALID", "grant a role that has it", "scope.permissions"),
		mint("a scope for nothing", `"resource": "$project"`, "INVALID_FIELD", "permissions", "scope.permissions"),
		narrowed("another gate", "EvaluateGate", `{"resource": "$project/cohortPlans/none"}`, "gatekeeper"),
		narrowed("what is above the gate", "EvaluateGate", `{"resource": "$project"}`, "gatekeeper"),
		narrowed("another who asks for itself", "EvaluateGate", `{"resource": "$plan", "onBehalfOf": "$ws/applications/crm/deployments/d1/waves/w"}`, "gatekeeper"),
		narrowed("the plan behind the gate", "GetCohortPlan", `{"name": "$plan"}`, "gatekeeper"),
		narrowed("a token with a token for a gate", "MintToken", `{"principal": "users/eve", "grants": [{"workspace": "$ws", "roles": ["ROLE_ADMIN"]}]}`, "gatekeeper"),
		narrowed("every calendar", "ExportCalendarFeed", `{"parent": "$ws/implementations/-"}`, "calendar"),
		narrowed("another calendar", "ExportCalendarFeed", `{"parent": "$project-2"}`, "calendar"),
		bad("a calendar of nothing", "ExportCalendarFeed", `{"parent": "$ws/implementations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a calendar of something else", "ExportCalendarFeed", `{"parent": "$sales"}`, invalid, "INVALID_NAME", "implementations"),
		freezes("freezes backwards", `"startTime": "2026-12-02T00:00:00Z", "endTime": "2026-12-01T00:00:00Z"`, "TIME_OUT_OF_RANGE", "at most 400 days"),
		freezes("freezes of no time", `"startTime": "2026-12-01T00:00:00Z"`, "INVALID_FIELD", "end_time"),
		freezes("freezes for ever", `"startTime": "2026-12-01T00:00:00Z", "endTime": "2028-12-01T00:00:00Z"`, "TIME_OUT_OF_RANGE", "at most 400 days"),
		freezes("freezes of another workspace", `"startTime": "2026-12-01T00:00:00Z", "endTime": "2026-12-02T00:00:00Z", "applications": ["$other/applications/crm"]`, "OTHER_WORKSPACE", "workspaces/default"),
		freezes("freezes of what is no environment", `"startTime": "2026-12-01T00:00:00Z", "endTime": "2026-12-02T00:00:00Z", "environments": ["$crm"]`, "INVALID_NAME", "environments"),
		overHTTP("a secret address of another gate", "GET /v1/$project/cohortPlans/none:checkGate?key=$gatekeeperKey", "", denied, "TOKEN_SCOPE", "use a token without a scope").as("nobody"),
		overHTTP("a gate at the address of a calendar", "GET /v1/$plan:checkGate?key=$calendarKey", "", denied, "TOKEN_SCOPE", "use a token without a scope").as("nobody"),
		overHTTP("an address with what is no token", "GET /v1/$plan:checkGate?key=abc", "", codes.Unauthenticated, "TOKEN_UNSCOPED", "golive gate url").as("nobody"),
		overHTTP("an address with an empty key", "GET /v1/$project/calendarFeed.ics?key=", "", codes.Unauthenticated, "TOKEN_INVALID", "golive plan ical --subscribe").as("nobody"),
		overHTTP("a key where none is taken", "GET /v1/$plan?key=$gatekeeperKey", "", codes.Unauthenticated, "TOKEN_MISSING", "authorization: Bearer").as("nobody"),
		overHTTP("a key beside a token", "GET /v1/$plan:checkGate?key=$gatekeeperKey", "", invalid, "INVALID_QUERY", "send one of them"),
		overHTTP("a calendar by parameters", "GET /v1/$project/calendarFeed.ics?from=monday", "", invalid, "UNKNOWN_FIELD", "leave out the others"),
	}
}
