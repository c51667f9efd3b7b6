package server_test

import "google.golang.org/grpc/codes"

// seedBenefits funds an implementation and makes entries that stand, were taken back, and take back.
func (w *badWorld) seedBenefits() {
	w.Helper()
	w.make("funded", "CreateImplementation", `{"parent": "$ws", "implementationId": "funded", "implementation": {"currency": "EUR"}}`)
	w.make("licences", "CreateBudgetLine", `{"parent": "$funded", "budgetLineId": "licences", "budgetLine": {"direction": "COST", "amounts": [{"date": "2026-01-01", "amountMinor": "100"}]}}`)
	w.make("claimed", "CreateLedgerEntry", `{"parent": "$funded", "ledgerEntryId": "claimed", "ledgerEntry": {"direction": "COST", "amountMinor": "100", "date": "2026-01-01"}}`)
	w.make("wrong", "CreateLedgerEntry", `{"parent": "$funded", "ledgerEntryId": "wrong", "ledgerEntry": {"direction": "COST", "amountMinor": "100", "date": "2026-01-01"}}`)
	w.make("reversal", "ReverseLedgerEntry", `{"name": "$wrong", "reason": "booked twice"}`)
	w.make("outcome", "CreateOutcome", `{"parent": "$funded", "outcomeId": "time", "outcome": {"metric": "minutes", "baselineValue": 40, "targetValue": 10}}`)
}

// badBenefits are money of another currency, of the future, of nobody; outcomes nobody measured; and overrides that would last.
func badBenefits() []row {
	entry := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateLedgerEntry", `{"parent": "$funded", "ledgerEntry": {`+fields+`}}`, code, reason, says)
	}
	line := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateBudgetLine", `{"parent": "$funded", "budgetLine": {`+fields+`}}`, code, reason, says)
	}
	plan := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateCohortPlan", `{"parent": "$project", "cohortPlan": {"cohort": "$sales", `+fields+`}}`, code, reason, says)
	}
	return []row{
		entry("money in a second currency", `"direction": "COST", "amountMinor": "1", "date": "2026-01-01", "currency": "USD"`, invalid, "CURRENCY_MISMATCH", "EUR").at("ledger_entry.currency"),
		entry("money of tomorrow", `"direction": "COST", "amountMinor": "1", "date": "2999-01-01"`, invalid, "INVALID_FIELD", "budget line").at("ledger_entry.date"),
		entry("money on no day of the calendar", `"direction": "COST", "amountMinor": "1", "date": "2026-02-30"`, invalid, "INVALID_FIELD", "2026-12-24").at("ledger_entry.date"),
		entry("money below nothing", `"direction": "COST", "amountMinor": "-1", "date": "2026-01-01"`, invalid, "INVALID_FIELD", "reversed").at("ledger_entry.amount_minor"),
		entry("money without a direction", `"amountMinor": "1", "date": "2026-01-01"`, invalid, "INVALID_FIELD", "direction"),
		entry("a benefit of a line of costs", `"direction": "BENEFIT", "amountMinor": "1", "date": "2026-01-01", "budgetLine": "$licences"`, invalid, "BUDGET_LINE_MISMATCH", "BENEFIT").at("ledger_entry.budget_line"),
		entry("money of a line that is not there", `"direction": "COST", "amountMinor": "1", "date": "2026-01-01", "budgetLine": "$funded/budgetLines/none"`, invalid, "REFERENCE_NOT_FOUND", "none").at("ledger_entry.budget_line"),
		bad("money where there is no currency", "CreateLedgerEntry", `{"parent": "$project", "ledgerEntry": {"direction": "COST", "amountMinor": "1", "date": "2026-01-01"}}`, precondition, "CURRENCY_MISSING", "set it first"),
		bad("verifying one's own claim", "VerifyLedgerEntry", `{"name": "$claimed"}`, denied, "SELF_VERIFICATION", "somebody else"),
		bad("verifying what was taken back", "VerifyLedgerEntry", `{"name": "$wrong"}`, precondition, "STATE_FORBIDS", "CLAIMED"),
		bad("taking back twice", "ReverseLedgerEntry", `{"name": "$wrong", "reason": "again"}`, precondition, "STATE_FORBIDS", "already"),
		bad("taking back what takes back", "ReverseLedgerEntry", `{"name": "$reversal", "reason": "again"}`, precondition, "REVERSAL_OF_REVERSAL", "claim it anew"),
		bad("taking back without a reason", "ReverseLedgerEntry", `{"name": "$claimed"}`, invalid, "INVALID_FIELD", "reason"),
		line("a line without amounts", `"direction": "COST"`, invalid, "REQUIRED_FIELD", "amounts"),
		line("a line of nothing", `"direction": "COST", "amounts": [{"date": "2026-01-01"}]`, invalid, "INVALID_FIELD", "amount_minor"),
		line("a line on no day of the calendar", `"direction": "COST", "amounts": [{"date": "2026-13-01", "amountMinor": "1"}]`, invalid, "INVALID_FIELD", "2026-12-24").at("budget_line.amounts[0].date"),
		line("a line in a second currency", `"direction": "COST", "currency": "USD", "amounts": [{"date": "2026-01-01", "amountMinor": "1"}]`, invalid, "CURRENCY_MISMATCH", "EUR").at("budget_line.currency"),
		bad("the worth of nothing that is", "ComputeBenefits", `{"parent": "$ws/implementations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a rate that eats everything", "ComputeBenefits", `{"parent": "$funded", "discountRate": -1}`, invalid, "INVALID_FIELD", "discount_rate"),
		bad("an outcome that changes nothing", "CreateOutcome", `{"parent": "$funded", "outcome": {"metric": "m", "baselineValue": 1, "targetValue": 1}}`, invalid, "INVALID_FIELD", "what shall change").at("outcome.target_value"),
		bad("an outcome without a metric", "CreateOutcome", `{"parent": "$funded", "outcome": {"targetValue": 1}}`, invalid, "REQUIRED_FIELD", "metric"),
		bad("an outcome met that nobody measured", "DecideOutcome", `{"name": "$outcome", "verdict": "MET"}`, precondition, "OUTCOME_NOT_REACHED", "record a measurement"),
		bad("an outcome missed without a reason", "DecideOutcome", `{"name": "$outcome", "verdict": "MISSED", "remainingOwner": "users/a"}`, invalid, "INVALID_FIELD", "reason").at("reason"),
		bad("an outcome waived with nobody to carry on", "DecideOutcome", `{"name": "$outcome", "verdict": "WAIVED", "reason": "r"}`, invalid, "INVALID_FIELD", "carries on").at("remaining_owner"),
		bad("a measurement of tomorrow", "RecordOutcome", `{"name": "$outcome", "measurement": {"value": 1, "time": "2999-01-01T00:00:00Z"}}`, invalid, "TIME_IN_FUTURE", "lies ahead").at("measurement.time"),
		plan("a criterion of a training that is not there", `"readinessPolicy": {"criteria": [{"id": "p", "proficient": {"trainings": ["$ws/trainings/none"]}}]}`, invalid, "REFERENCE_NOT_FOUND", "none").at("cohort_plan.readiness_policy.criteria[0].proficient.trainings[0]"),
		plan("a criterion of another workspace", `"readinessPolicy": {"criteria": [{"id": "a", "access": {"application": "workspaces/other/applications/crm"}}]}`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("cohort_plan.readiness_policy.criteria[0].access.application"),
		plan("a technical criterion of a person", `"readinessPolicy": {"criteria": [{"id": "t", "technical": {"resource": "$p1"}}]}`, invalid, "INVALID_FIELD", "resource"),
		plan("a threshold above everybody", `"readinessPolicy": {"criteria": [{"id": "m", "messages": {"threshold": 1.5}}]}`, invalid, "INVALID_FIELD", "threshold"),
		plan("an impact off the scale", `"impacts": [{"aspect": "TOOLS", "level": 6}]`, invalid, "INVALID_FIELD", "level"),
		plan("an impact twice", `"impacts": [{"aspect": "TOOLS", "level": 1}, {"aspect": "TOOLS", "level": 2}]`, invalid, "ASPECT_DUPLICATE", "once").at("cohort_plan.impacts[1].aspect"),
		plan("a help desk backwards", `"helpDesk": {"startTime": "2026-02-01T00:00:00Z", "endTime": "2026-01-01T00:00:00Z"}`, invalid, "INVALID_FIELD", "before it begins").at("cohort_plan.help_desk.end_time"),
		bad("an override of two days", "OverrideReadiness", `{"name": "$plan", "override": {"criterion": "trained", "reason": "r", "expireTime": "2999-01-01T00:00:00Z"}}`, invalid, "OVERRIDE_EXPIRY", "24 hours").at("override.expire_time"),
		bad("an override of nothing that is asked", "OverrideReadiness", `{"name": "$plan", "override": {"criterion": "luck", "reason": "r", "expireTime": "2999-01-01T00:00:00Z"}}`, notFound, "CRITERION_NOT_FOUND", "golive readiness"),
		bad("an override without a reason", "OverrideReadiness", `{"name": "$plan", "override": {"criterion": "trained", "expireTime": "2999-01-01T00:00:00Z"}}`, invalid, "INVALID_FIELD", "reason"),
		bad("withdrawing what does not hold", "WithdrawReadiness", `{"name": "$plan", "criterion": "trained"}`, precondition, "OVERRIDE_ENDED", "golive readiness"),
		bad("the scorecard of nothing that is", "ComputeScorecard", `{"parent": "$ws/implementations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a target above everybody", "UpdateImplementation", `{"implementation": {"name": "$project", "scorecardTargets": {"adoption": 1.5}}, "updateMask": "scorecardTargets"}`, invalid, "INVALID_FIELD", "adoption"),
		bad("satisfaction by what is no survey", "UpdateImplementation", `{"implementation": {"name": "$project", "scorecardTargets": {"satisfactionSurvey": "mood"}}, "updateMask": "scorecardTargets"}`, invalid, "INVALID_NAME", "mood").at("implementation.scorecard_targets.satisfaction_survey"),
		bad("satisfaction of another workspace", "UpdateImplementation", `{"implementation": {"name": "$project", "scorecardTargets": {"satisfactionSurvey": "workspaces/other/surveys/mood"}}, "updateMask": "scorecardTargets"}`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("implementation.scorecard_targets.satisfaction_survey"),
		bad("the report of a week ahead", "ComputeStatusReport", `{"parent": "$project", "week": "2999-W01"}`, invalid, "WEEK_AHEAD", "has not begun").at("week"),
		bad("the report of no week", "ComputeStatusReport", `{"parent": "$project", "week": "2025-W53"}`, invalid, "INVALID_FIELD", "2026-W12").at("week"),
		bad("the report of nothing that is", "ComputeStatusReport", `{"parent": "$ws/implementations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
	}
}
