package server_test

import "google.golang.org/grpc/codes"

// badStages are stages that wait for what cannot be, and who may not let them through.
func badStages() []row {
	wait := func(name, conditions, reason, says, at string) row {
		return bad(name, "CreateStage", `{"parent": "$rollout", "stage": {"waitsFor": [`+conditions+`]}}`, invalid, reason, says).at(at)
	}
	annotated := func(name, condition, says string) row {
		return bad(name, "CreateStage", `{"parent": "$rollout", "stage": {"waitsFor": [{"id": "a", "resource": "$prod", `+condition+`}]}}`, invalid, "INVALID_FIELD", says)
	}
	let := func(name, override string, code codes.Code, reason, says string) row {
		return bad(name, "OverrideStage", `{"name": "$design", "override": {`+override+`}}`, code, reason, says)
	}
	gate := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "EvaluateGate", `{`+fields+`}`, code, reason, says)
	}
	const later = `"expireTime": "$inTwoHours"`
	return []row{
		wait("a stage that waits for another workspace", `{"id": "a", "resource": "workspaces/other/environments/prod"}`, "OTHER_WORKSPACE", "workspaces/default", "stage.waits_for[0].resource"),
		wait("one condition twice", `{"id": "a", "resource": "$prod"}, {"id": "a", "resource": "$prod"}`, "CONDITION_DUPLICATE", "each its own", "stage.waits_for[1].id"),
		wait("a stage that waits for an application", `{"id": "a", "resource": "$crm"}`, "INVALID_FIELD", "resource", "stage.waits_for[0].resource"),
		wait("a stage that waits for people by the wrong door", `{"id": "a", "resource": "$plan"}`, "INVALID_FIELD", "resource", "stage.waits_for[0].resource"),
		wait("a condition without a name", `{"resource": "$prod"}`, "INVALID_FIELD", "id", "stage.waits_for[0].id"),
		wait("a condition of nothing", `{"id": "a"}`, "INVALID_FIELD", "resource", "stage.waits_for[0].resource"),
		wait("a condition with a name that is none", `{"id": "A b", "resource": "$prod"}`, "INVALID_FIELD", "id", "stage.waits_for[0].id"),
		annotated("up more than always", `"minAvailability": 1.5`, "min_availability"),
		annotated("up less than never", `"minAvailability": -0.1`, "min_availability"),
		annotated("up as much as nothing", `"minAvailability": "NaN"`, "min_availability"),
		annotated("more errors than requests", `"maxErrorRate": 1.01`, "max_error_rate"),
		annotated("a window of a moment", `"window": "1s"`, "window"),
		annotated("a window of a year", `"window": "31622400s"`, "window"),
		annotated("a hold that runs backwards", `"holdFor": "-1s"`, "hold_for"),
		annotated("a hold of a year", `"holdFor": "31622400s"`, "hold_for"),
		let("letting nothing through", `"reason": "x", `+later, invalid, "INVALID_FIELD", "condition"),
		let("letting through without a reason", `"condition": "a", `+later, invalid, "INVALID_FIELD", "reason"),
		let("letting through for ever", `"condition": "a", "reason": "x"`, invalid, "OVERRIDE_EXPIRY", "no end").at("override.expire_time"),
		let("letting through for two days", `"condition": "a", "reason": "x", "expireTime": "$inTwoDays"`, invalid, "OVERRIDE_EXPIRY", "24 hours").at("override.expire_time"),
		let("letting through until yesterday", `"condition": "a", "reason": "x", "expireTime": "2001-01-01T00:00:00Z"`, invalid, "OVERRIDE_EXPIRY", "24 hours").at("override.expire_time"),
		let("letting through with a novel", `"condition": "a", "reason": "$long", `+later, invalid, "INVALID_FIELD", "reason"),
		let("letting through what is not waited for", `"condition": "a", "reason": "x", `+later, notFound, "CONDITION_NOT_FOUND", "golive stage show"),
		let("letting through as who only changes", `"condition": "a", "reason": "x", `+later, denied, "PERMISSION_DENIED", "implementation.stages.override").as("operator"),
		bad("letting no stage through", "OverrideStage", `{"name": "$project/stages/none", "override": {"condition": "a", "reason": "x", `+later+`}}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("letting through what somebody changed", "OverrideStage", `{"name": "$design", "etag": "old", "override": {"condition": "a", "reason": "x", `+later+`}}`, aborted, "ETAG_MISMATCH", "read it again"),
		bad("taking back what nobody gave", "WithdrawStage", `{"name": "$design", "condition": "a"}`, notFound, "OVERRIDE_NOT_FOUND", "golive stage show"),
		bad("taking nothing back", "WithdrawStage", `{"name": "$design"}`, invalid, "INVALID_FIELD", "condition"),
		bad("taking back as who only looks", "WithdrawStage", `{"name": "$design", "condition": "a"}`, denied, "PERMISSION_DENIED", "implementation.stages.withdraw").as("viewer"),
		gate("a gate on a stage that is not there", `"resource": "$project/stages/none"`, notFound, "RESOURCE_NOT_FOUND", "none"),
		gate("a gate on a task", `"resource": "$project/tasks/none"`, invalid, "GATE_UNSUPPORTED", "stages"),
		gate("a gate over a moment", `"resource": "$design", "window": "1s"`, invalid, "INVALID_FIELD", "window"),
		gate("a gate for somebody who is none", `"resource": "$design", "onBehalfOf": "bob"`, invalid, "INVALID_FIELD", "on_behalf_of"),
		bad("a watch of a stage that is not there", "WatchGates", `{"parent": "$ws", "resources": ["$project/stages/none"]}`, notFound, "RESOURCE_NOT_FOUND", "none"),
	}
}
