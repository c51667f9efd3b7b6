package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/pgtest"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/demo"
)

// planes runs a test in one process on SQLite, and as three on PostgreSQL.
func planes(t *testing.T, test func(t *testing.T, p *plane)) {
	t.Helper()
	t.Run("one process on SQLite", func(t *testing.T) { test(t, onePlane(t)) })
	t.Run("three processes on PostgreSQL", func(t *testing.T) { test(t, threePlanes(t)) })
}

// TestTheDemonstration tells the whole story on both databases, in one process and as three.
func TestTheDemonstration(t *testing.T) {
	told := func(t *testing.T, p *plane) {
		t.Helper()
		require.NoError(t, stage(t, p).Run(t.Context()))
		for _, deployment := range []string{"first", "second", "third", "fourth", "fifth"} {
			eventsAreDocumented(t, p.golive(t.Context(), t, "events", "crm/deployments/"+deployment, "--limit", "1000"))
		}
	}
	const private = "--allow-private-receivers" // of events, on this machine
	t.Run("one process on SQLite", func(t *testing.T) { told(t, onePlane(t, private)) })
	t.Run("one process on PostgreSQL", func(t *testing.T) { told(t, onePlane(t, private, "--database", pgtest.URL(t))) })
	t.Run("three processes on SQLite", func(t *testing.T) { told(t, threePlanesOn(t, "", private)) })
	t.Run("three processes on PostgreSQL", func(t *testing.T) { told(t, threePlanes(t, private)) })
}

// oneByOne goes through the targets one after the other, so that there is a middle to be killed in.
func oneByOne() *deploymentv1.Rollout {
	return &deploymentv1.Rollout{Preset: &deploymentv1.Rollout_AllAtOnce{AllAtOnce: &deploymentv1.AllAtOnce{MaxParallel: 1, Bake: durationpb.New(time.Second)}}}
}

func TestAServerKilledInTheMiddleOfAWaveGoesOn(t *testing.T) {
	planes(t, func(t *testing.T, p *plane) {
		d := stage(t, p)
		require.NoError(t, d.Prepare(t.Context()))
		require.NoError(t, d.First(t.Context()))
		began := time.Now()
		name, err := d.Deploy(t.Context(), "second", "2.0.0", oneByOne())
		require.NoError(t, err)
		eventually(t, "the middle of the wave", func() bool { return count(d.Witness.Versions(), "2.0.0") == 2 })
		for role, process := range p.processes {
			if role == "golive" || role == "deployment" {
				process.kill()
				process.start()
			}
		}
		p.answers(t, p.deployment)
		require.NoError(t, d.Reach(t.Context(), name, deploymentv1.Deployment_SUCCEEDED))
		everythingOnce(t, d, began)
	})
}

func TestAnAgentKilledInTheMiddleOfAnActivationFinishesIt(t *testing.T) {
	planes(t, func(t *testing.T, p *plane) {
		d := stage(t, p)
		require.NoError(t, d.Prepare(t.Context()))
		require.NoError(t, d.First(t.Context()))
		began := time.Now()
		name, err := d.Deploy(t.Context(), "second", "2.0.0", oneByOne())
		require.NoError(t, err)
		installations := deploymentv1.NewInstallationServiceClient(p.deployment)
		eventually(t, "an activation under way", func() bool {
			i, err := installations.GetInstallation(t.Context(), &deploymentv1.GetInstallationRequest{Name: name + "/installations/sales-1"})
			require.NoError(t, err)
			return i.GetState() == deploymentv1.Installation_ACTIVATING || i.GetState() == deploymentv1.Installation_PROBING
		})
		sales := d.Hosts[1]
		require.NoError(t, sales.Kill())
		require.NoError(t, sales.Start(t.Context()))
		require.NoError(t, d.Reach(t.Context(), name, deploymentv1.Deployment_SUCCEEDED))
		everythingOnce(t, d, began)
	})
}

// everythingOnce checks that every target was switched to version 2 exactly once, and did
// not stop answering at any other time than its own switch.
func everythingOnce(t *testing.T, d *demo.Demo, since time.Time) {
	t.Helper()
	require.NoError(t, d.Expect(t.Context(), map[string]string{"pilot": "2.0.0", "sales": "2.0.0", "warehouse": "2.0.0"}))
	gaps := d.Witness.GapsSince(since)
	for _, h := range d.Hosts {
		for _, target := range h.Targets {
			starts, err := h.Starts(target, "2.0.0")
			require.NoError(t, err)
			require.Equal(t, 1, starts, "%s started version 2 that often", target)
			require.LessOrEqual(t, len(gaps[target]), 1, "%s: %v", target, gaps[target])
		}
	}
}

func count(versions map[string]string, want string) (n int) {
	for _, v := range versions {
		if v == want {
			n++
		}
	}
	return n
}
