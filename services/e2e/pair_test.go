package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestThePairDecides is the week of two people who decide together, one for the machines and one for those who work with them: through
// the command line and HTTP, in one process and as three, of which one is stopped for a while.
func TestThePairDecides(t *testing.T) {
	planes(t, func(t *testing.T, p *plane) {
		c := newCouncil(t, p)
		c.waits()
		c.refuses()
		c.changes()
		c.goes()
		c.loses()
		c.follows()
		c.tells()
	})
}

// council is a yard with one application for two groups of people. The second group gets it when its people are trained, on a
// go, and when somebody approves; care begins when they have it.
type council struct {
	*yard
	approver string // a token
}

const councilWorld = `
{name: applications/web}
---
{name: environments/live}
---
{name: environments/live/targets/l1, cohorts: [pilot], variables: {port: "%s"}}
---
{name: environments/live/targets/l2, cohorts: [sales], variables: {port: "%s"}}
---
name: deploymentPlans/paired
rollout:
  waves:
  - {id: pilot, members: {cohort: pilot}}
  - id: sales
    members: {rest: true}
    gates:
    - {id: people, readiness: {cohortPlan: workspaces/default/implementations/web/cohortPlans/sales}}
    - {id: go, decision: {decision: workspaces/default/implementations/web/decisions/go-sales}}
    - {id: signed, approval: {required: 1}}
---
{name: cohorts/sales, owner: users/lead}
---
{name: trainings/basics, owner: users/trainer}
---
{name: implementations/web, owner: users/lead, sponsor: users/sponsor, applications: [workspaces/default/applications/web]}
---
name: implementations/web/cohortPlans/sales
cohort: cohorts/sales
owner: users/trainer
readinessPolicy:
  criteria: [{id: trained, must: true, trained: {trainings: [workspaces/default/trainings/basics], threshold: 0.9}}]
---
name: implementations/web/stages/care
owner: users/mo
waitsFor: [{id: sealed, resource: workspaces/default/applications/web/deployments/summer/waves/sales}]
---
name: implementations/web/decisions/go-sales
displayName: Does sales <b>go</b> live?
owner: users/sponsor
waves: [workspaces/default/applications/web/deployments/summer/waves/sales]
cohortPlans: [workspaces/default/implementations/web/cohortPlans/sales]
technical: [workspaces/default/applications/web/deployments/summer/waves/pilot]
`

func newCouncil(t *testing.T, p *plane) *council {
	t.Helper()
	c := &council{yard: newYardOn(t, p)}
	c.run(0, "apply", "-f", c.write("council.yaml", fmt.Sprintf(councilWorld, c.port["blue"], c.port["green"])))
	c.join("first", "live/targets/l1")
	c.join("second", "live/targets/l2")
	for _, version := range []string{"1.0.0", "2.0.0"} {
		c.release("web", version, "app-"+version, controlRelease)
	}
	c.people("ada", "bob")
	c.run(0, "train", "publish", "basics")
	c.approver = strings.TrimSpace(c.out("token", "mint", "users/sponsor", "--role", "approver", "--ttl", "1h"))
	c.run(0, "deploy", "web", "1.0.0", "--to", "live", "--watch", "--timeout", "30s")
	c.run(0, "deploy", "web", "2.0.0", "--to", "live", "--plan", "paired", "--id", "summer", "--detach")
	return c
}

// people says who is in sales.
func (c *council) people(all ...string) {
	c.t.Helper()
	c.run(0, "members", "import", "sales", "-f", c.write("sales.csv", "person\n"+strings.Join(all, "\n")+"\n"), "--create-people")
}

// sponsor decides as the sponsor, who may do nothing else.
func (c *council) sponsor(code int, args ...string) string {
	c.t.Helper()
	return c.run(code, append(args, "--token", c.approver)...)
}

// waits looks at what the wave waits for, from both sides, until the first group has it.
func (c *council) waits() {
	c.says(7, "SEALED", "gate", "check", "web/summer/waves/sales")
	why := c.says(7, "golive decide web/decisions/go-sales go", "why", "web/summer/waves/sales")
	require.Contains(c.t, why, "golive train record trainings/basics")
	require.Contains(c.t, why, "users/trainer")
	require.Contains(c.t, c.says(0, "web/decisions/go-sales", "inbox", "--owner", "users/sponsor"), "is to be decided by users/sponsor")
	c.says(7, "web/deployments/summer/waves/sales", "why", "web/stages/care")
	c.says(7, "PASS", "decide", "preview", "web/go-sales") // the machines of the first group
	circle := `{name: implementations/web/cohortPlans/sales, readinessPolicy: {criteria: [{id: machines, technical: {resource: workspaces/default/applications/web/deployments/summer/waves/sales}}]}}`
	require.Contains(c.t, c.run(4, "apply", "-f", c.write("circle.yaml", circle)), "WAITING_CYCLE")
}

// digest is of the evidence as it is now.
func (c *council) digest(code int) string {
	c.t.Helper()
	var preview struct {
		EvidenceDigest string
		Waves          []string
	}
	require.NoError(c.t, json.Unmarshal([]byte(c.run(code, "decide", "preview", "web/go-sales", "-o", "json")), &preview))
	require.Len(c.t, preview.Waves, 1)
	return preview.EvidenceDigest
}

// refuses a go that the evidence does not carry, one on what was looked at before, and one for a wave that came later.
func (c *council) refuses() {
	require.Contains(c.t, c.sponsor(4, "decide", "web/go-sales", "go", "--reason", "it is time"), "0 of 2 trained")
	before := c.digest(7)
	c.run(0, "train", "record", "basics", "ada", "bob")
	require.Contains(c.t, c.sponsor(4, "decide", "web/go-sales", "go", "--reason", "it is time", "--digest", before), "EVIDENCE_CHANGED")
	seen := c.digest(0)
	more := "implementations/web/decisions/go-sales?updateMask=waves"
	wave := "workspaces/default/applications/web/deployments/summer/waves/"
	c.patch(more, fmt.Sprintf(`{"waves": [%q, %q]}`, wave+"sales", wave+"everybody"))
	require.Contains(c.t, c.sponsor(4, "decide", "web/go-sales", "go", "--reason", "it is time", "--digest", seen), "EVIDENCE_CHANGED")
	c.patch(more, fmt.Sprintf(`{"waves": [%q]}`, wave+"sales"))
	require.Equal(c.t, seen, c.digest(0))
	c.sponsor(0, "decide", "web/go-sales", "go", "--reason", "both are trained", "--digest", seen)
	c.run(0, "gate", "check", "web/decisions/go-sales")
}

// changes the evidence while the wave waits for its approval: the go ends by itself.
func (c *council) changes() {
	c.people("ada", "bob", "carol")
	require.Contains(c.t, c.says(0, "EXPIRED", "decide", "show", "web/go-sales"), "readiness of sales was PASS, is WAIT: 2 of 3 trained")
	c.says(7, "golive decide reopen web/decisions/go-sales", "why", "web/summer/waves/sales")
	c.sponsor(0, "decide", "override", "web/go-sales", "--reason", "the board wants it", "--for", "1h")
	c.run(0, "gate", "check", "web/decisions/go-sales")
	c.sponsor(0, "decide", "reopen", "web/go-sales", "--reason", "carol is on it")
	c.sponsor(0, "decide", "web/go-sales", "no-go", "--reason", "two of three")
	c.run(7, "gate", "check", "web/decisions/go-sales")
	c.sponsor(0, "decide", "reopen", "web/go-sales", "--reason", "carol is on it")
}

// goes on a condition; the wave still waits for people and for the approval.
func (c *council) goes() {
	c.sponsor(0, "decide", "web/go-sales", "conditional", "--reason", "carol | <i>follows</i>", "--condition", "carol=Train carol;owner=users/trainer;due=48h")
	require.Contains(c.t, c.says(0, "condition carol is not met", "inbox", "--kind", "decision"), "golive decide confirm web/decisions/go-sales carol")
	c.run(0, "train", "record", "basics", "carol")
	c.run(0, "decide", "confirm", "web/go-sales", "carol", "--note", "seen")
	c.says(7, "golive approve", "why", "web/summer/waves/sales")
}

// loses the deployment service where it is a process of its own: the people's half says so, and goes on when it is back.
func (c *council) loses() {
	machines := c.processes["deployment"]
	if machines == nil {
		return
	}
	machines.kill()
	require.Contains(c.t, c.run(0, "inbox"), "does not answer")
	c.sponsor(0, "decide", "show", "web/go-sales")
	c.run(0, "decide", "report", "web/go-sales")
	machines.start()
	c.answers(c.t, c.deployment)
}

// follows a secret address while the last gate opens, and all that comes of it.
func (c *council) follows() {
	address := strings.TrimSpace(c.out("gate", "url", "web/stages/care", "--ttl", "1h", "--url", "http://"+c.addresses["http"]))
	eventually(c.t, "the wave to be known to the stage, which was there before it", func() bool { return c.visit(address) == http.StatusForbidden })
	require.Equal(c.t, http.StatusForbidden, c.visit(strings.Replace(address, "/stages/care", "/decisions/go-sales", 1)), "it opens one gate")
	c.sponsor(0, "approve", "web/summer/waves/sales", "--reason", "all is there")
	c.run(0, "watch", "web/summer", "--timeout", "30s")
	eventually(c.t, "the stage behind the secret address", func() bool { return c.visit(address) == http.StatusOK })
	c.says(0, "READY", "stage", "show", "web/care")
	c.says(0, "deployments/summer/waves/sales", "get", "cohortPlan", "web/cohortPlans/sales", "-o", "yaml") // the clock of its adoption runs
}

// tells what came of it: a page that can be proved, one page of numbers, and both halves side by side.
func (c *council) tells() {
	require.NotContains(c.t, c.run(0, "decide", "verify", "web/go-sales"), "not match")
	report := c.run(0, "decide", "report", "web/go-sales")
	for _, said := range []string{"CONDITIONAL GO", "NO GO", "overridden by users/sponsor", "2 of 3", "met at"} {
		require.Contains(c.t, report, said)
	}
	page := filepath.Join(c.dir, "go.html")
	c.run(0, "decide", "report", "web/go-sales", "--out", page)
	html := readFile(c.t, c.dir, "go.html")
	require.NotContains(c.t, html, "<b>go</b>")
	require.NotContains(c.t, html, "<i>follows</i>")
	require.Contains(c.t, c.run(0, "scorecard", "web"), "web/decisions/go-sales")
	for line := range strings.Lines(c.run(0, "compare", "web")) {
		require.LessOrEqual(c.t, len([]rune(strings.TrimRight(line, "\n"))), 80, line)
	}
}

// patch changes something through HTTP.
func (c *council) patch(path, body string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPatch, "http://"+c.addresses["http"]+"/v1/workspaces/default/"+path, strings.NewReader(body))
	require.NoError(c.t, err)
	req.Header.Set("Authorization", "Bearer "+c.token)
	code, answer := c.do(req)
	require.Equal(c.t, http.StatusOK, code, answer)
}

// visit is the code that a secret address answers.
func (c *council) visit(address string) int {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, address, http.NoBody)
	require.NoError(c.t, err)
	code, _ := c.do(req)
	return code
}

func (c *council) do(req *http.Request) (code int, answer string) {
	c.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer func() { require.NoError(c.t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return resp.StatusCode, string(text)
}
