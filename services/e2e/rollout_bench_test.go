package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	"github.com/golive-dev/golive/services/demo"
)

// targetsPerAgent is how many slots one host of the benchmark has.
const targetsPerAgent = 10

// BenchmarkRollout takes N targets from version 1 to version 2, canary 1 and then a quarter in
// flight, but no more than 50: golive with real agents, an in-process pusher, and a shell loop. It is over when every target
// answers the new version, asked from outside. One run each is the measurement: -benchtime 1x.
func BenchmarkRollout(b *testing.B) {
	for _, n := range []int{10, 50, 200, 1000} {
		b.Run(fmt.Sprintf("floor/N=%d", n), func(b *testing.B) { benchFloor(b, n) })
		b.Run(fmt.Sprintf("shell/N=%d", n), func(b *testing.B) { benchShell(b, n) })
		b.Run(fmt.Sprintf("golive/N=%d", n), func(b *testing.B) { benchGolive(b, n) })
	}
}

// archives are the packed applications with their digests, by version.
func archives(b *testing.B) (packed map[string][]byte, sums map[string]string) {
	b.Helper()
	packed, sums = map[string][]byte{}, map[string]string{}
	for version, path := range applications(b) {
		archive, err := demo.Pack(path)
		require.NoError(b, err)
		sum := sha256.Sum256(archive)
		packed[version], sums[version] = archive, hex.EncodeToString(sum[:])
	}
	return packed, sums
}

func benchFloor(b *testing.B, n int) {
	b.Helper()
	packed, sums := archives(b)
	all := slots(b, n)
	push := func(version string) error {
		return waves(b.Context(), all, func(ctx context.Context, s *slot) error { return s.push(ctx, packed[version], sums[version], version) })
	}
	require.NoError(b, push("1.0.0"))
	b.ResetTimer()
	began := time.Now()
	require.NoError(b, push("2.0.0"))
	b.ReportMetric(time.Since(began).Seconds(), "s/rollout")
}

func benchShell(b *testing.B, n int) {
	b.Helper()
	packed, sums := archives(b)
	all := slots(b, n)
	b.Cleanup(func() { killShell(all) })
	dir := b.TempDir()
	push := func(version string) error {
		path := filepath.Join(dir, version+".tar.gz")
		if err := os.WriteFile(path, packed[version], 0o600); err != nil {
			return err
		}
		return shell(b.Context(), all, path, sums[version], version)
	}
	require.NoError(b, push("1.0.0"))
	b.ResetTimer()
	began := time.Now()
	require.NoError(b, push("2.0.0"))
	b.ReportMetric(time.Since(began).Seconds(), "s/rollout")
}

func benchGolive(b *testing.B, n int) {
	b.Helper()
	p := onePlane(b)
	var groups []demo.Cohort
	for first := 0; first < n; first += targetsPerAgent {
		g := demo.Cohort{ID: fmt.Sprintf("g%d", first/targetsPerAgent)}
		for i := first; i < min(first+targetsPerAgent, n); i++ {
			g.Targets = append(g.Targets, fmt.Sprintf("t%04d", i))
		}
		groups = append(groups, g)
	}
	d := demo.New(demo.Config{
		Deployment: p.deployment, Implementation: p.implementation, AgentAddress: p.agents, AgentProgram: program(b, "golive-agent"),
		Applications: applications(b), Dir: b.TempDir(), Out: talk{b}, Cohorts: groups, ProbeInterval: time.Second, Unwatched: true,
	})
	b.Cleanup(d.Close)
	ctx := b.Context()
	require.NoError(b, d.Prepare(ctx))
	rollout := func(id, version string) {
		ended := watchEnds(b, p.deployment)
		name, err := d.Deploy(ctx, id, version, &deploymentv1.Rollout{Waves: []*deploymentv1.WaveRule{
			{Id: "canary", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Count{Count: 1}}},
			{Id: "rest", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Rest{Rest: true}}, MaxParallel: int32(window(n))},
		}})
		require.NoError(b, err)
		require.Equal(b, name, (<-ended).GetResource())
		require.NoError(b, d.Reach(ctx, name, deploymentv1.Deployment_SUCCEEDED))
		require.NoError(b, allAnswer(ctx, d, version))
	}
	rollout("first", "1.0.0")
	server, hosts := p.processes["golive"].cmd.Process.Pid, d.AgentPIDs()
	serverBefore, agentsBefore := cpu(b, server), cpu(b, hosts...)
	b.ResetTimer()
	began := time.Now()
	rollout("second", "2.0.0")
	b.ReportMetric(time.Since(began).Seconds(), "s/rollout")
	b.ReportMetric(float64((cpu(b, server)-serverBefore).Microseconds())/1000/float64(n), "server-ms/target")
	b.ReportMetric(float64((cpu(b, hosts...)-agentsBefore).Microseconds())/1000/float64(n), "agent-ms/target")
	b.ReportMetric(float64(rss(b, server))/1024, "server-MiB")
	b.ReportMetric(float64(rss(b, hosts...))/1024/float64(len(hosts)), "MiB/agent")
	if shims := named(b, "golive-shim"); len(shims) > 0 {
		b.ReportMetric(float64(pss(b, shims...))/1024/float64(n), "shim-MiB/target")
	}
}

// watchEnds tells of the next deployment that ends. It listens, as `golive watch` does: to ask again and again would be
// a good part of what the server does.
func watchEnds(b *testing.B, conn grpc.ClientConnInterface) <-chan *eventv1.Event {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var types []string
	for _, state := range []string{"succeeded", "failed", "rollback_failed", "cancelled"} {
		types = append(types, "deployment.deployment."+state)
	}
	stream, err := eventv1.NewEventServiceClient(conn).WatchEvents(ctx, &eventv1.WatchEventsRequest{Parent: demo.Workspace, Types: types})
	require.NoError(b, err)
	_, err = stream.Recv() // it listens from here on
	require.NoError(b, err)
	ended := make(chan *eventv1.Event, 1)
	go func() {
		defer cancel()
		for {
			frame, err := stream.Recv()
			if err != nil {
				close(ended)
				return
			}
			if frame.GetEvent() != nil {
				ended <- frame.GetEvent()
				return
			}
		}
	}()
	return ended
}

// allAnswer asks every target from outside.
func allAnswer(ctx context.Context, d *demo.Demo, version string) error {
	asking, ctx := errgroup.WithContext(ctx)
	asking.SetLimit(16)
	for target, address := range d.Addresses() {
		asking.Go(func() error {
			got, err := versionAt(ctx, address)
			if err == nil && got != version {
				err = fmt.Errorf("%s answers %s, not %s", target, got, version)
			}
			return err
		})
	}
	return asking.Wait()
}

// cpu is what processes and their ended children have used.
func cpu(tb testing.TB, pids ...int) time.Duration {
	tb.Helper()
	var ticks int64
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		require.NoError(tb, err)
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+2:]))
		for _, field := range fields[11:15] { // utime, stime, cutime, cstime
			n, err := strconv.ParseInt(field, 10, 64)
			require.NoError(tb, err)
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100 everywhere that Go runs on
}

// rss and pss are the memory of processes in KiB: resident, and with shared pages divided among those who share them.
func rss(tb testing.TB, pids ...int) int64 { tb.Helper(); return memory(tb, "Rss:", pids) }
func pss(tb testing.TB, pids ...int) int64 { tb.Helper(); return memory(tb, "Pss:", pids) }

func memory(tb testing.TB, what string, pids []int) (sum int64) {
	tb.Helper()
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		require.NoError(tb, err)
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); fields[0] == what {
				n, err := strconv.ParseInt(fields[1], 10, 64)
				require.NoError(tb, err)
				sum += n
			}
		}
	}
	return sum
}

// named finds running processes by the name of their program.
func named(tb testing.TB, program string) (pids []int) {
	tb.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*/exe")
	require.NoError(tb, err)
	for _, entry := range entries {
		target, err := os.Readlink(entry)
		if err != nil || filepath.Base(target) != program {
			continue // it ended meanwhile, or is another
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(entry)))
		require.NoError(tb, err)
		pids = append(pids, pid)
	}
	return pids
}
