package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Feedback is what users think of releases.
var Feedback = resource.Define(resource.Spec[*deploymentv1.Feedback]{
	Table:   "feedback",
	Columns: []resource.Column[*deploymentv1.Feedback]{{Field: "release"}, {Field: "cohort"}, {Field: "rating"}},
	Parent:  Applications.RequiredLater,
})

// pseudonymLength is how many hex digits a pseudonym has: 128 bits.
const pseudonymLength = 32

// CreateFeedback records what somebody thinks of a release, in place of what they thought before. The author leaves
// the request before anything is stored, also before the answer is kept for its request id.
func (s *Store) CreateFeedback(ctx context.Context, req *deploymentv1.CreateFeedbackRequest) (*deploymentv1.Feedback, error) {
	if err := s.checkFeedback(ctx, req); err != nil {
		return nil, err
	}
	key, err := s.feedbackKey(ctx, req.GetParent())
	if err != nil {
		return nil, err
	}
	req = proto.CloneOf(req)
	f := req.GetFeedback()
	f.Pseudonym, f.Author = hashed(key, "author", f.GetAuthor()), ""
	return resource.Do(ctx, s.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.Feedback, error) {
		if err := Applications.Required(ctx, tx, req.GetParent()); err != nil {
			return nil, err
		}
		next := &deploymentv1.Feedback{
			Name:    req.GetParent() + "/feedback/f" + hashed(key, "feedback", f.GetPseudonym()+"\n"+f.GetRelease()),
			Release: f.GetRelease(), Rating: f.GetRating(), Text: f.GetText(), Cohort: f.GetCohort(), Pseudonym: f.GetPseudonym(),
		}
		before, err := Feedback.LockRow(ctx, tx, next.GetName())
		if fault.Is(err, fault.KindNotFound) {
			return next, Feedback.Insert(ctx, tx, s.Resources, next, resource.Meta{})
		}
		if err != nil {
			return nil, err
		}
		next.Uid, next.CreateTime = before.Message.GetUid(), before.Message.GetCreateTime()
		return next, Feedback.Save(ctx, tx, s.Resources, next, before.Revision, resource.Meta{Verb: "replaced"})
	})
}

func (s *Store) checkFeedback(ctx context.Context, req *deploymentv1.CreateFeedbackRequest) error {
	if _, err := Applications.Parse(req.GetParent()); err != nil {
		return err
	}
	f := req.GetFeedback()
	if f.GetRelease() == "" {
		return fault.Invalid(resource.ReasonRequired, "feedback is about a release; name it and send the request again").Field("feedback.release", "is required")
	}
	if !strings.HasPrefix(f.GetRelease(), req.GetParent()+"/releases/") {
		return fault.Invalid("OTHER_APPLICATION", "%s is no release of %s; send the feedback there", f.GetRelease(), req.GetParent()).
			Field("feedback.release", "must be a release of "+req.GetParent())
	}
	if err := Applications.Required(ctx, s.DB.Read(), req.GetParent()); err != nil {
		return err
	}
	return Referred("feedback.release", Releases.Required(ctx, s.DB.Read(), f.GetRelease()))
}

// feedbackKey returns the key of an application, making it when it is asked for first.
func (s *Store) feedbackKey(ctx context.Context, application string) (key []byte, err error) {
	const read = `SELECT secret FROM feedback_keys WHERE application = $1`
	err = s.DB.Read().QueryRowContext(ctx, read, application).Scan(&key)
	if !errors.Is(err, sql.ErrNoRows) {
		return key, err
	}
	fresh := make([]byte, sha256.Size)
	if _, err := rand.Read(fresh); err != nil {
		return nil, fmt.Errorf("make the key of %s: %w", application, err)
	}
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO feedback_keys (application, secret) VALUES ($1, $2) ON CONFLICT (application) DO NOTHING`, application, fresh); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, read, application).Scan(&key)
	})
	return key, err
}

func hashed(key []byte, purpose, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose + "\n" + text))
	return hex.EncodeToString(mac.Sum(nil))[:pseudonymLength]
}

// Ratings counts how often each rating from 1 to 5 was given to a release by a cohort.
type Ratings struct {
	Release, Cohort string
	Counts          [5]int64
}

// ratedLast bounds how many releases a summary is about.
const ratedLast = 100

// RatingsQuery says what is counted. Application is required; empty lists mean all.
type RatingsQuery struct {
	Application string
	Releases    []string
	Cohort      string
	// Together counts all cohorts in one.
	Together bool
}

// CountRatings counts ratings by release and cohort, the release that was rated last first. It is one query over an index.
func CountRatings(ctx context.Context, q sqldb.Queryer, what RatingsQuery) ([]Ratings, error) {
	cohort := "cohort"
	if what.Together {
		cohort = "''"
	}
	args := []any{what.Application}
	where := `parent = $1`
	if len(what.Releases) > 0 {
		where += ` AND release IN (` + sqldb.Marks(len(args)+1, len(what.Releases)) + `)`
		args = append(args, sqldb.Texts(what.Releases)...)
	} else {
		where += fmt.Sprintf(` AND release IN (SELECT release FROM feedback WHERE parent = $1 GROUP BY release ORDER BY MAX(update_time) DESC LIMIT %d)`, ratedLast)
	}
	if what.Cohort != "" {
		args = append(args, what.Cohort)
		where += fmt.Sprintf(` AND cohort = $%d`, len(args))
	}
	type row struct {
		release, cohort string
		rating, n       int64
	}
	rows, err := q.QueryContext(ctx, `SELECT f.release, f.cohort, f.rating, f.n FROM
		(SELECT release, `+cohort+` AS cohort, rating, COUNT(*) AS n FROM feedback WHERE `+where+` GROUP BY 1, 2, 3) f
		JOIN (SELECT release, MAX(update_time) AS last FROM feedback WHERE parent = $1 GROUP BY release) l ON l.release = f.release
		ORDER BY l.last DESC, f.release, f.cohort, f.rating`, args...)
	all, err := sqldb.Collect(rows, err, func(r *sql.Rows) (out row, err error) {
		return out, r.Scan(&out.release, &out.cohort, &out.rating, &out.n)
	})
	var out []Ratings
	for _, r := range all {
		if len(out) == 0 || out[len(out)-1].Release != r.release || out[len(out)-1].Cohort != r.cohort {
			out = append(out, Ratings{Release: r.release, Cohort: r.cohort})
		}
		if r.rating >= 1 && r.rating <= 5 {
			out[len(out)-1].Counts[r.rating-1] = r.n
		}
	}
	return out, err
}
