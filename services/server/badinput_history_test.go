package server_test

// badHistory is incidents, and questions about the past, that make no sense.
func badHistory() []row {
	return []row{
		bad("an incident without a summary", "CreateIncident", `{"parent": "$ws", "incident": {"severity": "MAJOR"}}`, invalid, "REQUIRED_FIELD", "summary").at("incident.summary"),
		bad("an incident noticed tomorrow", "CreateIncident", `{"parent": "$ws", "incident": {"summary": "x", "detectedTime": "2999-01-01T00:00:00Z"}}`, invalid, "INVALID_FIELD", "future").at("incident.detected_time"),
		bad("an incident over before it was noticed", "CreateIncident", `{"parent": "$ws", "incident": {"summary": "x", "detectedTime": "2026-01-02T00:00:00Z", "restoredTime": "2026-01-01T00:00:00Z"}}`, invalid, "INVALID_FIELD", "before").at("incident.restored_time"),
		bad("an incident restored tomorrow", "CreateIncident", `{"parent": "$ws", "incident": {"summary": "x", "restoredTime": "2999-01-01T00:00:00Z"}}`, invalid, "INVALID_FIELD", "future").at("incident.restored_time"),
		bad("an incident caused by nothing that is", "CreateIncident", `{"parent": "$ws", "incident": {"summary": "x", "causedBy": "$crm/deployments/none"}}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("an incident caused in another workspace", "CreateIncident", `{"parent": "$ws", "incident": {"summary": "x", "causedBy": "workspaces/other/applications/crm/deployments/d"}}`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("incident.caused_by"),
		bad("resolving an incident that is none", "ResolveIncident", `{"name": "$ws/incidents/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("the availability of a window backwards", "GetAvailability", `{"parent": "$prod", "application": "$crm", "startTime": "2026-01-02T00:00:00Z", "endTime": "2026-01-01T00:00:00Z"}`, invalid, "INVALID_WINDOW", "not after its begin").at("end_time"),
		bad("the availability of long ago", "GetAvailability", `{"parent": "$prod", "application": "$crm", "startTime": "2001-01-01T00:00:00Z"}`, invalid, "WINDOW_TOO_OLD", "later begin").at("start_time"),
		bad("the availability of no application", "GetAvailability", `{"parent": "$prod", "application": "$ws/applications/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("the availability of no environment", "GetAvailabilitySeries", `{"parent": "$ws/environments/none", "application": "$crm"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("an objective above everything", "GetAvailability", `{"parent": "$prod", "application": "$crm", "objective": 99.9}`, invalid, "INVALID_FIELD", "objective"),
		bad("the runs of no environment", "ListRuns", `{"parent": "$ws/environments/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("runs after a token of nobody", "ListRuns", `{"parent": "$prod", "pageToken": "!"}`, invalid, "INVALID_PAGE_TOKEN", "without one").at("page_token"),
		bad("measures of a window backwards", "GetDoraMetrics", `{"parent": "$crm", "startTime": "2026-01-02T00:00:00Z", "endTime": "2026-01-01T00:00:00Z"}`, invalid, "INVALID_WINDOW", "correct one"),
		bad("the availability of another application's release", "GetAvailability", `{"parent": "$prod", "application": "$crm", "release": "$ws/applications/other/releases/v1"}`, invalid, "OTHER_APPLICATION", "one of its own").at("release"),
		bad("the availability of no release", "GetAvailability", `{"parent": "$prod", "application": "$crm", "release": "$crm/releases/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("the availability on a target elsewhere", "GetAvailability", `{"parent": "$prod", "application": "$crm", "target": "$test/targets/t1"}`, invalid, "OTHER_ENVIRONMENT", "one of its own").at("target"),
		bad("the runs on no target", "ListRuns", `{"parent": "$prod", "target": "$prod/targets/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("the runs of no application", "ListRuns", `{"parent": "$prod", "application": "$ws/applications/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("measures of no environment", "GetDoraMetrics", `{"parent": "$crm", "environment": "$ws/environments/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("measures of no application", "GetDoraMetrics", `{"parent": "$ws/applications/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
	}
}
