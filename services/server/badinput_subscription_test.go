package server_test

// seedSubscriptions makes one that is disabled, so that nothing moves because of it.
func (w *badWorld) seedSubscriptions() {
	w.Helper()
	w.make("sponsor", "CreateSubscription", `{"parent": "$ws", "subscriptionId": "sponsor", "subscription": {"email": {"recipients": ["sponsor@example.com"]}, "types": ["implementation.decision."]}}`)
	w.make("sponsor", "DisableSubscription", `{"name": "$sponsor", "reason": "nobody listens"}`)
}

// badSubscriptions are events that lead nowhere, or where nobody may be led to.
func badSubscriptions() []row {
	create := func(name, fields, reason, says, at string) row {
		return bad(name, "CreateSubscription", `{"parent": "$ws", "subscription": {`+fields+`}}`, invalid, reason, says).at("subscription." + at)
	}
	hook := func(name, url, says string) row {
		return create(name, `"webhook": {"url": "`+url+`"}`, "ADDRESS_REFUSED", says, "webhook.url")
	}
	const mail = `"email": {"recipients": ["sponsor@example.com"]}`
	return []row{
		create("a subscription of nobody", `"displayName": "x"`, "REQUIRED_FIELD", "webhook", "destination"),
		create("a webhook without an address", `"webhook": {}`, "INVALID_FIELD", "url", "webhook.url"),
		create("a webhook to no address", `"webhook": {"url": "mailto:ops@example.com"}`, "INVALID_FIELD", "url", "webhook.url"),
		hook("a webhook to this machine", "https://127.0.0.1/hook", "private"),
		hook("a webhook to this machine by its name", "https://localhost/hook", "private"),
		hook("a webhook into the private network", "https://192.168.1.1/hook", "private"),
		hook("a webhook to the secrets of a cloud", "https://169.254.169.254/latest/meta-data", "link-local"),
		hook("a webhook in plain text", "http://203.0.113.7/hook", "https"),
		hook("a webhook with a password", "https://me:secret@203.0.113.7/hook", "password"),
		create("a webhook that has no time", `"webhook": {"url": "https://203.0.113.7/", "timeout": "0s"}`, "INVALID_FIELD", "timeout", "webhook.timeout"),
		create("a chat without an address", `"slack": {}`, "REQUIRED_FIELD", "incoming webhook", "slack.url"),
		create("a chat inside", `"slack": {"url": "https://10.0.0.1/T000/secret"}`, "ADDRESS_REFUSED", "private", "slack.url"),
		create("a mailbox of nobody", `"email": {"recipients": []}`, "INVALID_FIELD", "recipients", "email.recipients"),
		create("a mailbox that is none", `"email": {"recipients": ["somebody"]}`, "INVALID_FIELD", "recipients", "email.recipients[0]"),
		create("a type that is none", mail+`, "types": ["wave sealed"]`, "INVALID_FIELD", "deployment.wave.sealed", "types"),
		create("a prefix without its dot", mail+`, "types": ["deployment"]`, "INVALID_FIELD", "ends in a dot", "types"),
		create("events about single people", mail+`, "types": ["implementation.enrolment."]`, "INVALID_FIELD", "single people", "types"),
		create("what is about single people", mail+`, "resources": ["workspaces/default/people/p-1"]`, "INVALID_FIELD", "single people", "resources"),
		create("events of another workspace", mail+`, "resources": ["workspaces/elsewhere/applications/crm"]`, "INVALID_FIELD", "workspaces/default", "resources"),
		bad("a subscription as a viewer", "CreateSubscription", `{"parent": "$ws", "subscription": {`+mail+`}}`, denied, "PERMISSION_DENIED", "implementation.subscriptions.create").as("viewer"),
		bad("a mailbox that becomes a webhook", "UpdateSubscription", `{"subscription": {"name": "$sponsor", "webhook": {"url": "https://203.0.113.7/"}}, "updateMask": "webhook"}`, invalid, "IMMUTABLE_FIELD", "mailbox").at("subscription.destination"),
		bad("a secret of a mailbox", "RotateSubscription", `{"name": "$sponsor"}`, precondition, "NO_SECRET", "not signed"),
		bad("two secrets for a month", "RotateSubscription", `{"name": "$sponsor", "overlap": "2592000s"}`, invalid, "INVALID_FIELD", "overlap").at("overlap"),
		bad("a test of what is disabled", "TestSubscription", `{"name": "$sponsor"}`, precondition, "STATE_FORBIDS", "enable"),
		bad("a test of nothing", "TestSubscription", `{"name": "$ws/subscriptions/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("disabling for no reason", "DisableSubscription", `{"name": "$sponsor"}`, invalid, "INVALID_FIELD", "reason").at("reason"),
		bad("redelivering nothing", "RedeliverEventDelivery", `{"name": "$sponsor/eventDeliveries/none"}`, precondition, "STATE_FORBIDS", "disabled"),
		bad("a delivery that is none", "GetEventDelivery", `{"name": "$sponsor/eventDeliveries/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("deliveries by what nobody keeps", "ListEventDeliveries", `{"parent": "$sponsor", "filter": "colour = 1"}`, invalid, "INVALID_FILTER", "colour").at("filter"),
	}
}
