package server_test

import (
	"time"

	"google.golang.org/grpc/codes"
)

// seedDecisions asks four questions: one open, one decided with a condition, one of no-go, one withdrawn. None asks about
// machines: what is asked about them is written down, and refusals are held against what is written.
func (w *badWorld) seedDecisions() {
	w.Helper()
	w.names["inTwoHours"] = time.Now().Add(2 * time.Hour).UTC().Format(time.RFC3339)
	w.names["inTwoDays"] = time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	ask := func(name, fields string) {
		w.make(name, "CreateDecision", `{"parent": "$project", "decisionId": "`+name+`", "decision": {"displayName": "x", "cohortPlans": ["$plan"]`+fields+`}}`)
	}
	ask("question", `, "waves": ["$ws/applications/crm/deployments/d1/waves/sales"]`)
	ask("maybe", "")
	ask("nogo", "")
	ask("nevermind", "")
	w.make("maybe", "DecideDecision", `{"name": "$maybe", "outcome": "OUTCOME_CONDITIONAL_GO", "reason": "x", "conditions": [{"id": "train", "displayName": "x", "dueTime": "$inTwoDays"}]}`)
	w.make("nogo", "DecideDecision", `{"name": "$nogo", "outcome": "OUTCOME_NO_GO", "reason": "x"}`)
	w.make("nevermind", "WithdrawDecision", `{"name": "$nevermind", "reason": "x"}`)
}

// badDecisions are words that cannot be said, and questions that cannot be asked.
func badDecisions() []row {
	const never = "2999-01-01T00:00:00Z"
	ask := func(name, fields, reason, says, at string) row {
		return bad(name, "CreateDecision", `{"parent": "$project", "decision": {`+fields+`}}`, invalid, reason, says).at("decision." + at)
	}
	say := func(name, outcome, fields string, code codes.Code, reason, says string) row {
		return bad(name, "DecideDecision", `{"name": "$question", "reason": "x", "outcome": "OUTCOME_`+outcome+`"`+fields+`}`, code, reason, says)
	}
	condition := func(fields string) string {
		return `, "conditions": [{"id": "a", "displayName": "x", "dueTime": "$inTwoDays"}, {` + fields + `}]`
	}
	return []row{
		ask("a question without words", `"owner": "users/ada"`, "REQUIRED_FIELD", "display_name", "display_name"),
		ask("a question about no wave", `"displayName": "x", "waves": ["$plan"]`, "INVALID_FIELD", "waves", "waves[0]"),
		ask("a question about waves elsewhere", `"displayName": "x", "waves": ["workspaces/other/applications/a/deployments/d/waves/w"]`, "OTHER_WORKSPACE", "workspaces/default", "waves[0]"),
		ask("a wave twice", `"displayName": "x", "waves": ["$ws/applications/a/deployments/d/waves/w", "$ws/applications/a/deployments/d/waves/w"]`, "INVALID_FIELD", "waves", "waves"),
		ask("evidence that is not there", `"displayName": "x", "cohortPlans": ["$project/cohortPlans/none"]`, "REFERENCE_NOT_FOUND", "none", "cohort_plans[0]"),
		ask("evidence of another plan", `"displayName": "x", "cohortPlans": ["$ws/implementations/other/cohortPlans/sales"]`, "OTHER_IMPLEMENTATION", "other", "cohort_plans[0]"),
		ask("evidence that is no machine", `"displayName": "x", "technical": ["$plan"]`, "INVALID_FIELD", "technical", "technical[0]"),
		ask("evidence about machines elsewhere", `"displayName": "x", "technical": ["workspaces/other/environments/prod"]`, "OTHER_WORKSPACE", "workspaces/default", "technical[0]"),
		ask("a wave that is its own evidence", `"displayName": "x", "waves": ["$ws/applications/a/deployments/d/waves/w"], "technical": ["$ws/applications/a/deployments/d/waves/w"]`, "DECISION_CIRCLE", "wait for", "technical[0]"),
		ask("a deployment that waits for it", `"displayName": "x", "waves": ["$ws/applications/a/deployments/d/waves/w"], "technical": ["$ws/applications/a/deployments/d"]`, "DECISION_CIRCLE", "wait for", "technical[0]"),
		bad("a question of no implementation", "CreateDecision", `{"parent": "$ws/implementations/none", "decision": {"displayName": "x"}}`, notFound, "RESOURCE_NOT_FOUND", "none"),

		say("a go that people are not ready for", "GO", "", precondition, "EVIDENCE_NOT_MET", "trained"),
		say("a go on other evidence", "GO", `, "evidenceDigest": "00"`, aborted, "EVIDENCE_CHANGED", "preview"),
		say("a go with conditions", "GO", condition(`"id": "b", "displayName": "x", "dueTime": "$inTwoDays"`), invalid, "CONDITIONS_NOT_ASKED", "conditional").at("conditions"),
		say("a go for ever", "NO_GO", `, "expireTime": "`+never+`"`, invalid, "DECISION_EXPIRY", "90 days").at("expire_time"),
		say("a go until yesterday", "NO_GO", `, "expireTime": "2020-01-01T00:00:00Z"`, invalid, "DECISION_EXPIRY", "90 days").at("expire_time"),
		say("a conditional go without conditions", "CONDITIONAL_GO", "", precondition, "CONDITIONS_MISSING", "until when"),
		say("two conditions of one id", "CONDITIONAL_GO", condition(`"id": "a", "displayName": "x", "dueTime": "$inTwoDays"`), invalid, "CONDITION_DUPLICATE", "id of its own").at("conditions[1].id"),
		say("a condition that is due never", "CONDITIONAL_GO", condition(`"id": "b", "displayName": "x", "dueTime": "`+never+`"`), invalid, "CONDITION_DUE", "90 days").at("conditions[1].due_time"),
		say("a condition that is overdue", "CONDITIONAL_GO", condition(`"id": "b", "displayName": "x", "dueTime": "2020-01-01T00:00:00Z"`), invalid, "CONDITION_DUE", "90 days").at("conditions[1].due_time"),
		say("a condition without a date", "CONDITIONAL_GO", condition(`"id": "b", "displayName": "x"`), invalid, "INVALID_FIELD", "due_time"),
		say("a condition without words", "CONDITIONAL_GO", condition(`"id": "b", "dueTime": "$inTwoDays"`), invalid, "INVALID_FIELD", "display_name"),
		say("a condition with a loud id", "CONDITIONAL_GO", condition(`"id": "B!", "displayName": "x", "dueTime": "$inTwoDays"`), invalid, "INVALID_FIELD", "id"),
		bad("no word at all", "DecideDecision", `{"name": "$question", "reason": "x"}`, invalid, "INVALID_FIELD", "outcome"),
		bad("a word without a reason", "DecideDecision", `{"name": "$question", "outcome": "OUTCOME_NO_GO"}`, invalid, "INVALID_FIELD", "reason"),
		bad("a word of who runs things", "DecideDecision", `{"name": "$question", "outcome": "OUTCOME_NO_GO", "reason": "x"}`, denied, "PERMISSION_DENIED", "implementation.decisions.decide").as("operator"),
		bad("a word on nothing", "DecideDecision", `{"name": "$project/decisions/none", "outcome": "OUTCOME_NO_GO", "reason": "x"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a word on what was decided", "DecideDecision", `{"name": "$nogo", "outcome": "OUTCOME_NO_GO", "reason": "x"}`, precondition, "STATE_FORBIDS", "golive decide reopen"),
		bad("a word on an old question", "DecideDecision", `{"name": "$question", "etag": "old", "outcome": "OUTCOME_NO_GO", "reason": "x"}`, aborted, "ETAG_MISMATCH", "read it again"),

		bad("confirming what nobody asked", "ConfirmDecision", `{"name": "$maybe", "condition": "none"}`, notFound, "CONDITION_NOT_FOUND", "golive decide show"),
		bad("confirming without conditions", "ConfirmDecision", `{"name": "$nogo", "condition": "train"}`, precondition, "STATE_FORBIDS", "CONDITIONAL_GO"),
		bad("glass that stays broken", "OverrideDecision", `{"name": "$nogo", "reason": "x", "expireTime": "$inTwoDays"}`, invalid, "OVERRIDE_EXPIRY", "24 hours").at("expire_time"),
		bad("glass that was broken yesterday", "OverrideDecision", `{"name": "$nogo", "reason": "x", "expireTime": "2020-01-01T00:00:00Z"}`, invalid, "OVERRIDE_EXPIRY", "24 hours").at("expire_time"),
		bad("glass broken by who runs things", "OverrideDecision", `{"name": "$nogo", "reason": "x", "expireTime": "$inTwoDays"}`, denied, "PERMISSION_DENIED", "implementation.decisions.override").as("operator"),
		bad("breaking glass that is open", "OverrideDecision", `{"name": "$maybe", "reason": "x", "expireTime": "$inTwoHours"}`, precondition, "STATE_FORBIDS", "EXPIRED"),
		bad("reopening what goes", "ReopenDecision", `{"name": "$maybe", "reason": "x"}`, precondition, "STATE_FORBIDS", "NO_GO or EXPIRED"),
		bad("reopening as who runs things", "ReopenDecision", `{"name": "$nogo", "reason": "x"}`, denied, "PERMISSION_DENIED", "implementation.decisions.reopen").as("operator"),
		bad("reopening what was withdrawn", "ReopenDecision", `{"name": "$nevermind", "reason": "x"}`, precondition, "STATE_FORBIDS", "WITHDRAWN"),
		bad("withdrawing again", "WithdrawDecision", `{"name": "$nevermind", "reason": "x"}`, precondition, "STATE_FORBIDS", "WITHDRAWN"),
		bad("other waves for what was decided", "UpdateDecision", `{"decision": {"name": "$maybe", "waves": ["$ws/applications/a/deployments/d/waves/w"]}, "updateMask": "waves"}`, precondition, "STATE_FORBIDS", "PENDING"),
		bad("other evidence for it", "UpdateDecision", `{"decision": {"name": "$maybe"}, "updateMask": "cohortPlans"}`, precondition, "STATE_FORBIDS", "reopen"),
		bad("a question that loses its words", "UpdateDecision", `{"decision": {"name": "$question"}, "updateMask": "displayName"}`, invalid, "REQUIRED_FIELD", "display_name").at("decision.display_name"),
		bad("forgetting what was decided", "DeleteDecision", `{"name": "$maybe"}`, precondition, "STATE_FORBIDS", "withdraw"),
		bad("an implementation with decisions", "DeleteImplementation", `{"name": "$project"}`, precondition, "RESOURCE_IN_USE", "remove that first"),
		bad("a preview of nothing", "PreviewDecision", `{"name": "$project/decisions/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a report of no decision", "ComputeDecisionReport", `{"name": "$project/decisions/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("decisions by what they have not", "ListDecisions", `{"parent": "$project", "filter": "next_time > 0"}`, invalid, "INVALID_FILTER", "next_time"),
	}
}
