package server_test

// badGates are gates of plans that could never open, and what they leave behind.
func badGates() []row {
	plan := func(name, gate, field, says string) row {
		return bad(name, "CreateDeploymentPlan", `{"parent": "$ws", "deploymentPlan": {"rollout": {"waves": [{"id": "all", "members": {"rest": true}, "gates": [{"id": "g", `+gate+`}]}]}}}`,
			invalid, "INVALID_ROLLOUT", says).at("rollout.waves[0].gates[0]." + field)
	}
	// What the annotations of the contract refuse is told with the name of the request's field.
	annotated := func(name, gate, says string) row {
		return bad(name, "CreateDeploymentPlan", `{"parent": "$ws", "deploymentPlan": {"rollout": {"waves": [{"id": "all", "members": {"rest": true}, "gates": [{"id": "g", `+gate+`}]}]}}}`,
			invalid, "INVALID_FIELD", says)
	}
	rate := func(name, fields string, row func(name, rpc, json string) row) row {
		return row(name, "CreateFeedback", `{"parent": "$crm", "feedback": {`+fields+`}}`)
	}
	wrong := func(reason, says string) func(name, rpc, json string) row {
		return func(name, rpc, json string) row { return bad(name, rpc, json, invalid, reason, says) }
	}
	none := func(name, rpc, json string) row { return bad(name, rpc, json, notFound, "RESOURCE_NOT_FOUND", "none") }
	return []row{
		plan("capacity that nobody knows", `"capacity": {"forecastPeak": 10}`, "capacity", "load_test"),
		plan("capacity that is known and measured", `"capacity": {"forecastPeak": 10, "peakPerInstance": 5, "loadTest": {"url": "http://a"}}`, "capacity.load_test", "peak_per_instance"),
		plan("a load test that runs backwards", `"capacity": {"forecastPeak": 10, "loadTest": {"url": "http://a", "startRate": 9, "maxRate": 3}}`, "capacity.load_test.start_rate", "max_rate"),
		plan("a dependency that is no application", `"dependency": {"application": "$prod", "version": "1.0.0"}`, "dependency.application", "must be a name"),
		plan("an environment before that is none", `"priorEnvironment": {"environment": "$crm"}`, "prior_environment.environment", "must be a name"),
		plan("a rating below the scale", `"feedback": {"minRating": 0.5}`, "feedback.min_rating", "from 1 to 5"),
		bad("an application of another workspace", "CreateDeploymentPlan", `{"parent": "$ws", "deploymentPlan": {"rollout": {"waves": [{"id": "all", "members": {"rest": true}, "gates": [{"id": "g", "dependency": {"application": "workspaces/other/applications/crm", "version": "1.0.0"}}]}]}}}`,
			invalid, "OTHER_WORKSPACE", "workspaces/default").at("rollout.waves[0].gates[0].dependency.application"),
		bad("a rule that is none", "CreateDeploymentPlan", `{"parent": "$ws", "deploymentPlan": {"rollout": {"waves": [{"id": "all", "members": {"rest": true}, "gates": [{"id": "g", "rule": {"expression": "1 +"}}]}]}}}`,
			invalid, "POLICY_RULE_INVALID", "column").at("rollout.waves[0].gates[0].rule.expression"),
		plan("a webhook where clouds keep their secrets", `"webhook": {"url": "http://169.254.169.254/latest"}`, "webhook.url", "secrets"),
		plan("a webhook with a password", `"webhook": {"url": "https://me:hush@example.com/"}`, "webhook.url", "shown to all"),
		plan("a load test with a password", `"capacity": {"forecastPeak": 1, "loadTest": {"url": "https://me:hush@example.com/", "maxRate": 10}}`, "capacity.load_test.url", "shown to all"),
		annotated("a gate of nothing", `"expiresAfter": "60s"`, "type"),
		annotated("a forecast of nothing", `"capacity": {"forecastPeak": 0, "peakPerInstance": 1}`, "forecast_peak"),
		annotated("a version that is none", `"dependency": {"application": "$crm", "version": "nine"}`, "must be a semantic version such as 1.2.3"),
		annotated("a webhook that is no address", `"webhook": {"url": "file:///etc/passwd"}`, "url"),
		annotated("an approver who is no person", `"approval": {"approvers": ["services/deployment"]}`, "approvers"),
		annotated("a role that approves nothing", `"approval": {"roles": ["viewer"]}`, "roles"),
		annotated("more approvals than people", `"approval": {"required": 21}`, "required"),
		bad("a dependency that is not there", "CreateDeployment", `{"parent": "$crm", "deployment": {"release": "$v1", "environment": "$prod", "rollout": {"waves": [{"id": "all", "members": {"rest": true}, "gates": [{"id": "g", "dependency": {"application": "$ws/applications/none", "version": "1.0.0"}}]}]}}}`,
			notFound, "RESOURCE_NOT_FOUND", "none").at("rollout.waves[0].gates[0].dependency.application"),
		bad("an approval of something else", "ApproveWave", `{"name": "$wave", "digest": "0000"}`, aborted, "DIGEST_MISMATCH", "look at it again").as("approver"),
		bad("a turn that is none", "GetGateEvaluation", `{"name": "$wave/gateEvaluations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("the turns of something else", "ListGateEvaluations", `{"parent": "$crm"}`, invalid, "INVALID_PARENT", "waves"),
		bad("turns by what they have not", "ListGateEvaluations", `{"parent": "$wave", "filter": "colour = \"red\""}`, invalid, "INVALID_FILTER", "colour"),
		rate("a rating of nothing", `"rating": 3, "author": "a"`, wrong("REQUIRED_FIELD", "release")).at("feedback.release"),
		rate("a rating by nobody", `"release": "$v1", "rating": 3`, wrong("INVALID_FIELD", "author")),
		rate("a rating off the scale", `"release": "$v1", "rating": 6, "author": "a"`, wrong("INVALID_FIELD", "rating")),
		rate("a rating of another application", `"release": "$shop1", "rating": 3, "author": "a"`, wrong("OTHER_APPLICATION", "send the feedback there")).at("feedback.release"),
		rate("a rating of a release that is not there", `"release": "$crm/releases/none", "rating": 3, "author": "a"`, none).at("feedback.release"),
		rate("a novel", `"release": "$v1", "rating": 3, "author": "a", "text": "$long"`, wrong("INVALID_FIELD", "text")),
		bad("feedback under a name of one's own", "CreateFeedback", `{"parent": "$crm", "feedbackId": "mine", "feedback": {"release": "$v1", "rating": 3, "author": "a"}}`, invalid, "INVALID_FIELD", "feedback_id"),
		bad("feedback that is not there", "GetFeedback", `{"name": "$crm/feedback/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("taking back what was not said", "DeleteFeedback", `{"name": "$crm/feedback/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("the feedback of no application", "ListFeedback", `{"parent": "$prod"}`, invalid, "INVALID_PARENT", "applications"),
		bad("the summary of no application", "SummarizeFeedback", `{"parent": "$ws/applications/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a viewer who rates", "CreateFeedback", `{"parent": "$crm", "feedback": {"release": "$v1", "rating": 3, "author": "a"}}`, denied, "PERMISSION_DENIED", "deployment.feedback.create").as("viewer"),
	}
}
