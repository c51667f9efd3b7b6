// Package simulator tries to break the deployment engine. From one seed it draws a fleet,
// rollouts, people, a network, a disk and their faults, and drives the real engine over the
// real store (SQLite) through them. Nothing in it runs by itself: the engine is called, its
// wakes are served and messages arrive in the order that the seed says, on a clock that
// only the simulator moves. So a seed is a life, and the same seed is the same life, byte for byte.
//
// # A guided tour
//
// A [Bench] is a database that is made once and put back between seeds; disk.go stands
// between it and the files and can lose it, delay it, or let a server die on either side of
// a commit. [Bench.Run] builds a world (world.go) and lets its events happen (agenda.go):
//
//	server.go   replicas of the engine, each with its clock, and the streams they hold
//	wire.go     what becomes of messages: lost, doubled, late, in another order
//	agent.go    an agent as services/agent has it: journal, epochs, kept reports; work.go what it does
//	host.go     processes, which outlive agents, ignore signals, fall ill and die
//	people.go   operators, approvers, and the other service with its verdicts; other.go: how that one is not well
//	plan.go     rollouts
//
// After every step that wrote something all invariants are checked (invariant.go, each a
// function of its own); when the time of faults is over the world heals, and then everything
// has to end (healed.go). [FailureModes] says which function answers for which failure
// mode that was seen elsewhere.
//
// Agents are modelled, not run: services/agent is a world of files and processes with tests
// of its own. The model keeps to what that one does between two journal entries, because
// that is all that the server can notice.
package simulator
