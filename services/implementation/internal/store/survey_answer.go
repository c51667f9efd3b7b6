package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/disclosure"
	"github.com/golive-dev/golive/services/implementation/internal/survey"
)

// The reasons of links that lead nowhere.
const (
	ReasonLinkUnknown = "LINK_UNKNOWN"
	ReasonLinkUsed    = "LINK_USED"
	ReasonWaveClosed  = "WAVE_CLOSED"
)

// way is where a link leads.
type way struct {
	wave   *implementationv1.SurveyWave
	person string
	cell   int64
}

// follow finds where a link leads, or says why it leads nowhere.
func (s *Store) follow(ctx context.Context, q sqldb.Queryer, token string) (way, error) {
	var (
		found way
		wave  string
		used  int
	)
	err := q.QueryRowContext(ctx, "SELECT wave, person, cell, used FROM survey_invitations WHERE token = $1", digest(token)).
		Scan(&wave, &found.person, &found.cell, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return way{}, fault.NotFound(ReasonLinkUnknown, "this link is not known; copy the whole of it, and use the last one that you got")
	}
	if err != nil {
		return way{}, fmt.Errorf("follow a link: %w", err)
	}
	if used == 1 {
		return way{}, linkUsed()
	}
	if found.wave, err = SurveyWaves.Load(ctx, q, wave); err != nil {
		return way{}, err
	}
	return found, s.takesAnswers(found.wave)
}

func linkUsed() error {
	return fault.Precondition(ReasonLinkUsed, "this link has been used; the answers given with it are kept, and nobody can change them").
		Subject("LINK", "link", "has been used")
}

func (s *Store) takesAnswers(w *implementationv1.SurveyWave) error {
	to := moment(w.GetCloseTime())
	if w.GetState() == implementationv1.SurveyWave_OPEN && (to.IsZero() || to.After(s.Now())) {
		return nil
	}
	return fault.Precondition(ReasonWaveClosed, "this survey takes no more answers; thank you for coming").
		Subject("STATE", "survey", "is closed")
}

// Questionnaire is what somebody with the link is asked.
func (s *Store) Questionnaire(ctx context.Context, token string) (*implementationv1.Questionnaire, error) {
	found, err := s.follow(ctx, s.DB().Read(), token)
	if err != nil {
		return nil, err
	}
	name := parent(found.wave.GetName())
	asks, err := Surveys.Load(ctx, s.DB().Read(), name)
	if err != nil {
		return nil, err
	}
	ids := strings.Split(name, "/")
	return &implementationv1.Questionnaire{
		DisplayName: asks.GetDisplayName(), Introduction: asks.GetIntroduction(), Owner: asks.GetOwner(),
		Attributed: found.wave.GetAttributed(), Notice: survey.Promise(found.wave), Questions: found.wave.GetQuestions(),
		CloseTime: found.wave.GetCloseTime(), NoticePath: "/privacy/" + ids[1] + "/" + ids[3],
	}, nil
}

// Submit uses a link and takes the answers, once however many ask at once.
//
// The one transaction marks the link and puts the answers down where others move
// them from, see package disclosure: what is durable is durable at once, and nothing that is
// kept leads from the one to the other. Nothing of it is an event.
func (s *Store) Submit(ctx context.Context, req *implementationv1.SubmitAnswersRequest) error {
	found, err := s.follow(ctx, s.DB().Read(), req.GetToken())
	if err != nil {
		return err
	}
	answers, err := survey.Check(found.wave.GetQuestions(), req.GetAnswers())
	if err != nil {
		return err
	}
	taken := disclosure.Submission{Wave: found.wave.GetName(), Cell: found.cell, Answers: answers}
	if found.wave.GetAttributed() {
		taken.Person = found.person
	}
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := stillOpen(ctx, tx, taken.Wave); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, "UPDATE survey_invitations SET used = 1 WHERE token = $1 AND used = 0", digest(req.GetToken()))
		if err != nil {
			return fmt.Errorf("use a link: %w", err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return fmt.Errorf("use a link: %w", err)
		}
		if n == 0 {
			return linkUsed()
		}
		return disclosure.Take(ctx, tx, taken)
	})
}

// stillOpen keeps the wave from being closed until the commit. Those who answer do not wait for each other.
func stillOpen(ctx context.Context, tx *sqldb.Tx, wave string) error {
	query := "SELECT state FROM survey_waves WHERE name = $1"
	if tx.Dialect() == sqldb.Postgres {
		query += " FOR SHARE"
	}
	var state implementationv1.SurveyWave_State
	if err := tx.QueryRowContext(ctx, query, wave).Scan(&state); err != nil {
		return fmt.Errorf("look whether %s is open: %w", wave, err)
	}
	if state != implementationv1.SurveyWave_OPEN {
		return fault.Precondition(ReasonWaveClosed, "this survey takes no more answers; thank you for coming").
			Subject("STATE", "survey", "is closed")
	}
	return nil
}
