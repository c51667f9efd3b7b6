package rollout

import (
	"fmt"
	"math"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// advanceWave moves the current wave by at most one state and says what it needs.
func advanceWave(s *State, w *deploymentv1.Wave, f *Facts, e *Effects) {
	switch w.GetState() {
	case deploymentv1.Wave_PENDING:
		if f.counts(w).GetTotal() == 0 {
			s.moveWave(w, f, deploymentv1.Wave_SKIPPED, "EMPTY", "no target belongs to it")
			return
		}
		w.GatedTime = stamp(f.Now)
		s.moveWave(w, f, deploymentv1.Wave_GATED, "", "")
	case deploymentv1.Wave_GATED:
		gated(s, w, f, e)
	case deploymentv1.Wave_RUNNING:
		running(s, w, f, e)
	case deploymentv1.Wave_BAKING:
		baking(s, w, f, e)
	case deploymentv1.Wave_HELD:
		reopen(s, w, f, e)
	default:
	}
}

func gated(s *State, w *deploymentv1.Wave, f *Facts, e *Effects) {
	if s.awaits(w, f) {
		return
	}
	answer := evaluate(s, w, f, e)
	if answer == gatesOpen && !s.allowed(w, f, e).Allowed() {
		answer = gatesClosed
	}
	switch answer {
	case gatesOpen:
		w.StartTime = stamp(f.Now)
		e.Start = w.GetName()
		s.moveWave(w, f, deploymentv1.Wave_RUNNING, "", "")
	case gatesExpired:
		s.move(f, deploymentv1.Deployment_EXPIRED, "GATE_EXPIRED", fmt.Sprintf("a gate of wave %s did not open in its time", w.GetRule().GetId()))
	case gatesClosed:
		// Nothing live is touched, so the files may travel while people are still learning.
		if wantsPrestage(f.counts(w)) {
			e.Prestage = w.GetName()
		}
	}
}

func running(s *State, w *deploymentv1.Wave, f *Facts, e *Effects) {
	if closed(s, w, f, e) {
		return
	}
	if migrate(s, w, f, e) {
		return
	}
	c := f.counts(w)
	if reason, message := broken(w, c); reason != "" {
		s.moveWave(w, f, deploymentv1.Wave_FAILED, reason, message)
		return
	}
	if limit := claimable(w, c); limit > 0 {
		e.Claim = &Claim{Wave: w.GetName(), Limit: limit}
		return
	}
	if !covered(s, w, c) {
		return
	}
	w.BakeStartTime = stamp(f.Now)
	s.moveWave(w, f, deploymentv1.Wave_BAKING, "", "")
}

func baking(s *State, w *deploymentv1.Wave, f *Facts, e *Effects) {
	c := f.counts(w)
	if reason, message := broken(w, c); reason != "" {
		s.moveWave(w, f, deploymentv1.Wave_FAILED, reason, message)
		return
	}
	if busy(c) > 0 || claimable(w, c) > 0 && !s.catchUp() {
		s.moveWave(w, f, deploymentv1.Wave_RUNNING, "", "") // a member is tried again, or a late one has come
		return
	}
	if next := s.following(w); next != nil && wantsPrestage(f.counts(next)) {
		e.Prestage = next.GetName()
	}
	if until := w.GetBakeStartTime().AsTime().Add(w.GetRule().GetBake().AsDuration()); f.Now.Before(until) {
		e.wakeAt(until)
		return
	}
	if undecided(w) {
		if until := decidedBy(w); f.Now.Before(until) {
			e.wakeAt(until)
			return
		}
		s.giveToPerson(w, f)
		return
	}
	if s.catchUp() && c.GetQueued() > 0 {
		s.nextRound(w, f, e)
		return
	}
	e.Claim, e.Prestage = nil, ""
	e.Seal = append(e.Seal, w.GetName())
	w.StragglerCount = c.GetQueued()
	s.moveWave(w, f, deploymentv1.Wave_SEALED, "", "")
}

// claimable is how many installations may begin now: those whose target is there, within
// the wave's limit on work in flight.
func claimable(w *deploymentv1.Wave, c *deploymentv1.InstallationCounts) int32 {
	available := c.GetQueued() - c.GetUnavailable()
	if limit := w.GetRule().GetMaxParallel(); limit > 0 {
		available = min(available, limit-busy(c))
	}
	return max(available, 0)
}

func wantsPrestage(c *deploymentv1.InstallationCounts) bool {
	return c.GetQueued()-c.GetUnavailable() > c.GetPrestaged()
}

// covered reports whether everything that can be reached has been, and enough of it.
// A rollback does not wait for targets that are away: they are named at its end.
func covered(s *State, w *deploymentv1.Wave, c *deploymentv1.InstallationCounts) bool {
	if busy(c) > 0 {
		return false
	}
	if c.GetQueued() == 0 || s.rollback() || s.catchUp() {
		return true
	}
	least := w.GetRule().GetMinCoverage()
	return least > 0 && float64(done(c)) >= math.Ceil(least*float64(c.GetTotal())-1e-9)
}

// done counts members that run what they should.
func done(c *deploymentv1.InstallationCounts) int32 {
	return c.GetHealthy() + c.GetSealed() + c.GetSkipped()
}

// failures counts members that do not run what they should, or not well.
func failures(c *deploymentv1.InstallationCounts) int32 {
	return c.GetFailed() + c.GetReverted() + c.GetRevertFailed() + c.GetUnhealthy()
}

// spent returns why a wave has failed, with the numbers, or "" if it has not.
func spent(w *deploymentv1.Wave, c *deploymentv1.InstallationCounts) (reason, message string) {
	b := w.GetRule().GetBudget()
	if failed, allowed := failures(c)-w.GetAcceptedFailures(), allowance(b.GetMaxFailed(), b.GetMaxFailedPercent(), c.GetTotal()); failed > allowed {
		return "BUDGET_SPENT", fmt.Sprintf("%d of %d failed%s, %d allowed", failed, c.GetTotal(), unwell(c), allowed)
	}
	if lost, allowed := c.GetLost()-w.GetAcceptedLosses(), allowance(b.GetMaxLost(), b.GetMaxLostPercent(), c.GetTotal()); lost > allowed {
		return "LOST_BUDGET_SPENT", fmt.Sprintf("%d of %d lost, %d allowed", lost, c.GetTotal(), allowed)
	}
	return "", ""
}

func unwell(c *deploymentv1.InstallationCounts) string {
	if c.GetUnhealthy() == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d of them unhealthy after they had been healthy)", c.GetUnhealthy())
}

// allowance is the larger of a count and a share of the total, rounded down.
func allowance(count int32, percent float64, total int32) int32 {
	return max(count, int32(math.Floor(percent/100*float64(total)+1e-9)))
}
