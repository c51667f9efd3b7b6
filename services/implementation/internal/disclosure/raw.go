package disclosure

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Submission is what one person answered.
type Submission struct {
	Wave    string
	Cell    int64
	Person  string // empty in anonymous surveys, always
	Answers []*implementationv1.Answer
}

// Take puts a submission down in the caller's transaction, which uses the link. It is not yet among the answers.
func Take(ctx context.Context, tx *sqldb.Tx, s Submission) error {
	body, err := proto.Marshal(&implementationv1.SurveyResponse{Answers: s.Answers})
	if err != nil {
		return fmt.Errorf("encode answers: %w", err)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO survey_inbox (id, wave, cell, person, body) VALUES ($1, $2, $3, $4, $5)",
		randomID(), s.Wave, s.Cell, s.Person, body)
	if err != nil {
		return fmt.Errorf("take answers: %w", err)
	}
	return nil
}

// Waiting are the waves of which at least so many submissions wait.
func Waiting(ctx context.Context, q sqldb.Queryer, least int64) ([]string, error) {
	rows, err := q.QueryContext(ctx, "SELECT wave FROM survey_inbox GROUP BY wave HAVING COUNT(*) >= $1 ORDER BY wave", least)
	waves, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (wave string, err error) { return wave, rows.Scan(&wave) })
	if err != nil {
		return nil, fmt.Errorf("look for answers that wait: %w", err)
	}
	return waves, nil
}

// Shuffle moves what waits of a wave among its answers: under new ids, in the
// order of these ids, which are random. Any number of processes may do so at once.
func Shuffle(ctx context.Context, tx *sqldb.Tx, wave string) error {
	if tx.Dialect() == sqldb.SQLite {
		// What is deleted is overwritten in the file, so that it cannot be read from free pages.
		if _, err := tx.ExecContext(ctx, "PRAGMA secure_delete = ON"); err != nil {
			return fmt.Errorf("delete for good: %w", err)
		}
	}
	rows, err := tx.QueryContext(ctx, "DELETE FROM survey_inbox WHERE wave = $1 RETURNING cell, person, body", wave)
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (s Submission, err error) {
		var body []byte
		if err := rows.Scan(&s.Cell, &s.Person, &body); err != nil {
			return s, err
		}
		var kept implementationv1.SurveyResponse
		err = proto.Unmarshal(body, &kept)
		s.Answers = kept.GetAnswers()
		return s, err
	})
	if err != nil {
		return fmt.Errorf("move answers of %s: %w", wave, err)
	}
	ids := make([][]byte, len(all))
	for i := range ids {
		ids[i] = randomID()
	}
	slices.SortFunc(ids, slices.Compare)
	shuffle(all)
	var responses, answers, comments rowsOf
	for i, s := range all {
		responses = append(responses, []any{wave, ids[i], s.Cell, s.Person})
		for _, a := range s.Answers {
			if a.Value == nil {
				comments = append(comments, []any{wave, randomID(), a.GetQuestion(), a.GetComment(), s.Person})
			} else {
				answers = append(answers, []any{wave, ids[i], a.GetQuestion(), int64(a.GetItem()), int64(a.GetValue())})
			}
		}
	}
	shuffle(comments)
	for _, table := range []struct {
		insert string
		rows   rowsOf
	}{
		{"survey_responses (wave, id, cell, person)", responses},
		{"survey_answers (wave, response, question, item, value)", answers},
		{"survey_comments (wave, id, question, body, person)", comments},
	} {
		if err := table.rows.insert(ctx, tx, table.insert); err != nil {
			return fmt.Errorf("move answers of %s: %w", wave, err)
		}
	}
	return nil
}

// shuffle is Fisher and Yates's, with the randomness of the operating system.
func shuffle[T any](all []T) {
	for i := len(all) - 1; i > 0; i-- {
		j := below(uint64(i) + 1)
		all[i], all[j] = all[j], all[i]
	}
}

// rowsOf are rows of a table.
type rowsOf [][]any

func (r rowsOf) insert(ctx context.Context, tx *sqldb.Tx, into string) error {
	for part := range slices.Chunk(r, 200) {
		args := make([]any, 0, len(part)*len(part[0]))
		for _, row := range part {
			args = append(args, row...)
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO "+into+" VALUES "+sqldb.Tuples(len(part), len(part[0])), args...); err != nil {
			return err
		}
	}
	return nil
}

func randomID() []byte {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails: the program ends instead
	return id
}

// Receipt is what a purge removed.
type Receipt struct {
	Responses, Comments int64
	Digest              [sha256.Size]byte // over the sorted ids of the responses
}

// Purge removes every single answer of a wave.
func Purge(ctx context.Context, tx *sqldb.Tx, wave string) (r Receipt, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT id FROM survey_responses WHERE wave = $1 ORDER BY id", wave)
	ids, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (id []byte, err error) { return id, rows.Scan(&id) })
	if err != nil {
		return r, fmt.Errorf("purge %s: %w", wave, err)
	}
	r.Responses, r.Digest = int64(len(ids)), sha256.Sum256(slices.Concat(ids...))
	for _, table := range []string{"survey_inbox", "survey_answers", "survey_responses", "survey_comments"} {
		result, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE wave = $1", wave)
		if err != nil {
			return r, fmt.Errorf("purge %s: %w", wave, err)
		}
		if r.Comments, err = result.RowsAffected(); err != nil { // of the last one
			return r, fmt.Errorf("purge %s: %w", wave, err)
		}
	}
	return r, nil
}
