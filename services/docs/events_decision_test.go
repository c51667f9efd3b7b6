package docs

// toldOfDecisions are the events of go/no-go decisions. Each holds the decision after it, with the evidence it stands on.
func toldOfDecisions() map[string]string {
	return map[string]string{
		"implementation.decision.decided":    "A person said go, go with conditions, or no-go; it holds the evidence of both halves.",
		"implementation.decision.confirmed":  "A condition is met, or that was taken back.",
		"implementation.decision.overridden": "A person broke the glass, with the reason, for 24 hours at most.",
		"implementation.decision.withdrawn":  "It was taken back for good.",
		"implementation.decision.reopened":   "It is to be decided again.",
		"implementation.decision.expired":    "Its date came, a condition is overdue, or its evidence got worse; the cause says which.",
	}
}
