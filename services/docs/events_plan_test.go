package docs

// toldOfPlans are the events of plans and of what is decided on them.
func toldOfPlans() map[string]string {
	return map[string]string{
		"implementation.implementation.submitted": "Its plan is agreed on.",
		"implementation.implementation.started":   "It began.",
		"implementation.implementation.held":      "It was interrupted, with the reason.",
		"implementation.implementation.resumed":   "It goes on where it was interrupted.",
		"implementation.implementation.sustained": "Every cohort is live.",
		"implementation.implementation.completed": "Ended: every outcome has a verdict.",
		"implementation.implementation.cancelled": "Ended: given up, with the reason.",

		"implementation.stage.readied":   "Nothing that it waits for is open any more.",
		"implementation.stage.postponed": "It was told to wait for another stage.",
		"implementation.stage.started":   "It began.",
		"implementation.stage.reviewed":  "Its exit criteria were looked at; it holds what was found.",
		"implementation.stage.confirmed": "A person said that an exit criterion holds, or took that back.",
		"implementation.stage.rejected":  "It went back from its review into work.",
		"implementation.stage.completed": "Ended: its exit criteria hold.",
		"implementation.stage.skipped":   "Left out before it began, with the reason.",
		"implementation.stage.cancelled": "Given up, with the reason; nothing waits for it any more.",

		"implementation.task.batchCreated": "Tasks were created together, by a request or a template: how many.",
		"implementation.task.imported":     "A file was imported into a plan: how many tasks are new and changed.",
		"implementation.task.started":      "Work on it began.",
		"implementation.task.reported":     "How far it is was reported.",
		"implementation.task.completed":    "It is done.",
		"implementation.task.reopened":     "It was done, and is worked on again, with the reason.",
		"implementation.task.cancelled":    "It was given up, with the reason; nothing waits for it any more.",
		"implementation.task.levelled":     "A proposal moved its start.",

		"implementation.baseline.captured": "The plan was copied with its dates and costs.",
		"implementation.proposal.proposed": "A levelled plan was computed; the plan itself is as it was.",
		"implementation.proposal.applied":  "Its starts were written into the tasks.",
		"implementation.outcome.recorded":  "It was measured.",
		"implementation.outcome.decided":   "A person gave its verdict.",

		"implementation.cohortPlan.wentLive":            "When the cohort went live was recorded.",
		"implementation.cohortPlan.goLiveWithdrawn":     "That it is live was taken back.",
		"implementation.cohortPlan.readinessOverridden": "A person let a criterion pass for a time, with the reason.",
		"implementation.cohortPlan.overrideWithdrawn":   "That was taken back.",

		"implementation.ledgerEntry.verified": "Somebody else than who claimed it found it true; it counts as realised.",
		"implementation.ledgerEntry.reversed": "A new entry takes it back.",
	}
}
