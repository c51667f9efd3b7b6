package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestControlFromOutside walks what the control plane decides, with the programs as they are shipped: through the command
// line and HTTP, with three agents, as the people of a company would.
func TestControlFromOutside(t *testing.T) {
	c := newControl(t)
	c.frozen()
	c.stopped()
	c.gated()
	c.judged()
	c.left()
	c.interrupted()
	c.promoted()
	c.accounted()
}

// control is a yard with one application, which goes to a stage of one target and from there to two live ones.
type control struct {
	*yard
	tokens map[string]string
}

const controlWorld = `
{name: applications/web}
---
{name: environments/stage}
---
{name: environments/stage/targets/s1, variables: {port: "%s"}}
---
{name: environments/live, promotedFrom: stage}
---
{name: environments/live/targets/l1, cohorts: [pilot], variables: {port: "%s"}}
---
{name: environments/live/targets/l2, cohorts: [rest], variables: {port: "%s"}}
---
{name: policies/line, environments: [live], stopLine: {hotfixExempt: true}}
`

const controlRelease = `run:
  command: [app]
  env: {ADDRESS: "127.0.0.1:{{.vars.port}}", GREETING: hello}
  probes: [{http: {url: "http://127.0.0.1:{{.vars.port}}/healthz"}, interval: 0.1s}]
`

func newControl(t *testing.T) *control {
	t.Helper()
	c := &control{yard: newYard(t), tokens: map[string]string{}}
	c.apply(fmt.Sprintf(controlWorld, c.port["front"], c.port["blue"], c.port["green"]))
	for agent, target := range map[string]string{"stage": "stage/targets/s1", "first": "live/targets/l1", "second": "live/targets/l2"} {
		c.join(agent, target)
	}
	for _, version := range []string{"1.0.0", "2.0.0"} {
		c.release("web", version, "app-"+version, controlRelease)
	}
	for _, person := range []string{"alice", "bob"} {
		minted := strings.Fields(c.run(0, "token", "mint", "users/"+person, "--role", "approver", "--ttl", "1h"))
		c.tokens[person] = minted[slices.IndexFunc(minted, func(word string) bool { return strings.Count(word, ".") == 2 })]
	}
	c.run(0, "deploy", "web", "1.0.0", "--to", "live", "--watch", "--timeout", "20s")
	return c
}

func (c *control) apply(text string) {
	c.t.Helper()
	c.run(0, "apply", "-f", c.write("apply.yaml", text))
}

// as runs golive as somebody else.
func (c *control) as(person string, code int, args ...string) string {
	c.t.Helper()
	return c.run(code, append(args, "--token", c.tokens[person])...)
}

func (c *control) reaches(code int, deployment string) {
	c.t.Helper()
	c.run(code, "watch", "web/"+deployment, "--timeout", "20s")
}

// frozen meets a freeze, and goes through it in a person's name: once to be created and once to start.
func (c *control) frozen() {
	const local = "2006-01-02T15:04"
	end := time.Now().UTC().Add(24 * time.Hour)
	c.apply(fmt.Sprintf(`{name: policies/books, environments: [live], freezes: [{timeZone: UTC, start: "2020-01-01T00:00", end: "%s", displayName: books are closed}]}`, end.Format(local)))
	require.Contains(c.t, c.run(7, "policy", "check", "web", "live"), "books are closed")
	c.run(0, "policy", "check", "web", "live", "--at", end.Format("2006-01-02T15:04:00Z"))
	require.Contains(c.t, c.run(4, "deploy", "web", "2.0.0", "--to", "live", "--detach"), "golive override ")
	c.run(0, "override", "web", "--policy", "books", "--verbs", "create", "--for", "1h", "--reason", "the fix")
	c.run(0, "deploy", "web", "2.0.0", "--to", "live", "--id", "frozen", "--detach")
	c.says(7, "--policy books", "why", "web/frozen")
	c.run(0, "override", "web/frozen", "--policy", "books", "--verbs", "start-wave", "--for", "1h", "--reason", "the fix")
	c.reaches(0, "frozen")
	require.Equal(c.t, "2.0.0", c.serves("blue"))
	require.Contains(c.t, c.run(0, "list", "overrides"), "users/admin")
	c.run(0, "delete", "policy", "books", "--yes")
}

// stopped stops the line under a deployment that runs, and lets it go on.
func (c *control) stopped() {
	c.run(0, "deploy", "web", "1.0.0", "--to", "live", "--id", "stopped", "--strategy", "canary", "--bake", "1s", "--detach")
	c.run(0, "policy", "stop-line", "line", "--reason", "payments are down")
	c.says(7, "golive policy release-line line", "why", "web/stopped")
	require.Contains(c.t, c.run(4, "deploy", "web", "2.0.0", "--to", "live", "--detach"), "payments are down")
	c.run(0, "policy", "check", "web", "live", "--hotfix")
	c.run(0, "policy", "release-line", "line", "--reason", "they are back")
	c.reaches(0, "stopped")
	require.Contains(c.t, c.run(0, "events", "policies/line"), "deployment.policy.released")
}

// gated waits for two people, for a system outside, for users and for a time, of which one is waived.
func (c *control) gated() {
	var agrees atomic.Bool
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !agrees.Load() {
			http.Error(w, `{"reasons": ["the change is not signed off"]}`, http.StatusForbidden)
		}
	}))
	c.t.Cleanup(outside.Close)
	c.apply(fmt.Sprintf(`name: deploymentPlans/gated
rollout:
  waves:
  - id: all
    members: {rest: true}
    gates:
    - {id: signed, approval: {required: 2, roles: [approver], approvers: [users/alice]}}
    - {id: outside, webhook: {url: "%s", ttl: 1s}}
    - {id: liked, feedback: {minRatings: 1, minRating: 4}}
    - {id: named, rule: {expression: deployment.reason.startsWith("CHG"), message: name a change}}
    - {id: intact, integrity: {}}
    - {id: night, window: {windows: [{timeZone: UTC, start: "2090-01-01T00:00", end: "2090-01-02T00:00"}]}}`, outside.URL))
	c.run(0, "deploy", "web", "2.0.0", "--to", "live", "--id", "gated", "--plan", "gated", "--reason", "CHG-1", "--detach")
	why := c.says(7, "the change is not signed off", "why", "web/gated")
	for _, reason := range []string{"users/alice has not approved", "0 of 2 approvals", "golive approve ", "0 have rated it", "outside of every window"} {
		require.Contains(c.t, why, reason)
	}
	require.NotContains(c.t, why, "name a change")
	require.Contains(c.t, c.run(5, "approve", "web/gated/waves/all"), "SELF_APPROVAL")
	c.as("bob", 0, "approve", "web/gated/waves/all")
	c.as("alice", 0, "approve", "web/gated/waves/all", "--reason", "looks good")
	c.run(0, "feedback", "give", "web", "2.0.0", "--rating", "5", "--author", "ticket-1")
	agrees.Store(true)
	c.as("bob", 0, "override", "web/gated/waves/all", "--gate", "night", "--for", "1h", "--reason", "it is urgent")
	c.reaches(0, "gated")
	require.Contains(c.t, c.run(0, "list", "gate-evaluations", "web/deployments/gated/waves/all"), "WAIVED")
}

// judged brings a release that fails its users, which is caught, frozen, and mended by another.
func (c *control) judged() {
	c.apply(`name: deploymentPlans/judged
rollout:
  waves:
  - {id: pilot, members: {cohort: pilot}, bake: 1s, analysis: {interval: 1s, metrics: [{id: errors, pushed: {counter: errors}}]}}
  - {id: rest, members: {rest: true}}
  onFailure: FREEZE`)
	c.run(0, "deploy", "web", "1.0.0", "--to", "live", "--id", "bad", "--plan", "judged", "--detach")
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	var why string
	for range 80 {
		c.push(<-tick.C)
		if _, why = c.try("why", "web/bad"); strings.Contains(why, "FROZEN") {
			break
		}
	}
	require.Contains(c.t, why, "worse than the margin")
	require.Contains(c.t, c.run(0, "analysis", "web/bad/waves/pilot"), "FAIL")
	c.run(0, "deploy", "web", "2.0.0", "--to", "live", "--id", "mended", "--fixes", "web/bad", "--watch", "--timeout", "20s")
	require.Contains(c.t, c.run(0, "why", "web/bad"), "SUPERSEDED")
	require.Equal(c.t, "2.0.0", c.serves("blue"))
}

// push reports the second before now: of the new release every other request failed, of the old one nearly none.
func (c *control) push(now time.Time) {
	end := now.Truncate(time.Second)
	var samples []map[string]any
	for release, bad := range map[string]int{"v1-0-0": 500, "v2-0-0": 5} {
		samples = append(samples, map[string]any{
			"release": "workspaces/default/applications/web/releases/" + release, "environment": "workspaces/default/environments/live",
			"counter": "errors", "startTime": end.Add(-time.Second).UTC(), "endTime": end.UTC(), "total": 1000, "bad": bad,
		})
	}
	body, err := json.Marshal(map[string]any{"samples": samples})
	require.NoError(c.t, err)
	c.run(0, "api", "POST", "/v1/workspaces/default/applications/web:reportSamples", "--url", "http://"+c.addresses["http"], "-d", string(body))
}

// left leaves a host behind that is away, and catches up with it when it is back; variables reach both without a release.
func (c *control) left() {
	c.apply(`{name: deploymentPlans/most, rollout: {waves: [{id: all, members: {rest: true}, minCoverage: 0.5}]}}`)
	c.agents["second"].kill()
	c.says(0, "AWAY", "get", "targets", "live/targets/l2")
	c.run(0, "deploy", "web", "1.0.0", "--to", "live", "--id", "most", "--plan", "most", "--watch", "--timeout", "20s")
	require.Contains(c.t, c.run(7, "drift", "live"), "STRAGGLER")
	c.says(7, "live/targets/l2", "why", "web")
	c.agents["second"].start()
	c.says(0, "as it should", "drift", "live")
	c.says(0, "SUCCEEDED", "why", "web")
	require.Equal(c.t, "1.0.0", c.serves("green"))
	require.Contains(c.t, c.run(4, "deploy", "web", "1.0.0", "--to", "live", "--kind", "reapply", "--detach"), "NO_DRIFT")
}

// interrupted kills the agent that migrates for all; a person says what became of it.
func (c *control) interrupted() {
	made := filepath.Join(c.dir, "migrated")
	up := fmt.Sprintf(`migrations: [{id: add-column, phase: EXPAND, up: {command: [/bin/sh, -c, "echo begun >>%s; exec sleep 3"]}}]`, made)
	c.release("web", "3.0.0", "app-2.0.0", controlRelease+up)
	c.run(0, "deploy", "web", "3.0.0", "--to", "live", "--id", "moved", "--detach")
	eventually(c.t, "the migration", func() bool { _, err := os.Stat(made); return err == nil })
	runner := "first"
	if strings.Contains(c.says(7, "is running it", "why", "web/moved"), "l2 is running it") {
		runner = "second"
	}
	c.agents[runner].kill()
	c.agents[runner].start()
	c.says(7, "golive resolve ", "why", "web/moved")
	c.run(0, "resolve", "live/migrationRuns/web.add-column", "--as", "done", "--reason", "looked at the table")
	c.reaches(0, "moved")
	text, err := os.ReadFile(made)
	require.NoError(c.t, err)
	require.Equal(c.t, "begun\n", string(text), "once for the environment, whatever happened")
	require.Contains(c.t, c.run(0, "events", "environments/live/migrationRuns/web.add-column"), "looked at the table")
}

// promoted takes a release on once it has stood long enough, and back in a moment.
func (c *control) promoted() {
	c.apply(`{name: environments/live, soak: 2s, promotionRequired: true}`)
	require.Contains(c.t, c.run(4, "deploy", "web", "2.0.0", "--to", "live", "--detach"), "PROMOTION_REQUIRED")
	c.run(0, "deploy", "web", "2.0.0", "--to", "stage", "--watch", "--timeout", "20s")
	c.says(0, "promotion-", "promote", "web", "2.0.0", "--to", "live", "--dry-run")
	c.run(0, "promote", "web", "2.0.0", "--to", "live", "--id", "promoted", "--watch", "--timeout", "20s")
	require.Contains(c.t, c.run(0, "rollback", "web/promoted", "--preview"), "2 targets have the release before on the host still")
	c.run(0, "rollback", "web/promoted", "--reason", "as it was", "--yes", "--watch", "--timeout", "20s")
	require.Contains(c.t, c.run(0, "matrix", "web"), "HEALTHY")
}

// accounted asks what all of that was: failures by their true causes, incidents, what ran where.
func (c *control) accounted() {
	c.run(0, "incident", "open", "orders time out", "--id", "orders", "--severity", "major", "--caused-by", "web/deployments/bad")
	c.run(0, "incident", "resolve", "orders")
	evidence := c.run(0, "dora", "web", "--environment", "live", "--last", "1h", "--evidence")
	for _, cause := range []string{"FROZEN", "MENDED", "INCIDENT", "ROLLED_BACK"} {
		require.Contains(c.t, evidence, cause)
	}
	history := c.run(0, "history", "live", "--application", "web")
	for _, id := range []string{"frozen", "stopped", "gated", "bad", "mended", "most", "catch-up-", "moved", "promoted", "rollback-"} {
		require.Contains(c.t, history, "web/deployments/"+id)
	}
	require.Contains(c.t, c.run(0, "availability", "live", "web", "--last", "1h"), "observed")
}
