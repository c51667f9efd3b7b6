package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/decision"
	"github.com/golive-dev/golive/services/implementation/internal/ical"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// sessionsBack is how long sessions that are over stay in a calendar.
const sessionsBack = 90 * day24

// CalendarFeed writes the dates of an implementation as iCalendar. An entry that
// changed since it was last written, for whomever, gets a higher sequence.
func (s *Store) CalendarFeed(ctx context.Context, implementation string) (*implementationv1.ExportCalendarFeedResponse, error) {
	in, err := s.PlanInput(ctx, implementation)
	if err != nil {
		return nil, err
	}
	c := &calendarFeed{zone: time.UTC}
	if name := in.Implementation.GetCalendar().GetTimeZone(); name != "" {
		if c.zone, err = time.LoadLocation(name); err != nil {
			return nil, fmt.Errorf("time zone of %s: %w", implementation, err)
		}
	}
	c.plan(in)
	for _, add := range []func(context.Context, sqldb.Queryer, string, time.Time) error{c.goLives, c.sessions, c.decisions, c.freezes} {
		if err := add(ctx, s.DB().Read(), implementation, s.Now()); err != nil {
			return nil, err
		}
	}
	if err := s.numberEntries(ctx, implementation, c.entries); err != nil {
		return nil, err
	}
	text := ical.Calendar{Name: calendarTitle(in.Implementation.GetDisplayName(), implementation), Entries: c.entries}.Encode()
	sum := sha256.Sum256([]byte(text))
	return &implementationv1.ExportCalendarFeedResponse{Calendar: text, Digest: hex.EncodeToString(sum[:16])}, nil
}

// calendarFeed gathers entries.
type calendarFeed struct {
	zone    *time.Location
	entries []ical.Entry
}

func (c *calendarFeed) add(e ical.Entry) { c.entries = append(c.entries, e) }

func calendarTitle(displayName, name string) string {
	if displayName != "" {
		return displayName
	}
	return path.Base(name)
}

// plan adds stages, tasks and milestones where the plan has them now. Of a plan that cannot be computed there are none.
func (c *calendarFeed) plan(in plan.Input) {
	p, err := plan.New(in)
	if err != nil {
		return // GetSchedule says why; the other dates stand
	}
	stages, tasks := map[string]*implementationv1.Stage{}, map[string]*implementationv1.Task{}
	for _, s := range in.Stages {
		stages[s.GetName()] = s
	}
	for _, t := range in.Tasks {
		tasks[t.GetName()] = t
	}
	schedule := p.Schedule()
	for _, s := range schedule.GetStages() {
		if stage := stages[s.GetName()]; stage != nil && s.GetStartTime() != nil && s.GetEndTime() != nil {
			c.add(ical.Entry{
				UID: "stage-" + stage.GetUid(), Summary: calendarTitle(stage.GetDisplayName(), stage.GetName()), Category: "Stage", Owner: stage.GetOwner(),
			}.Days(s.GetStartTime().AsTime(), s.GetEndTime().AsTime(), c.zone))
		}
	}
	for _, t := range schedule.GetTasks() {
		task := tasks[t.GetName()]
		if task == nil || t.GetEarlyStartTime() == nil || t.GetEarlyEndTime() == nil {
			continue
		}
		e := ical.Entry{UID: "task-" + task.GetUid(), Summary: calendarTitle(task.GetDisplayName(), task.GetName()), Category: "Task", Owner: task.GetOwner()}
		if task.GetDeadline() != nil {
			e.Details = "Due " + task.GetDeadline().AsTime().In(c.zone).Format("2 January 2006")
		}
		if task.GetState() == implementationv1.Task_DONE {
			e.Details = "Done"
		}
		if t.GetMilestone() {
			e.UID, e.Category = "milestone-"+task.GetUid(), "Milestone"
			c.add(e.Days(t.GetEarlyEndTime().AsTime(), t.GetEarlyEndTime().AsTime(), c.zone))
			continue
		}
		c.add(e.Days(t.GetEarlyStartTime().AsTime(), t.GetEarlyEndTime().AsTime(), c.zone))
	}
}

// goLives adds when each cohort goes live, or went.
func (c *calendarFeed) goLives(ctx context.Context, q sqldb.Queryer, implementation string, _ time.Time) error {
	plans, err := CohortPlans.Select(ctx, q, "WHERE parent = $1 ORDER BY name", implementation)
	if err != nil {
		return err
	}
	for _, p := range plans {
		e := ical.Entry{UID: "go-live-" + p.GetUid(), Category: "Go-live", Owner: p.GetOwner(), Summary: "Go-live: " + path.Base(p.GetCohort())}
		at := moment(p.GetGoLiveTime())
		if live := moment(p.GetLiveTime()); !live.IsZero() {
			at, e.Summary = live, "Live: "+path.Base(p.GetCohort())
		}
		if !at.IsZero() {
			c.add(e.Moment(at, c.zone))
		}
	}
	return nil
}

// sessions adds those of the trainings that readiness asks for.
func (c *calendarFeed) sessions(ctx context.Context, q sqldb.Queryer, implementation string, now time.Time) error {
	sessions, err := Sessions.Select(ctx, q, fmt.Sprintf(`WHERE parent IN (SELECT ct.training FROM cohort_plan_trainings ct JOIN cohort_plans p ON p.name = ct.plan WHERE p.parent = $1)
		AND end_time > $2 AND state <> %d ORDER BY start_time, name`, implementationv1.Session_CANCELLED), implementation, micros(now.Add(-sessionsBack)))
	if err != nil || len(sessions) == 0 {
		return err
	}
	var names []string
	for _, s := range sessions {
		names = append(names, parent(s.GetName()))
	}
	trainings, err := Trainings.LoadMany(ctx, q, slices.Compact(slices.Sorted(slices.Values(names))))
	if err != nil {
		return err
	}
	for i, s := range sessions {
		c.add(ical.Entry{
			UID: "session-" + s.GetUid(), Category: "Training", Summary: "Training: " + calendarTitle(trainings[names[i]].GetDisplayName(), names[i]),
			Place: s.GetPlace(), Start: moment(s.GetStartTime()), End: moment(s.GetEndTime()),
		})
	}
	return nil
}

// decisions adds what is to be decided, and what was promised with a conditional go.
func (c *calendarFeed) decisions(ctx context.Context, q sqldb.Queryer, implementation string, _ time.Time) error {
	decisions, err := Decisions.Select(ctx, q, fmt.Sprintf("WHERE parent = $1 AND state IN (%d, %d) ORDER BY name",
		implementationv1.Decision_PENDING, implementationv1.Decision_CONDITIONAL_GO), implementation)
	if err != nil {
		return err
	}
	for _, d := range decisions {
		if at := moment(d.GetDueTime()); d.GetState() == implementationv1.Decision_PENDING && !at.IsZero() {
			c.add(ical.Entry{UID: "decision-" + d.GetUid(), Summary: "Decide: " + d.GetDisplayName(), Category: "Decision", Owner: d.GetOwner()}.Moment(at, c.zone))
		}
		if d.GetState() != implementationv1.Decision_CONDITIONAL_GO {
			continue
		}
		for _, condition := range decision.Record(d).GetConditions() {
			if condition.GetMetTime() == nil {
				c.add(ical.Entry{
					UID: "condition-" + d.GetUid() + "-" + condition.GetId(), Summary: "Condition: " + condition.GetDisplayName(), Category: "Condition",
					Owner: condition.GetOwner(), Details: "Of: " + d.GetDisplayName(),
				}.Moment(moment(condition.GetDueTime()), c.zone))
			}
		}
	}
	return nil
}

// freezes adds when nothing can be deployed, as far as the deployment service has said.
func (c *calendarFeed) freezes(ctx context.Context, q sqldb.Queryer, implementation string, now time.Time) error {
	freezes, err := freezesOf(ctx, q, implementation, now)
	if err != nil {
		return err
	}
	for _, f := range freezes {
		if f.End.Sub(f.Start) < day24 {
			continue // nights and the like, in which nobody would look
		}
		// By its end: its begin moves with the span that was asked about once it has begun.
		sum := sha256.Sum256([]byte(strings.Join([]string{f.Policy, f.Reason, f.End.UTC().Format(time.RFC3339)}, "\x00")))
		c.add(ical.Entry{UID: "freeze-" + hex.EncodeToString(sum[:12]), Summary: "Deployment freeze: " + path.Base(f.Policy), Category: "Freeze", Details: f.Reason, Start: f.Start, End: f.End})
	}
	return nil
}

// numberEntries gives each entry its sequence and the time of its last change, and keeps them where they are new.
func (s *Store) numberEntries(ctx context.Context, implementation string, entries []ical.Entry) error {
	known, err := numberedEntries(ctx, s.DB().Read(), implementation)
	if err != nil {
		return err
	}
	if applyNumbers(known, entries) {
		return nil
	}
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for i := range entries {
			digest := entries[i].Digest()
			if known[entries[i].UID].digest == digest {
				continue
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO calendar_entries (implementation, uid, sequence, digest, change_time) VALUES ($1, $2, 0, $3, $4)
				ON CONFLICT (implementation, uid) DO UPDATE SET sequence = calendar_entries.sequence + 1, digest = excluded.digest, change_time = excluded.change_time
				WHERE calendar_entries.digest <> excluded.digest`, implementation, entries[i].UID, digest, micros(s.Now().Truncate(time.Second)))
			if err != nil {
				return fmt.Errorf("keep the calendar of %s: %w", implementation, err)
			}
		}
		known, err := numberedEntries(ctx, tx, implementation)
		applyNumbers(known, entries)
		return err
	})
}

type numberedEntry struct {
	sequence int64
	digest   string
	changed  time.Time
}

func numberedEntries(ctx context.Context, q sqldb.Queryer, implementation string) (map[string]numberedEntry, error) {
	all := map[string]numberedEntry{}
	rows, err := q.QueryContext(ctx, "SELECT uid, sequence, digest, change_time FROM calendar_entries WHERE implementation = $1", implementation)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var uid string
		var e numberedEntry
		var changed int64
		err = rows.Scan(&uid, &e.sequence, &e.digest, &changed)
		e.changed = fromMicros(changed)
		all[uid] = e
		return none, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the calendar of %s: %w", implementation, err)
	}
	return all, nil
}

// applyNumbers fills what is known of entries, and says whether that is all of them as they are.
func applyNumbers(known map[string]numberedEntry, entries []ical.Entry) (whole bool) {
	whole = true
	for i := range entries {
		e, ok := known[entries[i].UID]
		entries[i].Sequence, entries[i].Changed = e.sequence, e.changed
		whole = whole && ok && e.digest == entries[i].Digest()
	}
	return whole
}
