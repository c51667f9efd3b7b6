package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/disclosure"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// noValue is the value of those whose membership does not have the attribute of the wave.
const noValue = "(none)"

// asked is somebody who is asked in a wave, and as what.
type asked struct {
	person string
	cohort string
	value  string
}

// OpenSurveyWave freezes who is asked and what may be told, and takes answers from then on.
func (s *Store) OpenSurveyWave(ctx context.Context, req *implementationv1.OpenSurveyWaveRequest) (*implementationv1.SurveyWave, error) {
	return moveWave(ctx, s, req, lifecycle.SurveyWaveOpened, s.openWave)
}

func (s *Store) openWave(ctx context.Context, tx *sqldb.Tx, w *implementationv1.SurveyWave) error {
	if err := notOver(w, s.Now()); err != nil {
		return err
	}
	asks, err := Surveys.Lock(ctx, tx, parent(w.GetName()))
	if err != nil {
		return err
	}
	w.Questions, w.Attributed = asks.GetQuestions(), asks.GetAttributed()
	people, err := s.members(ctx, tx, w)
	if err != nil {
		return err
	}
	if people, err = keepComposition(ctx, tx, w, people); err != nil {
		return err
	}
	lattice, ok := disclosure.NewLattice(uint64(w.GetThreshold()), strata(people)) //nolint:gosec // at least 5
	if !ok {
		return fault.Precondition(ReasonWaveSmall, "survey wave %s asks %d people; its numbers could never be told, because that takes %d answers: ask more cohorts",
			w.GetName(), len(people), w.GetThreshold()).Subject("SIZE", w.GetName(), "asks too few people")
	}
	w.AskedCount = int64(len(people))
	if err := saveLattice(ctx, tx, w.GetName(), lattice); err != nil {
		return err
	}
	if err := invite(ctx, tx, w.GetName(), lattice, people); err != nil {
		return err
	}
	if w.GetDelivery() == implementationv1.SurveyWave_MAIL {
		links, err := issueLinks(ctx, tx, w, false)
		if err != nil {
			return err
		}
		return s.mailLinks(ctx, tx, asks, w, links)
	}
	return nil
}

// members are those of the cohorts now, by ordinal. Who is in several counts in the first.
func (s *Store) members(ctx context.Context, tx *sqldb.Tx, w *implementationv1.SurveyWave) (map[uint32]asked, error) {
	message := "''"
	if w.GetAttribute() != "" {
		message = "m.message"
	}
	all := make(map[uint32]asked)
	for _, cohort := range w.GetCohorts() {
		rows, err := tx.QueryContext(ctx, "SELECT p.ordinal, m.person, "+message+` FROM memberships m JOIN people p ON p.name = m.person
			WHERE m.parent = $1 AND `+effective("$2"), cohort, s.Now().UnixMicro())
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
			var ordinal uint32
			a := asked{cohort: cohort}
			var raw []byte
			if err := rows.Scan(&ordinal, &a.person, &raw); err != nil {
				return none, err
			}
			if w.GetAttribute() != "" {
				var m implementationv1.Membership
				if err := proto.Unmarshal(raw, &m); err != nil {
					return none, err
				}
				if a.value = m.GetAttributes()[w.GetAttribute()]; a.value == "" {
					a.value = noValue
				}
			}
			if _, twice := all[ordinal]; !twice {
				all[ordinal] = a
			}
			return none, nil
		})
		if err != nil {
			return nil, fmt.Errorf("who is asked in %s: %w", w.GetName(), err)
		}
	}
	return all, nil
}

// keepComposition asks the people who were asked last again in each cohort where
// fewer than the threshold changed since. Otherwise two waves would differ by what a few people said.
func keepComposition(ctx context.Context, tx *sqldb.Tx, w *implementationv1.SurveyWave, now map[uint32]asked) (map[uint32]asked, error) {
	before := make(map[string]composition)
	for _, cohort := range w.GetCohorts() {
		last, err := lastAsked(ctx, tx, w, cohort, now)
		if err != nil {
			return nil, err
		}
		if changed := last.changed(cohort, now); changed > 0 && changed < int(w.GetThreshold()) {
			before[cohort] = last
		}
	}
	w.CompositionKept = len(before) > 0
	if !w.GetCompositionKept() {
		return now, nil
	}
	names, err := namesByOrdinal(ctx, tx, Workspace(w.GetName()))
	if err != nil {
		return nil, err
	}
	result := make(map[uint32]asked, len(now))
	for ordinal, a := range now {
		if _, kept := before[a.cohort]; !kept {
			result[ordinal] = a
		}
	}
	for _, cohort := range w.GetCohorts() {
		for ordinal, value := range before[cohort] {
			_, twice := result[ordinal]
			if name := names[ordinal]; name != "" && !twice { // who was erased is not asked again
				result[ordinal] = asked{person: name, cohort: cohort, value: value}
			}
		}
	}
	return result, nil
}

// composition is the people of a cohort with the value that each had of an attribute.
type composition map[uint32]string

// changed is how many people came to the cohort, left it, or have another value
// now; 0 where nobody was asked before.
func (c composition) changed(cohort string, now map[uint32]asked) (n int) {
	if len(c) == 0 {
		return 0
	}
	for ordinal, value := range c {
		if a, ok := now[ordinal]; !ok || a.cohort != cohort || a.value != value {
			n++
		}
	}
	for ordinal, a := range now {
		if _, ok := c[ordinal]; a.cohort == cohort && !ok {
			n++
		}
	}
	return n
}

// lastAsked is a cohort as the wave that was opened last found it, of whichever
// survey. It is empty where there was none. Where that wave had another attribute, people have the values of today.
func lastAsked(ctx context.Context, tx *sqldb.Tx, w *implementationv1.SurveyWave, cohort string, now map[uint32]asked) (composition, error) {
	rows, err := tx.QueryContext(ctx, `SELECT v.attribute, s.value, s.people FROM survey_strata s JOIN survey_waves v ON v.name = s.wave
		WHERE s.cohort = $1 AND s.wave = (SELECT o.name FROM survey_strata t JOIN survey_waves o ON o.name = t.wave
			WHERE t.cohort = $1 ORDER BY o.opened_time DESC, o.name LIMIT 1)`, cohort)
	found := make(composition)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var attribute, value string
		var raw []byte
		if err := rows.Scan(&attribute, &value, &raw); err != nil {
			return none, err
		}
		people := roaring.New()
		if err := people.UnmarshalBinary(raw); err != nil {
			return none, err
		}
		for it := people.Iterator(); it.HasNext(); {
			ordinal := it.Next()
			if found[ordinal] = value; attribute != w.GetAttribute() {
				found[ordinal] = valueNow(w, cohort, now[ordinal])
			}
		}
		return none, nil
	})
	if err != nil {
		return nil, fmt.Errorf("who was asked last of %s: %w", cohort, err)
	}
	return found, nil
}

// valueNow is the value of a member, and that of nobody for who is none any more.
func valueNow(w *implementationv1.SurveyWave, cohort string, a asked) string {
	if a.cohort == cohort || w.GetAttribute() == "" {
		return a.value
	}
	return noValue
}

func namesByOrdinal(ctx context.Context, tx *sqldb.Tx, workspace string) (map[uint32]string, error) {
	all := make(map[uint32]string)
	rows, err := tx.QueryContext(ctx, "SELECT ordinal, name FROM people WHERE parent = $1", workspace)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var ordinal uint32
		var name string
		if err := rows.Scan(&ordinal, &name); err != nil {
			return none, err
		}
		all[ordinal] = name
		return none, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	return all, nil
}

func strata(people map[uint32]asked) []disclosure.Stratum {
	type key struct{ cohort, value string }
	by := make(map[key]*roaring.Bitmap)
	for ordinal, a := range people {
		k := key{a.cohort, a.value}
		if by[k] == nil {
			by[k] = roaring.New()
		}
		by[k].Add(ordinal)
	}
	all := make([]disclosure.Stratum, 0, len(by))
	for k, members := range by {
		all = append(all, disclosure.Stratum{Cohort: k.cohort, Value: k.value, People: members})
	}
	return all
}

func saveLattice(ctx context.Context, tx *sqldb.Tx, wave string, lattice disclosure.Lattice) error {
	for _, stratum := range lattice {
		people, err := stratum.People.ToBytes()
		if err != nil {
			return fmt.Errorf("encode people: %w", err)
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO survey_strata (wave, cohort, value, cell, people) VALUES ($1, $2, $3, $4, $5)",
			wave, stratum.Cohort, stratum.Value, stratum.Cell, people)
		if err != nil {
			return fmt.Errorf("keep who is asked in %s: %w", wave, err)
		}
	}
	return nil
}

// loadLattice reads what saveLattice kept, in the same order.
func loadLattice(ctx context.Context, q sqldb.Queryer, wave string) (disclosure.Lattice, error) {
	rows, err := q.QueryContext(ctx, "SELECT cohort, value, cell, people FROM survey_strata WHERE wave = $1 ORDER BY cohort, value", wave)
	lattice, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (stratum disclosure.Stratum, err error) {
		var people []byte
		if err := rows.Scan(&stratum.Cohort, &stratum.Value, &stratum.Cell, &people); err != nil {
			return stratum, err
		}
		stratum.People = roaring.New()
		return stratum, stratum.People.UnmarshalBinary(people)
	})
	if err != nil {
		return nil, fmt.Errorf("read who was asked in %s: %w", wave, err)
	}
	return lattice, nil
}

// invite keeps who may answer, in which cell.
func invite(ctx context.Context, tx *sqldb.Tx, wave string, lattice disclosure.Lattice, people map[uint32]asked) error {
	var rows []invitation
	for _, stratum := range lattice {
		for it := stratum.People.Iterator(); it.HasNext(); {
			rows = append(rows, invitation{person: people[it.Next()].person, cell: int64(stratum.Cell)})
		}
	}
	return insertInvitations(ctx, tx, wave, rows)
}
