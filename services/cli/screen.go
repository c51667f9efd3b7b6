package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// drawn redraws a deployment in its place.
type drawn struct {
	*client

	live show.Live
	last picture
	cell []string // the installations that are worth a line
}

func (d *drawn) draw(ctx context.Context, p picture, now time.Time) error {
	found, _, err := d.all(ctx, mustFind("installation"), query{
		parent: p.deployment.GetName(), limit: 200,
		filter: "state != \"SEALED\" AND state != \"QUEUED\" AND state != \"SKIPPED\"",
	})
	if err != nil {
		return err
	}
	d.last, d.cell = p, d.installations(as[*deploymentv1.Installation](found), now)
	return d.live.Draw(d.lines(now))
}

// idle keeps what counts seconds true.
func (d *drawn) idle(now time.Time) error {
	if d.last.deployment == nil || now.Nanosecond() > int(redrawEvery) { // about once a second
		return nil
	}
	return d.live.Draw(d.lines(now))
}

func (d *drawn) lines(now time.Time) []string {
	dep := d.last.deployment
	lines := []string{fmt.Sprintf("%s  %s  %s → %s  %s  %s", d.style.Bold(kind.Short(dep.GetName())), d.style.State(dep.GetState().String()),
		kind.ID(dep.GetRelease()), kind.ID(dep.GetEnvironment()), show.Progress(dep.GetCounts()), d.style.Dim(show.Span(now.Sub(dep.GetCreateTime().AsTime()))))}
	if dep.GetStateMessage() != "" {
		lines = append(lines, "  "+dep.GetStateMessage())
	}
	for _, b := range dep.GetBlockedBy() {
		lines = append(lines, "  waits for "+oneReason(b))
	}
	rows := make([][]string, 0, len(d.last.waves))
	waves := slices.Clone(d.last.waves)
	slices.SortStableFunc(waves, func(a, b *deploymentv1.Wave) int {
		return show.Rank(a.GetState().String()) - show.Rank(b.GetState().String())
	})
	for _, w := range waves {
		rows = append(rows, []string{"  " + strconv.Itoa(int(w.GetOrdinal())) + " " + kind.ID(w.GetName()), d.style.State(w.GetState().String()), bar(w.GetCounts()), show.Progress(w.GetCounts())})
	}
	return append(append(lines, show.Align(rows)...), d.cell...)
}

func (d *drawn) installations(found []*deploymentv1.Installation, now time.Time) []string {
	slices.SortStableFunc(found, func(a, b *deploymentv1.Installation) int {
		return show.Rank(a.GetState().String()) - show.Rank(b.GetState().String())
	})
	rows := make([][]string, 0, len(found))
	for _, i := range found {
		rows = append(rows, []string{"    " + kind.ID(i.GetName()), d.style.State(i.GetState().String()), i.GetCause(), show.Value(i, "update_time", show.Style{}, now), i.GetMessage()})
	}
	return show.Align(rows)
}

// bar is a wave at a glance.
func bar(c *deploymentv1.InstallationCounts) string {
	const width = 20
	total := max(c.GetTotal(), 1)
	done := int(c.GetHealthy()+c.GetSealed()+c.GetSkipped()) * width / int(total)
	bad := int(c.GetFailed()+c.GetReverted()+c.GetRevertFailed()+c.GetLost()) * width / int(total)
	done, bad = min(done, width), min(bad, width-min(done, width))
	return "[" + strings.Repeat("=", done) + strings.Repeat("x", bad) + strings.Repeat(".", width-done-bad) + "]"
}

// lines writes a line for each change, for logs and pipelines.
type lines struct {
	*client

	last   picture
	states map[string]string
	spoke  time.Time
}

func (l *lines) draw(_ context.Context, p picture, now time.Time) error {
	if l.states == nil {
		l.states = make(map[string]string)
	}
	l.last = p
	d := p.deployment
	var changes []string
	if l.changed(d.GetName(), d.GetState().String()) {
		line := kind.Short(d.GetName()) + " " + l.style.State(d.GetState().String())
		if d.GetStateMessage() != "" {
			line += " " + d.GetStateMessage()
		}
		changes = append(changes, line)
	}
	for _, w := range p.waves {
		progress := show.Progress(w.GetCounts())
		if l.changed(w.GetName(), w.GetState().String()+progress) {
			changes = append(changes, kind.Short(w.GetName())+" "+l.style.State(w.GetState().String())+" "+progress)
		}
	}
	if reasons := reasonsOf(d); l.changed("reasons", reasons) && reasons != "" {
		changes = append(changes, kind.Short(d.GetName())+" waits for "+reasons)
	}
	for _, line := range changes {
		if err := l.speak(now, line); err != nil {
			return err
		}
	}
	return nil
}

func (l *lines) changed(key, value string) bool {
	before, known := l.states[key]
	l.states[key] = value
	return !known || before != value
}

// idle says every half minute that it is still there, and why nothing moves.
func (l *lines) idle(now time.Time) error {
	if l.last.deployment == nil || now.Sub(l.spoke) < heartbeat {
		return nil
	}
	d := l.last.deployment
	line := kind.Short(d.GetName()) + " still " + d.GetState().String() + " " + show.Progress(d.GetCounts())
	if reasons := reasonsOf(d); reasons != "" {
		line += ", waits for " + reasons
	}
	return l.speak(now, line)
}

func (l *lines) speak(now time.Time, line string) error {
	l.spoke = now
	return l.say("%s %s", now.UTC().Format(time.RFC3339), line)
}
