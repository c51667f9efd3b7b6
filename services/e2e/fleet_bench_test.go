package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/proto"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/demo"
)

const (
	// fleetSize is how many agents the fleet has, unless GOLIVE_AGENTS says otherwise.
	fleetSize = 10_000
	// idle is for how long the cost of heartbeats is watched.
	idle = 10 * time.Second
	// pages is how often the first page is asked for.
	pages = 200
)

// BenchmarkFleet connects 10 000 agents to one server process, over the real protocol and TLS, from a process of their own: what
// they cost at rest, how long it takes to send all of them a command in one wave, to make all their results
// durable, and to have them back after the server was killed. The control is a server that does nothing but speak the protocol.
// One run each is the measurement: -benchtime 1x.
func BenchmarkFleet(b *testing.B) {
	n := fleetSize
	if given := os.Getenv("GOLIVE_AGENTS"); given != "" {
		var err error
		n, err = strconv.Atoi(given)
		require.NoError(b, err)
	}
	require.NoError(b, allowFiles(uint64(n)+1000))
	b.Run(fmt.Sprintf("control/N=%d", n), func(b *testing.B) { benchBare(b, n) })
	b.Run(fmt.Sprintf("golive/N=%d", n), func(b *testing.B) { benchFleet(b, n) })
}

// allowFiles lets this process and those it starts have so many open files.
func allowFiles(n uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Max = max(limit.Max, n)
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("%d agents need as many open files; raise the limit (ulimit -Hn) or set GOLIVE_AGENTS: %w", n, err)
	}
	return nil
}

func benchBare(b *testing.B, n int) {
	b.Helper()
	server, swarm := play(b, "Bare"), play(b, "Swarm")
	join := call[Join](server, "Listen", n)
	call[time.Duration](swarm, "Enrol", join)
	b.ResetTimer()
	atRest(b, swarm, server.pid, n)
	// About what a command of the benchmark's release is.
	command, err := proto.Marshal(&agentv1.Command{
		Installation: demo.Application + "/deployments/first/installations/host-00000", Target: demo.Environment + "/targets/host-00000", Application: demo.Application,
		Attempt: 1, Epoch: 1, Action: agentv1.Command_INSTALL, Workload: &agentv1.Workload{
			Release: demo.Application + "/releases/v1", Version: "1.0.0", ConfigDigest: strings.Repeat("0", 64),
			Artifact: &deploymentv1.Artifact{Os: runtime.GOOS, Arch: runtime.GOARCH, Sha256: strings.Repeat("0", 64)},
		},
	})
	require.NoError(b, err)
	before := cpu(b, server.pid)
	began := call[time.Time](server, "Dispatch", command)
	b.ReportMetric(call[time.Time](swarm, "Held", 0).Sub(began).Seconds(), "s-to-dispatch")
	b.ReportMetric(float64(n)/call[time.Duration](swarm, "Answer", 0).Seconds(), "results/s")
	b.ReportMetric(float64((cpu(b, server.pid)-before).Microseconds())/float64(n), "server-µs/target")
}

// atRest connects a swarm and reports what that takes, and what it costs when nothing happens.
func atRest(b *testing.B, swarm *role, server, n int) {
	b.Helper()
	empty := rss(b, server)
	b.ReportMetric(call[time.Duration](swarm, "Connect", 0).Seconds(), "s-to-connect")
	wait := time.NewTimer(idle) // the first beats, and what connecting left behind
	<-wait.C
	before := cpu(b, server)
	wait.Reset(idle)
	<-wait.C
	b.ReportMetric(100*(cpu(b, server)-before).Seconds()/idle.Seconds(), "%cpu-idle")
	b.ReportMetric(float64(rss(b, server)-empty)/float64(n), "KiB/agent")
}

func benchFleet(b *testing.B, n int) {
	b.Helper()
	f := newFleet(b, n)
	b.ResetTimer()
	atRest(b, f.swarm, f.server(), n)
	f.wave(b, "first", "v1")
	f.storm(b)
	b.ReportMetric(float64(rss(b, f.server()))/1024, "server-MiB")
}

// fleet is a server with a swarm that is enrolled there.
type fleet struct {
	*plane

	swarm       *role
	size        int
	deployments deploymentv1.DeploymentServiceClient
}

func (f *fleet) server() int { return f.processes["golive"].cmd.Process.Pid }

func newFleet(b *testing.B, n int) *fleet {
	b.Helper()
	f := &fleet{plane: onePlane(b), swarm: play(b, "Swarm"), size: n}
	f.deployments = deploymentv1.NewDeploymentServiceClient(f.deployment)
	ctx := b.Context()
	_, err := deploymentv1.NewEnvironmentServiceClient(f.deployment).CreateEnvironment(ctx, &deploymentv1.CreateEnvironmentRequest{Parent: demo.Workspace, EnvironmentId: "production", Environment: &deploymentv1.Environment{}})
	require.NoError(b, err)
	_, err = deploymentv1.NewApplicationServiceClient(f.deployment).CreateApplication(ctx, &deploymentv1.CreateApplicationRequest{Parent: demo.Workspace, ApplicationId: "crm", Application: &deploymentv1.Application{}})
	require.NoError(b, err)
	for _, id := range []string{"v1", "v2"} {
		f.release(b, id)
	}
	join := Join{Address: f.agents, Authority: f.authority(b), Agents: n, Tokens: f.tokens(b)}
	b.Logf("%d agents enrolled in %s", n, call[time.Duration](f.swarm, "Enrol", join).Round(time.Millisecond))
	return f
}

// release makes one whose archive nobody will ever unpack.
func (f *fleet) release(b *testing.B, id string) {
	b.Helper()
	data := []byte("the archive of " + id)
	digest := sha256.Sum256(data)
	sum := hex.EncodeToString(digest[:])
	upload, err := deploymentv1.NewBlobServiceClient(f.deployment).UploadBlob(b.Context())
	require.NoError(b, err)
	require.NoError(b, upload.Send(&deploymentv1.UploadBlobRequest{Parent: demo.Workspace, Sha256: sum, Data: data}))
	_, err = upload.CloseAndRecv()
	require.NoError(b, err)
	_, err = deploymentv1.NewReleaseServiceClient(f.deployment).CreateRelease(b.Context(), &deploymentv1.CreateReleaseRequest{Parent: demo.Application, ReleaseId: id, Release: &deploymentv1.Release{
		Version: strings.TrimPrefix(id, "v") + ".0.0", Artifacts: []*deploymentv1.Artifact{{Os: runtime.GOOS, Arch: runtime.GOARCH, Format: deploymentv1.Artifact_TAR_GZ, Sha256: sum}},
		Run: &deploymentv1.RunSpec{Command: []string{"app"}},
	}})
	require.NoError(b, err)
}

// authority reads the certificate by which agents know the server.
func (f *fleet) authority(b *testing.B) []byte {
	b.Helper()
	args := f.processes["golive"].args
	text, err := os.ReadFile(filepath.Join(args[slices.Index(args, "--data-dir")+1], "authority", "agent-authority.pem"))
	require.NoError(b, err)
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			return block.Bytes
		}
	}
	require.FailNow(b, "the authority has no certificate")
	return nil
}

func (f *fleet) tokens(b *testing.B) []string {
	b.Helper()
	agents := deploymentv1.NewAgentServiceClient(f.deployment)
	tokens := make([]string, f.size)
	flight, ctx := errgroup.WithContext(b.Context())
	flight.SetLimit(concurrent)
	pace := rate.NewLimiter(4000, concurrent)
	for i := range tokens {
		flight.Go(func() error {
			if err := pace.Wait(ctx); err != nil {
				return err
			}
			token, err := agents.CreateJoinToken(ctx, &deploymentv1.CreateJoinTokenRequest{Parent: demo.Workspace, AgentId: fmt.Sprintf("host-%05d", i), Environment: demo.Environment})
			tokens[i] = token.GetToken()
			return err
		})
	}
	require.NoError(b, flight.Wait())
	return tokens
}

// wave brings a release to all agents at once.
func (f *fleet) wave(b *testing.B, id, release string) {
	b.Helper()
	ctx := b.Context()
	before, began := cpu(b, f.server()), time.Now()
	d, err := f.deployments.CreateDeployment(ctx, &deploymentv1.CreateDeploymentRequest{Parent: demo.Application, DeploymentId: id, Deployment: &deploymentv1.Deployment{
		Release: demo.Application + "/releases/" + release, Environment: demo.Environment, Rollout: &deploymentv1.Rollout{Preset: &deploymentv1.Rollout_AllAtOnce{AllAtOnce: &deploymentv1.AllAtOnce{}}},
	}})
	require.NoError(b, err)
	created := time.Now()
	held := call[time.Time](f.swarm, "Held", 0)
	b.ReportMetric(created.Sub(began).Seconds(), "s-to-create")
	b.ReportMetric(held.Sub(created).Seconds(), "s-to-dispatch")
	f.pages(b, d.GetName())
	b.ReportMetric(float64(f.size)/call[time.Duration](f.swarm, "Answer", 0).Seconds(), "results/s")
	answered := time.Now()
	f.succeeds(b, d.GetName())
	call[time.Time](f.swarm, "Settled", 0)
	b.ReportMetric(time.Since(answered).Seconds(), "s-to-seal")
	b.ReportMetric(float64((cpu(b, f.server())-before).Microseconds())/float64(f.size), "server-µs/target")
}

// pages asks for the first page of the installations by state, and beside it for one single resource.
func (f *fleet) pages(b *testing.B, deployment string) {
	b.Helper()
	installations, applications := deploymentv1.NewInstallationServiceClient(f.deployment), deploymentv1.NewApplicationServiceClient(f.deployment)
	for what, ask := range map[string]func(context.Context) error{
		"page-p99-ms": func(ctx context.Context) error {
			page, err := installations.ListInstallations(ctx, &deploymentv1.ListInstallationsRequest{Parent: deployment, Filter: "state = CLAIMED", PageSize: 50})
			if err == nil && len(page.GetInstallations()) != min(50, f.size) {
				err = fmt.Errorf("the first page has %d installations", len(page.GetInstallations()))
			}
			return err
		},
		"ordered-page-p99-ms": func(ctx context.Context) error {
			_, err := installations.ListInstallations(ctx, &deploymentv1.ListInstallationsRequest{Parent: deployment, OrderBy: "state", PageSize: 50})
			return err
		},
		"get-p99-ms": func(ctx context.Context) error {
			_, err := applications.GetApplication(ctx, &deploymentv1.GetApplicationRequest{Name: demo.Application})
			return err
		},
	} {
		took := make([]time.Duration, pages)
		for i := range took {
			began := time.Now()
			require.NoError(b, ask(b.Context()))
			took[i] = time.Since(began)
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, what)
	}
}

func (f *fleet) succeeds(b *testing.B, deployment string) {
	b.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		d, err := f.deployments.GetDeployment(b.Context(), &deploymentv1.GetDeploymentRequest{Name: deployment})
		require.NoError(b, err)
		switch d.GetState() {
		case deploymentv1.Deployment_SUCCEEDED:
			require.Equal(b, int(d.GetCounts().GetTotal()), f.size)
			return
		case deploymentv1.Deployment_FAILED, deploymentv1.Deployment_CANCELLED:
			require.FailNow(b, "the deployment ended badly", "%s: %s", d.GetState(), d.GetStateMessage())
		default:
		}
		<-tick.C
	}
}

// storm kills the server and starts it again: all agents come back at once.
func (f *fleet) storm(b *testing.B) {
	b.Helper()
	server := f.processes["golive"]
	b.ReportMetric(float64(peak(b, server.cmd.Process.Pid))/1024, "peak-MiB")
	killed := time.Now()
	server.kill()
	call[time.Time](f.swarm, "Down", 0)
	server.start()
	b.ReportMetric(call[time.Time](f.swarm, "Back", 0).Sub(killed).Seconds(), "s-to-return")
}

// peak is the most memory that a process ever had, in KiB.
func peak(b *testing.B, pid int) int64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	_, after, found := strings.Cut(string(text), "VmHWM:")
	require.True(b, found)
	n, err := strconv.ParseInt(strings.Fields(after)[0], 10, 64)
	require.NoError(b, err)
	return n
}
