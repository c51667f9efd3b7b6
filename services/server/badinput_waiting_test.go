package server_test

// badWaiting are questions about what waits that have no answer, and decisions that no wave can wait for.
func badWaiting() []row {
	gate := func(name, decision, reason, says, at string) row {
		return bad(name, "CreateDeploymentPlan", `{"parent": "$ws", "deploymentPlan": {"rollout": {"waves": [{"id": "all", "members": {"rest": true}, "gates": [{"id": "g", "decision": {`+decision+`}}]}]}}}`,
			invalid, reason, says).at(at)
	}
	list := func(name, fields, reason, says string) row {
		return bad(name, "ListWaiting", `{"parent": "$ws", `+fields+`}`, invalid, reason, says)
	}
	const path = "deployment_plan.rollout.waves[0].gates[0].decision.decision"
	return []row{
		gate("a decision that is none", `"decision": "$plan"`, "INVALID_FIELD", "decision", path),
		gate("a gate of no decision", ``, "INVALID_FIELD", "decision", path),
		gate("a decision of another workspace", `"decision": "workspaces/other/implementations/crm/decisions/go"`, "OTHER_WORKSPACE", "workspaces/default", "rollout.waves[0].gates[0].decision.decision"),
		list("what waits by its name", `"orderBy": "name"`, "INVALID_FIELD", "order_by"),
		list("what waits on a page of something else", `"pageToken": "x"`, "INVALID_PAGE_TOKEN", "page_token"),
		list("what waits on no page", `"pageSize": -1`, "INVALID_FIELD", "page_size"),
		list("what waits of no kind", `"kinds": [""]`, "INVALID_FIELD", "kinds"),
		bad("why a release waits", "ExplainWaiting", `{"resource": "$v1"}`, invalid, "WAITING_UNSUPPORTED", "never waits"),
		bad("why what is not there waits", "ExplainWaiting", `{"resource": "$crm/deployments/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("why a wave waits that is not there", "ExplainWaiting", `{"resource": "$crm/deployments/d1/waves/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a host that asks what waits", "ListWaiting", `{"parent": "$ws"}`, denied, "PERMISSION_DENIED", "waiting.waiting.list").as("agent"),
	}
}
