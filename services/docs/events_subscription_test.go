package docs

// toldOfSubscriptions are the events of who is told of events. None holds a secret.
func toldOfSubscriptions() map[string]string {
	return map[string]string{
		"implementation.subscription.enabled":  "It delivers again.",
		"implementation.subscription.disabled": "It delivers no more: a person said so, or its receiver answered 410 Gone; the cause says which.",
		"implementation.subscription.rotated":  "It has a new signing secret, which is not in it.",
	}
}
