package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/waits"
)

// TechnicalVerdict is what the deployment service last said of a resource over a window, an hour when 0, and when it was asked by the
// clock of this service; nil where it never answered. An answer older than its ttl has the state UNKNOWN.
func (s *Store) TechnicalVerdict(ctx context.Context, resource string, window time.Duration) (v *gatev1.Verdict, asked time.Time, err error) {
	q := waits.Question{Resource: resource, Window: cmp.Or(window, waits.DefaultWindow)}
	answers, err := technicalAnswers(ctx, s.DB().Read(), []string{resource})
	if err != nil {
		return nil, time.Time{}, err
	}
	return answers[q].Aged(s.Now()), answers[q].Asked, nil
}

// technicalAnswers reads what was last said of the resources, over every window.
func technicalAnswers(ctx context.Context, q sqldb.Queryer, resources []string) (map[waits.Question]waits.Answer, error) {
	answers := make(map[waits.Question]waits.Answer, len(resources))
	resources = slices.Compact(slices.Sorted(slices.Values(resources)))
	for part := range slices.Chunk(resources, chunk) {
		rows, err := q.QueryContext(ctx, "SELECT resource, window_us, asked_time, message FROM technical_answers WHERE resource IN ("+sqldb.Marks(1, len(part))+")", sqldb.Texts(part)...)
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
			var resource string
			var window, asked int64
			var data sql.RawBytes
			if err := rows.Scan(&resource, &window, &asked, &data); err != nil {
				return none, err
			}
			v := &gatev1.Verdict{}
			if err := proto.Unmarshal(data, v); err != nil {
				return none, err
			}
			answers[waits.Question{Resource: resource, Window: microseconds(window)}] = waits.Answer{Verdict: v, Asked: fromMicros(asked)}
			return none, nil
		})
		if err != nil {
			return nil, fmt.Errorf("read what the deployment service said: %w", err)
		}
	}
	return answers, nil
}

// TechnicalWanted are the questions that somebody here needs answers to: what criteria of cohort plans, conditions of stages that
// have not begun, and decisions name.
func (s *Store) TechnicalWanted(ctx context.Context) ([]waits.Question, error) {
	rows, err := s.DB().Read().QueryContext(ctx, fmt.Sprintf(`SELECT resource, %d FROM cohort_plan_technical
		UNION SELECT c.resource, c.window_us FROM stage_conditions c JOIN stages s ON s.name = c.stage WHERE s.state IN (%d, %d) ORDER BY 1, 2`,
		waits.DefaultWindow.Microseconds(), implementationv1.Stage_PENDING, implementationv1.Stage_READY))
	wanted, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (q waits.Question, err error) {
		var window int64
		err = rows.Scan(&q.Resource, &window)
		q.Window = microseconds(window)
		return q, err
	})
	if err != nil {
		return nil, fmt.Errorf("read what is asked about machines: %w", err)
	}
	decided, err := s.DecisionTechnicalWanted(ctx)
	if err != nil {
		return nil, err
	}
	for _, resource := range decided {
		if q := (waits.Question{Resource: resource, Window: waits.DefaultWindow}); !slices.Contains(wanted, q) {
			wanted = append(wanted, q)
		}
	}
	return wanted, nil
}

// TechnicalPlans are the cohort plans whose criteria name one of the resources.
func (s *Store) TechnicalPlans(ctx context.Context, resources []string) ([]string, error) {
	var plans []string
	for part := range slices.Chunk(resources, chunk) {
		some, err := texts(ctx, s.DB().Read(), "SELECT DISTINCT plan FROM cohort_plan_technical WHERE resource IN ("+sqldb.Marks(1, len(part))+") ORDER BY plan", sqldb.Texts(part)...)
		if err != nil {
			return nil, fmt.Errorf("read whose criteria are about machines: %w", err)
		}
		plans = append(plans, some...)
	}
	slices.Sort(plans)
	return slices.Compact(plans), nil
}

// Said is one answer of the deployment service.
type Said struct {
	waits.Question
	waits.Answer
}

// RecordTechnical keeps one answer over the default window, see [Store.RecordAnswers].
func (s *Store) RecordTechnical(ctx context.Context, v *gatev1.Verdict, asked time.Time) error {
	q := waits.Question{Resource: v.GetResource(), Window: waits.DefaultWindow}
	return s.RecordAnswers(ctx, []Said{{Question: q, Answer: waits.Answer{Verdict: v, Asked: asked}}})
}

// RecordAnswers keeps what the deployment service said when it was asked, and what follows from it for how long conditions of
// stages have held. An answer that was asked for earlier never takes the place of a later one.
func (s *Store) RecordAnswers(ctx context.Context, all []Said) error {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Said) int { // one order of locks
		return cmp.Or(strings.Compare(a.Resource, b.Resource), cmp.Compare(a.Window, b.Window), a.Asked.Compare(b.Asked))
	})
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, said := range all {
			taken, err := putAnswer(ctx, tx, said)
			if err != nil {
				return err
			}
			if !taken {
				continue
			}
			if err := advanceHolds(ctx, tx, said); err != nil {
				return err
			}
		}
		return nil
	})
}

func putAnswer(ctx context.Context, tx *sqldb.Tx, said Said) (taken bool, err error) {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(said.Verdict)
	if err != nil {
		return false, fmt.Errorf("encode the verdict on %s: %w", said.Resource, err)
	}
	result, err := tx.ExecContext(ctx, `INSERT INTO technical_answers (resource, window_us, asked_time, message) VALUES ($1, $2, $3, $4)
		ON CONFLICT (resource, window_us) DO UPDATE SET asked_time = excluded.asked_time, message = excluded.message
		WHERE technical_answers.asked_time <= excluded.asked_time`, said.Resource, said.Window.Microseconds(), micros(said.Asked), data)
	if err != nil {
		return false, fmt.Errorf("keep the verdict on %s: %w", said.Resource, err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// advanceHolds moves the conditions that wait for an answer by it.
func advanceHolds(ctx context.Context, tx *sqldb.Tx, said Said) error {
	stages, err := texts(ctx, tx, "SELECT DISTINCT stage FROM stage_conditions WHERE resource = $1 AND window_us = $2 ORDER BY stage", said.Resource, said.Window.Microseconds())
	if err != nil {
		return fmt.Errorf("who waits for %s: %w", said.Resource, err)
	}
	for _, name := range stages {
		stage, err := stageRows.Lock(ctx, tx, name) // what it waits for stays as it is until the commit
		if fault.Is(err, fault.KindNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		holds, err := stageHolds(ctx, tx, []string{name})
		if err != nil {
			return err
		}
		for _, c := range stage.GetWaitsFor() {
			if waits.QuestionOf(c) != said.Question {
				continue
			}
			if err := putHold(ctx, tx, name, c, holds[waits.Condition{Stage: name, ID: c.GetId()}].Next(c, said.Answer)); err != nil {
				return err
			}
		}
	}
	return nil
}

func microseconds(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
