package server_test

import "google.golang.org/grpc/codes"

// seedPlan makes a plan of three stages and a chain of three tasks, with two who never work together.
func (w *badWorld) seedPlan() {
	w.Helper()
	w.make("rollout", "CreateImplementation", `{"parent": "$ws", "implementationId": "rollout", "implementation": {"owner": "users/oz"}}`)
	w.make("blank", "CreateImplementation", `{"parent": "$ws", "implementationId": "empty-plan", "implementation": {"sponsor": "users/sue"}}`)
	w.make("design", "CreateStage", `{"parent": "$rollout", "stageId": "design", "stage": {"exitCriteria": [{"id": "tasks", "tasksDone": {}}]}}`)
	w.make("build", "CreateStage", `{"parent": "$rollout", "stageId": "build", "stage": {"predecessors": ["$design"]}}`)
	w.make("ada", "CreateResource", `{"parent": "$ws", "resourceId": "ada", "resource": {"kind": "PERSON"}}`)
	w.make("weekend", "CreateResource", `{"parent": "$ws", "resourceId": "weekend", "resource": {"kind": "PERSON", "calendar": {"week": [{"days": ["SATURDAY"], "start": "09:00", "end": "12:00"}]}}}`)
	w.make("first", "CreateTask", `{"parent": "$rollout", "taskId": "first", "task": {"stage": "$design", "estimate": {"likelyMinutes": 480}, "assignments": [{"resource": "$ada"}]}}`)
	w.make("second", "CreateTask", `{"parent": "$rollout", "taskId": "second", "task": {"stage": "$design", "dependencies": [{"predecessor": "$first"}]}}`)
	w.make("third", "CreateTask", `{"parent": "$rollout", "taskId": "third", "task": {"stage": "$build", "dependencies": [{"predecessor": "$second"}]}}`)
	w.make("comment", "CreateComment", `{"parent": "$ws", "commentId": "c1", "comment": {"subject": "$first", "text": "late"}}`)
	w.make("agreed", "CaptureBaseline", `{"parent": "$rollout", "baselineId": "agreed"}`)
}

// badPlans are circles, estimates the wrong way around, calendars nobody can work by, and states that forbid.
func badPlans() []row {
	task := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateTask", `{"parent": "$rollout", "taskId": "new", "task": {`+fields+`}}`, code, reason, says)
	}
	resource := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateResource", `{"parent": "$ws", "resource": {`+fields+`}}`, code, reason, says)
	}
	comment := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateComment", `{"parent": "$ws", "comment": {`+fields+`}}`, code, reason, says)
	}
	return []row{
		bad("a circle of three tasks", "UpdateTask", `{"task": {"name": "$first", "dependencies": [{"predecessor": "$third"}]}, "updateMask": "dependencies"}`, invalid, "TASK_CYCLE", "first → second → third → first").at("task.dependencies"),
		task("a task after itself", `"stage": "$build", "dependencies": [{"predecessor": "$rollout/tasks/new"}]`, invalid, "TASK_CYCLE", "new → new").at("task.dependencies[0].predecessor"),
		task("a task against the order of its stages", `"stage": "$design", "dependencies": [{"predecessor": "$third"}]`, invalid, "TASK_CYCLE", "stage design").at("task.dependencies"),
		bad("a circle of two stages", "UpdateStage", `{"stage": {"name": "$design", "predecessors": ["$build"]}, "updateMask": "predecessors"}`, invalid, "STAGE_CYCLE", "design → build → design").at("stage.predecessors"),
		bad("a batch in a circle", "BatchCreateTasks", `{"parent": "$rollout", "requests": [{"taskId": "x", "task": {"stage": "$build", "dependencies": [{"predecessor": "$rollout/tasks/y"}]}}, {"taskId": "y", "task": {"stage": "$build", "dependencies": [{"predecessor": "$rollout/tasks/x"}]}}]}`, invalid, "TASK_CYCLE", "→"),
		bad("a batch of nothing", "BatchCreateTasks", `{"parent": "$rollout"}`, invalid, "INVALID_FIELD", "requests"),
		task("an optimist above what is likely", `"stage": "$build", "estimate": {"optimisticMinutes": 500, "likelyMinutes": 480}`, invalid, "ESTIMATE_ORDER", "optimistic ≤ likely ≤ pessimistic").at("task.estimate.optimistic_minutes"),
		task("a pessimist below what is likely", `"stage": "$build", "estimate": {"likelyMinutes": 480, "pessimisticMinutes": 5}`, invalid, "ESTIMATE_ORDER", "optimistic ≤ likely ≤ pessimistic").at("task.estimate.pessimistic_minutes"),
		task("a task of minus one minute", `"stage": "$build", "estimate": {"likelyMinutes": -1}`, invalid, "INVALID_FIELD", "likely_minutes"),
		task("a milestone that takes a day", `"stage": "$build", "milestone": true, "estimate": {"likelyMinutes": 480}`, invalid, "MILESTONE_DURATION", "takes no time").at("task.estimate"),
		task("a task in no stage", `"displayName": "x"`, invalid, "REQUIRED_FIELD", "stage").at("task.stage"),
		task("a task in a stage that is not there", `"stage": "$rollout/stages/none"`, invalid, "REFERENCE_NOT_FOUND", "create it first").at("task.stage"),
		task("a task in a stage of another plan", `"stage": "$project/stages/design"`, invalid, "OTHER_IMPLEMENTATION", "another implementation").at("task.stage"),
		task("a link to what is not there", `"stage": "$build", "dependencies": [{"predecessor": "$rollout/tasks/none"}]`, invalid, "REFERENCE_NOT_FOUND", "none").at("task.dependencies[0].predecessor"),
		task("a link into another workspace", `"stage": "$build", "dependencies": [{"predecessor": "workspaces/other/implementations/rollout/tasks/first"}]`, invalid, "OTHER_WORKSPACE", "workspaces/default"),
		task("a link there twice", `"stage": "$build", "dependencies": [{"predecessor": "$first"}, {"predecessor": "$first", "type": "FINISH_TO_START"}]`, invalid, "DEPENDENCY_DUPLICATE", "remove one"),
		task("two who never work together", `"stage": "$build", "assignments": [{"resource": "$ada"}, {"resource": "$weekend"}]`, invalid, "CALENDAR_IMPOSSIBLE", "").at("task.assignments"),
		task("somebody who is not there", `"stage": "$build", "assignments": [{"resource": "$ws/resources/none"}]`, invalid, "REFERENCE_NOT_FOUND", "none").at("task.assignments[0].resource"),
		task("somebody twice", `"stage": "$build", "assignments": [{"resource": "$ada"}, {"resource": "$ada"}]`, invalid, "ASSIGNMENT_DUPLICATE", "more units"),
		bad("deleting what others wait for", "DeleteTask", `{"name": "$first"}`, precondition, "RESOURCE_IN_USE", "second"),
		bad("deleting a stage with tasks", "DeleteStage", `{"name": "$design"}`, precondition, "RESOURCE_IN_USE", "remove that first"),
		bad("deleting who is assigned", "DeleteResource", `{"name": "$ada"}`, precondition, "RESOURCE_IN_USE", "first"),
		bad("deleting what is compared with", "DeleteBaseline", `{"name": "$agreed"}`, precondition, "RESOURCE_IN_USE", "rollout"),
		resource("a resource of no kind", `"displayName": "x"`, invalid, "REQUIRED_FIELD", "kind"),
		resource("a person for two", `"kind": "PERSON", "capacity": 2`, invalid, "CAPACITY_INVALID", "ROLE").at("resource.capacity"),
		resource("an absence backwards", `"kind": "PERSON", "absences": [{"startTime": "2026-02-01T00:00:00Z", "endTime": "2026-01-01T00:00:00Z"}]`, invalid, "ABSENCE_INVALID", "start_time").at("resource.absences[0].end_time"),
		resource("a zone that is none", `"kind": "PERSON", "calendar": {"timeZone": "Mars/Base"}`, invalid, "TIME_ZONE_UNKNOWN", "Europe/Berlin").at("resource.calendar.time_zone"),
		bad("finishing tomorrow", "CompleteTask", `{"name": "$first", "endTime": "2999-01-01T00:00:00Z"}`, invalid, "TIME_IN_FUTURE", "has happened").at("end_time"),
		bad("beginning tomorrow", "StartTask", `{"name": "$first", "startTime": "2999-01-01T00:00:00Z"}`, invalid, "TIME_IN_FUTURE", "has happened").at("start_time"),
		bad("reporting that all is done", "ReportTask", `{"name": "$first", "progressPercent": 100}`, invalid, "INVALID_FIELD", "progress_percent"),
		bad("reopening what is not done", "ReopenTask", `{"name": "$first", "reason": "r"}`, precondition, "STATE_FORBIDS", "only from DONE"),
		bad("giving a task up without a reason", "CancelTask", `{"name": "$first"}`, invalid, "INVALID_FIELD", "reason"),
		bad("beginning a stage too early", "StartStage", `{"name": "$build"}`, precondition, "STATE_FORBIDS", "only from READY"),
		bad("confirming what nobody can", "ConfirmStage", `{"name": "$design", "criterion": "tasks"}`, notFound, "CRITERION_NOT_FOUND", "that a person confirms"),
		bad("a draft that nobody stands behind", "SubmitImplementation", `{"name": "$rollout"}`, precondition, "SPONSOR_MISSING", "sponsor"),
		bad("a draft that was never captured", "SubmitImplementation", `{"name": "$blank"}`, precondition, "BASELINE_MISSING", "golive plan baseline"),
		bad("beginning a draft", "StartImplementation", `{"name": "$rollout"}`, precondition, "STATE_FORBIDS", "only from PLANNED"),
		bad("a currency that is none", "UpdateImplementation", `{"implementation": {"name": "$rollout", "currency": "euro"}, "updateMask": "currency"}`, invalid, "INVALID_FIELD", "currency"),
		bad("a currency after money was booked", "UpdateImplementation", `{"implementation": {"name": "$funded", "currency": "USD"}, "updateMask": "currency"}`, precondition, "CURRENCY_IN_USE", "another implementation"),
		bad("a copy of an empty plan", "CaptureBaseline", `{"parent": "$blank"}`, precondition, "PLAN_EMPTY", "no tasks"),
		bad("a template that is none", "ApplyTemplate", `{"implementation": "$rollout", "template": "magic"}`, notFound, "TEMPLATE_NOT_FOUND", "software-rollout"),
		bad("a template with a role that is none", "ApplyTemplate", `{"implementation": "$rollout", "template": "software-rollout", "owners": {"cook": "users/x"}}`, invalid, "ROLE_UNKNOWN", "cook").at("owners"),
		bad("a go-live of tomorrow", "RecordGoLive", `{"name": "$plan", "liveTime": "2999-01-01T00:00:00Z"}`, invalid, "TIME_IN_FUTURE", "has happened").at("live_time"),
		bad("an agenda of nowhere", "GetAgenda", `{"parent": "$rollout"}`, invalid, "INVALID_PARENT", "workspaces/{workspace}").at("parent"),
		comment("a comment on nothing", `"subject": "$rollout/tasks/none", "text": "x"`, invalid, "REFERENCE_NOT_FOUND", "none").at("comment.subject"),
		comment("a comment on a person", `"subject": "$p1", "text": "x"`, invalid, "NOT_COMMENTABLE", "takes no comments").at("comment.subject"),
		comment("a comment without words", `"subject": "$first"`, invalid, "INVALID_FIELD", "text"),
	}
}
