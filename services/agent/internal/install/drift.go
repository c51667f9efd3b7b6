package install

import (
	"context"
	"strings"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/ledger"
	"github.com/golive-dev/golive/services/agent/shim"
)

// changedOnHost is what a report calls a host that others changed.
const changedOnHost = "CHANGED_ON_HOST"

// share bounds what looking for changes may take of the time: a hundredth.
const share = 100

// drift is what others changed on the host, as far as it was found.
type drift struct {
	message     string // empty while all is as it was made
	files       string // what was changed in the release's files, by the newest look at them
	quick, deep time.Time
}

// inspect looks whether the host is still as the agent made it, and tells of a change. Links and
// processes are looked at each time, files now and then, and their content seldom.
func (w *Worker) inspect(ctx context.Context) error {
	last := w.host.Ledger.Slot(w.slot.Key).Last
	if w.slot.Phase != ledger.Idle || w.slot.Live == 0 || w.live == nil || !settled(last.GetState()) {
		return nil
	}
	w.files(ctx)
	message := w.changed()
	w.drift.message = message
	told := ""
	if last.GetDrift() != "" {
		told = last.GetMessage()
	}
	if message == told {
		return nil
	}
	state, err := w.live.shim.State()
	if err != nil {
		return nil //nolint:nilerr // the supervisor is restoring it; the next look tells
	}
	return w.host.Ledger.Tell(w.slot.Key, w.healthReport(w.live, state, false))
}

// settled tells whether nothing is on its way: what was installed runs, or what a revert brought back.
func settled(s deploymentv1.Installation_State) bool {
	return s == deploymentv1.Installation_HEALTHY || s == deploymentv1.Installation_SEALED || s == deploymentv1.Installation_REVERTED
}

// changed says what is not as it was made, for people.
func (w *Worker) changed() string {
	var found []string
	if !w.place.Points(w.slot.Live) {
		found = append(found, "the link current does not lead to the instance that is live")
	}
	if w.drift.files != "" {
		found = append(found, w.drift.files)
	}
	if e := w.live.service; e != nil && e.stoppedByOthers() {
		found = append(found, e.manager.Name()+" was stopped by somebody else")
	}
	if state, err := w.live.shim.State(); err == nil && state.Phase == shim.Running && state.App.Held() {
		found = append(found, "the application's process is held by a signal")
	}
	return w.notes.mask(strings.Join(found, "; "))
}

// files compares the release's files with how they were unpacked, when it is time to. A command
// that comes meanwhile ends it.
func (w *Worker) files(ctx context.Context) {
	begin := time.Now()
	deep := begin.After(w.drift.deep)
	if !deep && begin.Before(w.drift.quick) {
		return
	}
	if w.drift.deep.IsZero() { // all of it was written a moment ago, or by an agent that looked before
		w.drift.deep, deep = begin.Add(w.host.HashEvery), false
	}
	inner, done := w.interruptible(ctx)
	changes, err := w.host.Content.Verify(inner, w.slot.Instances[w.slot.Live].SHA256, deep)
	done()
	if err != nil {
		if !stopped(err) {
			w.warn("look at the files of the release", err)
		}
		return
	}
	took := time.Since(begin)
	w.drift.quick = begin.Add(max(w.host.InspectEvery, share*took))
	if deep {
		w.drift.deep = begin.Add(max(w.host.HashEvery, share*took))
	}
	w.drift.files = ""
	if len(changes) > 0 {
		w.drift.files = "files of the release: " + strings.Join(changes, ", ")
	}
}
