package server_test

import (
	"encoding/base64"
	"time"

	"google.golang.org/grpc/codes"
)

// seedTrainings makes a training with one seat, which p1 has, beside what seedPeople makes.
func (w *badWorld) seedTrainings() {
	w.Helper()
	w.make("advanced", "CreateTraining", `{"parent": "$ws", "trainingId": "advanced", "training": {}}`)
	w.make("advanced", "PublishTraining", `{"name": "$advanced"}`)
	w.make("monday", "CreateSession", `{"parent": "$advanced", "sessionId": "monday", "session": {"startTime": "2099-01-05T09:00:00Z", "endTime": "2099-01-05T12:00:00Z", "seats": 1}}`)
	w.make("off", "CreateSession", `{"parent": "$advanced", "sessionId": "off", "session": {"startTime": "2099-01-06T09:00:00Z", "endTime": "2099-01-06T12:00:00Z", "seats": 1}}`)
	w.make("off", "CancelSession", `{"name": "$off", "reason": "the room is gone"}`)
	w.make("past", "CreateSession", `{"parent": "$advanced", "sessionId": "yesterday", "session": {"startTime": "2026-01-05T09:00:00Z", "endTime": "2026-01-05T12:00:00Z", "seats": 1}}`)
	w.make("elsewhere", "CreateSession", `{"parent": "$basics", "sessionId": "monday", "session": {"startTime": "2099-01-05T09:00:00Z", "endTime": "2099-01-05T12:00:00Z", "seats": 1}}`)
	w.allowed(w.implementation, "EnrolPeople", `{"training": "$advanced", "people": ["$p1", "$p2"]}`)
	w.allowed(w.implementation, "BookEnrolment", `{"name": "$advanced/enrolments/p1", "session": "$monday"}`)
}

// badTrainings are seats that are not there, results of nobody, accounts of nothing, and files for no one.
func badTrainings() []row {
	const times = `"startTime": "2099-01-05T09:00:00Z", "endTime": "2099-01-05T12:00:00Z"`
	session := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateSession", `{"parent": "$advanced", "session": {`+fields+`}}`, code, reason, says)
	}
	book := func(name, person, session string, code codes.Code, reason, says string) row {
		return bad(name, "BookEnrolment", `{"name": "$advanced/enrolments/`+person+`", "session": "`+session+`"}`, code, reason, says)
	}
	attend := func(name, session, present string, code codes.Code, reason, says string) row {
		return bad(name, "RecordAttendance", `{"name": "`+session+`", "present": [`+present+`]}`, code, reason, says)
	}
	assess := func(name, assessments string, code codes.Code, reason, says string) row {
		return bad(name, "RecordAssessments", `{"training": "$advanced", "assessments": [`+assessments+`]}`, code, reason, says)
	}
	account := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "RecordProvisionings", `{"parent": "$ws", `+fields+`}`, code, reason, says)
	}
	cohort := func(name, fields, reason, says string) row {
		return bad(name, "CreateCohort", `{"parent": "$ws", "cohort": {`+fields+`}}`, invalid, reason, says)
	}
	future := time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	file := base64.StdEncoding.EncodeToString([]byte("person\np1\n"))
	return []row{
		session("a session that ends before it begins", `"startTime": "2099-01-05T12:00:00Z", "endTime": "2099-01-05T09:00:00Z", "seats": 1`, invalid, "DATE_INVALID", "correct end_time").at("session.end_time"),
		session("a session without a time", `"seats": 1`, invalid, "REQUIRED_FIELD", "start_time"),
		session("a session without seats", times, invalid, "REQUIRED_FIELD", "the training has none").at("session.seats"),
		session("a session with fewer than none", times+`, "seats": -1`, invalid, "INVALID_FIELD", "seats"),
		session("a trainer who is not there", times+`, "seats": 1, "trainer": "$ws/resources/none"`, invalid, "REFERENCE_NOT_FOUND", "none").at("session.trainer"),
		session("a trainer of another workspace", times+`, "seats": 1, "trainer": "$other/resources/ada"`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("session.trainer"),
		bad("a session of no training", "CreateSession", `{"parent": "$ws/trainings/none", "session": {`+times+`, "seats": 1}}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a session of a retired training", "CreateSession", `{"parent": "$old", "session": {`+times+`, "seats": 1}}`, precondition, "STATE_FORBIDS", "no longer given"),
		bad("a session to be held by its client", "UpdateSession", `{"session": {"name": "$off", "place": "Room 1"}}`, precondition, "STATE_FORBIDS", "only a SCHEDULED one"),
		bad("fewer seats than are taken", "UpdateSession", `{"session": {"name": "$monday", "seats": 0}, "updateMask": "seats"}`, invalid, "REQUIRED_FIELD", "the training has none"),
		bad("deleting a session with people", "DeleteSession", `{"name": "$monday"}`, precondition, "RESOURCE_IN_USE", "remove that first"),
		bad("cancelling twice", "CancelSession", `{"name": "$off", "reason": "again"}`, precondition, "STATE_FORBIDS", "CANCELLED"),
		bad("cancelling without a reason", "CancelSession", `{"name": "$monday"}`, invalid, "INVALID_FIELD", "reason"),
		bad("cancelling what changed", "CancelSession", `{"name": "$monday", "reason": "x", "etag": "\"stale\""}`, aborted, "ETAG_MISMATCH", "read it again"),
		book("a seat that is taken", "p2", "$monday", precondition, "SEATS_FULL", "book another one"),
		book("a seat in a session that is off", "p2", "$off", precondition, "STATE_FORBIDS", "book another one"),
		book("a seat in the past", "p2", "$past", precondition, "STATE_FORBIDS", "book another one"),
		book("a seat of another training", "p2", "$elsewhere", invalid, "OTHER_TRAINING", "advanced").at("session"),
		book("a seat in no session", "p2", "$advanced/sessions/none", invalid, "REFERENCE_NOT_FOUND", "none").at("session"),
		book("a seat for nobody", "p3", "$monday", notFound, "RESOURCE_NOT_FOUND", "p3"),
		book("a seat in nothing", "p2", "", invalid, "INVALID_FIELD", "session"),
		attend("coming before it begins", "$monday", `"$p1"`, precondition, "SESSION_TO_COME", "when it has begun"),
		attend("coming to what is off", "$off", ``, precondition, "STATE_FORBIDS", "held only from"),
		attend("coming without a seat", "$past", `"$p2"`, precondition, "NOT_BOOKED", "book one first").at("present[0]"),
		attend("somebody unknown who came", "$past", `"$ws/people/none"`, invalid, "PERSON_UNKNOWN", "create the person").at("present[0]"),
		attend("somebody who came twice", "$past", `"$p1", "$p1"`, invalid, "INVALID_FIELD", "present"),
		assess("a score of who is booked only", `{"person": "$p1", "score": 0.9}`, precondition, "STATE_FORBIDS", "BOOKED"),
		assess("a score off the scale", `{"person": "$p2", "score": 1.5}`, invalid, "INVALID_FIELD", "score"),
		assess("a score from the future", `{"person": "$p2", "score": 0.5, "assessTime": "`+future+`"}`, invalid, "TIME_IN_FUTURE", "when it has happened").at("assessments[0].assess_time"),
		assess("two scores", `{"person": "$p2", "score": 0.5}, {"person": "$p2", "score": 0.9}`, invalid, "PERSON_DUPLICATE", "one assessment each").at("assessments[1].person"),
		assess("a score of somebody unknown", `{"person": "$ws/people/none", "score": 0.5}`, invalid, "PERSON_UNKNOWN", "create the person").at("assessments[0].person"),
		bad("declining without a reason", "DeclineEnrolment", `{"name": "$advanced/enrolments/p1"}`, invalid, "INVALID_FIELD", "reason"),
		bad("asking again who is booked", "ReassignEnrolment", `{"name": "$advanced/enrolments/p1"}`, precondition, "STATE_FORBIDS", "is BOOKED"),
		bad("letting off who is booked", "WaiveEnrolment", `{"name": "$advanced/enrolments/p1", "reason": "on leave"}`, precondition, "STATE_FORBIDS", "let off only from ASSIGNED").as("approver"),
		bad("counting a cohort that is not there", "CountEnrolments", `{"training": "$advanced", "cohort": "$ws/cohorts/none"}`, invalid, "REFERENCE_NOT_FOUND", "none").at("cohort"),
		bad("a pass mark above all", "UpdateTraining", `{"training": {"name": "$advanced", "passMark": 2}}`, invalid, "INVALID_FIELD", "pass_mark"),
		account("an account in nothing", `"application": "$advanced", "provisionings": [{"person": "$p1"}]`, invalid, "INVALID_NAME", "workspaces/{workspace}/applications").at("application"),
		account("an account in another workspace", `"application": "$other/applications/crm", "provisionings": [{"person": "$p1"}]`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("application"),
		account("an account of nobody", `"application": "$crm", "provisionings": []`, invalid, "INVALID_FIELD", "provisionings"),
		account("an account of somebody unknown", `"application": "$crm", "provisionings": [{"person": "$ws/people/none"}]`, invalid, "PERSON_UNKNOWN", "create the person").at("provisionings[0].person"),
		account("an account twice", `"application": "$crm", "provisionings": [{"person": "$p1"}, {"person": "$p1"}]`, invalid, "PERSON_DUPLICATE", "once").at("provisionings[1].person"),
		account("an account from the future", `"application": "$crm", "provisionings": [{"person": "$p1", "provisionTime": "`+future+`"}]`, invalid, "TIME_IN_FUTURE", "when it has happened").at("provisionings[0].provision_time"),
		cohort("a zone that is none", `"timeZone": "Mars/Olympus"`, "TIME_ZONE_UNKNOWN", "Europe/Berlin"),
		cohort("a blackout on no day", `"blackouts": [{"startDate": "2026-02-30", "endDate": "2026-03-01", "reason": "x"}]`, "DATE_INVALID", "correct it"),
		cohort("a blackout that ends before it begins", `"blackouts": [{"startDate": "2026-03-02", "endDate": "2026-03-01", "reason": "x"}]`, "DATE_INVALID", "correct it"),
		cohort("a blackout without a reason", `"blackouts": [{"startDate": "2026-03-02", "endDate": "2026-03-03"}]`, "INVALID_FIELD", "reason"),
		cohort("no capacity at all", `"changeCapacity": 0`, "INVALID_FIELD", "change_capacity"),
		bad("a file of many cohorts for no workspace", "ImportMemberships", `{"parent": "cohorts/-", "csv": "`+file+`"}`, invalid, "INVALID_FIELD", "workspaces/{workspace}"),
		bad("a page that nobody gave", "ExportMemberships", `{"parent": "$sales", "pageToken": "guess"}`, invalid, "INVALID_PAGE_TOKEN", "begin again"),
		bad("a page of another file", "ExportPeople", `{"parent": "$ws", "pageToken": "$long"}`, invalid, "INVALID_PAGE_TOKEN", "begin again"),
		bad("a viewer who reads who failed", "ExportEnrolments", `{"parent": "$advanced"}`, denied, "PERMISSION_DENIED", "implementation.enrolments.export").as("viewer"),
		bad("a viewer who counts accounts", "CountProvisionings", `{"parent": "$ws", "application": "$crm"}`, denied, "PERMISSION_DENIED", "implementation.provisionings.count").as("viewer"),
	}
}
