package server_test

import (
	"time"

	"google.golang.org/grpc/codes"
)

// seedPolicies makes a policy that forbids one thing, a stopped line and an override that has ended.
func (w *badWorld) seedPolicies() {
	w.Helper()
	w.names["soon"] = time.Now().Add(12 * time.Hour).UTC().Format(time.RFC3339)
	w.make("never", "CreatePolicy", `{"parent": "$ws", "policyId": "never", "policy": {"applications": ["shop"], "verbs": ["RESUME"], "overrideRoles": ["admin"], "rules": [{"id": "never", "expression": "false", "message": "not in this world"}]}}`)
	w.make("line", "CreatePolicy", `{"parent": "$ws", "policyId": "line", "policy": {"environments": ["empty"], "verbs": ["PROMOTE"]}}`)
	w.make("line", "EngageStopLine", `{"name": "$line", "reason": "smoke"}`)
	w.make("otherPolicy", "CreatePolicy", `{"parent": "$other", "policyId": "never", "policy": {}}`)
	w.make("ended", "CreateOverride", `{"parent": "$ws", "override": {"subject": "$doneWave", "gate": "signed", "reason": "x", "expireTime": "$soon"}}`)
	w.make("ended", "RevokeOverride", `{"name": "$ended", "reason": "a mistake"}`)
}

// badPolicies are policies and overrides that make no sense, and what policies refuse.
func badPolicies() []row {
	policy := func(name, fields string, reason, says, at string) row {
		return bad(name, "CreatePolicy", `{"parent": "$ws", "policy": {`+fields+`}}`, invalid, reason, says).at(at)
	}
	freeze := func(name, window, reason, says, field string) row {
		return policy(name, `"freezes": [{`+window+`}]`, reason, says, "policy.freezes[0]."+field)
	}
	override := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateOverride", `{"parent": "$ws", "override": {`+fields+`}}`, code, reason, says)
	}
	evaluate := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "EvaluatePolicies", `{"parent": "$ws", `+fields+`}`, code, reason, says)
	}
	const (
		friday = `"timeZone": "Europe/Berlin", "start": "2026-01-02T16:00", "end": "2026-01-05T06:00"`
		waive  = `"gate": "signed", "reason": "x", "expireTime": "$soon"`
		aside  = `"policy": "$never", "reason": "x", "expireTime": "$soon"`
	)
	return []row{
		freeze("a zone that is none", `"timeZone": "Europe/Atlantis", "start": "2026-01-02T16:00", "end": "2026-01-05T06:00"`, "POLICY_WINDOW_INVALID", "such as Europe/Berlin", "time_zone"),
		freeze("a day that is none", `"timeZone": "UTC", "start": "2026-02-30T16:00", "end": "2026-03-05T06:00"`, "POLICY_WINDOW_INVALID", "such as 2026-12-20T18:00", "start"),
		freeze("a start that is no local time", `"timeZone": "UTC", "start": "2026-02-20T16:00Z", "end": "2026-03-05T06:00"`, "INVALID_FIELD", "start", "start"),
		freeze("a window backwards", `"timeZone": "UTC", "start": "2026-03-05T06:00", "end": "2026-03-05T06:00"`, "POLICY_WINDOW_INVALID", "after start", "end"),
		freeze("a window every second", friday+`, "recurrence": "FREQ=SECONDLY"`, "POLICY_WINDOW_INVALID", "name the hours with BYHOUR", "recurrence"),
		freeze("a recurrence in words", friday+`, "recurrence": "every friday"`, "POLICY_WINDOW_INVALID", "such as FREQ=WEEKLY;BYDAY=FR", "recurrence"),
		freeze("a window on 30 February", friday+`, "recurrence": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"`, "POLICY_WINDOW_INVALID", "mend the rule", "recurrence"),
		policy("a verb that is none", `"verbs": ["VERB_UNSPECIFIED"]`, "INVALID_FIELD", "verbs", "policy.verbs[0]"),
		policy("a role that overrides nothing", `"overrideRoles": ["viewer"]`, "INVALID_FIELD", "override_roles", "policy.override_roles[0]"),
		policy("a rule that misspells a field", `"rules": [{"id": "a", "expression": "deployment.hotfx"}]`, "POLICY_RULE_INVALID", "line 1, column 11: undefined field 'hotfx'", "policy.rules[0].expression"),
		policy("a rule that is neither true nor false", `"rules": [{"id": "a", "expression": "release.version"}]`, "POLICY_RULE_INVALID", "must be true or false", "policy.rules[0].expression"),
		policy("two rules of one id", `"rules": [{"id": "a", "expression": "true"}, {"id": "a", "expression": "true"}]`, "POLICY_RULE_INVALID", "must be unique", "policy.rules[1].id"),
		bad("a policy that is there", "CreatePolicy", `{"parent": "$ws", "policyId": "never", "policy": {}}`, exists, "ALREADY_EXISTS", "never"),
		bad("a change of no policy", "UpdatePolicy", `{"policy": {"name": "$ws/policies/none", "displayName": "x"}}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("lifting a freeze as an operator", "DeletePolicy", `{"name": "$never"}`, denied, "PERMISSION_DENIED", "deployment.policies.delete").as("operator"),
		bad("stopping a line twice", "EngageStopLine", `{"name": "$line", "reason": "x"}`, precondition, "LINE_STOPPED", "smoke"),
		bad("stopping a line without a reason", "EngageStopLine", `{"name": "$never"}`, invalid, "INVALID_FIELD", "reason").at("reason"),
		bad("releasing a line that goes", "ReleaseStopLine", `{"name": "$never", "reason": "x"}`, precondition, "LINE_NOT_STOPPED", "not stopped"),
		bad("releasing a line as an operator", "ReleaseStopLine", `{"name": "$line", "reason": "x"}`, denied, "PERMISSION_DENIED", "deployment.policies.releaseStopLine").as("operator"),
		bad("what a policy refuses", "ResumeDeployment", `{"name": "$paused"}`, precondition, "POLICY_VIOLATED", "--policy never"),
		override("an override without an end", `"subject": "$wave", "gate": "signed", "reason": "x"`, invalid, "INVALID_FIELD", "expire_time"),
		override("an override for ever", `"subject": "$wave", "gate": "signed", "reason": "x", "expireTime": "2999-01-01T00:00:00Z"`, invalid, "OVERRIDE_EXPIRY", "24 hours").at("override.expire_time"),
		override("an override of yesterday", `"subject": "$wave", "gate": "signed", "reason": "x", "expireTime": "2020-01-01T00:00:00Z"`, invalid, "OVERRIDE_EXPIRY", "24 hours").at("override.expire_time"),
		override("an override without a reason", `"subject": "$wave", "gate": "signed", "expireTime": "$soon"`, invalid, "INVALID_FIELD", "reason"),
		override("an override of nothing", `"subject": "$wave", "reason": "x", "expireTime": "$soon"`, invalid, "INVALID_FIELD", "opens"),
		override("an override for a target", `"subject": "$t1", `+waive, invalid, "INVALID_FIELD", "subject").at("override.subject"),
		override("an override for another workspace", `"subject": "$otherEnv", `+waive, invalid, "OTHER_WORKSPACE", "workspaces/default").at("override.subject"),
		override("an override for nothing that is", `"subject": "$held/waves/none", `+waive, notFound, "RESOURCE_NOT_FOUND", "none"),
		override("an override of a gate that is none", `"subject": "$wave", "gate": "none", "reason": "x", "expireTime": "$soon"`, precondition, "GATE_UNKNOWN", "golive describe"),
		override("verbs for a gate", `"subject": "$wave", "verbs": ["CREATE"], `+waive, invalid, "INVALID_FIELD", "leave them out").at("override.verbs"),
		override("an override of a policy that is none", `"subject": "$crm", "policy": "$ws/policies/none", "reason": "x", "expireTime": "$soon"`, notFound, "RESOURCE_NOT_FOUND", "none"),
		override("an override of another workspace's policy", `"subject": "$crm", "policy": "$otherPolicy", "reason": "x", "expireTime": "$soon"`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("override.policy"),
		override("an override with too small a role", `"subject": "$shop", `+aside, denied, "OVERRIDE_ROLE", "admin only; ask one of them").as("approver"),
		override("an override as an operator", `"subject": "$shop", `+aside, denied, "PERMISSION_DENIED", "deployment.overrides.create").as("operator"),
		override("an override of one's own approval", `"subject": "$wave", `+waive, denied, "SELF_OVERRIDE", "ask another person").as("solo"),
		bad("revoking what has ended", "RevokeOverride", `{"name": "$ended", "reason": "x"}`, precondition, "OVERRIDE_ENDED", "has ended"),
		evaluate("a question about no application", `"application": "$ws/applications/none", "environment": "$prod"`, notFound, "RESOURCE_NOT_FOUND", "none"),
		evaluate("a question about no environment", `"application": "$crm"`, invalid, "INVALID_FIELD", "environment"),
		evaluate("a question about another workspace", `"application": "$otherApp", "environment": "$prod"`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("application"),
		evaluate("a question about the far future", `"application": "$crm", "environment": "$prod", "time": "2999-01-01T00:00:00Z"`, invalid, "TIME_OUT_OF_RANGE", "nearer to now").at("time"),
	}
}
