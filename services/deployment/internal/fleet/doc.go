// Package fleet speaks with the agents: golive.agent.v1 on the agent port.
//
// Agents call, the server never does. The truth is in the database; what goes
// over a stream are hints and results. So everything here may be lost at any
// moment without harm, and is bounded: an agent that is slow, silent or hostile
// costs its own stream and nobody else's.
//
//	        Connect: a stream an agent, two goroutines each
//	agent ──Hello──▶ admit ──Welcome──▶ receive ─┬─ reports ──▶ reports.go: Work.Apply, in batches ──Ack──▶ agent
//	                   │                         ├─ output, probes ──▶ ingest.go: metrics, in batches
//	                   │                         └─ heartbeats ──▶ when it was heard last
//	                   └─▶ presence.go: who is connected, with a lease
//	engine ──Hint──▶ dispatch.go: Work.Pending, in batches ──▶ Command ──▶ agent
//	event log ──▶ watch.go: deleted, enrolled anew, targets moved: the stream is cut
//
// Rules that hold here:
//
//   - A report is acknowledged after it is durable, never before. Reports of one
//     agent are applied in the order they came in.
//   - An agent hears commands for its own targets only, and what it says of
//     others' is dropped.
//   - One identity has one stream. A process that connects again (the same boot
//     id) supersedes itself. Two processes that are both alive (two boot ids) are
//     quarantined together until a person releases them (admit.go).
//   - An agent behind a proxy that breaks streams polls (poll.go); its session lives
//     from call to call, under the same rules.
//   - An agent whose certificate ended, who was deleted, or who is silent for three
//     heartbeats has no stream.
package fleet
