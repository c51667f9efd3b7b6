package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/mail"
)

// ReasonLinksOut is the reason of links that were asked for again.
const ReasonLinksOut = "LINKS_HANDED_OUT"

// invitation is somebody who may answer.
type invitation struct {
	person string
	cell   int64
	token  string // as people get it; only its digest is stored
	used   int64  // 1 once answers were given
}

func insertInvitations(ctx context.Context, tx *sqldb.Tx, wave string, all []invitation) error {
	slices.SortFunc(all, func(a, b invitation) int { return cmp.Compare(a.person, b.person) })
	for part := range slices.Chunk(all, 200) {
		args := make([]any, 0, 5*len(part))
		for _, i := range part {
			var token any
			if i.token != "" {
				token = digest(i.token)
			}
			args = append(args, wave, i.person, i.cell, token, i.used)
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO survey_invitations (wave, person, cell, token, used) VALUES "+sqldb.Tuples(len(part), 5), args...)
		if err != nil {
			return fmt.Errorf("invite to %s: %w", wave, err)
		}
	}
	return nil
}

func digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// newToken is 128 random bits.
func newToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: the program ends instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// SendSurveyLinks makes links, and mails them or answers them.
func (s *Store) SendSurveyLinks(ctx context.Context, req *implementationv1.SendSurveyLinksRequest) (*implementationv1.SendSurveyLinksResponse, error) {
	if _, err := SurveyWaves.Parse(req.GetName()); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.SendSurveyLinksResponse, error) {
		w, err := SurveyWaves.Lock(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		if w.GetState() != implementationv1.SurveyWave_OPEN {
			return nil, fault.Precondition(lifecycle.ReasonStateForbids, "survey wave %s is %s; links are of use only while it is OPEN", w.GetName(), w.GetState()).
				Subject("STATE", w.GetName(), "is "+w.GetState().String())
		}
		links, err := issueLinks(ctx, tx, w, req.GetRenew())
		if err != nil {
			return nil, err
		}
		if len(links) == 0 {
			return nil, fault.Precondition(ReasonLinksOut, "everybody who is asked in %s has a link or has answered; renew makes new ones, to remind people", w.GetName()).
				Subject("LINKS", w.GetName(), "are handed out")
		}
		how := "mailed"
		answer := &implementationv1.SendSurveyLinksResponse{LinkCount: int64(len(links))}
		if req.GetHandOver() {
			how = "handed over"
			if answer.Csv, err = linkFile(w, links); err != nil {
				return nil, err
			}
		} else {
			asks, err := Surveys.Load(ctx, tx, parent(w.GetName()))
			if err != nil {
				return nil, err
			}
			if err := s.mailLinks(ctx, tx, asks, w, links); err != nil {
				return nil, err
			}
		}
		return answer, s.tell(ctx, tx, feed.Record{
			Resource: w.GetName() + "/links", Type: "implementation.surveyLinks.sent", Cause: fmt.Sprintf("%d links were %s", len(links), how),
		})
	})
}

// issueLinks gives those without a link one; with renew those, too, who did not
// use theirs. In an anonymous survey everybody gets a new one then, and the link of
// who has answered says so: who is reminded must not tell who did not answer.
func issueLinks(ctx context.Context, tx *sqldb.Tx, w *implementationv1.SurveyWave, renew bool) ([]invitation, error) {
	if w.GetBaseUrl() == "" {
		return nil, fault.Precondition(ReasonBaseMissing, "survey wave %s does not say where people reach this server; set base_url, such as https://golive.example.org", w.GetName()).
			Subject("BASE_URL", w.GetName(), "is not set")
	}
	which := "used = 0 AND token IS NULL"
	if renew {
		which = "(used = 0 OR token IS NOT NULL)"
	}
	if renew && w.GetAttributed() {
		which = "used = 0"
	}
	// Who was erased is still counted among those who were asked, under a name that leads to nobody.
	rows, err := tx.QueryContext(ctx, "DELETE FROM survey_invitations WHERE wave = $1 AND "+which+
		" AND EXISTS (SELECT 1 FROM people p WHERE p.name = survey_invitations.person) RETURNING person, cell, used", w.GetName())
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (i invitation, err error) {
		i.token = newToken()
		return i, rows.Scan(&i.person, &i.cell, &i.used)
	})
	if err != nil {
		return nil, fmt.Errorf("make links of %s: %w", w.GetName(), err)
	}
	return all, insertInvitations(ctx, tx, w.GetName(), all)
}

func surveyLink(w *implementationv1.SurveyWave, token string) string {
	return strings.TrimSuffix(w.GetBaseUrl(), "/") + "/r/" + token
}

func (s *Store) mailLinks(ctx context.Context, tx *sqldb.Tx, asks *implementationv1.Survey, w *implementationv1.SurveyWave, links []invitation) error {
	letters := make([]mail.Outgoing, len(links))
	title := cmp.Or(asks.GetDisplayName(), "a survey")
	promise := "Nobody can see what you answered. Only numbers about groups are told."
	if w.GetAttributed() {
		promise = "Please note: your answers are kept with your person."
	}
	until := ""
	if w.GetCloseTime() != nil {
		until = " It takes answers until " + w.GetCloseTime().AsTime().Format("2 January 2006, 15:04 MST") + "."
	}
	for i, l := range links {
		letters[i] = mail.Outgoing{
			Person: l.person, Kind: implementationv1.Mail_SURVEY_LINK, About: w.GetName(), Subject: "A few questions: " + title,
			Text: fmt.Sprintf("You are asked to answer %s.\n\nThis is your link: <%s>\n\nIt works once; if you have answered already, there is nothing to do.%s %s\n", title, surveyLink(w, l.token), until, promise),
		}
	}
	return s.QueueMail(ctx, tx, letters)
}

// linkFile is the links by person.
func linkFile(w *implementationv1.SurveyWave, links []invitation) ([]byte, error) {
	var file bytes.Buffer
	out := csv.NewWriter(&file)
	records := [][]string{{"person", "link"}}
	for _, l := range links {
		records = append(records, []string{l.person, surveyLink(w, l.token)})
	}
	if err := out.WriteAll(records); err != nil {
		return nil, fmt.Errorf("write links: %w", err)
	}
	return file.Bytes(), nil
}
