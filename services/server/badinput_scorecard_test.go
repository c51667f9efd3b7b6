package server_test

// badScorecards are scorecards of too many, of nobody and of elsewhere, days that were not kept, and measures of what no one could count.
func badScorecards() []row {
	return []row{
		bad("scorecards of nothing", "BatchComputeScorecards", `{"parent": "$ws"}`, invalid, "INVALID_FIELD", "names"),
		bad("scorecards of one that is not there", "BatchComputeScorecards", `{"parent": "$ws", "names": ["$project", "$ws/implementations/none"]}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("the same scorecard twice", "BatchComputeScorecards", `{"parent": "$ws", "names": ["$project", "$project"]}`, invalid, "INVALID_FIELD", "names"),
		bad("a scorecard of another workspace", "BatchComputeScorecards", `{"parent": "$ws", "names": ["$project", "workspaces/other/implementations/crm"]}`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("names[1]"),
		bad("the scorecard of a cohort", "BatchComputeScorecards", `{"parent": "$ws", "names": ["$sales"]}`, invalid, "INVALID_NAME", "sales").at("names[0]"),
		bad("a scorecard of what has no shape", "ComputeScorecard", `{"parent": "crm"}`, invalid, "INVALID_FIELD", "workspaces/{workspace}"),
		bad("a page about nothing that is", "ComputeScorecardReport", `{"parent": "$ws/implementations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a day that was not kept", "GetScorecardSnapshot", `{"name": "$project/scorecardSnapshots/2026-01-01"}`, notFound, "RESOURCE_NOT_FOUND", "2026-01-01"),
		bad("days by what they have not", "ListScorecardSnapshots", `{"parent": "$project", "filter": "uptime > 1"}`, invalid, "INVALID_FILTER", "uptime"),
		bad("a comparison of nothing that is", "GetComparison", `{"parent": "$ws/implementations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("uptime above all of the time", "UpdateImplementation", `{"implementation": {"name": "$project", "scorecardTargets": {"uptime": 99.9}}, "updateMask": "scorecardTargets"}`, invalid, "INVALID_FIELD", "uptime"),
		bad("measures of no scope", "ComputeMeasures", `{"parent": "$ws"}`, invalid, "INVALID_FIELD", "scopes"),
		bad("measures of a scope without a key", "ComputeMeasures", `{"parent": "$ws", "scopes": [{"applications": []}]}`, invalid, "INVALID_FIELD", "key"),
		bad("measures of no time", "ComputeMeasures", `{"parent": "$ws", "scopes": [{"key": "a"}], "window": "1s"}`, invalid, "INVALID_FIELD", "window"),
		bad("measures of long ago", "ComputeMeasures", `{"parent": "$ws", "scopes": [{"key": "a"}], "endTime": "2001-01-01T00:00:00Z"}`, invalid, "WINDOW_TOO_OLD", "730 days").at("end_time"),
		bad("measures of a workspace without a shape", "ComputeMeasures", `{"parent": "here", "scopes": [{"key": "a"}]}`, invalid, "INVALID_FIELD", "parent"),
	}
}
