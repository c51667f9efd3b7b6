package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

// detectEvery is how long an implementation that was judged waits: a week is judged once, and on the
// days after it what was not known before.
const detectEvery = 24 * time.Hour

// RunDetectors judges an implementation for a week and writes what follows.
func (s *Store) RunDetectors(ctx context.Context, req *implementationv1.RunDetectorsRequest) (*implementationv1.RunDetectorsResponse, error) {
	if _, err := Implementations.Parse(req.GetName()); err != nil {
		return nil, err
	}
	now := s.Now()
	week := detect.WeekOf(now).Add(-1)
	if req.GetWeek() != "" {
		var err error
		if week, err = detect.ParseWeek(req.GetWeek()); err != nil {
			return nil, fault.From(err).Field("week", "is no week")
		}
		if week.End().After(now) {
			return nil, fault.Invalid(detect.ReasonWeekNotOver, "the week %s is over on %s; judge one that is over, or wait", week, week.End().Format(time.DateOnly)).
				Field("week", "is not over")
		}
	}
	return s.detect(ctx, req, req.GetName(), week)
}

// detect reads the facts before its transaction, which then is short. What others write in between is in the next round.
func (s *Store) detect(ctx context.Context, req proto.Message, implementation string, week detect.Week) (*implementationv1.RunDetectorsResponse, error) {
	facts, err := s.DetectorFacts(ctx, implementation, week)
	if err != nil {
		return nil, err
	}
	policy, err := s.DetectorPolicy(ctx, s.DB().Read(), implementation)
	if err != nil {
		return nil, err
	}
	reports := detect.Judge(facts, policy)
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.RunDetectorsResponse, error) {
		return s.conclude(ctx, tx, facts, reports)
	})
}

// DetectNext judges the implementation that has waited longest for the last week, if one is due; done says whether.
// Whoever moves its due time judges it, so any number of processes may call this. After an error it is due again in a while.
func (s *Store) DetectNext(ctx context.Context) (done bool, err error) {
	implementation, err := s.claimDetection(ctx)
	if implementation == "" || err != nil {
		return false, err
	}
	req := &implementationv1.RunDetectorsRequest{Name: implementation}
	if _, err = s.RunDetectors(ctx, req); err != nil {
		return true, fmt.Errorf("judge %s: %w", implementation, err)
	}
	return true, nil
}

// claimDetection takes an implementation that is due, for ten minutes; empty when none is.
func (s *Store) claimDetection(ctx context.Context) (implementation string, err error) {
	const retry = 10 * time.Minute
	now := s.Now()
	err = s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT i.name FROM implementations i LEFT JOIN detector_runs d ON d.implementation = i.name
			WHERE COALESCE(d.due_time, 0) <= $1 AND COALESCE(i.state, 0) NOT IN ($2, $3, $4) ORDER BY COALESCE(d.due_time, 0), i.name LIMIT 1`,
			now.UnixMicro(), implementationv1.Implementation_ON_HOLD, implementationv1.Implementation_CLOSED, implementationv1.Implementation_CANCELLED).Scan(&implementation)
		if errors.Is(err, sql.ErrNoRows) {
			implementation = ""
			return nil
		}
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO detector_runs (implementation, due_time) VALUES ($1, $2)
			ON CONFLICT (implementation) DO UPDATE SET due_time = excluded.due_time WHERE detector_runs.due_time <= $3`,
			implementation, now.Add(retry).UnixMicro(), now.UnixMicro())
		if err != nil {
			return err
		}
		if taken, err := result.RowsAffected(); err != nil || taken == 0 {
			implementation = "" // somebody else was faster
			return err
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("find an implementation to judge: %w", err)
	}
	return implementation, nil
}

// lockDetection keeps others from settling the same implementation until the commit, and says when it is due again.
func (s *Store) lockDetection(ctx context.Context, tx *sqldb.Tx, implementation string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO detector_runs (implementation, due_time) VALUES ($1, $2)
		ON CONFLICT (implementation) DO UPDATE SET due_time = excluded.due_time`, implementation, s.Now().Add(detectEvery).UnixMicro())
	if err != nil {
		return fmt.Errorf("claim the detectors of %s: %w", implementation, err)
	}
	return nil
}

// standingKey names what a standing is of.
type standingKey struct {
	rule            detect.ID
	subject, aspect string
}

func keyOf(f detect.Finding) standingKey { return standingKey{f.Rule, f.Subject, f.Aspect} }

func standings(ctx context.Context, tx *sqldb.Tx, implementation string) (map[standingKey]detect.Standing, error) {
	all := map[standingKey]detect.Standing{}
	rows, err := tx.QueryContext(ctx, "SELECT rule, subject, aspect, period, end_time, holding, clear, active FROM detector_states WHERE implementation = $1", implementation)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var key standingKey
		var standing detect.Standing
		var end, active int64
		if err := rows.Scan(&key.rule, &key.subject, &key.aspect, &standing.Window, &end, &standing.Holding, &standing.Clear, &active); err != nil {
			return none, err
		}
		standing.End, standing.Active = fromMicros(end), active == 1
		all[key] = standing
		return none, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read where the rules stand with %s: %w", implementation, err)
	}
	return all, nil
}

func saveStanding(ctx context.Context, tx *sqldb.Tx, implementation string, key standingKey, standing detect.Standing) error {
	active := 0
	if standing.Active {
		active = 1
	}
	explain := func(err error) error { return fmt.Errorf("store where rule %s stands: %w", key.rule, err) }
	return tx.Queue(ctx, explain, `INSERT INTO detector_states (implementation, rule, subject, aspect, period, end_time, holding, clear, active)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (implementation, rule, subject, aspect) DO UPDATE
		SET period = excluded.period, end_time = excluded.end_time, holding = excluded.holding, clear = excluded.clear, active = excluded.active`,
		implementation, string(key.rule), key.subject, key.aspect, standing.Window, micros(standing.End), standing.Holding, standing.Clear, active)
}

// removeDetections takes the register of an implementation along with it, and all that detectors know of it.
func removeDetections(ctx context.Context, tx *sqldb.Tx, implementation string) error {
	for _, statement := range []string{
		"DELETE FROM comments WHERE subject IN (SELECT name FROM challenges WHERE parent = $1)",
		"DELETE FROM resource_sets WHERE name IN (SELECT name FROM challenges WHERE parent = $1)",
		"DELETE FROM challenges WHERE parent = $1",
		"DELETE FROM signals WHERE parent = $1",
		"DELETE FROM detector_policies WHERE implementation = $1",
		"DELETE FROM detector_states WHERE implementation = $1",
		"DELETE FROM detector_runs WHERE implementation = $1",
		"DELETE FROM ticket_counts WHERE implementation = $1",
	} {
		if _, err := tx.ExecContext(ctx, statement, implementation); err != nil {
			return fmt.Errorf("delete what was detected of %s: %w", implementation, err)
		}
	}
	return nil
}
