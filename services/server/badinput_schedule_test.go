package server_test

import "google.golang.org/grpc/codes"

// badSchedules are questions about plans that are not there, and changes that make no plan.
func badSchedules() []row {
	suppose := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "SimulateSchedule", `{"parent": "$rollout", `+fields+`}`, code, reason, says)
	}
	return []row{
		bad("a schedule of nothing", "GetSchedule", `{"parent": "$ws/implementations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a schedule of no name", "GetSchedule", `{"parent": "rollout"}`, invalid, "INVALID_FIELD", "workspaces/{workspace}"),
		bad("near by less than nothing", "GetSchedule", `{"parent": "$rollout", "nearCriticalMinutes": "-1"}`, invalid, "INVALID_FIELD", "near_critical_minutes"),
		bad("lint of nothing", "LintSchedule", `{"parent": "$ws/implementations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("earned value without a baseline", "GetEarnedValue", `{"parent": "$blank"}`, precondition, "BASELINE_MISSING", "capture one"),
		suppose("a change of no task", `"tasks": [{}]`, invalid, "INVALID_FIELD", "tasks[0].task"),
		suppose("a change of another plan", `"tasks": [{"task": {"name": "$blank/tasks/x"}}]`, invalid, "TASK_UNKNOWN", "no task of rollout").at("tasks"),
		suppose("a change of what a task has not", `"tasks": [{"task": {"name": "$first"}, "updateMask": "colour"}]`, invalid, "UPDATE_MASK_INVALID", "first"),
		suppose("a supposed circle", `"tasks": [{"task": {"name": "$first", "dependencies": [{"predecessor": "$third"}]}, "updateMask": "dependencies"}]`, precondition, "TASK_CYCLE", "first → second → third → first"),
		suppose("a supposed estimate the wrong way around", `"tasks": [{"task": {"name": "$first", "estimate": {"likelyMinutes": 9, "pessimisticMinutes": 1}}, "updateMask": "estimate"}]`, precondition, "ESTIMATE_ORDER", "optimistic ≤ likely ≤ pessimistic"),
		suppose("without what is not there", `"deletedTasks": ["$rollout/tasks/none"]`, invalid, "TASK_UNKNOWN", "none").at("deleted_tasks"),
		suppose("a supposed calendar without work", `"calendar": {"exceptions": [{"startDate": "2020-01-01", "endDate": "9999-12-31"}]}`, invalid, "CALENDAR_IMPOSSIBLE", "hours"),
		suppose("a supposed absence for good", `"resources": [{"name": "$ada", "kind": "PERSON", "absences": [{"startTime": "2020-01-01T00:00:00Z", "endTime": "9999-12-31T00:00:00Z"}]}]`, precondition, "CALENDAR_IMPOSSIBLE", "first"),
		suppose("somebody supposed who is not there", `"tasks": [{"task": {"name": "$first", "assignments": [{"resource": "$ws/resources/none"}]}, "updateMask": "assignments"}]`, precondition, "RESOURCE_UNKNOWN", "none"),
	}
}
