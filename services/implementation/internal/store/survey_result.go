package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/disclosure"
)

// SurveyResult reads what is told of a wave. The log says who read about which groups.
func (s *Store) SurveyResult(ctx context.Context, name string) (*implementationv1.SurveyResult, error) {
	if _, err := SurveyWaves.Parse(name); err != nil {
		return nil, err
	}
	w, err := SurveyWaves.Load(ctx, s.DB().Read(), name)
	if err != nil {
		return nil, err
	}
	var raw []byte
	err = s.DB().Read().QueryRowContext(ctx, "SELECT message FROM survey_results WHERE wave = $1", name).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notPublished(w)
	}
	result := new(implementationv1.SurveyResult)
	if err := errors.Join(err, proto.Unmarshal(raw, result)); err != nil {
		return nil, fmt.Errorf("read what is told of %s: %w", name, err)
	}
	return result, s.audit(ctx, name+"/result", "implementation.surveyResult.read", groupNames(result))
}

// audit says in the log that somebody read something, and about whom; no numbers.
func (s *Store) audit(ctx context.Context, read, what, about string) error {
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return s.tell(ctx, tx, feed.Record{Resource: read, Type: what, Cause: about})
	})
}

// groupNames are the groups that are told, in words.
func groupNames(r *implementationv1.SurveyResult) string {
	const most = 50
	var names []string
	for _, g := range r.GetGroups() {
		if g.GetState() != implementationv1.SurveyGroup_TOLD {
			continue
		}
		name := "everybody"
		if g.GetCohort() != "" {
			name = personID(g.GetCohort())
		}
		if g.GetValue() != "" {
			name += " " + g.GetValue()
		}
		names = append(names, name)
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// SurveyResponses pages through the answers of a wave with the people, where they were told so.
func (s *Store) SurveyResponses(ctx context.Context, req *implementationv1.ListSurveyResponsesRequest) (*implementationv1.ListSurveyResponsesResponse, error) {
	if _, err := SurveyWaves.Parse(req.GetParent()); err != nil {
		return nil, err
	}
	w, err := SurveyWaves.Load(ctx, s.DB().Read(), req.GetParent())
	if err != nil {
		return nil, err
	}
	asks, err := Surveys.Load(ctx, s.DB().Read(), parent(req.GetParent()))
	switch {
	case err != nil:
		return nil, err
	case !asks.GetAttributed():
		return nil, fault.Precondition("SURVEY_ANONYMOUS", "%s is anonymous: nobody can say who answered what, and that cannot be changed; read the numbers with :summarize", asks.GetName()).
			Subject("ANONYMOUS", asks.GetName(), "keeps no person with an answer")
	case w.GetState() != implementationv1.SurveyWave_PUBLISHED && w.GetState() != implementationv1.SurveyWave_PURGED:
		return nil, notPublished(w)
	}
	after, err := base64.RawURLEncoding.DecodeString(req.GetPageToken())
	if err != nil {
		return nil, fault.Invalid(resource.ReasonInvalidPageToken, "the page token is none of ours; begin without one").Field("page_token", "is no token")
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = 50
	}
	size = min(size, 1000)
	all, err := disclosure.Attributed(ctx, s.DB().Read(), w.GetName(), string(after), size)
	if err != nil {
		return nil, err
	}
	page := &implementationv1.ListSurveyResponsesResponse{Responses: all}
	if len(all) == size {
		page.NextPageToken = base64.RawURLEncoding.EncodeToString([]byte(all[size-1].GetPerson()))
	}
	return page, s.audit(ctx, w.GetName()+"/responses", "implementation.surveyResponses.read", fmt.Sprintf("%d people", len(all)))
}

// SurveyResults is what was told of the waves of a workspace that closed since a
// moment, the newest first; with pulses, only of those with an ADKAR question. It is for readiness and detectors, which say no
// more than anybody may read, and is not audited.
func (s *Store) SurveyResults(ctx context.Context, workspace string, since time.Time, pulses bool) ([]*implementationv1.SurveyResult, error) {
	query := "SELECT message FROM survey_results WHERE workspace = $1 AND closed_time >= $2"
	if pulses {
		query += " AND pulse = 1"
	}
	return s.told(ctx, query+" ORDER BY closed_time DESC", workspace, since.UnixMicro())
}

// told reads results by a query.
func (s *Store) told(ctx context.Context, query string, args ...any) ([]*implementationv1.SurveyResult, error) {
	rows, err := s.DB().Read().QueryContext(ctx, query, args...)
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (*implementationv1.SurveyResult, error) {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		r := new(implementationv1.SurveyResult)
		return r, proto.Unmarshal(raw, r)
	})
	if err != nil {
		return nil, fmt.Errorf("read what was told of %v: %w", args[0], err)
	}
	return all, nil
}
