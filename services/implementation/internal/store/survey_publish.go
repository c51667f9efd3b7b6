package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/disclosure"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/survey"
)

// publication is what may be told of a wave, and what it was decided from.
type publication struct {
	revision int64 // of the publications of the workspace
	result   *implementationv1.SurveyResult
	told     []*roaring.Bitmap
}

// errPublished says that somebody published in the same workspace meanwhile.
var errPublished = errors.New("something else was published meanwhile")

// PublishSurveyWave decides what may be told of a wave and keeps it. The wave
// takes no more answers, so what it is decided from can only change by another
// publication; then it is decided again.
func (s *Store) PublishSurveyWave(ctx context.Context, req *implementationv1.PublishSurveyWaveRequest) (*implementationv1.SurveyWave, error) {
	if _, err := SurveyWaves.Parse(req.GetName()); err != nil {
		return nil, err
	}
	for {
		found, err := s.decide(ctx, req.GetName())
		if err != nil {
			return nil, err
		}
		w, err := moveWave(ctx, s, req, lifecycle.SurveyWavePublished, func(ctx context.Context, tx *sqldb.Tx, w *implementationv1.SurveyWave) error {
			if found == nil { // it was not CLOSED a moment ago
				return errPublished
			}
			found.result.PublishedTime = w.GetPublishedTime()
			return found.save(ctx, tx, w)
		})
		if !errors.Is(err, errPublished) {
			return w, err
		}
	}
}

// decide is nil for a wave that is not CLOSED.
func (s *Store) decide(ctx context.Context, name string) (*publication, error) {
	q := s.DB().Read()
	w, err := SurveyWaves.Load(ctx, q, name)
	if err != nil || w.GetState() != implementationv1.SurveyWave_CLOSED {
		return nil, err
	}
	p := new(publication)
	if p.revision, err = publications(ctx, q, Workspace(name)); err != nil {
		return nil, err
	}
	before, err := toldBefore(ctx, q, Workspace(name))
	if err != nil {
		return nil, err
	}
	lattice, err := loadLattice(ctx, q, name)
	if err != nil {
		return nil, err
	}
	cells, err := disclosure.Count(ctx, q, name, len(lattice), w.GetQuestions())
	if err != nil {
		return nil, err
	}
	responses := make([]int64, len(cells))
	for i, cell := range cells {
		responses[i] = cell.Responses
	}
	p.result = resultOf(w)
	decisions := disclosure.Decide(int64(w.GetThreshold()), lattice.Groups(w.GetCohorts()), responses, before)
	for _, d := range decisions {
		p.result.Groups = append(p.result.Groups, groupOf(w, d, cells))
		if d.State == implementationv1.SurveyGroup_TOLD {
			p.told = append(p.told, d.People)
		}
	}
	if decisions[0].State == implementationv1.SurveyGroup_TOLD {
		p.result.Comments, p.result.CommentsWithheld, err = disclosure.Comments(ctx, q, name, int(w.GetCommentThreshold()))
	}
	if err != nil {
		return nil, err
	}
	return p, s.compare(ctx, q, w, p.result)
}

func resultOf(w *implementationv1.SurveyWave) *implementationv1.SurveyResult {
	return &implementationv1.SurveyResult{
		SurveyWave: w.GetName(), Attribute: w.GetAttribute(), Threshold: w.GetThreshold(), CommentThreshold: w.GetCommentThreshold(),
		Attributed: w.GetAttributed(), ClosedTime: w.GetClosedTime(),
	}
}

func groupOf(w *implementationv1.SurveyWave, d disclosure.Decision, cells []disclosure.Cell) *implementationv1.SurveyGroup {
	g := &implementationv1.SurveyGroup{
		Cohort: d.Cohort, Value: d.Value, State: d.State, AskedCount: int64(d.People.GetCardinality()), ResponseCount: d.Responses, //nolint:gosec // people
	}
	if d.State != implementationv1.SurveyGroup_TOLD {
		return g
	}
	counts := make(survey.Counts)
	for _, cell := range d.Cells {
		counts.Add(cells[cell].Answers)
	}
	g.ResponseRate = float64(g.GetResponseCount()) / float64(g.GetAskedCount())
	g.LowResponse = g.GetResponseRate() < survey.LowResponse
	g.Measures = survey.Measures(w.GetQuestions(), counts)
	g.Barrier = survey.Barrier(g.GetMeasures())
	return g
}

// compare adds what changed since the wave of the survey that was closed before.
func (s *Store) compare(ctx context.Context, q sqldb.Queryer, w *implementationv1.SurveyWave, now *implementationv1.SurveyResult) error {
	var raw []byte
	err := q.QueryRowContext(ctx, "SELECT message FROM survey_results WHERE survey = $1 AND closed_time < $2 ORDER BY closed_time DESC LIMIT 1",
		parent(w.GetName()), micros(moment(w.GetClosedTime()))).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	then := new(implementationv1.SurveyResult)
	if err := errors.Join(err, proto.Unmarshal(raw, then)); err != nil {
		return fmt.Errorf("read the wave before %s: %w", w.GetName(), err)
	}
	type key struct{ cohort, value string }
	before := make(map[key]*implementationv1.SurveyGroup)
	for _, g := range then.GetGroups() {
		before[key{g.GetCohort(), g.GetValue()}] = g
	}
	for _, g := range now.GetGroups() {
		survey.Compare(g.GetMeasures(), before[key{g.GetCohort(), g.GetValue()}].GetMeasures(), then.GetSurveyWave())
	}
	return nil
}

// publications is how often something was published in a workspace.
func publications(ctx context.Context, q sqldb.Queryer, workspace string) (n int64, err error) {
	err = q.QueryRowContext(ctx, "SELECT revision FROM survey_publications WHERE workspace = $1", workspace).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("count publications: %w", err)
	}
	return n, nil
}

// toldBefore are the groups of which numbers were told in a workspace, each once.
// It does not matter what they were asked: other words may well be the same question.
func toldBefore(ctx context.Context, q sqldb.Queryer, workspace string) ([]*roaring.Bitmap, error) {
	rows, err := q.QueryContext(ctx, "SELECT people FROM survey_told WHERE workspace = $1 ORDER BY digest", workspace)
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (*roaring.Bitmap, error) {
		var people []byte
		if err := rows.Scan(&people); err != nil {
			return nil, err
		}
		b := roaring.New()
		return b, b.UnmarshalBinary(people)
	})
	if err != nil {
		return nil, fmt.Errorf("read of whom was told before: %w", err)
	}
	return all, nil
}

func (p *publication) save(ctx context.Context, tx *sqldb.Tx, w *implementationv1.SurveyWave) error {
	workspace := Workspace(w.GetName())
	var revision int64
	err := tx.QueryRowContext(ctx, `INSERT INTO survey_publications (workspace, revision) VALUES ($1, 1)
		ON CONFLICT (workspace) DO UPDATE SET revision = survey_publications.revision + 1 RETURNING revision`, workspace).Scan(&revision)
	if err != nil {
		return fmt.Errorf("count publications: %w", err)
	}
	if revision != p.revision+1 {
		return errPublished
	}
	raw, err := proto.Marshal(p.result)
	if err != nil {
		return fmt.Errorf("encode what is told: %w", err)
	}
	pulse := 0
	for _, q := range w.GetQuestions() {
		if q.GetKind() == implementationv1.Question_ADKAR {
			pulse = 1
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO survey_results (wave, workspace, survey, closed_time, pulse, message) VALUES ($1, $2, $3, $4, $5, $6)",
		w.GetName(), workspace, parent(w.GetName()), micros(moment(w.GetClosedTime())), pulse, raw)
	if err != nil {
		return fmt.Errorf("keep what is told of %s: %w", w.GetName(), err)
	}
	return p.remember(ctx, tx, workspace, w.GetName())
}

// remember keeps of whom was told, for the waves to come.
func (p *publication) remember(ctx context.Context, tx *sqldb.Tx, workspace, wave string) error {
	for _, people := range p.told {
		raw, err := people.ToBytes()
		if err != nil {
			return fmt.Errorf("encode people: %w", err)
		}
		sum := sha256.Sum256(raw)
		_, err = tx.ExecContext(ctx, "INSERT INTO survey_told (workspace, digest, people, wave) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", workspace, sum[:], raw, wave)
		if err != nil {
			return fmt.Errorf("remember of whom was told: %w", err)
		}
	}
	return nil
}

// notPublished is the fault of a wave whose numbers cannot be read yet.
func notPublished(w *implementationv1.SurveyWave) error {
	return fault.Precondition("WAVE_NOT_PUBLISHED", "survey wave %s is %s; its numbers can be read once it is published", w.GetName(), w.GetState()).
		Subject("STATE", w.GetName(), "is "+w.GetState().String())
}
