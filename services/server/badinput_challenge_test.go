package server_test

import "google.golang.org/grpc/codes"

// seedChallenges raises one challenge and closes another.
func (w *badWorld) seedChallenges() {
	w.Helper()
	w.make("hurdle", "CreateChallenge", `{"parent": "$project", "challengeId": "hurdle", "challenge": {"displayName": "x", "class": "OTHER"}}`)
	w.make("over", "CreateChallenge", `{"parent": "$project", "challengeId": "over", "challenge": {"displayName": "x", "class": "OTHER"}}`)
	w.make("over", "MitigateChallenge", `{"name": "$over", "mitigation": "talk"}`)
	w.make("over", "ResolveChallenge", `{"name": "$over", "reason": "it worked"}`)
	w.make("over", "CloseChallenge", `{"name": "$over"}`)
	w.make("detectors", "CreateDetectorPolicy", `{"parent": "$ws", "detectorPolicyId": "all", "detectorPolicy": {}}`)
}

// badChallenges are challenges about nothing, out of their order, and detectors that are asked for what they cannot do.
func badChallenges() []row {
	raise := func(name, fields, reason, says, at string) row {
		return bad(name, "CreateChallenge", `{"parent": "$project", "challenge": {`+fields+`}}`, invalid, reason, says).at("challenge." + at)
	}
	policy := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateDetectorPolicy", `{"parent": "$ws", "detectorPolicy": {"implementation": "$project", `+fields+`}}`, code, reason, says)
	}
	tickets := func(name, counts, reason, says, at string) row {
		return bad(name, "RecordTickets", `{"name": "$project", "counts": [`+counts+`]}`, invalid, reason, says).at(at)
	}
	const what = `"displayName": "x", "class": "OTHER"`
	return []row{
		raise("a challenge without words", `"class": "OTHER"`, "REQUIRED_FIELD", "display_name", "display_name"),
		raise("a challenge without a class", `"displayName": "x"`, "REQUIRED_FIELD", "class", "class"),
		raise("a challenge that is more than sure", what+`, "probability": 6`, "INVALID_FIELD", "probability", "probability"),
		raise("a challenge about a person", what+`, "subject": "$ws/people/ada"`, "INVALID_NAME", "cohort", "subject"),
		raise("a challenge about what is not there", what+`, "subject": "$project/cohortPlans/none"`, "REFERENCE_NOT_FOUND", "none", "subject"),
		raise("a challenge about another workspace", what+`, "subject": "workspaces/elsewhere/cohorts/sales"`, "OTHER_WORKSPACE", "workspaces/default", "subject"),
		bad("a challenge of no implementation", "CreateChallenge", `{"parent": "$ws/implementations/none", "challenge": {`+what+`}}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("another subject later", "UpdateChallenge", `{"challenge": {"name": "$hurdle", "subject": "$project"}}`, invalid, "IMMUTABLE_FIELD", "subject").at("challenge.subject"),
		bad("opening what is open", "OpenChallenge", `{"name": "$hurdle"}`, precondition, "STATE_FORBIDS", "SUGGESTED"),
		bad("dismissing what a person raised", "DismissChallenge", `{"name": "$hurdle", "reason": "x"}`, precondition, "STATE_FORBIDS", "SUGGESTED"),
		bad("resolving what nobody worked on", "ResolveChallenge", `{"name": "$hurdle", "reason": "x"}`, precondition, "STATE_FORBIDS", "MITIGATING"),
		bad("closing what is not resolved", "CloseChallenge", `{"name": "$hurdle"}`, precondition, "STATE_FORBIDS", "RESOLVED"),
		bad("mitigating by nothing", "MitigateChallenge", `{"name": "$hurdle"}`, invalid, "MITIGATION_MISSING", "mitigation").at("mitigation"),
		bad("accepting for nobody", "AcceptChallenge", `{"name": "$hurdle", "reason": "x", "reviewDate": "2999-01-01"}`, invalid, "OWNER_MISSING", "owner").at("owner"),
		bad("accepting until yesterday", "AcceptChallenge", `{"name": "$hurdle", "reason": "x", "owner": "users/ada", "reviewDate": "2020-01-01"}`, invalid, "INVALID_FIELD", "future").at("review_date"),
		bad("accepting until no day", "AcceptChallenge", `{"name": "$hurdle", "reason": "x", "owner": "users/ada", "reviewDate": "2999-02-30"}`, invalid, "INVALID_FIELD", "2026-12-24").at("review_date"),
		bad("accepting as an operator", "AcceptChallenge", `{"name": "$hurdle", "reason": "x", "owner": "users/ada", "reviewDate": "2999-01-01"}`, denied, "PERMISSION_DENIED", "implementation.challenges.accept").as("operator"),
		bad("reopening what is closed", "ReopenChallenge", `{"name": "$over", "reason": "x"}`, precondition, "STATE_FORBIDS", "ACCEPTED"),
		bad("changing what is closed", "UpdateChallenge", `{"challenge": {"name": "$over", "impact": 1}}`, precondition, "TERMINAL_STATE", "final"),
		bad("deleting a record", "DeleteChallenge", `{"name": "$over"}`, precondition, "STATE_FORBIDS", "OPEN"),
		bad("detectors of the week that goes on", "RunDetectors", `{"name": "$project", "week": "2999-W01"}`, invalid, "WEEK_NOT_OVER", "wait").at("week"),
		bad("detectors of no week", "RunDetectors", `{"name": "$project", "week": "2026-W54"}`, invalid, "WEEK_INVALID", "2026-W47").at("week"),
		bad("detectors of a month", "RunDetectors", `{"name": "$project", "week": "2026-11"}`, invalid, "INVALID_FIELD", "week").at("week"),
		bad("detectors of nothing", "RunDetectors", `{"name": "$ws/implementations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a signal of nothing", "GetSignal", `{"name": "$project/signals/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		policy("a rule that is none", `"rules": [{"rule": "L9"}]`, invalid, "RULE_UNKNOWN", "R1 to R9"),
		policy("a rule in words", `"rules": [{"rule": "resistance"}]`, invalid, "INVALID_FIELD", "rule"),
		policy("a rule twice", `"rules": [{"rule": "R2"}, {"rule": "R2", "disabled": true}]`, invalid, "RULE_DUPLICATE", "one entry"),
		policy("a threshold that is none", `"rules": [{"rule": "R2", "thresholds": {"shares": 0.2}}]`, invalid, "THRESHOLD_UNKNOWN", "share, days"),
		policy("a share of more than all", `"rules": [{"rule": "R2", "thresholds": {"share": 25}}]`, invalid, "THRESHOLD_INVALID", "from 0 to 1"),
		policy("groups that give people away", `"minGroupSize": 3`, invalid, "THRESHOLD_INVALID", "10 or more"),
		bad("a second policy for all", "CreateDetectorPolicy", `{"parent": "$ws", "detectorPolicy": {}}`, exists, "ALREADY_EXISTS", "implementation"),
		tickets("tickets of no week", `{"cohort": "$sales", "week": "2026-W60", "tickets": 1}`, "WEEK_INVALID", "2026-W47", "counts[0].week"),
		tickets("tickets of the future", `{"cohort": "$sales", "week": "2999-W01", "tickets": 1}`, "WEEK_INVALID", "has not begun", "counts[0].week"),
		tickets("tickets below nothing", `{"cohort": "$sales", "week": "2026-W01", "tickets": -1}`, "INVALID_FIELD", "tickets", "counts[0].tickets"),
		tickets("tickets of nobody", `{"cohort": "$ws/cohorts/none", "week": "2026-W01", "tickets": 1}`, "REFERENCE_NOT_FOUND", "none", "counts[0].cohort"),
		tickets("two counts of a week", `{"cohort": "$sales", "week": "2026-W01", "tickets": 1}, {"cohort": "$sales", "week": "2026-W01", "tickets": 2}`, "DUPLICATE", "leave one out", "counts[1]"),
	}
}
