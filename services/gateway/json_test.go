package gateway_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const deployments = "/v1/workspaces/default/applications/crm/deployments"

// TestBadInputIsAnsweredWell walks what a person gets wrong.
func TestBadInputIsAnsweredWell(t *testing.T) {
	w := setup(t)
	for name, c := range map[string]struct {
		method, path, body string
		code               int
		reason, field      string
		says               string
	}{
		"unknown field":           {"POST", deployments, `{"releese":"x"}`, 400, "UNKNOWN_FIELD", "releese", "release, environment"},
		"unknown field, nested":   {"POST", deployments, `{"rollout":{"waves":[{"id":"a"},{"members":{"kohort":"x"}}]}}`, 400, "UNKNOWN_FIELD", "rollout.waves[1].members.kohort", ""},
		"wrong type":              {"POST", deployments, `{"release":7}`, 400, "INVALID_JSON", "release", "release must be a string, not the number 7"},
		"wrong type in a list":    {"POST", deployments, `{"rollout":{"waves":[{"maxParallel":"many"}]}}`, 400, "INVALID_JSON", "rollout.waves[0].maxParallel", `must be an integer of 32 bits, not the string "many"`},
		"too large for its type":  {"POST", deployments, `{"rollout":{"waves":[{"maxParallel":3000000000}]}}`, 400, "INVALID_JSON", "rollout.waves[0].maxParallel", "32 bits"},
		"object for a list":       {"POST", deployments, `{"rollout":{"waves":{}}}`, 400, "INVALID_JSON", "rollout.waves", "must be a list, not an object"},
		"list for an object":      {"POST", deployments, `[]`, 400, "INVALID_JSON", "", "the body must be an object, not a list"},
		"string in a map":         {"POST", deployments, `{"labels":{"a":1}}`, 400, "INVALID_JSON", "labels.a", "must be a string"},
		"unknown enum value":      {"POST", deployments, `{"state":"WALKING"}`, 400, "INVALID_JSON", "state", "one of PENDING, PREFLIGHT"},
		"bad time":                {"POST", deployments, `{"createTime":"yesterday"}`, 400, "INVALID_JSON", "createTime", "2026-03-01T09:00:00Z"},
		"bad duration":            {"POST", deployments, `{"rollout":{"waves":[{"bake":"5 minutes"}]}}`, 400, "INVALID_JSON", "rollout.waves[0].bake", "90s"},
		"not JSON":                {"POST", deployments, "{\n  \"release\": x}", 400, "INVALID_JSON", "", "line 2, column"},
		"cut off JSON":            {"POST", deployments, `{"release":"x"`, 400, "INVALID_JSON", "", "unexpected"},
		"two values":              {"POST", deployments, `{} {}`, 400, "INVALID_JSON", "", "exactly one object"},
		"the same field twice":    {"POST", deployments, `{"release":"a","release":"b"}`, 400, "INVALID_JSON", "", "duplicate field"},
		"oversize":                {"POST", deployments, `{"reason":"` + strings.Repeat("x", 5<<20) + `"}`, 413, "BODY_TOO_LARGE", "", "4194304 bytes"},
		"oversize in a PATCH":     {"PATCH", "/v1/workspaces/default/deploymentPlans/p", `{"displayName":"` + strings.Repeat("x", 5<<20) + `"}`, 413, "BODY_TOO_LARGE", "", ""},
		"unknown field in PATCH":  {"PATCH", "/v1/workspaces/default/deploymentPlans/p", `{"nope":1}`, 400, "UNKNOWN_FIELD", "nope", ""},
		"no body":                 {"POST", deployments, "", 400, "INVALID_FIELD", "deployment", ""},
		"unknown query parameter": {"GET", deployments + "?pagesize=3", "", 400, "UNKNOWN_FIELD", "pagesize", "pageSize, pageToken"},
		"query wrong type":        {"GET", deployments + "?pageSize=lots", "", 400, "INVALID_QUERY", "pageSize", `not "lots"`},
		"query twice":             {"GET", deployments + "?pageSize=3&pageSize=4", "", 400, "INVALID_QUERY", "pageSize", "once"},
		"query of a body":         {"POST", deployments + "/d1:pause?reason=x", "{}", 400, "UNKNOWN_FIELD", "reason", "JSON body"},
		"query of the path":       {"GET", deployments + "?parent=workspaces/other/applications/crm", "", 400, "UNKNOWN_FIELD", "parent", ""},
		"query bad enum":          {"GET", "/v1" + "/workspaces/default/environments/prod:evaluateGate?purpose=ANY", "", 400, "INVALID_QUERY", "purpose", "PURPOSE_READINESS"},
		"broken escape":           {"GET", deployments + "?filter=%zz", "", 400, "", "", ""},
		"no such route":           {"GET", "/v1/workspaces/default/gadgets", "", 404, "ROUTE_NOT_FOUND", "", "/docs/api"},
		"no such page":            {"GET", "/admin", "", 404, "ROUTE_NOT_FOUND", "", ""},
		"wrong method":            {"PUT", deployments, "{}", 405, "METHOD_NOT_ALLOWED", "", "use GET, POST"},
		"wrong method on a page":  {"POST", "/docs/api", "", 405, "METHOD_NOT_ALLOWED", "", ""},
		"method override":         {"POST", "/v1/workspaces/default/applications/crm", "", 405, "METHOD_NOT_ALLOWED", "", ""},
		"gate of nothing":         {"GET", "/v1/workspaces/default/gadgets/x:evaluateGate", "", 404, "RESOURCE_NOT_FOUND", "", ""},
		"page token of elsewhere": {"GET", "/v1/workspaces/default/events?pageToken=v1:1", "", 400, "PAGE_TOKEN_MISMATCH", "page_token", ""},
		"resume token of one log": {"GET", "/v1/workspaces/default/events:watch?resumeToken=v1:1", "", 400, "RESUME_TOKEN_INVALID", "resume_token", ""},
		"coalesced lines":         {"GET", "/v1/workspaces/default/events:watch?coalesce=true", "", 400, "INVALID_QUERY", "coalesce", "text/event-stream"},
		"unknown query, stream":   {"GET", "/v1/workspaces/default/events:watch?since=1", "", 400, "UNKNOWN_FIELD", "since", "resumeToken"},
		"unknown query, upload":   {"POST", "/v1/workspaces/default/blobs?sha=1", "x", 400, "UNKNOWN_FIELD", "sha", "sha256"},
	} {
		t.Run(name, func(t *testing.T) {
			headers := []string{"Content-Type", "application/json"}
			if name == "method override" {
				headers = []string{"Content-Type", "application/x-www-form-urlencoded", "X-HTTP-Method-Override", "DELETE"}
			}
			a := w.do(t, c.method, c.path, c.body, headers...)
			require.Equal(t, c.code, a.code, a.body)
			if c.reason != "" {
				require.Equal(t, c.reason, a.reason(), a.body)
			}
			if c.field != "" {
				require.Equal(t, []string{c.field}, a.fields(), a.body)
			}
			require.Contains(t, a.status.GetMessage(), c.says)
			require.Empty(t, w.deployment.blobs)
		})
	}
	a := w.do(t, "PUT", deployments, "{}")
	require.Equal(t, "GET, POST", a.header.Get("Allow"))
}
