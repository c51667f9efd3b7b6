package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
	"github.com/golive-dev/golive/services/implementation/internal/benefit"
	"github.com/golive-dev/golive/services/implementation/internal/scorecard"
)

// ScorecardSubjects are implementations of a workspace by their names, in the order of these.
func (s *Store) ScorecardSubjects(ctx context.Context, workspace string, names []string) ([]*implementationv1.Implementation, error) {
	for i, name := range names {
		if err := shape(Implementations, workspace+"/", fmt.Sprintf("names[%d]", i), name); err != nil {
			return nil, err
		}
	}
	found, err := Implementations.LoadMany(ctx, s.DB().Read(), names)
	if err != nil {
		return nil, err
	}
	all := make([]*implementationv1.Implementation, len(names))
	for i, name := range names {
		if all[i] = found[name]; all[i] == nil {
			return nil, Implementations.NotFound(name)
		}
	}
	return all, nil
}

// ScorecardFacts reads the half of the people for several implementations of one workspace, in their order: as many statements as for one. It
// reads adoption and what was told of surveys as everybody does, and the log says so.
func (s *Store) ScorecardFacts(ctx context.Context, workspace string, all []*implementationv1.Implementation, now time.Time) ([]scorecard.Facts, error) {
	r := &scorecardReader{Store: s, workspace: workspace, facts: make([]scorecard.Facts, len(all)), at: make(map[string]*scorecard.Facts, len(all)), now: now}
	for i, one := range all {
		r.facts[i] = scorecard.Facts{
			Implementation: one.GetName(), Targets: one.GetScorecardTargets(), Applications: one.GetApplications(), Environments: one.GetEnvironments(),
			Books: benefit.Books{Currency: one.GetCurrency()}, Now: now,
		}
		r.at[one.GetName()] = &r.facts[i]
		r.names = append(r.names, one.GetName())
	}
	for _, read := range []func(context.Context) error{r.plans, r.rows, r.adoption, r.waves, r.then, r.tell} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	return r.facts, nil
}

// scorecardReader fills facts in, one kind of row after the other.
type scorecardReader struct {
	*Store

	workspace string
	names     []string
	facts     []scorecard.Facts
	at        map[string]*scorecard.Facts
	now       time.Time
}

// within is a condition on parents, with what comes after it.
func (r *scorecardReader) within(rest string) string {
	return "WHERE parent IN (" + sqldb.Marks(1, len(r.names)) + ") " + rest
}

func (r *scorecardReader) plans(ctx context.Context) error {
	plans, err := CohortPlans.Select(ctx, r.DB().Read(), r.within("ORDER BY name"), sqldb.Texts(r.names)...)
	for _, p := range plans {
		f := r.at[parent(p.GetName())]
		f.Plans = append(f.Plans, p)
	}
	return err
}

func (r *scorecardReader) rows(ctx context.Context) error {
	q, args := r.DB().Read(), sqldb.Texts(r.names)
	lines, err := BudgetLines.Select(ctx, q, r.within("ORDER BY name"), args...)
	if err != nil {
		return err
	}
	for _, l := range lines {
		f := r.at[parent(l.GetName())]
		f.Books.Lines = append(f.Books.Lines, l)
	}
	entries, err := LedgerEntries.Select(ctx, q, r.within("ORDER BY name"), args...)
	if err != nil {
		return err
	}
	for _, e := range entries {
		f := r.at[parent(e.GetName())]
		f.Books.Entries = append(f.Books.Entries, e)
	}
	stages, err := Stages.Select(ctx, q, r.within("ORDER BY name"), args...)
	if err != nil {
		return err
	}
	for _, st := range stages {
		f := r.at[parent(st.GetName())]
		f.Stages = append(f.Stages, st)
	}
	decisions, err := Decisions.Select(ctx, q, r.within("ORDER BY name"), args...)
	for _, d := range decisions {
		f := r.at[parent(d.GetName())]
		f.Decisions = append(f.Decisions, d)
	}
	return err
}

// adoption is counted from four weeks ago to the last full day.
func (r *scorecardReader) adoption(ctx context.Context) error {
	first, last := adoption.DayOf(r.now.Add(-scorecard.Back)).Add(-1), adoption.DayOf(r.now)-1
	of := make([]adopting, len(r.facts))
	for i, f := range r.facts {
		if err := fewPlans(f.Implementation, f.Plans); err != nil {
			return err
		}
		of[i] = adopting{f.Implementation, f.Plans, true}
	}
	counted, err := r.adoptionFacts(ctx, r.workspace, of, first, last)
	if err != nil {
		return err
	}
	for i := range r.facts {
		r.facts[i].Adoption = adoption.Report(counted[i])
	}
	return nil
}

// waves are what was told of the two waves of each survey that closed last.
func (r *scorecardReader) waves(ctx context.Context) error {
	var surveys []string
	for _, f := range r.facts {
		if survey := f.Targets.GetSatisfactionSurvey(); survey != "" {
			surveys = append(surveys, survey)
		}
	}
	if len(surveys) == 0 {
		return nil
	}
	results, err := r.told(ctx, `SELECT message FROM (SELECT message, survey, closed_time, ROW_NUMBER() OVER (PARTITION BY survey ORDER BY closed_time DESC) AS newest
		FROM survey_results WHERE survey IN (`+sqldb.Marks(2, len(surveys))+`) AND closed_time <= $1) results WHERE newest <= 2 ORDER BY survey, closed_time DESC`,
		append([]any{micros(r.now)}, sqldb.Texts(surveys)...)...)
	for i := range r.facts {
		f := &r.facts[i]
		for _, result := range results {
			if survey := f.Targets.GetSatisfactionSurvey(); survey != "" && strings.HasPrefix(result.GetSurveyWave(), survey+"/") {
				f.Waves = append(f.Waves, result)
			}
		}
	}
	return err
}

// then is what was snapshotted four weeks ago, or some days before.
func (r *scorecardReader) then(ctx context.Context) error {
	const some = 3
	day := r.now.Add(-scorecard.Back)
	n := len(r.names)
	kept, err := ScorecardSnapshots.Select(ctx, r.DB().Read(), r.within(fmt.Sprintf("AND day <= $%d AND day >= $%d ORDER BY day", n+1, n+2)),
		append(sqldb.Texts(r.names), day.UTC().Format(time.DateOnly), day.AddDate(0, 0, -some).UTC().Format(time.DateOnly))...)
	for _, snapshot := range kept { // the newest stays
		r.at[parent(snapshot.GetName())].Machines.Then = snapshot.GetScorecard()
	}
	return err
}

// tell puts into the log that aggregates were read.
func (r *scorecardReader) tell(ctx context.Context) error {
	return r.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, f := range r.facts {
			err := r.Store.tell(ctx, tx, feed.Record{Resource: f.Implementation + "/adoption", Type: "implementation.adoption.read", After: &implementationv1.GetAdoptionRequest{
				Parent: f.Implementation, StartDay: adoption.DayOf(r.now.Add(-scorecard.Back)).Add(-1).String(), EndDay: (adoption.DayOf(r.now) - 1).String(),
			}})
			if err != nil {
				return err
			}
			if len(f.Waves) == 0 {
				continue
			}
			if err := r.Store.tell(ctx, tx, feed.Record{Resource: f.Waves[0].GetSurveyWave() + "/result", Type: "implementation.surveyResult.read", Cause: "everybody"}); err != nil {
				return err
			}
		}
		return nil
	})
}

// ScorecardHistory are the snapshots of an implementation from a day on, the oldest first.
func (s *Store) ScorecardHistory(ctx context.Context, implementation, from string) ([]*implementationv1.ScorecardSnapshot, error) {
	return ScorecardSnapshots.Select(ctx, s.DB().Read(), "WHERE parent = $1 AND day >= $2 ORDER BY day", implementation, from)
}
