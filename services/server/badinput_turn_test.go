package server_test

// badTurns are lines, kinds, promotions and drift.
func badTurns() []row {
	deploy := func(name, fields string, row func(name, rpc, json string) row) row {
		return row(name, "CreateDeployment", `{"parent": "$crm", "deployment": {"release": "$v1", "environment": "$prod", `+fields+`}}`)
	}
	refused := func(reason, says string) func(name, rpc, json string) row {
		return func(name, rpc, json string) row { return bad(name, rpc, json, precondition, reason, says) }
	}
	wrong := func(reason, says string) func(name, rpc, json string) row {
		return func(name, rpc, json string) row { return bad(name, rpc, json, invalid, reason, says) }
	}
	return []row{
		deploy("a catch-up by hand", `"kind": "CATCH_UP"`, wrong("INVALID_FIELD", "comes by itself")).at("deployment.kind"),
		deploy("a rollback by hand", `"kind": "ROLLBACK"`, wrong("INVALID_FIELD", "comes by itself")).at("deployment.kind"),
		deploy("a kind that is none", `"kind": 99`, wrong("INVALID_FIELD", "kind")),
		deploy("the configuration of what does not run", `"kind": "CONFIGURATION"`, refused("RELEASE_NOT_RUNNING", "runs on no target")),
		deploy("putting back what nobody changed", `"kind": "REAPPLY"`, refused("NO_DRIFT", "golive drift")),
		deploy("fixing what is not frozen", `"fixes": "$held"`, refused("STATE_FORBIDS", "leave fixes out")),
		deploy("fixing the deployment of another application", `"fixes": "$done"`, wrong("OTHER_APPLICATION", "fix it there")).at("deployment.fixes"),
		bad("fixing nothing", "CreateDeployment", `{"parent": "$crm", "deployment": {"release": "$v1", "environment": "$prod", "fixes": "$crm/deployments/none"}}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("other targets than those of the preview", "CreateDeployment", `{"parent": "$crm", "expectTargetSetDigest": "0000000000000000000000000000000000000000000000000000000000000000", "deployment": {"release": "$v1", "environment": "$prod"}}`,
			precondition, "TARGET_SET_CHANGED", "validate_only"),
		bad("a digest of a preview that is none", "CreateDeployment", `{"parent": "$crm", "expectTargetSetDigest": "abc", "deployment": {"release": "$v1", "environment": "$prod"}}`, invalid, "INVALID_FIELD", "expect_target_set_digest"),
		bad("a queue policy that is none", "UpdateApplication", `{"application": {"name": "$crm", "queuePolicies": {"prod": 99}}, "updateMask": "queuePolicies"}`, invalid, "INVALID_FIELD", "queue_policies"),
		bad("promoting what has stood nowhere", "PromoteRelease", `{"name": "$v1", "environment": "$prod"}`, precondition, "NOT_PROMOTABLE", "golive matrix"),
		bad("promoting to where nothing is promoted", "PromoteRelease", `{"name": "$v1", "environment": "$empty"}`, precondition, "NOT_PROMOTABLE", "golive matrix"),
		bad("promoting nothing", "PromoteRelease", `{"name": "$crm/releases/none", "environment": "$prod"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("promoting to nowhere", "PromoteRelease", `{"name": "$v1"}`, invalid, "INVALID_FIELD", "environment"),
		bad("promoting to another workspace", "PromoteRelease", `{"name": "$v1", "environment": "$otherEnv"}`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("environment"),
		bad("promoting to an environment that is not there", "PromoteRelease", `{"name": "$v1", "environment": "$ws/environments/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("the matrix of no workspace", "GetReleaseMatrix", `{"parent": "somewhere"}`, invalid, "INVALID_FIELD", "parent"),
		bad("the matrix of no application", "GetReleaseMatrix", `{"parent": "$ws", "application": "$ws/applications/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("the matrix of an application elsewhere", "GetReleaseMatrix", `{"parent": "$ws", "application": "workspaces/other/applications/crm"}`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("application"),
		bad("too much of a matrix", "GetReleaseMatrix", `{"parent": "$ws", "releases": 101}`, invalid, "INVALID_FIELD", "releases"),
		bad("the drift of no environment", "ListDrift", `{"parent": "$ws/environments/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("the drift of something else", "ListDrift", `{"parent": "$crm"}`, invalid, "INVALID_NAME", "environments"),
		bad("drift after a token of nobody", "ListDrift", `{"parent": "$prod", "pageToken": "!"}`, invalid, "INVALID_PAGE_TOKEN", "leave it out").at("page_token"),
		bad("drift after a token of another list", "ListDrift", `{"parent": "$prod", "pageToken": "YQpiCmMKZA"}`, invalid, "PAGE_TOKEN_MISMATCH", "another list").at("page_token"),
		bad("less than no drift", "ListDrift", `{"parent": "$prod", "pageSize": -1}`, invalid, "INVALID_FIELD", "page_size"),
	}
}
