// Package decision judges go/no-go decisions: which word may be said when, on which evidence it stands, when it
// ceases to count, and what it tells a gate. It is pure: decisions, verdicts and the time come in.
//
//	            ┌──────────────── reopened ◀───────────────┐
//	            ▼                                          │
//	PENDING ──decided──▶ GO, CONDITIONAL_GO ──expired──▶ EXPIRED
//	   ▲    └─decided──▶ NO_GO
//	   └─── reopened ──────┘            all ──withdrawn──▶ WITHDRAWN
//
// What a decision stood on is frozen as bytes. A verdict is compared with its frozen self by its gist only (package evidence),
// since numbers move all the time. What is better than it was expires nothing; what is worse does (change.go);
// and silence holds the gate without expiring what a person decided, so that an outage heals by itself.
package decision
