package docs

// toldOfReach are the events of reaching people and of forgetting them.
func toldOfReach() map[string]string {
	return map[string]string{
		"implementation.stakeholder.stanceRecorded": "How they stand was recorded; the note is not in it.",
		"implementation.stakeholder.contacted":      "Somebody was in touch, or they acted.",
		"implementation.stakeholder.erased":         "The person was erased, and with them what was noted here.",
		"implementation.communication.scheduled":    "It is sent at its time.",
		"implementation.communication.released":     "It is being sent, or was told otherwise than by mail.",
		"implementation.communication.counted":      "Its counts changed.",
		"implementation.communication.sent":         "None of its messages waits any more.",
		"implementation.communication.cancelled":    "It was given up; what still waited is not sent.",
		"implementation.erasure.created":            "A person is being erased; it names the pseudonym alone.",
		"implementation.erasure.completed":          "All is removed; it holds the receipt.",
		"implementation.person.erased":              "The pseudonym is retired for ever.",
		"implementation.membership.erased":          "A member was erased: nobody's name.",
		"implementation.enrolment.erased":           "Somebody who still had to come was erased: nobody's name.",
		"implementation.enrolment.unlinked":         "Somebody who had come was erased; the row counts on without them.",
	}
}
