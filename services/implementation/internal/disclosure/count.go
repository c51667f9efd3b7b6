package disclosure

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"fmt"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/survey"
)

// Cell is what was answered in one cell of the lattice of a wave.
type Cell struct {
	Responses int64
	Answers   survey.Counts
}

// Count counts the answers of a wave by cell. Nothing but [Decide] may look at a cell before its numbers are told.
func Count(ctx context.Context, q sqldb.Queryer, wave string, cells int, questions []*implementationv1.Question) ([]Cell, error) {
	all := make([]Cell, cells)
	for i := range all {
		all[i].Answers = make(survey.Counts)
	}
	err := eachCount(ctx, q, func(cell int64, _ survey.Place, _ int32, n int64) { all[cell].Responses += n },
		"SELECT cell, '', 0, 0, COUNT(*) FROM survey_responses WHERE wave = $1 GROUP BY cell", wave)
	if err != nil {
		return nil, err
	}
	add := func(cell int64, place survey.Place, value int32, n int64) {
		all[cell].Answers.Add(survey.Counts{place: {value: n}})
	}
	err = eachCount(ctx, q, add, `SELECT r.cell, a.question, a.item, a.value, COUNT(*)
		FROM survey_answers a JOIN survey_responses r ON r.wave = a.wave AND r.id = a.response
		WHERE a.wave = $1 GROUP BY r.cell, a.question, a.item, a.value`, wave)
	if err != nil {
		return nil, err
	}
	for _, question := range questions {
		if question.GetKind() != implementationv1.Question_SUS {
			continue
		}
		// A score is of one person's ten answers, and only scores are averaged. See survey.SUSScore.
		err = eachCount(ctx, q, add, `SELECT s.cell, s.question, 0, s.score, COUNT(*) FROM (
				SELECT r.cell AS cell, a.question AS question,
					CAST(SUM(CASE WHEN a.item % 2 = 1 THEN a.value - 1 ELSE 5 - a.value END) AS BIGINT) AS score
				FROM survey_answers a JOIN survey_responses r ON r.wave = a.wave AND r.id = a.response
				WHERE a.wave = $1 AND a.question = $2 GROUP BY r.cell, a.question, a.response
			) s GROUP BY s.cell, s.question, s.score`, wave, question.GetId())
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func eachCount(ctx context.Context, q sqldb.Queryer, add func(cell int64, place survey.Place, value int32, n int64), query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var (
			cell, n int64
			place   survey.Place
			value   int32
		)
		if err := rows.Scan(&cell, &place.Question, &place.Item, &value, &n); err != nil {
			return none, err
		}
		add(cell, place, value, n)
		return none, nil
	})
	if err != nil {
		return fmt.Errorf("count answers: %w", err)
	}
	return nil
}

// Comments are the comments of a wave, shuffled, of each question that has at
// least so many; withheld says that there are others.
func Comments(ctx context.Context, q sqldb.Queryer, wave string, least int) (told []*implementationv1.SurveyComment, withheld bool, err error) {
	rows, err := q.QueryContext(ctx, "SELECT question, body FROM survey_comments WHERE wave = $1 ORDER BY id", wave)
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (*implementationv1.SurveyComment, error) {
		c := new(implementationv1.SurveyComment)
		return c, rows.Scan(&c.Question, &c.Text)
	})
	if err != nil {
		return nil, false, fmt.Errorf("read comments: %w", err)
	}
	counts := make(map[string]int)
	for _, c := range all {
		counts[c.GetQuestion()]++
	}
	for _, c := range all {
		if counts[c.GetQuestion()] >= least {
			told = append(told, c)
		} else {
			withheld = true
		}
	}
	shuffle(told)
	return told, withheld, nil
}

// Attributed are the responses of a wave whose answers are kept with the person, by
// person from after on. There are none in an anonymous one.
func Attributed(ctx context.Context, q sqldb.Queryer, wave, after string, limit int) ([]*implementationv1.SurveyResponse, error) {
	rows, err := q.QueryContext(ctx, `SELECT r.person, a.question, a.item, a.value, ''
		FROM (SELECT id, person FROM survey_responses WHERE wave = $1 AND person > $2 ORDER BY person LIMIT $3) r
		JOIN survey_answers a ON a.wave = $1 AND a.response = r.id
		UNION ALL
		SELECT c.person, c.question, 0, NULL, c.body
		FROM (SELECT person FROM survey_responses WHERE wave = $1 AND person > $2 ORDER BY person LIMIT $3) r
		JOIN survey_comments c ON c.wave = $1 AND c.person = r.person
		ORDER BY 1, 2, 3`, wave, after, limit)
	var all []*implementationv1.SurveyResponse
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var (
			person string
			a      implementationv1.Answer
			value  sql.NullInt32
		)
		if err := rows.Scan(&person, &a.Question, &a.Item, &value, &a.Comment); err != nil {
			return none, err
		}
		if value.Valid {
			a.Value = &value.Int32
		}
		if len(all) == 0 || all[len(all)-1].GetPerson() != person {
			all = append(all, &implementationv1.SurveyResponse{Person: person})
		}
		last := all[len(all)-1]
		last.Answers = append(last.Answers, &a)
		return none, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read responses of %s: %w", wave, err)
	}
	return all, nil
}

// below is a random number below n, every one as likely as the others.
func below(n uint64) uint64 {
	for most := ^uint64(0) - ^uint64(0)%n; ; {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails: the program ends instead
		if x := binary.LittleEndian.Uint64(b[:]); x < most {
			return x % n
		}
	}
}
