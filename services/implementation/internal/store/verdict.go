package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
)

// facet ends the name under which the events of a verdict stand. A verdict
// has revisions of its own, which must not mix with those of its plan.
const facet = "/verdict"

// errOvertaken says that somebody else judged the same plan meanwhile, or changed the same decision.
var errOvertaken = errors.New("the verdict was changed meanwhile")

// Verdicts judges the cohort plans now and returns the verdicts on those that
// exist. Where the content of a verdict changed since it was last asked for, by
// anybody, its revision rises and an event tells of it. A plan that was judged and
// is gone has its last verdict told too, but is not returned.
//
// The verdict before is read first and replaced by compare-and-swap, so that
// facts that were read earlier never take the place of facts that were read later.
func (s *Store) Verdicts(ctx context.Context, names []string) (map[string]*gatev1.Verdict, error) {
	const attempts = 10
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	for attempt := 1; ; attempt++ {
		verdicts, err := s.judge(ctx, names)
		if !errors.Is(err, errOvertaken) || attempt == attempts {
			return verdicts, err
		}
	}
}

func (s *Store) judge(ctx context.Context, names []string) (map[string]*gatev1.Verdict, error) {
	before, err := s.lastVerdicts(ctx, names)
	if err != nil {
		return nil, err
	}
	assessed, err := s.Assess(ctx, names)
	if err != nil {
		return nil, err
	}
	verdicts := make(map[string]*gatev1.Verdict, len(assessed))
	var changed []*gatev1.Verdict
	for _, name := range names {
		var next *gatev1.Verdict
		if a, ok := assessed[name]; ok {
			next = a.Verdict()
			verdicts[name] = next
		} else if before[name] != nil {
			next = readiness.Gone(name, s.Now())
		}
		if next != nil && readiness.Continue(before[name], next) {
			changed = append(changed, next)
		}
	}
	if len(changed) == 0 {
		return verdicts, nil
	}
	return verdicts, s.replace(ctx, changed)
}

func (s *Store) lastVerdicts(ctx context.Context, names []string) (map[string]*gatev1.Verdict, error) {
	before := make(map[string]*gatev1.Verdict, len(names))
	for part := range slices.Chunk(names, MaxPlans) {
		rows, err := s.DB().Read().QueryContext(ctx, "SELECT message FROM verdicts WHERE resource IN ("+sqldb.Marks(1, len(part))+")", sqldb.Texts(part)...)
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
			var data sql.RawBytes
			v := &gatev1.Verdict{}
			if err := rows.Scan(&data); err != nil {
				return none, err
			}
			err = proto.Unmarshal(data, v)
			before[v.GetResource()] = v
			return none, err
		})
		if err != nil {
			return nil, fmt.Errorf("read the last verdicts: %w", err)
		}
	}
	return before, nil
}

// replace stores verdicts over those of the revision before, with their events.
func (s *Store) replace(ctx context.Context, changed []*gatev1.Verdict) error {
	slices.SortFunc(changed, func(a, b *gatev1.Verdict) int { return strings.Compare(a.GetResource(), b.GetResource()) }) // one order of locks
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, v := range changed {
			data, err := proto.MarshalOptions{Deterministic: true}.Marshal(v)
			if err != nil {
				return fmt.Errorf("encode verdict on %s: %w", v.GetResource(), err)
			}
			result, err := tx.ExecContext(ctx, `INSERT INTO verdicts (resource, revision, message) VALUES ($1, $2, $3)
				ON CONFLICT (resource) DO UPDATE SET revision = excluded.revision, message = excluded.message
				WHERE verdicts.revision = excluded.revision - 1`, v.GetResource(), v.GetRevision(), data)
			if err != nil {
				return fmt.Errorf("store verdict on %s: %w", v.GetResource(), err)
			}
			if stored, err := result.RowsAffected(); err != nil || stored == 0 {
				return errors.Join(err, errOvertaken)
			}
			err = s.tell(ctx, tx, feed.Record{
				Resource: v.GetResource() + facet, Type: "implementation.verdict.changed", Revision: v.GetRevision(),
				Actor: "services/implementation", Cause: v.GetState().String(), After: v,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// WatchGates follows the verdicts named, and for stages and decisions whatever happens in their implementations.
func (s *Store) WatchGates(ctx context.Context, names []string) (*feed.Watcher, error) {
	verdicts, plans := make(map[string]bool, len(names)), map[string]bool{}
	for _, name := range names {
		verdicts[name+facet] = true
		if !strings.Contains(name, "/cohortPlans/") {
			plans[Implementation(name)] = true
		}
	}
	return s.log.Watch(ctx, "", func(e *eventv1.Event) bool {
		return verdicts[e.GetResource()] || len(plans) > 0 && plans[Implementation(e.GetResource())]
	})
}

// VerdictOf is the resource whose verdict an event is about.
func VerdictOf(resource string) (name string, is bool) { return strings.CutSuffix(resource, facet) }

// Implementation is the name of the implementation that something belongs to: the first four segments.
func Implementation(name string) string {
	const segments = 4
	parts := strings.SplitN(name, "/", segments+1)
	return strings.Join(parts[:min(segments, len(parts))], "/")
}

// WatchFacts follows everything that readiness may depend on.
func (s *Store) WatchFacts(ctx context.Context) (*feed.Watcher, error) {
	return s.log.Watch(ctx, "", func(e *eventv1.Event) bool { return subject(e.GetResource()) != "" })
}

// subject is the cohort plan, cohort, training or implementation whose facts an event changed; empty where it is about none.
func subject(resource string) string {
	if strings.HasSuffix(resource, facet) {
		return ""
	}
	parts := strings.Split(resource, "/")
	switch {
	case len(parts) == 6 && parts[4] == "cohortPlans":
		return resource
	case len(parts) >= 4 && (parts[2] == "cohorts" || parts[2] == "trainings"):
		return strings.Join(parts[:4], "/")
	case len(parts) >= 4 && parts[2] == "implementations" && (len(parts) == 4 || slices.Contains([]string{"stakeholders", "communications", "challenges"}, parts[4])):
		return strings.Join(parts[:4], "/")
	default:
		return ""
	}
}

// Affected are the cohort plans whose readiness may depend on what the events are about.
func (s *Store) Affected(ctx context.Context, resources []string) ([]string, error) {
	subjects := map[string]bool{}
	for _, resource := range resources {
		if name := subject(resource); name != "" {
			subjects[name] = true
		}
	}
	plans, found := []string{}, []any{}
	for name := range subjects {
		if strings.Contains(name, "/cohortPlans/") {
			plans = append(plans, name)
		} else {
			found = append(found, name)
		}
	}
	for part := range slices.Chunk(found, chunk) {
		in := sqldb.Marks(1, len(part))
		rows, err := s.DB().Read().QueryContext(ctx, "SELECT name FROM cohort_plans WHERE cohort IN ("+in+
			") UNION SELECT name FROM cohort_plans WHERE parent IN ("+in+") UNION SELECT plan FROM cohort_plan_trainings WHERE training IN ("+in+")", part...)
		some, err := sqldb.Collect(rows, err, scanText)
		if err != nil {
			return nil, fmt.Errorf("which cohort plans are affected: %w", err)
		}
		plans = append(plans, some...)
	}
	slices.Sort(plans)
	return slices.Compact(plans), nil
}

// PlansAfter are the next cohort plans in the order of their names, for a walk over all of them.
func (s *Store) PlansAfter(ctx context.Context, name string, limit int) ([]string, error) {
	rows, err := s.DB().Read().QueryContext(ctx, "SELECT name FROM cohort_plans WHERE name > $1 ORDER BY name LIMIT $2", name, limit)
	return sqldb.Collect(rows, err, scanText)
}
