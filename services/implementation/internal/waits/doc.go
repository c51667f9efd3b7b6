// Package waits says what a stage or a task of a plan waits for: the stages and tasks before it, its exit
// criteria, a date, a person, and what the rollout has to show first. It is pure: what the deployment
// service said, and when it was asked, comes in; statuses, reasons and verdicts come out.
//
// What is about machines ages by the clock of this side alone. An answer is good for its ttl from the
// moment it was asked for, so a clock of the other side that is wrong does no harm, and silence is UNKNOWN
// as soon as the ttl is over.
//
//	answer ──▶ Hold.Next ──▶ how long all of it has held ─┐
//	     └──────────────────────────────────────────────▶ Judge ──▶ status of the condition ──▶ BlockedBy, Verdict
package waits
