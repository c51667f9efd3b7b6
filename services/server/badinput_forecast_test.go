package server_test

// seedForecasts makes a plan of two tasks for one person, a forecast of it, and proposals: one that was
// applied, and one of the plan before that.
func (w *badWorld) seedForecasts() {
	w.Helper()
	w.make("risky", "CreateImplementation", `{"parent": "$ws", "implementationId": "risky", "implementation": {}}`)
	w.make("riskyStage", "CreateStage", `{"parent": "$risky", "stageId": "build", "stage": {}}`)
	w.make("riskyPlanner", "CreateResource", `{"parent": "$ws", "resourceId": "planner", "resource": {"kind": "PERSON"}}`)
	for _, id := range []string{"first", "second"} {
		w.make("risky-"+id, "CreateTask", `{"parent": "$risky", "taskId": "`+id+`", "task": {"stage": "$riskyStage", "estimate": {"optimisticMinutes": 100, "likelyMinutes": 480, "pessimisticMinutes": 2000}, "assignments": [{"resource": "$riskyPlanner"}]}}`)
	}
	w.make("riskyForecast", "CreateForecast", `{"parent": "$risky", "forecastId": "f1", "forecast": {"iterations": 100}}`)
	w.make("riskyStale", "LevelImplementation", `{"name": "$risky", "proposalId": "stale", "restarts": 1}`)
	w.make("riskyApplied", "LevelImplementation", `{"name": "$risky", "proposalId": "applied", "restarts": 1}`)
	w.make("riskyApplied", "ApplyProposal", `{"name": "$riskyApplied"}`)
}

// badForecasts are dice that do not roll, plans that are not there, and proposals of another plan.
func badForecasts() []row {
	roll := func(name, fields, says string) row {
		return bad(name, "CreateForecast", `{"parent": "$risky", "forecast": {`+fields+`}}`, invalid, "INVALID_FIELD", says)
	}
	return []row{
		roll("a correlation above one", `"correlation": 1.01`, "correlation"),
		roll("a correlation below none", `"correlation": -0.01`, "correlation"),
		roll("a correlation that is no number", `"correlation": "NaN"`, "correlation"),
		roll("too few iterations", `"iterations": 99`, "iterations"),
		roll("too many iterations", `"iterations": 100001`, "iterations"),
		roll("iterations below none", `"iterations": -1`, "iterations"),
		roll("a distribution that is none", `"distribution": 9`, "distribution"),
		roll("a plan of another age", `"asOfTime": "9500-01-01T00:00:00Z"`, "1970 to 9000"),
		bad("a forecast of nothing", "CreateForecast", `{"parent": "$funded", "forecast": {}}`, precondition, "PLAN_EMPTY", "nothing to forecast"),
		bad("a forecast of what is not there", "CreateForecast", `{"parent": "$ws/implementations/none", "forecast": {}}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a forecast of a workspace", "CreateForecast", `{"parent": "$ws", "forecast": {}}`, invalid, "INVALID_NAME", "implementations"),
		bad("a second forecast of one name", "CreateForecast", `{"parent": "$risky", "forecastId": "f1", "forecast": {}}`, exists, "ALREADY_EXISTS", "f1"),
		bad("a viewer who forecasts", "CreateForecast", `{"parent": "$risky", "forecast": {}}`, denied, "PERMISSION_DENIED", "implementation.forecasts.create").as("viewer"),
		bad("a forecast that is not there", "GetForecast", `{"name": "$risky/forecasts/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("forecasts by what they have not", "ListForecasts", `{"parent": "$risky", "filter": "colour = \"red\""}`, invalid, "INVALID_FILTER", "colour"),
		bad("levelling nothing", "LevelImplementation", `{"name": "$funded"}`, precondition, "PLAN_EMPTY", "nothing to level"),
		bad("levelling what is not there", "LevelImplementation", `{"name": "$ws/implementations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("levelling for ever", "LevelImplementation", `{"name": "$risky", "restarts": 10001}`, invalid, "INVALID_FIELD", "restarts"),
		bad("a second proposal of one name", "LevelImplementation", `{"name": "$risky", "proposalId": "stale"}`, exists, "ALREADY_EXISTS", "stale"),
		bad("a viewer who levels", "LevelImplementation", `{"name": "$risky"}`, denied, "PERMISSION_DENIED", "implementation.implementations.level").as("viewer"),
		bad("a proposal of the plan before", "ApplyProposal", `{"name": "$riskyStale"}`, aborted, "PLAN_CHANGED", "level it again"),
		bad("applying twice", "ApplyProposal", `{"name": "$riskyApplied"}`, precondition, "STATE_FORBIDS", "PROPOSED"),
		bad("applying with another etag", "ApplyProposal", `{"name": "$riskyStale", "etag": "other"}`, aborted, "ETAG_MISMATCH", "read it again"),
		bad("applying what is not there", "ApplyProposal", `{"name": "$risky/proposals/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a viewer who applies", "ApplyProposal", `{"name": "$riskyStale"}`, denied, "PERMISSION_DENIED", "implementation.proposals.apply").as("viewer"),
	}
}
