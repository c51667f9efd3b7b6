package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Why what runs is not what should.
const (
	driftStraggler     = "STRAGGLER"
	driftRelease       = "RELEASE_DIFFERS"
	driftConfiguration = "CONFIGURATION_DIFFERS"
	driftNotRunning    = "NOT_RUNNING"
	// driftJoined never leaves this file: people are told that it does not run.
	driftJoined = "JOINED"
)

// Drifted is one application on one target that is not as it should be; Slot is nil where nothing runs.
type Drifted struct {
	*Desired

	Slot    *Slot
	Reason  string
	Message string
	Found   time.Time
	// Joined is true where nobody has brought it yet: the target came after the last deployment.
	Joined bool
	// Bringing is the deployment that holds the target and brings something there.
	Bringing string
}

// drifted finds what differs between desired_releases d and slots s. What an active deployment has
// brought and not sealed yet is not drift: it is on its way to be what should run. What runs and does not answer is.
const drifted = ` FROM desired_releases d LEFT JOIN slots s ON s.target = d.target AND s.application = d.application
	LEFT JOIN installations a ON a.target = d.target AND a.application = d.application AND a.active = 1
	WHERE (s.target IS NULL OR s.drift <> '' OR s.health = 2 AND a.name IS NULL OR (s.release <> d.release OR s.config_digest <> d.config_digest) AND (a.name IS NULL OR a.name <> s.installation))`

const driftedColumns = `d.target, d.application, d.release, d.config_digest, d.overlay, d.deployment, d.since, d.straggler,
	COALESCE(s.release, ''), COALESCE(s.config_digest, ''), COALESCE(s.installation, ''), COALESCE(s.health, 0), COALESCE(s.since, 0),
	COALESCE(s.drift, ''), COALESCE(s.drift_message, ''), COALESCE(s.drift_since, 0), COALESCE(a.parent, '')`

// joined finds the targets from $1 up to $2 that came after an application was last brought to others of their environment,
// and have none of it. What most of those should run is what they should.
const joined = `SELECT t.name, m.application, m.release, '', NULL, '', t.create_time, 0, '', '', '', 0, 0, '` + driftJoined + `', '', t.create_time, COALESCE(a.parent, '')
	FROM (SELECT application, release, since FROM (SELECT application, release, MAX(since) AS since, ROW_NUMBER() OVER (PARTITION BY application ORDER BY COUNT(*) DESC, MAX(since) DESC) AS place
		FROM desired_releases WHERE target >= $1 AND target < $2 GROUP BY application, release) AS ranked WHERE place = 1) AS m
	JOIN targets t ON t.name >= $1 AND t.name < $2 AND t.create_time > m.since
	LEFT JOIN installations a ON a.target = t.name AND a.application = m.application AND a.active = 1
	WHERE NOT EXISTS (SELECT 1 FROM desired_releases h WHERE h.target = t.name AND h.application = m.application)
	AND NOT EXISTS (SELECT 1 FROM slots h WHERE h.target = t.name AND h.application = m.application)`

// driftedIn is both for the targets from $1 up to $2, in a form that takes further conditions on target and application.
const driftedIn = `SELECT target, application, release, config_digest, overlay, deployment, since, straggler,
	ran_release, ran_digest, ran_installation, health, ran_since, drift, drift_message, drift_since, bringing FROM (
	SELECT d.target, d.application, d.release, d.config_digest, d.overlay, d.deployment, d.since, d.straggler,
	COALESCE(s.release, '') AS ran_release, COALESCE(s.config_digest, '') AS ran_digest, COALESCE(s.installation, '') AS ran_installation, COALESCE(s.health, 0) AS health,
	COALESCE(s.since, 0) AS ran_since, COALESCE(s.drift, '') AS drift, COALESCE(s.drift_message, '') AS drift_message, COALESCE(s.drift_since, 0) AS drift_since,
	COALESCE(a.parent, '') AS bringing` + drifted + ` AND d.target >= $1 AND d.target < $2 UNION ALL ` + joined + `) AS found WHERE 1 = 1`

func scanDrifted(rows *sql.Rows) (*Drifted, error) {
	d := &Drifted{Desired: &Desired{}}
	slot := &Slot{}
	var since, ran, found int64
	err := rows.Scan(&d.Target, &d.Application, &d.Release, &d.ConfigDigest, &d.Overlay, &d.Deployment, &since, &d.Straggler,
		&slot.Release, &slot.ConfigDigest, &slot.Installation, &slot.Health, &ran, &d.Reason, &d.Message, &found, &d.Bringing)
	d.Since = time.UnixMicro(since)
	if slot.Release != "" {
		slot.Target, slot.Application, slot.Since = d.Target, d.Application, time.UnixMicro(ran)
		d.Slot = slot
	}
	d.explain(found)
	return d, err
}

// explain says why it is drift, and since when: what the host reported, unless more is wrong than that.
func (d *Drifted) explain(found int64) {
	host := d.Reason
	switch {
	case host == driftJoined:
		d.Reason, d.Message, d.Found, d.Joined = driftNotRunning, "it joined after the last deployment", d.Since, true
	case d.Straggler && (d.Slot == nil || d.Slot.Release != d.Release || d.Slot.ConfigDigest != d.ConfigDigest):
		d.Reason, d.Message, d.Found = driftStraggler, "it was away when its wave was sealed", d.Since
	case d.Slot == nil:
		d.Reason, d.Message, d.Found = driftNotRunning, "nothing of it runs there", d.Since
	case d.Slot.Release != d.Release:
		d.Reason, d.Message, d.Found = driftRelease, fmt.Sprintf("%s runs, %s should", lastSegment(d.Slot.Release), lastSegment(d.Release)), later(d.Slot.Since, d.Since)
	case d.Slot.ConfigDigest != d.ConfigDigest:
		d.Reason, d.Message, d.Found = driftConfiguration, "it runs with other variables or secrets than it should", later(d.Slot.Since, d.Since)
	case host == "":
		d.Reason, d.Message, d.Found = driftNotRunning, "it does not run, or does not answer its probes", d.Slot.Since
	default:
		d.Reason, d.Found = host, time.UnixMicro(found)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// DriftedIn returns what of an application in an environment is not as it should be, in the order of the targets.
func DriftedIn(ctx context.Context, q sqldb.Queryer, application, environment string) ([]*Drifted, error) {
	prefix := environment + "/targets/"
	rows, err := q.QueryContext(ctx, driftedIn+` AND application = $3 ORDER BY target`, prefix, prefix+"~", application)
	return sqldb.Collect(rows, err, scanDrifted)
}

// driftOn returns what is not as it should be on these targets, by target and application.
func driftOn(ctx context.Context, q sqldb.Queryer, targets []string) (map[[2]string]*Drifted, error) {
	out := map[[2]string]*Drifted{}
	err := inChunks(targets, func(marks string, args []any) error {
		rows, err := q.QueryContext(ctx, `SELECT `+driftedColumns+drifted+` AND d.target IN (`+marks+`)`, args...)
		all, err := sqldb.Collect(rows, err, scanDrifted)
		for _, d := range all {
			out[[2]string{d.Target, d.Application}] = d
		}
		return err
	})
	return out, err
}

// ListDrift answers one page, by target and application.
func (s *Store) ListDrift(ctx context.Context, req *deploymentv1.ListDriftRequest) (*deploymentv1.ListDriftResponse, error) {
	q := s.DB.Read()
	if _, err := Environments.Parse(req.GetParent()); err != nil {
		return nil, err
	}
	if err := Environments.Required(ctx, q, req.GetParent()); err != nil {
		return nil, err
	}
	afterTarget, afterApplication, err := driftPage(req)
	if err != nil {
		return nil, err
	}
	prefix := req.GetParent() + "/targets/"
	size := pageSize(req.GetPageSize())
	query, args := driftedIn+` AND (target, application) > ($3, $4)`, []any{prefix, prefix + "~", afterTarget, afterApplication}
	if req.GetApplication() != "" {
		query, args = query+` AND application = $5`, append(args, req.GetApplication())
	}
	rows, err := q.QueryContext(ctx, query+` ORDER BY target, application LIMIT `+strconv.Itoa(size+1), args...)
	all, err := sqldb.Collect(rows, err, scanDrifted)
	if err != nil {
		return nil, err
	}
	out := &deploymentv1.ListDriftResponse{}
	if len(all) > size {
		all = all[:size]
		out.NextPageToken = driftToken(req, all[size-1])
	}
	return out, fillDrift(ctx, q, out, all)
}

func fillDrift(ctx context.Context, q sqldb.Queryer, out *deploymentv1.ListDriftResponse, all []*Drifted) error {
	var releases []string
	for _, d := range all {
		if d.Slot != nil {
			releases = append(releases, d.Slot.Release)
		}
	}
	known, err := Releases.LoadMany(ctx, q, releases)
	if err != nil {
		return err
	}
	for _, d := range all {
		running := &deploymentv1.RunningRelease{Application: d.Application, DesiredRelease: d.Release, Drift: d.Reason}
		if d.Slot != nil {
			running.Release, running.Version, running.Installation = d.Slot.Release, known[d.Slot.Release].GetVersion(), d.Slot.Installation
			running.Since, running.Health = timestamppb.New(d.Slot.Since), d.Slot.Health
		}
		out.Drifts = append(out.Drifts, &deploymentv1.Drift{
			Target: d.Target, Running: running, Message: d.Message, Since: timestamppb.New(d.Found), Deployment: d.Bringing,
		})
	}
	return nil
}

// driftToken remembers where a page ended, and of what it is a page.
func driftToken(req *deploymentv1.ListDriftRequest, last *Drifted) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join([]string{req.GetParent(), req.GetApplication(), last.Target, last.Application}, "\n")))
}

func driftPage(req *deploymentv1.ListDriftRequest) (target, application string, err error) {
	if req.GetPageToken() == "" {
		return "", "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(req.GetPageToken())
	parts := strings.Split(string(text), "\n")
	if err != nil || len(parts) != 4 {
		return "", "", fault.Invalid(resource.ReasonInvalidPageToken, "the page token is none of this list; leave it out to begin anew").Field("page_token", "is not a token")
	}
	if parts[0] != req.GetParent() || parts[1] != req.GetApplication() {
		return "", "", fault.Invalid(resource.ReasonPageTokenMismatch, "the page token belongs to another list; repeat the parent and application of the page before").
			Field("page_token", "belongs to another parent or application")
	}
	return parts[2], parts[3], nil
}

// pageSize is how many entries a page has, as the lists of package resource say.
func pageSize(asked int32) int {
	const usual, most = 50, 1000
	if asked == 0 {
		return usual
	}
	return min(int(asked), most)
}

// SetDrift records what an agent found changed around the release that an installation brought; empty
// texts take it back. It changes nothing when that is known.
func SetDrift(ctx context.Context, tx *sqldb.Tx, now time.Time, installation, drift, message string) error {
	_, err := tx.ExecContext(ctx, `UPDATE slots SET drift = $1, drift_message = $2, drift_since = CASE WHEN drift = $1 THEN drift_since ELSE $3 END
		WHERE installation = $4 AND (drift <> $1 OR drift_message <> $2)`, drift, message, now.UnixMicro(), installation)
	return err
}

// DriftedSlots names those of some installations around whose release an agent has found something changed.
func DriftedSlots(ctx context.Context, q sqldb.Queryer, installations []string) ([]string, error) {
	return distinctTexts(ctx, q, installations, `SELECT installation FROM slots WHERE drift <> '' AND installation IN (`)
}

func lastSegment(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
