package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/demo"
	"github.com/golive-dev/golive/services/server"
)

// pair is the two services and what each does while the other one is not well: a host with an application in three
// environments, and people of two cohorts.
type pair struct {
	*yard

	wire        *wire // from the deployment service to the implementation service
	witness     *demo.Witness
	deployments deploymentv1.DeploymentServiceClient
	waves       deploymentv1.WaveServiceClient
	enrolments  implementationv1.EnrolmentServiceClient
	far         []string  // how to enter the network of the implementation service, where it has one
	drifting    string    // the program whose clock is off
	right       time.Time // when it is set right
}

const pairWorld = `
{name: applications/web}
---
{name: cohorts/sales, owner: users/carol}
---
{name: cohorts/stock, owner: users/carol}
---
{name: trainings/basics, displayName: The basics}
---
{name: implementations/crm, displayName: CRM}
---
name: implementations/crm/cohortPlans/sales
cohort: cohorts/sales
readinessPolicy: {criteria: [{id: trained, trained: {trainings: [basics], threshold: 1}}]}
---
name: implementations/crm/cohortPlans/stock
cohort: cohorts/stock
readinessPolicy: {criteria: [{id: trained, trained: {trainings: [basics], threshold: 1}}]}
---
{name: environments/live}
---
{name: environments/side}
---
{name: environments/late}
`

const pairRelease = `run:
  command: [app]
  env: {ADDRESS: "127.0.0.1:{{.vars.port}}", GREETING: hello}
  probes: [{http: {url: "http://127.0.0.1:{{.vars.port}}/healthz"}, interval: 0.2s}]
  minHealthyTime: 0.5s
`

// pairTargets are where the application runs, with the cohort of each.
var pairTargets = []struct{ name, cohort string }{
	{"live/targets/p1", "pilot"},
	{"live/targets/p2", "pilot"},
	{"live/targets/p3", "pilot"},
	{"live/targets/s1", "sales"},
	{"side/targets/b1", "side"},
	{"late/targets/w1", "stock"},
}

const inWorkspace = "workspaces/default/"

// newPair starts two processes with a wire between them. The database is SQLite for each where the URL is empty.
func newPair(t *testing.T, database string) *pair {
	t.Helper()
	plane := newPlane(t)
	w := &pair{wire: lay(t, plane.addresses["implementation"]), witness: demo.NewWitness()}
	w.begin(t, plane, database, apart{software: []string{"--implementation", w.wire.address()}, people: []string{"--deployment", plane.addresses["deployment"]}})
	return w
}

// apart is how the two services reach each other.
type apart struct {
	software, people []string       // flags of each, which say where the other one is
	move             func(*process) // has the implementation service live elsewhere
}

func (w *pair) begin(t *testing.T, plane *plane, database string, a apart) {
	t.Helper()
	t.Cleanup(w.witness.Stop)
	w.yard = &yard{plane: plane, t: t, dir: t.TempDir(), port: map[string]string{}, agents: map[string]*process{}}
	w.serve("deployment", database, append(plane.listen("deployment", "agents"), a.software...)...).start()
	home := filepath.Join(w.dir, "deployment")
	trusted := filepath.Join(home, "trusted-issuer.json")
	eventually(t, "the issuer's keys", func() bool { _, err := os.Stat(trusted); return err == nil })
	key, err := auth.LoadIssuer(server.IssuerFile(home))
	require.NoError(t, err)
	plane.token, _, err = key.Mint(auth.Claims{Name: "users/admin", Grants: map[string][]auth.Role{"*": {auth.Admin}}, TTL: 2 * time.Hour})
	require.NoError(t, err)
	self, _, err := key.Mint(auth.Claims{Name: "services/implementation", Grants: map[string][]auth.Role{"*": {auth.Service}}, TTL: 2 * time.Hour})
	require.NoError(t, err)
	people := w.serve("implementation", database, append(append(plane.listen("implementation"), a.people...), "--trusted-issuers", trusted, "--token-file", w.write("service.token", self))...)
	if a.move != nil {
		a.move(people)
	}
	people.start()
	plane.connect(t)
	w.deployments, w.waves = deploymentv1.NewDeploymentServiceClient(plane.deployment), deploymentv1.NewWaveServiceClient(plane.deployment)
	w.enrolments = implementationv1.NewEnrolmentServiceClient(plane.implementation)
	w.furnish()
}

func (w *pair) serve(role, database string, args ...string) *process {
	args = append([]string{"serve", role, "--data-dir", filepath.Join(w.dir, role), "--listen-admin", address(w.t, &w.ports)}, args...)
	if database != "" {
		args = append(args, "--database", database)
	}
	w.processes[role] = &process{tb: w.t, path: program(w.t, "golive"), log: filepath.Join(w.dir, role+".log"), args: args}
	return w.processes[role]
}

// furnish brings version 1 to every target, and has one person in each cohort, who is not trained.
func (w *pair) furnish() {
	w.t.Helper()
	world := pairWorld
	join := []string{"agent", "token", "host"}
	for _, target := range pairTargets {
		at := address(w.t, &w.ports)
		w.witness.Watch(target.name, "http://"+at)
		world += fmt.Sprintf("---\n{name: environments/%s, cohorts: [%s], variables: {port: %q}}\n", target.name, target.cohort, at[strings.LastIndexByte(at, ':')+1:])
		join = append(join, "--target", target.name)
	}
	w.run(0, "apply", "-f", w.write("world.yaml", world))
	w.enrol(join)
	for _, version := range []string{"1.0.0", "2.0.0", "3.0.0"} {
		content, err := os.ReadFile(program(w.t, "demo/crm-"+version))
		require.NoError(w.t, err)
		w.pack("app-"+version, filepath.Dir(w.write("bin-"+version+"/app", string(content))), "app")
		w.release("web", version, "app-"+version, pairRelease)
	}
	for _, environment := range []string{"live", "side", "late"} {
		w.deploy("first-"+environment, "1.0.0", environment, wave("all", nil))
	}
	w.run(0, "train", "publish", "basics")
	for _, cohort := range []string{"sales", "stock"} {
		w.run(0, "members", "import", cohort, "-f", w.write(cohort+".csv", "person\n"+cohort+"-1\n"), "--create-people")
		w.run(0, "train", "enrol", "basics", "--cohort", cohort)
	}
	for _, environment := range []string{"live", "side", "late"} {
		w.reaches("first-"+environment, deploymentv1.Deployment_SUCCEEDED, 30*time.Second)
	}
}

// enrol starts the agent.
func (w *pair) enrol(join []string) {
	w.t.Helper()
	data := filepath.Join(w.dir, "host")
	cmd := exec.CommandContext(w.t.Context(), program(w.t, "golive"), join...)
	cmd.Env = w.environment()
	token, err := cmd.Output()
	require.NoError(w.t, err)
	out, err := exec.CommandContext(w.t.Context(), program(w.t, "golive-agent"), "enrol", "--server", w.plane.agents, "--data-dir", data, "--token", strings.TrimSpace(string(token))).CombinedOutput()
	require.NoError(w.t, err, "%s", out)
	w.t.Cleanup(func() { endApplications(w.t, data) })
	w.agents["host"] = w.agent(data)
	w.agents["host"].start()
}

// trains records that the person of a cohort has completed the training.
func (w *pair) trains(cohort string) {
	w.t.Helper()
	_, err := w.enrolments.RecordCompletions(w.t.Context(), &implementationv1.RecordCompletionsRequest{Training: inWorkspace + "trainings/basics", Completions: []*implementationv1.Completion{{
		Person: inWorkspace + "people/" + cohort + "-1", CompleteTime: timestamppb.New(time.Now().AddDate(0, 0, -1)),
	}}})
	require.NoError(w.t, err)
}

// wave takes all of a cohort, or all that remain where none is named.
func wave(cohort string, change func(*deploymentv1.WaveRule)) *deploymentv1.WaveRule {
	rule := &deploymentv1.WaveRule{Id: cohort, Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Cohort{Cohort: cohort}}, MaxParallel: 1}
	if cohort == "all" {
		rule.Members.Rule = &deploymentv1.Members_Rest{Rest: true}
	}
	if change != nil {
		change(rule)
	}
	return rule
}

// gatedBy has a wave wait for the people of a cohort.
func gatedBy(cohort string) func(*deploymentv1.WaveRule) {
	return func(rule *deploymentv1.WaveRule) {
		rule.Gates = []*deploymentv1.GateRule{{Id: "people", Type: &deploymentv1.GateRule_Readiness{
			Readiness: &deploymentv1.ReadinessGate{CohortPlan: inWorkspace + "implementations/crm/cohortPlans/" + cohort},
		}}}
	}
}

func baking(bake time.Duration) func(*deploymentv1.WaveRule) {
	return func(rule *deploymentv1.WaveRule) { rule.Bake = durationpb.New(bake) }
}

func nameOf(deployment string) string {
	return inWorkspace + "applications/web/deployments/" + deployment
}

func (w *pair) deploy(id, version, environment string, waves ...*deploymentv1.WaveRule) {
	w.t.Helper()
	_, err := w.deployments.CreateDeployment(w.t.Context(), &deploymentv1.CreateDeploymentRequest{
		Parent: inWorkspace + "applications/web", DeploymentId: id, Deployment: &deploymentv1.Deployment{
			Release:     inWorkspace + "applications/web/releases/" + demo.ReleaseID(version),
			Environment: inWorkspace + "environments/" + environment, Rollout: &deploymentv1.Rollout{Waves: waves}, Reason: "it is tried out",
		},
	})
	require.NoError(w.t, err)
}

// reaches waits until a deployment has come to a state.
func (w *pair) reaches(id string, state deploymentv1.Deployment_State, within time.Duration) {
	w.t.Helper()
	w.until(within, id+" to be "+state.String(), func() (bool, string) {
		d, err := w.deployments.GetDeployment(w.t.Context(), &deploymentv1.GetDeploymentRequest{Name: nameOf(id)})
		require.NoError(w.t, err)
		return d.GetState() == state, d.GetState().String() + " " + d.GetStateMessage() + " " + fmt.Sprint(d.GetBlockedBy())
	})
}

// comes waits until a wave has come to a state.
func (w *pair) comes(deployment, id string, state deploymentv1.Wave_State, within time.Duration) {
	w.t.Helper()
	w.until(within, id+" to be "+state.String(), func() (bool, string) {
		got := w.wave(deployment, id)
		return got.GetState() == state, got.GetState().String() + " " + fmt.Sprint(got.GetBlockedBy())
	})
}

// starts waits until a wave has been let through its gates.
func (w *pair) starts(deployment, id string, within time.Duration) {
	w.t.Helper()
	w.until(within, id+" to start", func() (bool, string) {
		got := w.wave(deployment, id)
		return got.GetStartTime() != nil, got.GetState().String() + " " + fmt.Sprint(got.GetBlockedBy())
	})
}

// holds waits until a wave says that it waits for the other service, and why.
func (w *pair) holds(deployment, id string, why *regexp.Regexp, within time.Duration) {
	w.t.Helper()
	w.until(within, id+" to say that it waits for the other service", func() (bool, string) {
		got := w.wave(deployment, id)
		require.Nil(w.t, got.GetStartTime(), "%s went on without an answer", id)
		for _, b := range got.GetBlockedBy() {
			if b.GetKind() == gatev1.BlockedBy_SERVICE && why.MatchString(b.GetCurrent()) {
				return true, ""
			}
		}
		return false, got.GetState().String() + " " + fmt.Sprint(got.GetBlockedBy())
	})
}

// waits waits until a wave says that it waits for its people.
func (w *pair) waits(deployment, id string, within time.Duration) {
	w.t.Helper()
	w.until(within, id+" to wait for its people", func() (bool, string) {
		got := w.wave(deployment, id)
		require.Nil(w.t, got.GetStartTime(), "%s went on without its people", id)
		return got.GetState() == deploymentv1.Wave_GATED && len(got.GetBlockedBy()) > 0 && got.GetBlockedBy()[0].GetKind() == gatev1.BlockedBy_CRITERION,
			got.GetState().String() + " " + fmt.Sprint(got.GetBlockedBy())
	})
}

func (w *pair) wave(deployment, id string) *deploymentv1.Wave {
	w.t.Helper()
	got, err := w.waves.GetWave(w.t.Context(), &deploymentv1.GetWaveRequest{Name: nameOf(deployment) + "/waves/" + id})
	require.NoError(w.t, err)
	return got
}

// until is eventually with a patience of its own, and says what was seen last.
func (w *pair) until(within time.Duration, what string, met func() (bool, string)) {
	w.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; <-tick.C {
		ok, seen := met()
		if ok {
			return
		}
		require.Less(w.t, time.Since(began), within, "waited for %s; it was %s", what, seen)
	}
}

// answersWith waits until a target answers with a version.
func (w *pair) answersWith(target, version string, within time.Duration) {
	w.t.Helper()
	w.until(within, target+" to answer with "+version, func() (bool, string) {
		got := w.witness.Versions()[target]
		return got == version, got
	})
}

// promptly does what a person would, who may not wait for the other service.
func (w *pair) promptly(what string, do func(ctx context.Context) error) {
	w.t.Helper()
	began := time.Now()
	require.NoError(w.t, do(w.t.Context()))
	require.Less(w.t, time.Since(began), time.Second, "%s has to be answered at once", what)
}

// caught brings a bad release to the side, and returns how long it took until the one before was back and all was told.
func (w *pair) caught(id string) time.Duration {
	w.t.Helper()
	began := time.Now()
	w.deploy(id, "3.0.0", "side", wave("all", baking(20*time.Second)))
	w.answersWith("side/targets/b1", "3.0.0", 10*time.Second)
	w.reaches(id, deploymentv1.Deployment_FAILED, 25*time.Second)
	w.answersWith("side/targets/b1", "1.0.0", 5*time.Second)
	return time.Since(began)
}

// sighted gathers, while it runs, every version that a target answered with.
func (w *pair) sighted(target string) (versions func() []string) {
	var mu sync.Mutex
	seen := map[string]bool{}
	ctx, stop := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			mu.Lock()
			seen[w.witness.Versions()[target]] = true
			mu.Unlock()
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() (all []string) {
		stop()
		<-done
		for version := range seen {
			all = append(all, version)
		}
		return all
	}
}
