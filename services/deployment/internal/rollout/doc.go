// Package rollout decides how a deployment goes on. It is pure: what is known
// comes in as Facts, what is to be done comes out as Effects, and nothing here reads
// a clock, a database or a network. The engine calls Advance inside the transaction
// that saves its result; the simulator drives the same function.
//
// # A guided tour
//
// Expand turns a preset (canary, rolling, by cohort, all at once) into the one
// model there is, a list of wave rules, and Assign deals the targets out to them. Both
// happen once, when a deployment is created; from then on only the snapshot counts.
// Incompatible says which targets cannot take the release, and why.
//
// Advance moves a State, that is one deployment with its waves, as far as the facts
// allow. It works on counts of installations, never on the installations, so a wave of
// ten thousand costs what a wave of ten does.
//
//	PENDING → PREFLIGHT → WAITING ⇄ RUNNING → FINALIZING → SUCCEEDED
//	                         │        │ │ └→ REVERTING → FAILED, ROLLBACK_FAILED
//	                         │        │ └→ FROZEN → RUNNING
//	                         │        └→ PAUSING → PAUSED → WAITING, RUNNING
//	                         └→ REJECTED, EXPIRED
//	(all of them)  → CANCELLING → CANCELLED;  ABANDONED;  ROLLED_BACK
//
// The legal moves of deployments, waves and installations are tables, in
// deployment_state.go, wave_state.go and installation_state.go. Terminal states have
// no moves: what has ended stays ended.
//
// Whatever waits says why: every call of Advance leaves blocked_by filled on each
// deployment and wave that is waiting, and empty on all others.
package rollout
