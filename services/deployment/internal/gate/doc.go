// Package gate judges what a wave waits for. A type of gate is a file, with two halves:
//
//   - the facts: a struct, and a reader that fills it from the store or over the network;
//   - the judge: a pure function of the wave, the rule, the facts and the time, that returns a
//     verdict with its evidence, and reasons that each name what is true, what is required, who
//     can move it and the command that helps.
//
// Gates that the database alone can judge are judged by Judge in the transaction that decides, so
// that nothing changes between the look and the start of the wave. The others are asked by Ask between
// transactions; package rollout records the answer with its age, and asks again before it starts a wave by it.
//
//	implementation.go     the people, and who has decided, asked of the implementation service
//	prior_environment.go  the release has stood elsewhere
//	dependency.go         another application is at a version
//	integrity.go          archives and signatures
//	compatibility.go      hosts that cannot run it
//	capacity.go, load.go  what remains can carry the load, and how that is measured
//	migration.go          migrations have run
//	feedback.go           users are content
//	webhook.go            a system outside agrees
//	rule.go, window.go    an expression, a time
//
// Approvals, bakes, earlier waves and their analyses need no facts but the deployment's own; they are in package rollout.
package gate
