package simulator

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// invariant holds after every step that wrote something.
type invariant func(w *world, c *change) error

func invariants() []invariant {
	return []invariant{
		terminalAbsorbs, commandsStand, gatesWereOpen, rulesHold, wavesInOrder, parallelIsBounded, oneActiveEach, activatesOnce, epochsRise, waitsSayWhy, wakesStand,
		silenceEnds, graceAfterStart, snapshotsStand, cancelEnds, attemptsNeedPeople, rollbackWaitsForNobody, sealedWithinBudget, sealedOnVerdict, failuresHaveCauses, targetsAreFreed,
	}
}

// check reads what was written and holds it against every invariant.
func (w *world) check() {
	if w.broken != nil || w.book.commits == w.bench.disk.commits {
		return
	}
	w.book.commits = w.bench.disk.commits
	c, err := w.book.read()
	if err != nil {
		w.fail(err)
	}
	w.tell(&c)
	for _, holds := range invariants() {
		if err := holds(w, &c); err != nil {
			w.fail(err)
		}
	}
}

// tell notes what moved.
func (w *world) tell(c *change) {
	for _, d := range c.deployments {
		if d.before.GetState() != d.after.GetState() {
			w.note("%s is %s %s: %s", short(d.after.GetName()), d.after.GetState(), d.after.GetStateReason(), d.after.GetStateMessage())
		}
	}
	for _, d := range c.waves {
		if d.before.GetState() != d.after.GetState() {
			w.note("%s is %s", short(d.after.GetName()), d.after.GetState())
		}
	}
	for _, i := range c.installations {
		w.note("%s is %s %s, attempt %d, epoch %d, to do %s", short(i.after.name), i.after.state, i.after.health, i.after.attempt, i.after.epoch, i.after.action)
	}
}

// terminalAbsorbs (F1, F5, F27): what has ended stays as it is, whatever is redelivered, commanded or reported.
func terminalAbsorbs(_ *world, c *change) error {
	for _, d := range c.deployments {
		if d.before != nil && rollout.Ended(d.before.GetState()) {
			return fmt.Errorf("F1: %s was %s and is %s", d.after.GetName(), d.before.GetState(), d.after.GetState())
		}
	}
	for _, d := range c.waves {
		if d.before != nil && rollout.WaveEnded(d.before.GetState()) {
			return fmt.Errorf("F1: %s was %s and is %s", d.after.GetName(), d.before.GetState(), d.after.GetState())
		}
	}
	ends := []deploymentv1.Installation_State{
		deploymentv1.Installation_SEALED, deploymentv1.Installation_SKIPPED, deploymentv1.Installation_CANCELLED, deploymentv1.Installation_REVERT_FAILED,
	}
	for _, i := range c.installations {
		if i.known && i.before.state != i.after.state && slices.Contains(ends, i.before.state) {
			return fmt.Errorf("F1: %s was %s and is %s", i.after.name, i.before.state, i.after.state)
		}
	}
	return nil
}

// commandsStand (F2, promise 1): what a person was acknowledged to want stays what is wanted, until a person says otherwise.
func commandsStand(w *world, c *change) error {
	for _, d := range c.deployments {
		if d.after.GetDesiredState() == deploymentv1.Deployment_PAUSE && d.after.GetCommandedBy() == engine.Principal {
			continue // its analysis could not decide, and gave it to a person
		}
		if name := d.after.GetName(); d.before != nil && d.before.GetDesiredState() != d.after.GetDesiredState() && w.people.commanding[name] == 0 {
			return fmt.Errorf("F2: %s was to %s and is to %s, and nobody said so", name, d.before.GetDesiredState(), d.after.GetDesiredState())
		}
	}
	return nil
}

// gatesWereOpen (F25, F28, F30): a wave begins when every gate of it is open, by what the
// simulator itself knows of approvals and of the other service's last word.
func gatesWereOpen(w *world, c *change) error {
	for _, d := range c.waves {
		if d.before.GetStartTime() != nil || d.after.GetStartTime() == nil {
			continue
		}
		for n, rule := range d.after.GetRule().GetGates() {
			why := w.closed(d.after, rule)
			if why == "" && rule.GetDecision() != nil {
				why = w.undecided(d.after, rule.GetDecision().GetDecision(), d.after.GetGates()[n].GetVerdict())
			}
			if why != "" {
				return fmt.Errorf("F25: %s began with gate %s closed: %s", d.after.GetName(), rule.GetId(), why)
			}
			gates := d.after.GetGates()
			if n >= len(gates) || gates[n].GetVerdict().GetState() != gatev1.Verdict_PASS && gates[n].GetVerdict().GetState() != gatev1.Verdict_WAIVED {
				return fmt.Errorf("F25: %s began, and its gate %s does not say that it was open", d.after.GetName(), rule.GetId())
			}
		}
	}
	return nil
}

// closed tells why a gate should have held a wave; empty when it should not.
func (w *world) closed(wave *deploymentv1.Wave, rule *deploymentv1.GateRule) string {
	switch t := rule.GetType().(type) {
	case *deploymentv1.GateRule_Readiness:
		last := w.gate.told[t.Readiness.GetCohortPlan()]
		if age := w.now.Sub(last.at); last.state != gatev1.Verdict_PASS && last.state != gatev1.Verdict_WAIVED || age > 3*time.Second {
			return fmt.Sprintf("the other service said %s, %s ago", last.state, age)
		}
	case *deploymentv1.GateRule_Approval:
		return w.unapproved(wave, t.Approval)
	case *deploymentv1.GateRule_Bake, *deploymentv1.GateRule_PriorWave:
		for _, prior := range slices.Backward(w.book.wavesOf(rollout.DeploymentOf(wave.GetName()))) {
			if prior.GetOrdinal() >= wave.GetOrdinal() || prior.GetState() == deploymentv1.Wave_SKIPPED {
				continue
			}
			if prior.GetState() != deploymentv1.Wave_SEALED {
				return fmt.Sprintf("%s is %s", prior.GetName(), prior.GetState())
			}
			baked := wave.GetStartTime().AsTime().Sub(prior.GetEndTime().AsTime())
			if baked < rule.GetBake().GetDuration().AsDuration() && !w.faults.clocks {
				return fmt.Sprintf("only %s passed", baked)
			}
			return ""
		}
	default:
	}
	return ""
}

// undecided tells why the last word on a decision should have held a wave, or what the wave keeps is not that word; empty when neither.
func (w *world) undecided(wave *deploymentv1.Wave, decision string, kept *gatev1.Verdict) string {
	last := w.gate.told[decisionOf(wave.GetName(), decision)]
	if age := w.now.Sub(last.at); last.state != gatev1.Verdict_PASS && last.state != gatev1.Verdict_WAIVED || age > 3*time.Second {
		return fmt.Sprintf("it was decided %s, %s ago", last.state, age)
	}
	if kept.GetResource() != decision || kept.GetRevision() != last.revision {
		return fmt.Sprintf("it keeps revision %d of %s, and began by %d of %s", kept.GetRevision(), kept.GetResource(), last.revision, decision)
	}
	return ""
}

// unapproved tells why the words of people do not open a gate; empty when they do.
func (w *world) unapproved(wave *deploymentv1.Wave, gate *deploymentv1.ApprovalGate) string {
	type word struct {
		person string
		yes    bool
		micros int64
	}
	scan := func(rows *sql.Rows) (o word, err error) { return o, rows.Scan(&o.person, &o.yes, &o.micros) }
	approved := map[string]bool{}
	for _, o := range query(w, scan, `SELECT principal, approved, time FROM approvals WHERE wave = $1`, wave.GetName()) {
		if !o.yes {
			return o.person + " rejected it"
		}
		if age := wave.GetStartTime().AsTime().Sub(time.UnixMicro(o.micros)); gate.GetValidFor() == nil || age < gate.GetValidFor().AsDuration() {
			approved[o.person] = true
		}
	}
	if len(approved) < max(1, int(gate.GetRequired()), len(gate.GetApprovers())) {
		return fmt.Sprintf("%d approve", len(approved))
	}
	for _, person := range gate.GetApprovers() {
		if !approved[person] {
			return person + " does not approve"
		}
	}
	return ""
}

// wavesInOrder: no wave begins before all earlier ones have ended.
func wavesInOrder(w *world, c *change) error {
	for _, d := range c.waves {
		if d.before.GetStartTime() != nil || d.after.GetStartTime() == nil {
			continue
		}
		name := rollout.DeploymentOf(d.after.GetName())
		if w.book.deployments[name].message.GetKind() == deploymentv1.Deployment_CATCH_UP {
			continue // who comes back is not kept waiting by who does not
		}
		for _, prior := range w.book.wavesOf(name) {
			if prior.GetOrdinal() < d.after.GetOrdinal() && !rollout.WaveEnded(prior.GetState()) {
				return fmt.Errorf("%s began while %s is %s", d.after.GetName(), prior.GetName(), prior.GetState())
			}
		}
	}
	return nil
}

// busyIn counts the members of a wave whose end somebody still has to hear.
func (b *book) busyIn(wave string) (n int32) {
	for _, i := range b.installations {
		if i.wave == wave && inFlight(i.state) {
			n++
		}
	}
	return n
}

func inFlight(s deploymentv1.Installation_State) bool {
	return slices.Contains(rollout.InProgress(), s) || s == deploymentv1.Installation_UNKNOWN || s == deploymentv1.Installation_REVERTING
}

// parallelIsBounded (F11): nothing is claimed beyond max_parallel, whoever decides at the same time.
func parallelIsBounded(w *world, c *change) error {
	for _, i := range c.installations {
		if i.before.state != deploymentv1.Installation_QUEUED || i.after.state != deploymentv1.Installation_CLAIMED {
			continue
		}
		wave := w.book.waves[i.after.wave].message
		limit := wave.GetRule().GetMaxParallel()
		if n := w.book.busyIn(i.after.wave); limit > 0 && n > limit {
			return fmt.Errorf("F11: %d members of %s are on their way, %d allowed", n, wave.GetName(), limit)
		}
		if s := wave.GetState(); s != deploymentv1.Wave_RUNNING && !rollout.WaveEnded(s) && s != deploymentv1.Wave_REVERTING && s != deploymentv1.Wave_HELD {
			return fmt.Errorf("F25: %s was claimed while its wave is %s", i.after.name, s)
		}
	}
	return nil
}

// oneActiveEach (F22, F26): a target is held by one deployment of an application at most.
func oneActiveEach(w *world, c *change) error {
	if len(c.installations) == 0 {
		return nil
	}
	holders := map[string]string{}
	for _, i := range w.book.installations {
		if !i.active {
			continue
		}
		if other := holders[i.target]; other != "" {
			return fmt.Errorf("F22: %s and %s both hold %s", other, i.name, i.target)
		}
		holders[i.target] = i.name
	}
	return nil
}

// activatesOnce (F14, F17, F29): a try of an installation is brought up once, whatever is
// doubled, reordered or cut off; only its attempt makes it another try.
func activatesOnce(w *world, _ *change) error {
	for _, a := range w.agents {
		for try, n := range a.host.activated {
			if n > 1 {
				return fmt.Errorf("F17: %s, attempt %d, was brought up %d times on %s", try.installation, try.attempt, n, a.name)
			}
		}
	}
	return nil
}

// epochsRise (F16, F17): every decision about a target has a newer epoch than all before.
func epochsRise(w *world, c *change) error {
	for _, i := range c.installations {
		newest := w.book.epochs[i.after.target]
		switch {
		case i.known && i.after.epoch < i.before.epoch:
			return fmt.Errorf("F17: the epoch of %s fell from %d to %d", i.after.name, i.before.epoch, i.after.epoch)
		case i.known && i.after.epoch > i.before.epoch && i.after.epoch <= newest:
			return fmt.Errorf("F17: %s got epoch %d, and %s has seen %d", i.after.name, i.after.epoch, i.after.target, newest)
		case i.known && i.after.action != 0 && i.after.action != i.before.action && i.after.epoch == i.before.epoch:
			return fmt.Errorf("F17: %s is to %s in the epoch of %s", i.after.name, i.after.action, i.before.action)
		}
	}
	for _, i := range c.installations {
		w.book.epochs[i.after.target] = max(w.book.epochs[i.after.target], i.after.epoch)
	}
	return nil
}

// waitsSayWhy (F10): what waits names what it waits for, who can move it, and since when.
func waitsSayWhy(_ *world, c *change) error {
	for _, d := range c.deployments {
		if err := explained(d.after.GetBlockedBy(), rollout.Ended(d.after.GetState())); err != nil {
			return fmt.Errorf("F10: %s %s: %w", d.after.GetName(), d.after.GetState(), err)
		}
	}
	for _, d := range c.waves {
		if d.before == nil {
			continue // the deployment that creates it says why
		}
		if err := explained(d.after.GetBlockedBy(), rollout.WaveEnded(d.after.GetState())); err != nil {
			return fmt.Errorf("F10: %s %s: %w", d.after.GetName(), d.after.GetState(), err)
		}
	}
	return nil
}

func explained(reasons []*gatev1.BlockedBy, ended bool) error {
	if ended != (len(reasons) == 0) {
		return fmt.Errorf("blocked by %v", reasons)
	}
	for _, r := range reasons {
		if r.GetKind() == 0 || r.GetResource() == "" || r.GetCurrent() == "" || r.GetRequired() == "" || r.GetOwner() == "" || r.GetCommand() == "" {
			return fmt.Errorf("half a reason: %v", r)
		}
	}
	return nil
}

// sweep is how long a deployment may be left alone, with a margin for a failure that is put off.
const sweep = 32 * time.Second

// wakesStand (F3, F7, F10): every deployment that has not ended is going to be looked at again,
// even if every hint is lost.
func wakesStand(w *world, _ *change) error {
	due := map[string]time.Time{}
	for _, one := range w.wakes() {
		due[one.name] = time.UnixMicro(one.due)
	}
	for _, name := range w.book.running() {
		if at, ok := due[name]; !ok || at.Sub(w.now) > sweep {
			return fmt.Errorf("F3: %s is %s and nobody is going to look at it (%t, %s)", name, w.book.deployments[name].message.GetState(), ok, at.Sub(w.now))
		}
	}
	return nil
}

// undisturbed is for how long all has been well with servers, database and clocks since a moment.
func (w *world) undisturbed(since time.Time) time.Duration {
	if w.outage.After(since) {
		since = w.outage
	}
	return w.now.Sub(since)
}

// silenceEnds (F10, F14, F15, F18, F19): work that does not move is UNKNOWN, and what stays
// UNKNOWN is LOST, each after its time.
func silenceEnds(w *world, _ *change) error {
	if w.faults.clocks {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(w.book.installations)) {
		i := w.book.installations[name]
		e := w.book.deployments[i.deployment]
		if e == nil || rollout.Ended(e.message.GetState()) || !inFlight(i.state) || i.state == deploymentv1.Installation_FETCHING {
			continue
		}
		silent, allowed := w.undisturbed(i.updated), 2*e.message.GetRollout().GetStepTimeout().AsDuration()+30*time.Second
		if i.state == deploymentv1.Installation_UNKNOWN {
			allowed = max(e.message.GetRollout().GetLostAfter().AsDuration(), time.Minute)
		}
		if silent > allowed+sweep+10*time.Second {
			return fmt.Errorf("F19: %s has been %s for %s", i.name, i.state, silent)
		}
	}
	return nil
}

// graceAfterStart (F20): a server that just started gives nobody up, because nobody could be heard while it was down.
func graceAfterStart(w *world, c *change) error {
	if w.faults.clocks {
		return nil // its own clock says otherwise
	}
	for _, i := range c.installations {
		if i.before.state == deploymentv1.Installation_LOST || i.after.state != deploymentv1.Installation_LOST {
			continue
		}
		grace := min(w.book.deployments[i.after.deployment].message.GetRollout().GetLostAfter().AsDuration(), time.Minute)
		for _, r := range w.replicas {
			if r == w.last && w.now.Sub(r.began) < grace {
				return fmt.Errorf("F20: %s is given up %s after %s started", i.after.name, w.now.Sub(r.began), r.name)
			}
		}
	}
	return nil
}

// snapshotsStand (F31, F34): what was frozen stays, and the targets are those that were hashed.
func snapshotsStand(w *world, c *change) error {
	for _, d := range c.deployments {
		if d.after.GetKind() == deploymentv1.Deployment_CATCH_UP {
			continue // it grows with each wave of the other that leaves somebody behind
		}
		frozen, err := proto.MarshalOptions{Deterministic: true}.Marshal(&deploymentv1.Deployment{
			Release: d.after.GetRelease(), Environment: d.after.GetEnvironment(), Rollout: d.after.GetRollout(), TargetSetDigest: d.after.GetTargetSetDigest(), RollbackOf: d.after.GetRollbackOf(),
		})
		if err != nil {
			return err
		}
		sum := sha256.Sum256(frozen)
		if was, known := w.book.plans[d.after.GetName()]; known && was != sum {
			return fmt.Errorf("F34: what is frozen in %s changed", d.after.GetName())
		}
		w.book.plans[d.after.GetName()] = sum
		if d.before == nil && d.after.GetRollbackOf() == "" {
			if got := w.hashTargets(d.after.GetName()); got != d.after.GetTargetSetDigest() {
				return fmt.Errorf("F31: the targets of %s are not those that were hashed", d.after.GetName())
			}
		}
	}
	for _, i := range c.installations {
		was, is := i.before, i.after
		if !was.active { // whoever waited for its turn goes back to what runs when that comes
			was.from, was.fromDigest = is.from, is.fromDigest
		}
		if i.known && (was.to != is.to || was.from != is.from || was.digest != is.digest || was.fromDigest != is.fromDigest || was.wave != is.wave || was.target != is.target) {
			return fmt.Errorf("F34: what is frozen in %s changed", i.after.name)
		}
	}
	return nil
}

// hashTargets computes the digest of who belongs to which wave from the rows.
func (w *world) hashTargets(deployment string) string {
	sum := sha256.New()
	for _, wave := range w.book.wavesOf(deployment) {
		for _, i := range w.book.membersOf(wave.GetName()) {
			sum.Write([]byte(wave.GetRule().GetId() + "\x00" + i.target + "\n"))
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// cancelEnds (F16): a cancellation ends by its deadline, with or without its agents.
func cancelEnds(w *world, _ *change) error {
	for _, name := range w.book.running() {
		d := w.book.deployments[name].message
		if d.GetState() == deploymentv1.Deployment_CANCELLING && !w.faults.clocks && w.undisturbed(d.GetCancelDeadline().AsTime()) > sweep {
			return fmt.Errorf("F16: %s is still CANCELLING, %s after its deadline", name, w.now.Sub(d.GetCancelDeadline().AsTime()))
		}
	}
	return nil
}

// attemptsNeedPeople (F6, F29, F30): a further attempt is made of the installation that somebody
// told to be tried again, and of no other.
func attemptsNeedPeople(w *world, c *change) error {
	for _, i := range c.installations {
		if allowed := 1 + w.people.retries[i.after.name]; i.after.attempt > allowed {
			return fmt.Errorf("F6: %s is in attempt %d, and was told %d times to try again", i.after.name, i.after.attempt, allowed-1)
		}
	}
	return nil
}

// rollbackWaitsForNobody (F25, F32): a rollback has no gate, no bake and no way to be held but by an operator.
func rollbackWaitsForNobody(_ *world, c *change) error {
	forbidden := []gatev1.BlockedBy_Kind{gatev1.BlockedBy_APPROVAL, gatev1.BlockedBy_CRITERION, gatev1.BlockedBy_READINESS, gatev1.BlockedBy_SERVICE, gatev1.BlockedBy_BAKE}
	for _, d := range c.deployments {
		if d.after.GetRollbackOf() == "" {
			continue
		}
		for _, reason := range d.after.GetBlockedBy() {
			if slices.Contains(forbidden, reason.GetKind()) {
				return fmt.Errorf("the rollback %s waits for %v", d.after.GetName(), reason)
			}
		}
		if s := d.after.GetState(); s == deploymentv1.Deployment_REJECTED || s == deploymentv1.Deployment_EXPIRED || s == deploymentv1.Deployment_REVERTING {
			return fmt.Errorf("the rollback %s is %s", d.after.GetName(), s)
		}
	}
	return nil
}

// sealedWithinBudget (F9): health counts until the seal, so no wave is sealed over its budget.
func sealedWithinBudget(_ *world, c *change) error {
	for _, d := range c.waves {
		if d.after.GetState() != deploymentv1.Wave_SEALED || d.before.GetState() == deploymentv1.Wave_SEALED {
			continue
		}
		n, b := d.after.GetCounts(), d.after.GetRule().GetBudget()
		failed := n.GetFailed() + n.GetReverted() + n.GetRevertFailed() + n.GetUnhealthy() - d.after.GetAcceptedFailures()
		if allowed := max(b.GetMaxFailed(), int32(math.Floor(b.GetMaxFailedPercent()/100*float64(n.GetTotal())+1e-9))); failed > allowed {
			return fmt.Errorf("F9: %s is sealed with %d failed, %d allowed", d.after.GetName(), failed, allowed)
		}
		if n.GetInProgress()+n.GetUnknown()+n.GetReverting() > 0 {
			return fmt.Errorf("F9: %s is sealed while work is under way: %v", d.after.GetName(), n)
		}
	}
	return nil
}

// failuresHaveCauses (F7, F8): waiting for people never fails a deployment; only what is counted does.
func failuresHaveCauses(w *world, c *change) error {
	causes := []string{"BUDGET_SPENT", "LOST_BUDGET_SPENT", "PREFLIGHT_FAILED", rollout.ReasonAnalysisFailed}
	for _, d := range c.deployments {
		switch d.after.GetState() {
		case deploymentv1.Deployment_FAILED:
			if !slices.Contains(causes, d.after.GetStateReason()) {
				return fmt.Errorf("F8: %s failed for %q", d.after.GetName(), d.after.GetStateReason())
			}
		case deploymentv1.Deployment_EXPIRED:
			if !slices.ContainsFunc(w.book.wavesOf(d.after.GetName()), expires) {
				return fmt.Errorf("F8: %s expired, and no gate of it has a deadline", d.after.GetName())
			}
		default:
		}
	}
	return nil
}

func expires(wave *deploymentv1.Wave) bool {
	return slices.ContainsFunc(wave.GetRule().GetGates(), func(g *deploymentv1.GateRule) bool { return g.GetExpiresAfter() != nil })
}

// targetsAreFreed (F22): what has ended holds no target, no wave and no queue.
func targetsAreFreed(w *world, c *change) error {
	for _, d := range c.deployments {
		if !rollout.Ended(d.after.GetState()) {
			continue
		}
		for _, wave := range w.book.wavesOf(d.after.GetName()) {
			if !rollout.WaveEnded(wave.GetState()) {
				return fmt.Errorf("F22: %s is %s and %s stays %s", d.after.GetName(), d.after.GetState(), wave.GetName(), wave.GetState())
			}
		}
		for _, i := range w.book.rows(nil, true) {
			if i.deployment == d.after.GetName() && (i.active || i.state == deploymentv1.Installation_QUEUED) {
				return fmt.Errorf("F22: %s is %s and %s stays (%s, active %t)", d.after.GetName(), d.after.GetState(), i.name, i.state, i.active)
			}
		}
	}
	return nil
}

var errStuck = errors.New("it does not end although everything is well")

// reasonsOf says what holds up who has not ended.
func (w *world) reasonsOf(names []string) string {
	var b strings.Builder
	for _, name := range names {
		d := w.book.deployments[name].message
		_, _ = fmt.Fprintf(&b, "; %s is %s blocked by %v", short(name), d.GetState(), d.GetBlockedBy())
	}
	return b.String()
}
