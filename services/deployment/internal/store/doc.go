// Package store keeps what the deployment service knows. Resources are stored as
// the messages of the contract, through package resource: a kind of each stands in the file of its noun.
// What is hot has rows of its own without a message: installations, their steps, what
// runs in each slot of a target, and approvals.
//
// Every change of state is one statement that names the states it starts from, so a
// late writer can never take something back that has ended; and the event that tells
// of it is appended in the same transaction.
package store
