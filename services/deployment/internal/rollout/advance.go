package rollout

import (
	"fmt"
	"strings"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// movesForWaves is more than the moves that one decision can make for each wave.
const movesForWaves = 8

// Advance moves a deployment as far as the facts allow and returns what has to be done.
// It is idempotent: with the same facts a second call changes nothing more. It never
// moves anything that has ended.
func Advance(s *State, f *Facts) Effects {
	var e Effects
	Recount(s, f)
	forget(s)
	showApprovals(s, f)
	measure(s, f)
	// One fact can open several doors in a row, such as the seal of a wave and the start of the
	// next. Every pass that goes on makes a move, and the tables have no cycle that time does
	// not have to pass in, so this ends. Should it ever not, one deployment fails loudly instead of
	// holding the writer for ever.
	for moves := 0; !Ended(s.Deployment.GetState()) && step(s, f, &e); moves++ {
		if moves > movesForWaves*(len(s.Waves)+2) {
			panic(fmt.Sprintf("%s does not settle: it is %s with wave %s", s.Deployment.GetName(), s.Deployment.GetState(), s.current()))
		}
	}
	if Ended(s.Deployment.GetState()) {
		finish(s, f, &e)
	}
	explain(s, f)
	return e
}

// Recount takes over the counts of the facts and decides nothing.
func Recount(s *State, f *Facts) {
	for _, w := range s.Waves {
		w.Counts = f.counts(w)
	}
	s.Deployment.Counts = f.total()
}

// forget takes back what a person accepted of a failure or a loss that is no more: it was
// said of those targets, and others do not profit by it.
func forget(s *State) {
	for _, w := range s.Waves {
		if c := w.GetCounts(); waveStarted(w.GetState()) {
			w.AcceptedFailures = min(w.GetAcceptedFailures(), failures(c))
			w.AcceptedLosses = min(w.GetAcceptedLosses(), c.GetLost())
		}
	}
}

// step makes at most one move of the deployment and reports whether it made one.
func step(s *State, f *Facts, e *Effects) bool {
	if moved, rules := obey(s, f, e); rules {
		return moved
	}
	if moved, rules := reject(s, f, e); rules {
		return moved
	}
	switch s.Deployment.GetState() {
	case deploymentv1.Deployment_PENDING:
		return turn(s, f, e)
	case deploymentv1.Deployment_PREFLIGHT:
		return preflight(s, f, e)
	case deploymentv1.Deployment_WAITING, deploymentv1.Deployment_RUNNING:
		return roll(s, f, e)
	case deploymentv1.Deployment_PAUSING, deploymentv1.Deployment_PAUSED:
		return hold(s, f, e)
	case deploymentv1.Deployment_FROZEN:
		return thaw(s, f, e)
	case deploymentv1.Deployment_REVERTING:
		return revert(s, f)
	case deploymentv1.Deployment_FINALIZING:
		return finalize(s, f, e)
	case deploymentv1.Deployment_CANCELLING:
		return cancelling(s, f, e)
	default:
		return false
	}
}

// obey follows a person's wish to end the deployment. rules means that it does, and
// nothing else may happen in this pass.
func obey(s *State, f *Facts, e *Effects) (moved, done bool) {
	d := s.Deployment
	switch d.GetDesiredState() {
	case deploymentv1.Deployment_ABANDON:
		e.CallBack = true // nobody waits for them, but whoever listens is to stop
		d.UnconfirmedTargets = f.InFlight
		return s.move(f, deploymentv1.Deployment_ABANDONED, "ABANDONED", d.GetStateMessage()), true
	case deploymentv1.Deployment_CANCEL:
		switch d.GetState() {
		case deploymentv1.Deployment_CANCELLING:
			return false, false
		case deploymentv1.Deployment_PENDING:
			return s.move(f, deploymentv1.Deployment_CANCELLED, "CANCELLED", d.GetStateMessage()), true
		default:
			e.DropQueued, e.CallBack = true, true
			d.CancelDeadline = stamp(f.Now.Add(orDefault(d.GetRollout().GetCancelTimeout(), DefaultCancelTimeout)))
			return s.move(f, deploymentv1.Deployment_CANCELLING, "CANCELLED", d.GetStateMessage()), true
		}
	default:
		if d.GetSupersededBy() != "" && yielding(d.GetState()) {
			return yield(s, f, e), true
		}
		return false, false
	}
}

func preflight(s *State, f *Facts, e *Effects) bool {
	switch {
	case s.rollback(): // it goes back wherever it can, whatever is missing for the others
		return s.move(f, deploymentv1.Deployment_WAITING, "", "")
	case f.Preflight == nil:
		e.Preflight = true
		return false
	case len(f.Preflight.Problems) > 0:
		return s.move(f, deploymentv1.Deployment_FAILED, "PREFLIGHT_FAILED", strings.Join(f.Preflight.Problems, "; "))
	case len(f.Preflight.Path.GetBlocked()) > 0 && s.Deployment.GetRollout().GetOnFailure() != deploymentv1.Rollout_FREEZE:
		return s.move(f, deploymentv1.Deployment_FAILED, "PREFLIGHT_FAILED", "there is no way back: "+strings.Join(f.Preflight.Path.GetBlocked(), "; ")+
			"; mend that, or use a plan with on_failure FREEZE")
	default:
		e.Preflight, s.Deployment.RollbackPath = false, f.Preflight.Path
		return s.move(f, deploymentv1.Deployment_WAITING, "", "")
	}
}

// roll is the good way: it lets the current wave go on, and the next one begin.
func roll(s *State, f *Facts, e *Effects) bool {
	d := s.Deployment
	if d.GetDesiredState() == deploymentv1.Deployment_PAUSE {
		if d.GetState() == deploymentv1.Deployment_WAITING {
			return s.move(f, deploymentv1.Deployment_PAUSED, ReasonPausedByOperator, d.GetStateMessage())
		}
		return s.move(f, deploymentv1.Deployment_PAUSING, pausedFor(s.current()), d.GetStateMessage())
	}
	w := s.current()
	if w == nil && s.catchUp() && f.Growing != "" {
		return d.GetState() == deploymentv1.Deployment_RUNNING && s.move(f, deploymentv1.Deployment_WAITING, "", "")
	}
	if w == nil {
		return s.move(f, deploymentv1.Deployment_FINALIZING, "", "")
	}
	if waveStarted(w.GetState()) && d.GetState() == deploymentv1.Deployment_RUNNING {
		if message, stopped := s.stopped(w, f, e); stopped {
			return s.move(f, deploymentv1.Deployment_PAUSING, ReasonStopTheLine, message)
		}
	}
	waveBefore := w.GetState()
	advanceWave(s, w, f, e)
	want := deploymentv1.Deployment_WAITING
	switch {
	case Ended(d.GetState()): // an approver rejected it, or a gate expired
		return true
	case w.GetState() == deploymentv1.Wave_FAILED:
		return s.fail(w, f, e)
	case waveStarted(w.GetState()):
		want = deploymentv1.Deployment_RUNNING
	case WaveEnded(w.GetState()) && waveStarted(waveBefore):
		want = d.GetState() // between two waves: the next pass decides
	}
	if d.GetState() != want {
		if d.GetStartTime() == nil && want == deploymentv1.Deployment_RUNNING {
			d.StartTime = stamp(f.Now)
		}
		return s.move(f, want, "", "")
	}
	return w.GetState() != waveBefore
}

// fail begins what the plan says about a failed wave.
func (s *State) fail(w *deploymentv1.Wave, f *Facts, e *Effects) bool {
	d := s.Deployment
	if d.GetFailureTime() == nil {
		d.FailureTime = stamp(f.Now)
	}
	message := fmt.Sprintf("wave %s: %s", w.GetRule().GetId(), w.GetStateMessage())
	if freezes(d) {
		return s.move(f, deploymentv1.Deployment_FROZEN, w.GetStateReason(), message)
	}
	e.Claim, e.Prestage, e.Start = nil, "", ""
	e.Revert = append(e.Revert, w.GetName())
	s.moveWave(w, f, deploymentv1.Wave_REVERTING, w.GetStateReason(), w.GetStateMessage())
	s.move(f, deploymentv1.Deployment_REVERTING, w.GetStateReason(), message)
	return false // the facts are those from before the revert; how it goes is for the next decision
}

// hold keeps a paused deployment still, but never blind: a wave that fails while it is
// held fails all the same.
func hold(s *State, f *Facts, e *Effects) bool {
	d := s.Deployment
	w := s.current()
	if w != nil && waveStarted(w.GetState()) {
		if reason, message := broken(w, f.counts(w)); reason != "" {
			s.moveWave(w, f, deploymentv1.Wave_FAILED, reason, message)
			return s.fail(w, f, e)
		}
	}
	if d.GetDesiredState() == deploymentv1.Deployment_RUN {
		line, stopped := s.stopped(w, f, e)
		if !stopped {
			return s.goOn(w, f)
		}
		d.StateReason, d.StateMessage = ReasonStopTheLine, line // whoever resumes goes on when the line does
	}
	if w != nil && (w.GetState() == deploymentv1.Wave_RUNNING || w.GetState() == deploymentv1.Wave_BAKING) {
		w.HeldFrom = w.GetState()
		w.HeldTime = stamp(f.Now)
		s.moveWave(w, f, deploymentv1.Wave_HELD, d.GetStateReason(), d.GetStateMessage())
		return true
	}
	if d.GetState() == deploymentv1.Deployment_PAUSING && busy(d.GetCounts()) == 0 {
		return s.move(f, deploymentv1.Deployment_PAUSED, d.GetStateReason(), d.GetStateMessage())
	}
	return false
}

// goOn ends a pause.
func (s *State) goOn(w *deploymentv1.Wave, f *Facts) bool {
	if w != nil && w.GetState() == deploymentv1.Wave_HELD {
		s.unhold(w, f)
		return s.move(f, deploymentv1.Deployment_RUNNING, "", "")
	}
	if s.Deployment.GetState() == deploymentv1.Deployment_PAUSING {
		return s.move(f, deploymentv1.Deployment_RUNNING, "", "")
	}
	return s.move(f, deploymentv1.Deployment_WAITING, "", "")
}

// unhold lets a held wave go on; the time it was held does not count as baked.
func (s *State) unhold(w *deploymentv1.Wave, f *Facts) {
	to := w.GetHeldFrom()
	if to == deploymentv1.Wave_BAKING && w.GetBakeStartTime() != nil {
		held := f.Now.Sub(w.GetHeldTime().AsTime())
		w.BakeStartTime = stamp(w.GetBakeStartTime().AsTime().Add(held))
	}
	w.AnalysisAccepted = w.GetAnalysisAccepted() || w.GetStateReason() == ReasonAnalysisUndecided
	w.HeldFrom, w.HeldTime = deploymentv1.Wave_STATE_UNSPECIFIED, nil
	s.moveWave(w, f, to, "", "")
}

// thaw goes on after a freeze, when a person said so. What was lost until then is accepted.
func thaw(s *State, f *Facts, e *Effects) bool {
	if s.Deployment.GetDesiredState() != deploymentv1.Deployment_RUN || s.Deployment.GetStateReason() != ReasonResumed {
		return false
	}
	if w := s.current(); w != nil && w.GetState() == deploymentv1.Wave_FAILED {
		c := f.counts(w)
		w.AcceptedFailures, w.AcceptedLosses = failures(c), c.GetLost()
		w.AnalysisAccepted = w.GetAnalysisAccepted() || w.GetStateReason() == ReasonAnalysisFailed
		e.Start = w.GetName() // what it would install is compared anew
		s.moveWave(w, f, deploymentv1.Wave_RUNNING, "", "")
	}
	return s.move(f, deploymentv1.Deployment_RUNNING, "", "")
}

func revert(s *State, f *Facts) bool {
	d := s.Deployment
	var stuck int32
	for _, w := range s.Waves {
		c := f.counts(w)
		if w.GetState() != deploymentv1.Wave_REVERTING {
			continue
		}
		if busy(c) > 0 {
			return false
		}
		stuck += c.GetRevertFailed() + c.GetLost()
		s.moveWave(w, f, deploymentv1.Wave_REVERTED, w.GetStateReason(), w.GetStateMessage())
	}
	if stuck > 0 {
		return s.move(f, deploymentv1.Deployment_ROLLBACK_FAILED, d.GetStateReason(),
			fmt.Sprintf("%s; %d of its targets could not be brought back and need a person", d.GetStateMessage(), stuck))
	}
	return s.move(f, deploymentv1.Deployment_FAILED, d.GetStateReason(), d.GetStateMessage())
}

func finalize(s *State, f *Facts, e *Effects) bool {
	if contract(s, f, e) {
		return false
	}
	d, total := s.Deployment, f.total()
	// The seal of the last wave may be an effect of this very decision, and whoever was lost may be
	// at work again: what counts is who is back, not who failed.
	if left := total.GetTotal() - done(total) + total.GetUnhealthy(); s.rollback() && left > 0 {
		return s.move(f, deploymentv1.Deployment_ROLLBACK_FAILED, "TARGETS_LEFT", fmt.Sprintf("%d of %d targets could not be taken back", left, total.GetTotal()))
	}
	return s.move(f, deploymentv1.Deployment_SUCCEEDED, "", summary(d, total))
}

func summary(d *deploymentv1.Deployment, total *deploymentv1.InstallationCounts) string {
	text := fmt.Sprintf("%d of %d targets run %s", done(total), total.GetTotal(), lastSegment(d.GetRelease()))
	if left := total.GetTotal() - done(total); left > 0 {
		text += fmt.Sprintf("; %d do not", left)
	}
	return text
}

func cancelling(s *State, f *Facts, e *Effects) bool {
	d := s.Deployment
	e.DropQueued, e.CallBack = true, true
	end := deploymentv1.Deployment_CANCELLED
	if d.GetStateReason() == ReasonRejected {
		end = deploymentv1.Deployment_REJECTED
	}
	switch {
	case busy(d.GetCounts()) == 0:
		d.UnconfirmedTargets = f.InFlight // those that are lost
		return s.move(f, end, d.GetStateReason(), d.GetStateMessage())
	case !f.Now.Before(d.GetCancelDeadline().AsTime()):
		d.UnconfirmedTargets = f.InFlight
		return s.move(f, end, "CANCEL_UNCONFIRMED",
			fmt.Sprintf("%d targets did not confirm in time; what runs there is not known", len(f.InFlight)))
	default:
		e.wakeAt(d.GetCancelDeadline().AsTime())
		return false
	}
}

// finish closes what an ended deployment leaves open.
func finish(s *State, f *Facts, e *Effects) {
	for _, w := range s.Waves {
		if !WaveEnded(w.GetState()) {
			s.moveWave(w, f, deploymentv1.Wave_CANCELLED, s.Deployment.GetStateReason(), "the deployment ended first")
		}
	}
	*e = Effects{Seal: e.Seal, SealReached: e.SealReached, Revert: e.Revert, DropQueued: true, CallBack: e.CallBack, Free: true}
}

// move takes the deployment to another state. A move that the table does not have is a
// programmer's mistake: nothing a user does may lead here.
func (s *State) move(f *Facts, to DeploymentState, reason, message string) bool {
	d := s.Deployment
	if err := CheckMove(d.GetState(), to); err != nil {
		panic(err)
	}
	d.State, d.StateReason, d.StateMessage = to, reason, message
	if to == deploymentv1.Deployment_FROZEN && d.GetFreezeTime() == nil {
		d.FreezeTime = stamp(f.Now)
	}
	if Ended(to) {
		d.EndTime = stamp(f.Now)
	}
	return true
}

func (s *State) moveWave(w *deploymentv1.Wave, f *Facts, to WaveState, reason, message string) {
	if err := waveMoves.check("wave "+w.GetRule().GetId(), w.GetState(), to); err != nil {
		panic(err)
	}
	w.State, w.StateReason, w.StateMessage = to, reason, message
	if WaveEnded(to) {
		w.EndTime = stamp(f.Now)
	}
}

func lastSegment(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
