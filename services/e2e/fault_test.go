package e2e

import (
	"context"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/pgtest"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const (
	// healed is how soon everything goes on by itself once the other service is well again.
	healed = 15 * time.Second
	// noise is by how much the rollback of a bad release may differ between two runs on a machine that does other things.
	noise = 3 * time.Second
)

// trouble is one way in which the implementation service is not there for the deployment service.
type trouble struct {
	name     string
	says     string // what a wave that waits says of it
	postgres bool
	strike   func(w *pair)
	heal     func(w *pair)
}

// TestWavesAndTheFaultsOfTheOtherService has waves wait, run and fail while the implementation service is not well, with
// processes as they are shipped. Whatever is wrong with it: what waits holds and says why, what runs goes on, what is bad is taken
// back as fast as ever, people are answered at once, and when it is well again everything goes on by itself.
func TestWavesAndTheFaultsOfTheOtherService(t *testing.T) {
	t.Parallel()
	for _, f := range []trouble{
		{name: "killed", says: "cannot be reached", postgres: true, strike: func(w *pair) { w.people().kill() }, heal: func(w *pair) { w.people().start() }},
		{name: "hung", says: "did not answer within|cannot be reached", postgres: true, strike: func(w *pair) { w.signal(syscall.SIGSTOP) }, heal: func(w *pair) { w.signal(syscall.SIGCONT) }},
		{name: "slow", says: "did not answer within", strike: func(w *pair) { w.wire.slow(3 * time.Second) }, heal: func(w *pair) { w.wire.slow(0) }},
		{name: "black hole", says: "did not answer within|cannot be reached", strike: func(w *pair) { w.wire.hole(true) }, heal: func(w *pair) { w.wire.hole(false) }},
		{name: "lies", says: "it answered about something else|its answer|it refused to answer", strike: func(w *pair) {
			_, address := lie(w.t)
			w.wire.lead(address)
		}, heal: func(w *pair) { w.wire.lead(w.addresses["implementation"]) }},
		{name: "web server", says: "cannot be reached", strike: func(w *pair) { w.wire.lead(stranger(w.t, false)) }, heal: func(w *pair) { w.wire.lead(w.addresses["implementation"]) }},
		{name: "wrong TLS", says: "cannot be reached", strike: func(w *pair) { w.wire.lead(stranger(w.t, true)) }, heal: func(w *pair) { w.wire.lead(w.addresses["implementation"]) }},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			database := ""
			if f.postgres {
				database = pgtest.URL(t)
			}
			newPair(t, database).suffers(f)
		})
	}
}

// TestItsClockIsAnHourOff: behind, it takes nobody's word, because all that is said to it is of a time to come; ahead, it is heard.
func TestItsClockIsAnHourOff(t *testing.T) {
	adrift := drifting(t) // before others run beside it, because the first time it takes minutes of both processors
	t.Parallel()
	for name, suffer := range map[string]func(w *pair){
		"behind": func(w *pair) {
			w.suffers(trouble{name: "clock an hour behind", says: "clocks", strike: func(w *pair) { w.lives(-time.Hour, driftLasts) }, heal: func(w *pair) { w.clockIsRight() }})
		},
		"ahead": (*pair).isHeardFromTheFuture,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newPair(t, "")
			w.drifting = adrift
			suffer(w)
		})
	}
}

// isHeardFromTheFuture: what a service whose clock is ahead says is good for no longer than if it were right, and what it wrote down with
// times to come holds nothing up when its clock has been set back.
func (w *pair) isHeardFromTheFuture() {
	w.t.Helper()
	usual := w.caught("usual")
	w.deploy("late", "2.0.0", "late", wave("all", gatedBy("stock")))
	w.waits("late", "all", 10*time.Second)
	w.deploy("live", "2.0.0", "live", wave("pilot", baking(2*time.Second)), wave("sales", gatedBy("sales")))
	w.trains("sales")

	w.lives(time.Hour, driftLasts)
	require.Less(w.t, w.caught("bad"), usual+noise, "a bad release is taken back as fast as with a clock that is right")
	w.starts("live", "sales", 30*time.Second)
	w.reaches("live", deploymentv1.Deployment_SUCCEEDED, 15*time.Second)
	w.waits("late", "all", 10*time.Second)
	gate := w.wave("late", "all").GetGates()[0].GetVerdict()
	require.NotNil(w.t, gate.GetValidUntil())
	require.Less(w.t, time.Until(gate.GetValidUntil().AsTime()), 5*time.Minute, "by the clock of who asked")
	require.True(w.t, time.Now().Before(w.right), "all of it while the clock was ahead")

	w.clockIsRight()
	w.trains("stock")
	w.starts("late", "all", healed)
	w.answersWith("late/targets/w1", "2.0.0", 15*time.Second)
}

func (w *pair) people() *process { return w.processes["implementation"] }

func (w *pair) signal(s syscall.Signal) {
	w.t.Helper()
	require.NoError(w.t, w.people().cmd.Process.Signal(s))
}

// suffers has one wave run, one wait for people who are ready by then, and one for people who are not, while the fault lasts.
func (w *pair) suffers(f trouble) {
	w.t.Helper()
	usual := w.caught("usual")
	w.deploy("late", "2.0.0", "late", wave("all", gatedBy("stock")))
	w.waits("late", "all", 10*time.Second)
	w.deploy("live", "2.0.0", "live", wave("pilot", baking(2*time.Second)), wave("sales", gatedBy("sales")))
	w.answersWith("live/targets/p1", "2.0.0", 20*time.Second)
	w.trains("sales")

	struck := time.Now()
	sales, stock := w.sighted("live/targets/s1"), w.sighted("late/targets/w1")
	f.strike(w)
	during := w.caught("bad")
	require.Less(w.t, during, usual+noise, "a bad release is taken back as fast as without the fault")
	w.comes("live", "pilot", deploymentv1.Wave_SEALED, 15*time.Second)
	why := regexp.MustCompile(f.says)
	w.holds("live", "sales", why, 15*time.Second)
	w.commanded()
	w.holds("late", "all", why, 45*time.Second-time.Since(struck))
	w.holds("live", "sales", why, 10*time.Second)

	require.Equal(w.t, []string{"1.0.0"}, sales(), "nothing was done to the targets of a wave that waits")
	require.Equal(w.t, []string{"1.0.0"}, stock())
	gaps := w.witness.GapsSince(struck)
	require.Empty(w.t, gaps["live/targets/s1"])
	require.Empty(w.t, gaps["late/targets/w1"])

	f.heal(w)
	began := time.Now()
	w.starts("live", "sales", healed)
	took := time.Since(began)
	w.waits("late", "all", healed-time.Since(began))
	w.t.Logf("%s: taken back in %s, without the fault in %s; went on %s after it was healed", f.name,
		during.Round(time.Millisecond), usual.Round(time.Millisecond), took.Round(time.Millisecond))
	w.answersWith("live/targets/s1", "2.0.0", 15*time.Second)
	w.reaches("live", deploymentv1.Deployment_SUCCEEDED, 15*time.Second)
}

// commanded does during a fault what people do, none of which asks the other service.
func (w *pair) commanded() {
	w.t.Helper()
	w.promptly("pausing", func(ctx context.Context) error {
		_, err := w.deployments.PauseDeployment(ctx, &deploymentv1.PauseDeploymentRequest{Name: nameOf("live")})
		return err
	})
	w.promptly("resuming", func(ctx context.Context) error {
		_, err := w.deployments.ResumeDeployment(ctx, &deploymentv1.ResumeDeploymentRequest{Name: nameOf("live")})
		return err
	})
	w.deploy("given-up", "2.0.0", "side", wave("all", gatedBy("stock")))
	w.promptly("cancelling", func(ctx context.Context) error {
		_, err := w.deployments.CancelDeployment(ctx, &deploymentv1.CancelDeploymentRequest{Name: nameOf("given-up")})
		return err
	})
	w.reaches("given-up", deploymentv1.Deployment_CANCELLED, 3*time.Second)
	w.deploy("wanted", "2.0.0", "side", wave("all", nil))
	w.reaches("wanted", deploymentv1.Deployment_SUCCEEDED, 15*time.Second)
	var back *deploymentv1.Deployment
	w.promptly("rolling back", func(ctx context.Context) (err error) {
		back, err = w.deployments.RollbackDeployment(ctx, &deploymentv1.RollbackDeploymentRequest{Name: nameOf("wanted"), Reason: "as it was"})
		return err
	})
	w.answersWith("side/targets/b1", "1.0.0", 10*time.Second)
	w.reaches(back.GetName()[len(nameOf("")):], deploymentv1.Deployment_SUCCEEDED, 10*time.Second)
}
