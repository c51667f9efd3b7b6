package server_test

import (
	"crypto/x509"
	"encoding/base64"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

// badReleases are releases, environments, targets and plans that make no sense.
func badReleases() []row {
	release := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateRelease", `{"parent": "$crm", "releaseId": "v9", "release": {`+fields+`}}`, code, reason, says)
	}
	plan := func(name, rollout string, code codes.Code, reason, says string) row {
		return bad(name, "CreateDeploymentPlan", `{"parent": "$ws", "deploymentPlan": {"rollout": `+rollout+`}}`, code, reason, says)
	}
	const both = `"artifacts": [{"os": "linux", "arch": "amd64", "format": "TAR_GZ", "sha256": "$sha"}, {"os": "linux", "arch": "amd64", "format": "TAR_ZST", "sha256": "$sha"}]`
	return []row{
		release("a release without an artifact", `"version": "9.0.0", `+runs, invalid, "REQUIRED_FIELD", "artifacts").at("release.artifacts"),
		release("a release that runs nothing", `"version": "9.0.0", `+uploaded, invalid, "REQUIRED_FIELD", "run").at("release.run.command"),
		release("a release without a version", uploaded+`, `+runs, invalid, "REQUIRED_FIELD", "version"),
		release("a version that is none", `"version": "latest", `+uploaded+`, `+runs, invalid, "INVALID_FIELD", "version").at("release.version"),
		release("an archive that was not uploaded", `"version": "9.0.0", `+absent+`, `+runs, precondition, "BLOB_NOT_FOUND", "upload it first"),
		release("a digest in capitals", `"version": "9.0.0", "artifacts": [{"os": "linux", "arch": "amd64", "sha256": "ABC"}], `+runs, invalid, "INVALID_FIELD", "sha256"),
		release("a size that is another", `"version": "9.0.0", "artifacts": [{"os": "linux", "arch": "amd64", "sha256": "$sha", "sizeBytes": "7"}], `+runs, invalid, "INVALID_FIELD", "does not agree"),
		release("an address without a size", `"version": "9.0.0", "artifacts": [{"os": "linux", "arch": "amd64", "uri": "https://example.com/a.tar.gz", "sha256": "$sha"}], `+runs, invalid, "INVALID_FIELD", "size"),
		release("an address of a file", `"version": "9.0.0", "artifacts": [{"os": "linux", "arch": "amd64", "uri": "file:///etc/passwd", "sizeBytes": "1", "sha256": "$sha"}], `+runs, invalid, "INVALID_FIELD", "uri"),
		release("one platform twice", `"version": "9.0.0", `+both+`, `+runs, invalid, "DUPLICATE_PLATFORM", "linux/amd64"),
		release("configuration out of its folder", `"version": "9.0.0", "configFiles": [{"path": "../../etc/passwd", "template": "x"}], `+uploaded+`, `+runs, invalid, "INVALID_FIELD", "path"),
		release("configuration at the root", `"version": "9.0.0", "configFiles": [{"path": "/etc/passwd", "template": "x"}], `+uploaded+`, `+runs, invalid, "INVALID_FIELD", "path"),
		release("a template that does not parse", `"version": "9.0.0", "configFiles": [{"path": "a.conf", "template": "{{.vars.port"}], `+uploaded+`, `+runs, invalid, "INVALID_FIELD", "template"),
		release("a probe of nothing", `"version": "9.0.0", `+uploaded+`, "run": {"command": ["app"], "probes": [{}]}`, invalid, "INVALID_FIELD", "probes"),
		bad("a release that exists", "CreateRelease", `{"parent": "$crm", "releaseId": "v1", "release": {"version": "1.0.0", `+uploaded+`, `+runs+`}}`, exists, "ALREADY_EXISTS", "v1"),
		bad("a release of no application", "CreateRelease", `{"parent": "$ws/applications/none", "release": {"version": "9.0.0", `+uploaded+`, `+runs+`}}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("withdrawing without a reason", "AbandonRelease", `{"name": "$win"}`, invalid, "INVALID_FIELD", "reason").at("reason"),
		bad("a circle of two environments", "UpdateEnvironment", `{"environment": {"name": "$test", "promotedFrom": "$prod"}, "updateMask": "promotedFrom"}`, invalid, "ENVIRONMENT_CYCLE", "clear promoted_from").at("environment.promoted_from"),
		bad("an environment after itself", "UpdateEnvironment", `{"environment": {"name": "$empty", "promotedFrom": "$empty"}, "updateMask": "promotedFrom"}`, invalid, "ENVIRONMENT_CYCLE", "clear promoted_from"),
		bad("an environment after none that is", "UpdateEnvironment", `{"environment": {"name": "$empty", "promotedFrom": "$ws/environments/none"}, "updateMask": "promotedFrom"}`, notFound, "RESOURCE_NOT_FOUND", "create it").at("environment.promoted_from"),
		bad("an environment of another workspace", "CreateEnvironment", `{"parent": "$ws", "environment": {"promotedFrom": "$otherEnv"}}`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("environment.promoted_from"),
		bad("a default plan of another workspace", "CreateApplication", `{"parent": "$ws", "application": {"defaultPlan": "$otherPlan"}}`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("application.default_plan"),
		bad("a default plan that is not there", "UpdateApplication", `{"application": {"name": "$crm", "defaultPlan": "$ws/deploymentPlans/none"}, "updateMask": "defaultPlan"}`, notFound, "RESOURCE_NOT_FOUND", "check the name"),
		bad("a cohort on a target that is no id", "CreateTarget", `{"parent": "$prod", "target": {"cohorts": ["Sales!"]}}`, invalid, "INVALID_FIELD", "cohorts"),
		bad("a secret from nowhere", "CreateEnvironment", `{"parent": "$ws", "environment": {"secrets": {"key": {}}}}`, invalid, "INVALID_FIELD", "secrets"),
		plan("a plan with two waves of one id", `{"waves": [{"id": "a", "members": {"count": 1}}, {"id": "a", "members": {"rest": true}}]}`, invalid, "INVALID_ROLLOUT", "a"),
		plan("a plan with a wave of nobody", `{"waves": [{"id": "a", "members": {}}]}`, invalid, "INVALID_FIELD", "members"),
		plan("a plan with a preset and waves", `{"canary": {}, "waves": [{"id": "a", "members": {"rest": true}}]}`, invalid, "INVALID_ROLLOUT", "waves"),
		plan("a plan with shares that fall", `{"canary": {"percents": [50, 25]}}`, invalid, "INVALID_ROLLOUT", "shares must rise"),
		plan("a plan that waits for a later wave", `{"waves": [{"id": "a", "members": {"count": 1}, "gates": [{"id": "g", "priorWave": {"wave": "b"}}]}, {"id": "b", "members": {"rest": true}}]}`, invalid, "INVALID_ROLLOUT", "b"),
		plan("a plan that asks people of another workspace", `{"waves": [{"id": "a", "members": {"rest": true}, "gates": [{"id": "g", "readiness": {"cohortPlan": "workspaces/other/implementations/crm/cohortPlans/sales"}}]}]}`, invalid, "OTHER_WORKSPACE", "workspaces/default"),
	}
}

// badDeployments are deployments and commands.
func badDeployments() []row {
	deploy := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateDeployment", `{"parent": "$crm", "deployment": {`+fields+`}}`, code, reason, says)
	}
	const there = `"release": "$v1", "environment": "$prod"`
	return []row{
		deploy("a deployment of nothing", `"environment": "$prod"`, invalid, "REQUIRED_FIELD", "release").at("deployment.release"),
		deploy("a deployment to nowhere", `"release": "$v1"`, invalid, "REQUIRED_FIELD", "environment").at("deployment.environment"),
		deploy("a release that is not there", `"release": "$crm/releases/none", "environment": "$prod"`, notFound, "RESOURCE_NOT_FOUND", "none"),
		deploy("an environment that is not there", `"release": "$v1", "environment": "$ws/environments/none"`, notFound, "RESOURCE_NOT_FOUND", "none"),
		deploy("a plan that is not there", there+`, "deploymentPlan": "$ws/deploymentPlans/none"`, notFound, "RESOURCE_NOT_FOUND", "none"),
		deploy("a release of another application", `"release": "$shop1", "environment": "$prod"`, invalid, "OTHER_APPLICATION", "deploy it there").at("deployment.release"),
		deploy("a release of another workspace", `"release": "$otherV1", "environment": "$prod"`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("deployment.release"),
		deploy("an environment of another workspace", `"release": "$v1", "environment": "$otherEnv"`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("deployment.environment"),
		deploy("a plan of another workspace", there+`, "deploymentPlan": "$otherPlan"`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("deployment.deployment_plan"),
		deploy("people of another workspace", `"release": "$v1", "environment": "$prod", "rollout": {"byCohort": {"cohorts": ["sales"], "implementation": "workspaces/other/implementations/crm"}}`, invalid, "OTHER_WORKSPACE", "workspaces/default"),
		deploy("a plan and a rollout", there+`, "deploymentPlan": "$canary", "rollout": {"allAtOnce": {}}`, invalid, "INVALID_ROLLOUT", "leave one").at("deployment.rollout"),
		deploy("a release that was withdrawn", `"release": "$bad", "environment": "$prod"`, precondition, "RELEASE_ABANDONED", "another release"),
		deploy("an environment without targets", `"release": "$v1", "environment": "$empty"`, precondition, "NO_TARGETS", "add targets"),
		deploy("waves that select nobody", there+`, "rollout": {"waves": [{"id": "a", "members": {"cohort": "nobody"}}]}`, precondition, "NO_TARGETS", "add targets"),
		deploy("a platform that no target has", `"release": "$win", "environment": "$prod"`, precondition, "TARGETS_INCOMPATIBLE", "1 of 2 targets"),
		deploy("targets that are busy", there, precondition, "TARGET_BUSY", "wait for it"),
		bad("targets that are busy, tried out", "CreateDeployment", `{"parent": "$crm", "validateOnly": true, "requestId": "x", "deployment": {`+there+`}}`, precondition, "TARGET_BUSY", "wait for it"),
		bad("a deployment of no application", "CreateDeployment", `{"parent": "$ws/applications/none", "deployment": {"release": "$ws/applications/none/releases/v1", "environment": "$prod"}}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("pausing what has ended", "PauseDeployment", `{"name": "$done"}`, precondition, "STATE_FORBIDS", "CANCELLED"),
		bad("resuming what has ended", "ResumeDeployment", `{"name": "$done"}`, precondition, "STATE_FORBIDS", "CANCELLED"),
		bad("cancelling what has ended", "CancelDeployment", `{"name": "$done"}`, precondition, "STATE_FORBIDS", "CANCELLED"),
		bad("abandoning what has ended", "AbandonDeployment", `{"name": "$done", "reason": "x"}`, precondition, "STATE_FORBIDS", "CANCELLED"),
		bad("abandoning without a reason", "AbandonDeployment", `{"name": "$held"}`, invalid, "INVALID_FIELD", "reason").at("reason"),
		bad("rolling back what was never installed", "RollbackDeployment", `{"name": "$held"}`, precondition, "NOTHING_TO_ROLL_BACK", "nothing has to go back"),
		bad("rolling back what was cancelled", "RollbackDeployment", `{"name": "$done"}`, precondition, "NOTHING_TO_ROLL_BACK", "nothing has to go back"),
		bad("rolling back a wave that is none", "RollbackDeployment", `{"name": "$held", "waves": ["none"]}`, invalid, "WAVE_UNKNOWN", "none").at("waves"),
		bad("a command to nothing", "PauseDeployment", `{"name": "$crm/deployments/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("approving one's own", "ApproveWave", `{"name": "$wave"}`, denied, "SELF_APPROVAL", "another person").as("solo"),
		bad("approving what has ended", "ApproveWave", `{"name": "$doneWave"}`, precondition, "STATE_FORBIDS", "before a wave starts").as("approver"),
		bad("approving a wave that is none", "ApproveWave", `{"name": "$held/waves/none"}`, notFound, "RESOURCE_NOT_FOUND", "none").as("approver"),
		bad("rejecting without a reason", "RejectWave", `{"name": "$wave"}`, invalid, "INVALID_FIELD", "reason").as("approver"),
		bad("skipping what has ended", "SkipWave", `{"name": "$doneWave", "reason": "x"}`, precondition, "STATE_FORBIDS", "CANCELLED"),
		bad("retrying what has not failed", "RetryInstallation", `{"name": "$installation"}`, precondition, "STATE_FORBIDS", "GATED"),
		bad("retrying nothing", "RetryInstallation", `{"name": "$held/installations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("logs of nothing", "ReadLogs", `{"name": "$held/installations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("logs of a try before the first", "ReadLogs", `{"name": "$installation", "attempt": -1}`, invalid, "INVALID_FIELD", "attempt"),
	}
}

// badPeople are the people's half.
func badPeople() []row {
	member := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateMembership", `{"parent": "$sales", "membership": {`+fields+`}}`, code, reason, says)
	}
	record := func(name, training, completions string, code codes.Code, reason, says string) row {
		return bad(name, "RecordCompletions", `{"training": "`+training+`", "completions": [`+completions+`]}`, code, reason, says)
	}
	plan := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateCohortPlan", `{"parent": "$project", "cohortPlan": {`+fields+`}}`, code, reason, says)
	}
	future := time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	csv := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	return []row{
		member("a membership of nobody", `"startDate": "2026-01-01T00:00:00Z"`, invalid, "REQUIRED_FIELD", "person").at("membership.person"),
		member("a membership that overlaps", `"person": "$p1", "startDate": "2026-06-01T00:00:00Z"`, precondition, "MEMBERSHIP_OVERLAPS", "end that one first"),
		member("a membership that ends before it begins", `"person": "$p2", "startDate": "2026-06-01T00:00:00Z", "endDate": "2026-05-01T00:00:00Z"`, invalid, "DATE_INVALID", "end_date"),
		member("a member who is not known", `"person": "$ws/people/none"`, invalid, "REFERENCE_NOT_FOUND", "none").at("membership.person"),
		member("a member of another workspace", `"person": "$otherPerson"`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("membership.person"),
		bad("a person without a pseudonym", "CreatePerson", `{"parent": "$ws", "person": {}}`, invalid, "REQUIRED_FIELD", "pseudonym"),
		bad("a person by an address", "CreatePerson", `{"parent": "$ws", "personId": "ann@example.com", "person": {}}`, invalid, "INVALID_RESOURCE_ID", "ann@example.com"),
		record("a completion in the future", "$basics", `{"person": "$p1", "completeTime": "`+future+`"}`, invalid, "TIME_IN_FUTURE", "when it has happened").at("completions[0].complete_time"),
		record("a completion of somebody unknown", "$basics", `{"person": "$p1"}, {"person": "$ws/people/none"}`, invalid, "PERSON_UNKNOWN", "create the person").at("completions[1].person"),
		record("a completion of another workspace", "$basics", `{"person": "$otherPerson"}`, invalid, "OTHER_WORKSPACE", "workspaces/default"),
		record("a completion twice", "$basics", `{"person": "$p1"}, {"person": "$p1"}`, invalid, "PERSON_DUPLICATE", "one completion each"),
		record("a score above all", "$basics", `{"person": "$p1", "score": 7}`, invalid, "INVALID_FIELD", "score"),
		record("no completion", "$basics", ``, invalid, "INVALID_FIELD", "completions").at("completions"),
		record("a training that is retired", "$old", `{"person": "$p1"}`, precondition, "STATE_FORBIDS", "RETIRED"),
		record("a training that is a draft", "$draft", `{"person": "$p1"}`, precondition, "STATE_FORBIDS", "DRAFT"),
		record("a training that is not there", "$ws/trainings/none", `{"person": "$p1"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("enrolling nobody", "EnrolPeople", `{"training": "$basics"}`, invalid, "REQUIRED_FIELD", "people or a cohort"),
		bad("enrolling in what is retired", "EnrolPeople", `{"training": "$old", "people": ["$p1"]}`, precondition, "STATE_FORBIDS", "RETIRED"),
		bad("enrolling a cohort of another workspace", "EnrolPeople", `{"training": "$basics", "cohort": "$otherCohort"}`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("cohort"),
		bad("enrolling a cohort that is not there", "EnrolPeople", `{"training": "$basics", "cohort": "$ws/cohorts/none"}`, invalid, "REFERENCE_NOT_FOUND", "none"),
		bad("waiving without a reason", "WaiveEnrolment", `{"name": "$basics/enrolments/p1"}`, invalid, "INVALID_FIELD", "reason"),
		bad("waiving who is not enrolled", "WaiveEnrolment", `{"name": "$basics/enrolments/p3", "reason": "x"}`, notFound, "RESOURCE_NOT_FOUND", "p3"),
		bad("publishing again", "PublishTraining", `{"name": "$basics"}`, precondition, "STATE_FORBIDS", "PUBLISHED"),
		bad("retiring a draft", "RetireTraining", `{"name": "$draft"}`, precondition, "STATE_FORBIDS", "DRAFT"),
		bad("retiring again", "RetireTraining", `{"name": "$old"}`, precondition, "STATE_FORBIDS", "RETIRED"),
		plan("a plan without a cohort", ``, invalid, "REQUIRED_FIELD", "cohort").at("cohort_plan.cohort"),
		plan("a plan for a cohort of another workspace", `"cohort": "$otherCohort"`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("cohort_plan.cohort"),
		plan("a plan for a cohort that is not there", `"cohort": "$ws/cohorts/none"`, invalid, "REFERENCE_NOT_FOUND", "none"),
		plan("a plan with a training of another workspace", `"cohort": "$sales", "readinessPolicy": {"criteria": [{"id": "a", "trained": {"trainings": ["$otherTraining"]}}]}`, invalid, "OTHER_WORKSPACE", "workspaces/default"),
		plan("a plan with a training that is not there", `"cohort": "$sales", "readinessPolicy": {"criteria": [{"id": "a", "trained": {"trainings": ["$ws/trainings/none"]}}]}`, invalid, "REFERENCE_NOT_FOUND", "none"),
		plan("a plan with one criterion twice", `"cohort": "$sales", "readinessPolicy": {"criteria": [{"id": "a", "trained": {"trainings": ["$basics"]}}, {"id": "a", "trained": {"trainings": ["$basics"]}}]}`, invalid, "CRITERION_DUPLICATE", "each its own"),
		plan("a plan that wants more than all", `"cohort": "$sales", "readinessPolicy": {"criteria": [{"id": "a", "trained": {"trainings": ["$basics"], "threshold": 1.5}}]}`, invalid, "INVALID_FIELD", "threshold"),
		bad("an application of another workspace", "CreateImplementation", `{"parent": "$ws", "implementation": {"applications": ["$otherApp"]}}`, invalid, "OTHER_WORKSPACE", "workspaces/default"),
		bad("a file for no cohort", "ImportMemberships", `{"parent": "$ws/cohorts/none", "csv": "`+csv("person\np1\n")+`"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a file with nothing in it", "ImportMemberships", `{"parent": "$sales"}`, invalid, "INVALID_FIELD", "csv").at("csv"),
		bad("a column for no field", "ImportCompletions", `{"training": "$basics", "csv": "`+csv("person\np1\n")+`", "columns": {"colour": "c"}}`, invalid, "UNKNOWN_FIELD", "colour"),
		bad("a gate that people do not have", "EvaluateGate", `{"resource": "$plan", "purpose": "PURPOSE_TECHNICAL"}`, invalid, "GATE_UNSUPPORTED", "deployment"),
		bad("a gate of what is not there", "EvaluateGate", `{"resource": "$project/cohortPlans/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a watch of another workspace", "WatchGates", `{"parent": "$ws", "resources": ["workspaces/other/implementations/crm/cohortPlans/sales"]}`, invalid, "OTHER_WORKSPACE", "each workspace"),
		bad("readiness of nothing", "EvaluateReadiness", `{"name": "$project/cohortPlans/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
	}
}

// badAccess is who may not.
func badAccess() []row {
	get := func(name, who string, code codes.Code, reason, says string) row {
		return bad(name, "GetApplication", `{"name": "$crm"}`, code, reason, says).as(who)
	}
	const write = `{"parent": "$ws", "application": {}}`
	return []row{
		get("no token", "nobody", stranger, "TOKEN_MISSING", "send"),
		get("a token that is garbage", "garbage", stranger, "TOKEN_INVALID", "new one"),
		get("a token that has expired", "expired", stranger, "TOKEN_EXPIRED", "new one"),
		get("a token that was revoked", "revoked", stranger, "TOKEN_REVOKED", "new one"),
		get("a token that nobody signed", "unsigned", stranger, "TOKEN_INVALID", "new one"),
		get("a token of another issuer", "stranger", stranger, "TOKEN_INVALID", "new one"),
		get("a token whose grants were edited", "edited", stranger, "TOKEN_INVALID", "new one"),
		get("a token of another workspace", "elsewhere", denied, "PERMISSION_DENIED", "workspaces/default"),
		get("an agent's role among people", "agent", denied, "PERMISSION_DENIED", "administrator"),
		bad("a revoked token at the other service", "GetCohort", `{"name": "$sales"}`, stranger, "TOKEN_REVOKED", "new one").as("revoked"),
		bad("a viewer who writes", "CreateApplication", write, denied, "PERMISSION_DENIED", "deployment.applications.create").as("viewer"),
		bad("a viewer who writes nonsense", "CreateApplication", `{"parent": "$ws"}`, denied, "PERMISSION_DENIED", "administrator").as("viewer"),
		bad("a viewer who reads who was trained", "ListEnrolments", `{"parent": "$basics"}`, denied, "PERMISSION_DENIED", "administrator").as("viewer"),
		bad("a service that writes", "CreateApplication", write, denied, "PERMISSION_DENIED", "administrator").as("service"),
		bad("an approver who deploys", "CreateDeployment", `{"parent": "$crm", "deployment": {"release": "$v1", "environment": "$prod"}}`, denied, "PERMISSION_DENIED", "deployment.deployments.create").as("approver"),
		bad("an operator who approves", "ApproveWave", `{"name": "$wave"}`, denied, "PERMISSION_DENIED", "deployment.waves.approve").as("operator"),
		bad("an operator who gives up on a deployment", "AbandonDeployment", `{"name": "$held", "reason": "x"}`, denied, "PERMISSION_DENIED", "administrator").as("operator"),
		bad("an operator who mints", "MintToken", `{"principal": "users/x", "grants": [{"workspace": "workspaces/default", "roles": ["ROLE_VIEWER"]}]}`, denied, "PERMISSION_DENIED", "administrator").as("operator"),
		bad("minting more than one has", "MintToken", `{"principal": "users/x", "grants": [{"workspace": "workspaces/default", "roles": ["ROLE_ADMIN"]}]}`, denied, "GRANT_EXCEEDS_CALLER", "workspaces/default").as("elsewhere"),
		bad("minting for nobody", "MintToken", `{"principal": "nobody", "grants": [{"workspace": "workspaces/default", "roles": ["ROLE_VIEWER"]}]}`, invalid, "INVALID_FIELD", "principal").at("principal"),
		bad("minting no role", "MintToken", `{"principal": "users/x", "grants": [{"workspace": "workspaces/default", "roles": ["ROLE_UNSPECIFIED"]}]}`, invalid, "INVALID_FIELD", "roles"),
		bad("minting for ever", "MintToken", `{"principal": "users/x", "ttl": "99999999s", "grants": [{"workspace": "workspaces/default", "roles": ["ROLE_VIEWER"]}]}`, invalid, "INVALID_FIELD", "ttl").at("ttl"),
		bad("revoking nothing", "RevokeToken", `{}`, invalid, "INVALID_FIELD", "token_id").at("token_id"),
	}
}

// badAgents are hosts that may not come in, and what is asked of them by people.
func badAgents() []row {
	enrol := func(name string, do func(w *badWorld) error, code codes.Code, reason, says string) row {
		return byHand(name, do, code, reason, says)
	}
	connect := func(host string) func(w *badWorld) error {
		return func(w *badWorld) error {
			_, err := w.hosts[host].connect(w.Context(), "boot-again")
			return err
		}
	}
	hello := func(m *agentv1.ConnectRequest) func(w *badWorld) error {
		return func(w *badWorld) error {
			_, err := w.hosts["h1"].say(w.Context(), m)
			return err
		}
	}
	return []row{
		bad("a join token that serves nothing", "CreateJoinToken", `{"parent": "$ws", "agentId": "h9"}`, invalid, "JOIN_TOKEN_SERVES_NOTHING", "targets").at("targets"),
		bad("a join token for a target that is none", "CreateJoinToken", `{"parent": "$ws", "agentId": "h9", "targets": ["$prod/targets/none"]}`, notFound, "RESOURCE_NOT_FOUND", "none").at("targets"),
		bad("a join token for another workspace", "CreateJoinToken", `{"parent": "$ws", "agentId": "h9", "environment": "$otherEnv"}`, invalid, "OTHER_WORKSPACE", "workspaces/default").at("environment"),
		bad("a join token for a year", "CreateJoinToken", `{"parent": "$ws", "agentId": "h9", "targets": ["$t2"], "ttl": "31536000s"}`, invalid, "INVALID_FIELD", "ttl").at("ttl"),
		bad("releasing an agent that is none", "ReleaseQuarantine", `{"name": "$ws/agents/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		enrol("a join token that is garbage", func(w *badWorld) error {
			return w.hosts["new"].enrolWith("golive-join.v1.abc", w.hosts["new"].request())
		}, stranger, "JOIN_TOKEN_INVALID", "golive agent token"),
		enrol("a join token that was used", func(w *badWorld) error { return w.hosts["thief"].enrol() }, stranger, "JOIN_TOKEN_USED", "create a new one"),
		enrol("a join token that has expired", func(w *badWorld) error { return w.hosts["late"].enrol() }, stranger, "JOIN_TOKEN_EXPIRED", "create a new one"),
		enrol("a join token of another server", func(w *badWorld) error { return w.hosts["new"].enrolWith(w.forgedToken(), w.hosts["new"].request()) }, stranger, "JOIN_TOKEN_INVALID", "create a new one"),
		enrol("a certificate request that is none", func(w *badWorld) error { return w.hosts["new"].enrolWith(w.hosts["new"].token, []byte("no request")) }, invalid, "CERTIFICATE_REQUEST_INVALID", "PKCS #10"),
		enrol("a host without a certificate", connect("new"), stranger, "CERTIFICATE_MISSING", "join token"),
		enrol("an administrator's token on the agent port", func(w *badWorld) error { return w.asPerson("") }, denied, "PERMISSION_DENIED", "agent"),
		enrol("a certificate that the server's authority did not sign", connect("forged"), codes.Unavailable, "UNAVAILABLE", "try again"),
		enrol("a server that the agent's authority did not sign", func(w *badWorld) error {
			h := *w.hosts["h1"]
			h.trusts = x509.NewCertPool()
			_, err := h.connect(w.Context(), "boot-again")
			return err
		}, codes.Unavailable, "UNAVAILABLE", "try again"),
		enrol("an agent that was deleted", connect("gone"), stranger, "AGENT_UNKNOWN", "join token"),
		enrol("an identity that two processes claim", connect("twin"), precondition, "AGENT_QUARANTINED", "stop one of them"),
		enrol("an agent that does not say hello", hello(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Heartbeat{Heartbeat: &agentv1.Heartbeat{}}}), invalid, "HELLO_EXPECTED", "Hello"),
		enrol("an agent without a boot id", hello(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Hello{Hello: &agentv1.Hello{ProtocolVersion: 1}}}), invalid, "INVALID_FIELD", "boot_id"),
		enrol("an agent of another time", hello(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Hello{Hello: &agentv1.Hello{BootId: "boot-again"}}}), unsupported, "PROTOCOL_UNSUPPORTED", "update"),
		enrol("an archive that no command named", func(w *badWorld) error {
			call, err := w.hosts["h1"].dial().ReadArtifact(w.Context(), &agentv1.ReadArtifactRequest{Sha256: strings.Repeat("0", 64)})
			if err == nil {
				_, err = call.Recv()
			}
			return err
		}, denied, "ARTIFACT_FORBIDDEN", "only for what a command names"),
	}
}
