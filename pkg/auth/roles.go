package auth

import "strings"

// Role is what a principal may do inside a workspace.
type Role string

// The roles.
//
//	              read  private  change  decide  govern  gates  agent port
//	Viewer         ✓                                       ✓
//	Operator       ✓      ✓        ✓                       ✓
//	Approver       ✓      ✓                ✓               ✓
//	Admin          ✓      ✓        ✓       ✓       ✓       ✓
//	Service        ✓                                       ✓
//	Agent                                                         ✓
//
// read is get, list, watch and their like; private is reading what is about one
// person (enrolments, contacts, stakeholders); change is create, update, delete and running things;
// decide is approving, deciding and overriding, apart from change so that who
// makes a release does not also wave it through; govern is tokens, abandoning a
// deployment, policies, and every verb that the lists below do not know. Whoever changes
// things may stop the line; who decides lets it go on. The agent port
// belongs to agents alone: no person can act as a host.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
	Approver Role = "approver"
	Admin    Role = "admin"
	Service  Role = "service"
	Agent    Role = "agent"
)

// class is a column of the table at Role.
type class int

const (
	govern class = iota // the zero value: what is unknown takes an admin
	read
	private
	change
	decide
	gates
	agentPort
	whoami
	malformed
)

// Allows tells whether the role holds the permission, `<service>.<collection>.<verb>`.
func Allows(role Role, permission string) bool {
	c := classify(permission)
	switch role {
	case Viewer, Service:
		return c == read || c == gates || c == whoami
	case Operator:
		return c == read || c == private || c == change || c == gates || c == whoami
	case Approver:
		return c == read || c == private || c == decide || c == gates || c == whoami
	case Admin:
		return c != agentPort && c != malformed
	case Agent:
		return c == agentPort
	default:
		return false
	}
}

func classify(permission string) class {
	service, rest, _ := strings.Cut(permission, ".")
	collection, verb, _ := strings.Cut(rest, ".")
	switch {
	case service == "" || collection == "" || verb == "" || strings.Contains(verb, "."):
		return malformed
	case permission == "access.principals.get":
		return whoami // everybody may ask who they are
	case service == "agent":
		return agentPort
	case service == "access", collection == "secrets", collection == "joinTokens":
		return govern
	case service == "gate":
		return gates
	}
	c := verbClass(verb)
	switch {
	case c == read:
	case collection == "overrides", collection == "decisions" && verb == "reopen":
		return decide // whatever the verb: it opens what somebody closed
	case collection == "policies" && (verb == "create" || verb == "update" || verb == "delete"):
		return govern // who is bound by a freeze does not lift it
	}
	if c == read && AboutPersons(collection) {
		return private
	}
	return c
}

// AboutPersons says that what is kept there is about one person by nature.
func AboutPersons(collection string) bool {
	switch collection {
	case "enrolments", "completions", "contacts", "stakeholders", "provisionings", "mails", "erasures", "surveyResponses":
		return true
	default:
		return false
	}
}

// verbClass knows a verb by its whole (abandonRelease), or else by its first
// word (getLogs, pauseWave), after a leading batch (batchCreate).
func verbClass(verb string) class {
	if rest, ok := strings.CutPrefix(verb, "batch"); ok && rest != "" && isUpper(rest[0]) {
		verb = string(rest[0]|0x20) + rest[1:]
	}
	if c := wordClass(verb); c != govern {
		return c
	}
	for i := range len(verb) {
		if isUpper(verb[i]) {
			return wordClass(verb[:i])
		}
	}
	return govern
}

func wordClass(word string) class {
	switch word {
	case "get", "list", "watch", "search", "read", "explain", "why", "describe", "compare", "count",
		"query", "evaluateReadiness", "export", "preview", "diff", "plan", "check", "validate", "forecast", "simulate", "download", "compute", "summarize", "tail", "lint":
		return read
	case "create", "update", "delete", "undelete", "upload", "write", "apply", "import", "add", "remove", "set", "move",
		"start", "run", "pause", "resume", "cancel", "stop", "retry", "skip", "promote", "rollback", "revert", "seal", "freeze", "unfreeze", "abandonRelease",
		"archive", "activate", "deactivate", "publish", "retire", "schedule", "reschedule", "assign", "enrol", "record", "report", "send", "complete", "reopen",
		"close", "raise", "resolve", "triage", "acknowledge", "drain", "fence", "test", "bind", "unbind", "releaseQuarantine", "enable", "disable", "submit", "refresh", "evaluate", "engageStopLine",
		"review", "confirm", "hold", "sustain", "capture", "level", "mitigate", "dismiss", "mute", "unmute", "book", "attend", "decline", "reassign", "invite", "remind", "handOver", "claim", "ingest", "redeliver", "rotate", "optOut", "optIn", "open":
		return change
	case "approve", "reject", "decide", "waive", "override", "sign", "accept", "withdraw", "releaseStopLine", "verify", "reverse":
		return decide
	default: // abandon among them: it gives up on a deployment without an end that anybody saw
		return govern
	}
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// Reads tells whether a permission is for looking only, so that a call that
// found nobody may be repeated without harm.
func Reads(permission string) bool {
	switch classify(permission) {
	case read, private, gates, whoami:
		return true
	default:
		return false
	}
}
