package rollout

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
)

// Defaults of a rollout's timeouts, as the contract states them.
const (
	DefaultStepTimeout   = 5 * time.Minute
	DefaultLostAfter     = 5 * time.Minute
	DefaultCancelTimeout = 2 * time.Minute
)

// State is one deployment with its waves in their order. Advance changes it in place.
type State struct {
	Deployment *deploymentv1.Deployment
	Waves      []*deploymentv1.Wave
}

// Facts is what is known at the moment of a decision, all of it read in the transaction
// that will save the result.
type Facts struct {
	// Now is the server's clock. Deadlines compare it with times this same clock wrote.
	Now time.Time
	// Counts holds the installations of each wave by state, by the wave's name.
	Counts map[string]*deploymentv1.InstallationCounts
	// Approvals holds what approvers said about each wave, by the wave's name.
	Approvals map[string][]*deploymentv1.Approval
	// Analyses holds what the analyses of the waves say, by the wave's name.
	Analyses map[string]*gatev1.Verdict
	// Preflight is the outcome of the checks that need the network; nil until they were made.
	Preflight *Preflight
	// Answered holds the asks whose answers were recorded just now, so that a closed gate is not asked twice in a row.
	Answered map[Ask]bool
	// Judged holds the verdicts of gates whose facts were read in this transaction, as Effects.Judge asked for.
	Judged map[Ask]*gatev1.Verdict
	// InFlight names targets that are in the middle of work; read only while a cancellation is due.
	InFlight []string
	// Ahead are the deployments that this one waits for while it is PENDING, in the order of their turns.
	Ahead []Ahead
	// Away names the targets of each wave that wait and cannot be worked on; read only for a catch-up.
	Away map[string][]string
	// Growing names the deployment that may still leave targets to this catch-up.
	Growing string
	// Migrations is what has to be migrated in the environment; nil for nothing.
	Migrations *Migrations
	// Circles holds the waves that wait for themselves, by their name.
	Circles map[string]*Circle
	// Policies is what binds the deployment now, and whom overrides open what for; nil for nothing.
	Policies *policy.Set
}

// Preflight is what was found before the first wave.
type Preflight struct {
	// Problems are sentences; empty means that the deployment may start.
	Problems []string
	// Path is the way back.
	Path *deploymentv1.RollbackPath
}

// Effects is what has to be done in the transaction that saves the state, or right after it.
type Effects struct {
	// Preflight asks for the checks that need the network.
	Preflight bool
	// Begin takes the targets: the deployment's turn has come.
	Begin bool
	// Start names the wave that started: what it is about to install is compared with the snapshot first.
	Start string
	// Asks names the gates whose verdict has to be fetched over the network, after this transaction.
	Asks []Ask
	// Judge names the gates whose facts have to be read in this transaction; decide again with them.
	Judge []Ask
	// Claim lets the installations of one wave begin.
	Claim *Claim
	// Prestage names the wave whose files should be put in place ahead of time.
	Prestage string
	// Seal names the waves whose healthy installations are sealed and whose others end.
	Seal []string
	// SealReached names the waves whose healthy installations are sealed while others are still awaited.
	SealReached []string
	// Revert names the waves whose installations are taken back.
	Revert []string
	// Migrate names the migration that is to be made now that every target runs the release.
	Migrate string
	// DropQueued ends what has not begun; CallBack brings what has begun to a safe end.
	DropQueued, CallBack bool
	// Free gives the targets free for other deployments: the deployment has ended.
	Free bool
	// WakeAt is when time alone may change the answer; zero when only an event can.
	WakeAt time.Time
}

// Ask is one verdict that a gate needs.
type Ask struct {
	Wave, Gate string
	// Resource is what is asked about: a cohort plan of the other service, or the wave itself.
	Resource string
}

// Claim is how many installations of a wave may begin now.
type Claim struct {
	Wave  string
	Limit int32
	// Elect makes the one that is claimed the runner of the migrations that come first.
	Elect bool
}

func (e *Effects) wakeAt(t time.Time) {
	if e.WakeAt.IsZero() || t.Before(e.WakeAt) {
		e.WakeAt = t
	}
}

func (e *Effects) ask(a Ask) {
	if !slices.Contains(e.Asks, a) {
		e.Asks = append(e.Asks, a)
	}
}

func (e *Effects) asks(wave, gate string) bool {
	of := func(a Ask) bool { return a.Wave == wave && a.Gate == gate }
	return slices.ContainsFunc(e.Asks, of) || slices.ContainsFunc(e.Judge, of)
}

// current returns the first wave that has not ended, or nil.
func (s *State) current() *deploymentv1.Wave {
	if s.catchUp() {
		return s.round()
	}
	for _, w := range s.Waves {
		if !WaveEnded(w.GetState()) {
			return w
		}
	}
	return nil
}

// following returns the first wave after w that has not ended, or nil.
func (s *State) following(w *deploymentv1.Wave) *deploymentv1.Wave {
	for _, next := range s.Waves {
		if next.GetOrdinal() > w.GetOrdinal() && !WaveEnded(next.GetState()) {
			return next
		}
	}
	return nil
}

// before returns the wave that a rule means by an id; for "" the last one before w that
// was not left out. It is nil where there is none.
func (s *State) before(w *deploymentv1.Wave, id string) *deploymentv1.Wave {
	for _, prior := range slices.Backward(s.Waves) {
		switch {
		case prior.GetOrdinal() >= w.GetOrdinal():
		case id == "" && prior.GetState() != deploymentv1.Wave_SKIPPED, id != "" && prior.GetRule().GetId() == id:
			return prior
		}
	}
	return nil
}

func (s *State) rollback() bool { return s.Deployment.GetRollbackOf() != "" }

// counts never returns nil.
func (f *Facts) counts(w *deploymentv1.Wave) *deploymentv1.InstallationCounts {
	if c := f.Counts[w.GetName()]; c != nil {
		return c
	}
	return &deploymentv1.InstallationCounts{}
}

// total sums the counts of all waves.
func (f *Facts) total() *deploymentv1.InstallationCounts {
	sum := &deploymentv1.InstallationCounts{}
	for _, c := range f.Counts {
		sum.Total += c.GetTotal()
		sum.Queued += c.GetQueued()
		sum.InProgress += c.GetInProgress()
		sum.Healthy += c.GetHealthy()
		sum.Sealed += c.GetSealed()
		sum.Failed += c.GetFailed()
		sum.Unhealthy += c.GetUnhealthy()
		sum.Unknown += c.GetUnknown()
		sum.Lost += c.GetLost()
		sum.Reverting += c.GetReverting()
		sum.Reverted += c.GetReverted()
		sum.RevertFailed += c.GetRevertFailed()
		sum.Skipped += c.GetSkipped()
		sum.Cancelled += c.GetCancelled()
		sum.Prestaged += c.GetPrestaged()
		sum.Unavailable += c.GetUnavailable()
	}
	return sum
}

// busy counts installations that somebody still has to hear the end of.
func busy(c *deploymentv1.InstallationCounts) int32 {
	return c.GetInProgress() + c.GetUnknown() + c.GetReverting()
}

func orDefault(d *durationpb.Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return d.AsDuration()
}

func stamp(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }

// opens reports whether a verdict lets a wave start.
func opens(s gatev1.Verdict_State) bool {
	return s == gatev1.Verdict_PASS || s == gatev1.Verdict_WAIVED
}
