package server_test

import (
	"encoding/base64"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
)

// seedReach makes somebody with an address, somebody who was erased, a stakeholder, and communications of every age.
func (w *badWorld) seedReach() {
	w.Helper()
	for _, id := range []string{"reached", "gone"} {
		w.make(id, "CreatePerson", `{"parent": "$ws", "personId": "`+id+`", "person": {}}`)
	}
	w.make("reachedContact", "SetContact", `{"name": "$ws/contacts/reached", "email": "reached@people.example.com"}`)
	w.allowed(w.implementation, "ErasePerson", `{"name": "$gone", "reason": "smoke"}`)
	w.make("head", "CreateStakeholder", `{"parent": "$project", "stakeholderId": "head", "stakeholder": {"influence": 5}}`)
	w.make("strange", "CreateImplementation", `{"parent": "$ws", "implementationId": "strange", "implementation": {}}`)
	w.make("stranger", "CreateStakeholder", `{"parent": "$strange", "stakeholderId": "head", "stakeholder": {"influence": 5}}`)
	w.make("deserted", "CreateCohort", `{"parent": "$ws", "cohortId": "deserted", "cohort": {}}`)

	w.make("void", "CreateCommunication", `{"parent": "$project", "communicationId": "void", "communication": {"channel": "EMAIL", "subject": "x", "body": "x"}}`)
	w.make("mute", "CreateCommunication", `{"parent": "$project", "communicationId": "mute", "communication": {"channel": "EMAIL", "audience": {"people": ["$reached"]}}}`)
	w.make("desert", "CreateCommunication", `{"parent": "$project", "communicationId": "desert", "communication": {"channel": "EMAIL", "subject": "x", "body": "x", "audience": {"cohorts": ["$deserted"]}}}`)
	w.make("sentOut", "CreateCommunication", `{"parent": "$project", "communicationId": "sent-out", "communication": {"channel": "EMAIL", "subject": "x", "body": "x", "audience": {"people": ["$reached"]}}}`)
	w.make("sentOut", "SendCommunication", `{"name": "$sentOut"}`)
	w.make("townHall", "CreateCommunication", `{"parent": "$project", "communicationId": "town-hall", "communication": {"channel": "MEETING", "audience": {"stakeholders": ["$head"]}}}`)
	w.make("townHall", "SendCommunication", `{"name": "$townHall"}`)
}

// badReach are addresses that are none, messages to nobody, and what was said twice.
func badReach() []row {
	contact := func(name, email, reason string) row {
		return bad(name, "SetContact", `{"name": "$ws/contacts/reached", "email": "`+email+`"}`, invalid, reason, "email").at("email")
	}
	stakeholder := func(name, fields, reason, says, at string) row {
		return bad(name, "CreateStakeholder", `{"parent": "$project", "stakeholder": {`+fields+`}}`, invalid, reason, says).at(at)
	}
	communication := func(name, fields, reason, says, at string) row {
		return bad(name, "CreateCommunication", `{"parent": "$project", "communication": {`+fields+`}}`, invalid, reason, says).at(at)
	}
	deliver := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "RecordDelivery", `{`+fields+`}`, code, reason, says)
	}
	call := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "InvitePeople", `{"parent": "$ws", `+fields+`}`, code, reason, says)
	}
	future := time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	return []row{
		contact("an address that is none", "reached", "ADDRESS_INVALID"),
		contact("an address with a name", "Ada <ada@people.example.com>", "ADDRESS_INVALID"),
		contact("two addresses", "ada@people.example.com,bob@people.example.com", "ADDRESS_INVALID"),
		contact("an address that breaks the line", `ada@people.example.com\r\nBcc: eve@example.com`, "ADDRESS_INVALID"),
		contact("an address without a domain", "ada@localhost", "ADDRESS_INVALID"),
		contact("an address that is endless", strings.Repeat("a", 300)+"@example.com", "INVALID_FIELD"),
		contact("no address", "", "INVALID_FIELD"),
		bad("an address of nobody", "SetContact", `{"name": "$ws/contacts/nobody", "email": "ada@people.example.com"}`, invalid, "PERSON_UNKNOWN", "create the person first").at("name"),
		bad("an address of somebody who was erased", "SetContact", `{"name": "$ws/contacts/gone", "email": "ada@people.example.com"}`, invalid, "PERSON_UNKNOWN", "gone"),
		bad("a language that is none", "SetContact", `{"name": "$ws/contacts/reached", "email": "ada@people.example.com", "language": "klingon!"}`, invalid, "LANGUAGE_INVALID", "de or pt-BR").at("language"),
		bad("an address that changed", "SetContact", `{"name": "$ws/contacts/reached", "email": "ada@people.example.com", "etag": "stale"}`, aborted, "ETAG_MISMATCH", "read it again"),
		bad("reading an address as a viewer", "GetContact", `{"name": "$ws/contacts/reached"}`, denied, "PERMISSION_DENIED", "implementation.contacts.get").as("viewer"),
		bad("opting nobody out", "OptOutContact", `{"name": "$ws/contacts/p3"}`, notFound, "RESOURCE_NOT_FOUND", "p3"),
		bad("a file of contacts that is none", "ImportContacts", `{"parent": "$ws", "csv": ""}`, invalid, "INVALID_FIELD", "csv").at("csv"),
		bad("a column that is no field", "ImportContacts", `{"parent": "$ws", "csv": "`+base64.StdEncoding.EncodeToString([]byte("person,email\n"))+`", "columns": {"phone": "Phone"}}`, invalid, "UNKNOWN_FIELD", "person, email, language").at("columns"),

		stakeholder("no influence", `"displayName": "x"`, "REQUIRED_FIELD", "influence", "stakeholder.influence"),
		stakeholder("too much influence", `"influence": 6`, "INVALID_FIELD", "less than or equal to 5", "stakeholder.influence"),
		stakeholder("a stance out of range", `"influence": 1, "stance": 9`, "INVALID_FIELD", "stance", "stakeholder.stance"),
		stakeholder("a person who is not there", `"influence": 1, "person": "$ws/people/nobody"`, "REFERENCE_NOT_FOUND", "nobody", "stakeholder.person"),
		stakeholder("a person of another workspace", `"influence": 1, "person": "$otherPerson"`, "OTHER_WORKSPACE", "workspaces/default", "stakeholder.person"),
		bad("recording no stance", "RecordStance", `{"name": "$head"}`, invalid, "INVALID_FIELD", "stance").at("stance"),
		bad("recording a stance of nobody", "RecordStance", `{"name": "$project/stakeholders/none", "stance": "NEUTRAL"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a note without an end", "RecordStance", `{"name": "$head", "stance": "NEUTRAL", "note": "`+strings.Repeat("x", 1001)+`"}`, invalid, "INVALID_FIELD", "note").at("note"),
		bad("a note with a zero byte", "RecordStance", `{"name": "$head", "stance": "NEUTRAL", "note": "a\u0000b"}`, invalid, "INVALID_FIELD", "zero byte").at("note"),
		bad("a talk that is to come", "RecordContact", `{"name": "$head", "contactTime": "`+future+`"}`, invalid, "TIME_IN_FUTURE", "when it has happened").at("contact_time"),
		bad("changing a stance without a word", "UpdateStakeholder", `{"stakeholder": {"name": "$head", "stance": "CHAMPION"}, "updateMask": "stance"}`, invalid, "IMMUTABLE_FIELD", "stance"),

		communication("a subject of two lines", `"channel": "EMAIL", "subject": "a\r\nBcc: eve@example.com"`, "INVALID_FIELD", "subject", "communication.subject"),
		communication("no channel", `"subject": "a"`, "REQUIRED_FIELD", "channel", "communication.channel"),
		communication("a cohort that is not there", `"channel": "EMAIL", "audience": {"cohorts": ["$ws/cohorts/none"]}`, "REFERENCE_NOT_FOUND", "none", "communication.audience.cohorts[0]"),
		communication("people who are not there", `"channel": "EMAIL", "audience": {"people": ["$reached", "$ws/people/nobody"]}`, "PERSON_UNKNOWN", "nobody", "communication.audience.people[1]"),
		communication("somebody twice", `"channel": "EMAIL", "audience": {"people": ["$reached", "$reached"]}`, "INVALID_FIELD", "people", "communication.audience.people"),
		communication("a stakeholder of another implementation", `"channel": "EMAIL", "audience": {"stakeholders": ["$stranger"]}`, "REFERENCE_NOT_FOUND", "another implementation", "communication.audience.stakeholders[0]"),
		bad("sending to nobody", "SendCommunication", `{"name": "$void"}`, invalid, "AUDIENCE_EMPTY", "name cohorts, stakeholders or people").at("communication.audience"),
		bad("sending to an empty cohort", "SendCommunication", `{"name": "$desert"}`, invalid, "AUDIENCE_EMPTY", "add people to its cohorts"),
		bad("sending nothing", "SendCommunication", `{"name": "$mute"}`, invalid, "MESSAGE_EMPTY", "give it a subject and a body"),
		bad("sending twice", "SendCommunication", `{"name": "$sentOut"}`, precondition, "STATE_FORBIDS", "only from DRAFT or SCHEDULED"),
		bad("sending as a viewer", "SendCommunication", `{"name": "$mute"}`, denied, "PERMISSION_DENIED", "implementation.communications.send").as("viewer"),
		bad("planning without a time", "ScheduleCommunication", `{"name": "$mute"}`, invalid, "REQUIRED_FIELD", "send_time").at("send_time"),
		bad("planning to send to nobody", "ScheduleCommunication", `{"name": "$void", "sendTime": "`+future+`"}`, invalid, "AUDIENCE_EMPTY", "name cohorts"),
		bad("changing what was sent", "UpdateCommunication", `{"communication": {"name": "$sentOut", "body": "never mind"}, "updateMask": "body"}`, precondition, "STATE_FORBIDS", "create another one"),
		bad("deleting what was sent", "DeleteCommunication", `{"name": "$sentOut"}`, precondition, "STATE_FORBIDS", "only a DRAFT"),
		bad("giving up without a reason", "CancelCommunication", `{"name": "$sentOut"}`, invalid, "INVALID_FIELD", "reason").at("reason"),
		bad("giving up what was said", "CancelCommunication", `{"name": "$townHall", "reason": "x"}`, precondition, "STATE_FORBIDS", "SENT"),
		deliver("counting before it was sent", `"name": "$mute", "deliveredCount": 1`, precondition, "STATE_FORBIDS", "after it was sent"),
		deliver("reaching more than there are", `"name": "$townHall", "deliveredCount": 2`, invalid, "COUNT_INVALID", "count again"),
		deliver("reaching less than nobody", `"name": "$townHall", "deliveredCount": -1`, invalid, "INVALID_FIELD", "delivered_count"),
		deliver("more readers than were reached", `"name": "$townHall", "deliveredCount": 1, "readCount": 2`, invalid, "COUNT_INVALID", "were reached"),
		deliver("counting what was not handed over", `"name": "$sentOut", "deliveredCount": 1`, invalid, "COUNT_INVALID", "handed over"),
		deliver("a cohort that was not told", `"name": "$townHall", "cohort": "$sales", "deliveredCount": 1`, invalid, "REFERENCE_NOT_FOUND", "no cohort of the audience"),

		call("inviting to a cohort", `"about": "$sales"`, invalid, "ABOUT_INVALID", "no training or session"),
		call("inviting to nothing", `"about": ""`, invalid, "INVALID_FIELD", "about"),
		call("inviting to a draft", `"about": "$draft"`, precondition, "STATE_FORBIDS", "publish it first"),
		call("inviting to a session that is off", `"about": "$off"`, precondition, "ABOUT_INVALID", "one that is to come"),
		call("inviting into another workspace", `"about": "$otherTraining"`, invalid, "ABOUT_INVALID", "workspaces/default"),
		call("inviting nobody who is known", `"about": "$advanced", "people": ["$ws/people/nobody"]`, invalid, "PERSON_UNKNOWN", "nobody"),
		call("inviting a cohort of another workspace", `"about": "$advanced", "cohort": "$otherCohort"`, invalid, "OTHER_WORKSPACE", "workspaces/default"),
		call("an invitation with a zero byte", `"about": "$advanced", "note": "a\u0000b"`, invalid, "INVALID_FIELD", "zero byte"),
		call("a link that runs a script", `"about": "$advanced", "link": "javascript:alert(1)"`, invalid, "INVALID_FIELD", "link"),
		call("a link of two lines", `"about": "$advanced", "link": "https://example.com/\r\nBcc: eve@example.com"`, invalid, "INVALID_FIELD", "link"),
		bad("reminding of nothing that is there", "RemindPeople", `{"parent": "$ws", "about": "$ws/trainings/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a message that is not there", "RecordBounce", `{"name": "$ws/mails/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("taking messages as a viewer", "HandOverMails", `{"parent": "$ws"}`, denied, "PERMISSION_DENIED", "implementation.mails.handOver").as("viewer"),

		bad("erasing nobody", "ErasePerson", `{"name": "$ws/people/nobody"}`, notFound, "RESOURCE_NOT_FOUND", "nobody"),
		bad("erasing as an operator", "ErasePerson", `{"name": "$reached"}`, denied, "PERMISSION_DENIED", "implementation.people.erase").as("operator"),
		bad("a pseudonym that is retired", "CreatePerson", `{"parent": "$ws", "personId": "gone", "person": {}}`, precondition, "PERSON_ERASED", "give another one"),
		bad("a receipt that is not there", "GetErasure", `{"name": "$ws/erasures/reached"}`, notFound, "RESOURCE_NOT_FOUND", "reached"),
	}
}
