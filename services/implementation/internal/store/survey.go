package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/survey"
)

// Surveys is the kind of surveys.
var Surveys = resource.Define(resource.Spec[*implementationv1.Survey]{
	Table: "surveys",
	Columns: []resource.Column[*implementationv1.Survey]{
		{Field: "display_name"}, {Field: "owner"}, {Field: "labels"},
	},
	Hooks: resource.Hooks[*implementationv1.Survey]{
		Validate: func(_ context.Context, _ *sqldb.Tx, _, s *implementationv1.Survey) error { return survey.Complete(s) },
		BeforeDelete: takingComments(func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Survey) error {
			return unused(ctx, tx, old.GetName(), "SELECT name FROM survey_waves WHERE parent = $1 ORDER BY name LIMIT 1", old.GetName())
		}),
	},
})

// mostWaves is how many waves a notice shows.
const mostWaves = 20

// SurveyNotice says what happens with the answers to a survey.
func (s *Store) SurveyNotice(ctx context.Context, req *implementationv1.GetSurveyNoticeRequest) (*implementationv1.SurveyNotice, error) {
	name := Surveys.Name("workspaces/"+req.GetWorkspace(), req.GetSurvey())
	if _, err := Surveys.Parse(name); err != nil {
		return nil, err
	}
	q := s.DB().Read()
	found, err := Surveys.Load(ctx, q, name)
	if err != nil {
		return nil, err
	}
	waves, err := SurveyWaves.Select(ctx, q, "WHERE parent = $1 AND opened_time > 0 ORDER BY opened_time DESC LIMIT $2", name, mostWaves)
	if err != nil {
		return nil, err
	}
	notice := survey.Notice(found, waves)
	return &implementationv1.SurveyNotice{Markdown: notice.Markdown(), Html: notice.HTML()}, nil
}
