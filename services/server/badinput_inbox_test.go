package server_test

// badInbox are questions about what waits in plans that have no answer.
func badInbox() []row {
	explain := func(name, resource, reason, says string) row {
		code := invalid
		if reason == "RESOURCE_NOT_FOUND" {
			code = notFound
		}
		return bad(name, "ExplainWaiting", `{"resource": "`+resource+`"}`, code, reason, says)
	}
	return []row{
		explain("why a cohort waits", "$sales", "WAITING_UNSUPPORTED", "ask about an implementation"),
		explain("why a stage waits that is not there", "$project/stages/none", "RESOURCE_NOT_FOUND", "none"),
		explain("why a task waits that is not there", "$project/tasks/none", "RESOURCE_NOT_FOUND", "none"),
		explain("why a decision waits that is not there", "$project/decisions/none", "RESOURCE_NOT_FOUND", "none"),
		explain("why a plan waits that is not there", "$ws/implementations/none", "RESOURCE_NOT_FOUND", "none"),
		explain("why something waits with a space in it", "$project/stages/a b", "INVALID_FIELD", "resource"),
		bad("a wave that asks why a plan waits", "ExplainWaiting", `{"resource": "$project"}`, denied, "PERMISSION_DENIED", "waiting.waiting.explain").as("agent"),
	}
}
