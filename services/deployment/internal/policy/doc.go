// Package policy says what is allowed, and when. It is the one evaluator of windows of
// time, stopped lines and rules: the engine asks it inside the transaction that acts, the API
// asks it "may I deploy on Friday at 18:00?", and both hear the same.
//
//	local.go     local times: what exists twice, or never, on the nights when clocks change
//	window.go    a window, once or recurring, and when it next opens or closes
//	windows.go   several of them together
//	rule.go      CEL rules, compiled once and bounded in cost
//	policy.go    a policy made ready, and kept so while it does not change
//	override.go  whom an override opens what for
//	set.go       all of it together: allowed or not, why, and until when
//
// It is pure: the time comes in as an argument. Time zones are those that are built into
// the program, so that a host without zone files answers the same.
package policy
