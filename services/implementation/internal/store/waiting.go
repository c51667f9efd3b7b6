package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/implementation/internal/waiting"
	"github.com/golive-dev/golive/services/waiting/page"
)

// ListWaiting is a page of what waits in a workspace, in plans that have not ended. One statement finds
// the page over all kinds by their columns, then each kind is read by name; how many statements that takes does not
// depend on how much waits. A task is listed once its stage has begun: before, the stage waits for all of them.
func (s *Store) ListWaiting(ctx context.Context, req *waitingv1.ListWaitingRequest) (*waitingv1.ListWaitingResponse, error) {
	q, err := s.waitingQuery(req)
	if err != nil {
		return nil, err
	}
	if len(q.parts) == 0 { // kinds that are not kept here
		return &waitingv1.ListWaitingResponse{}, nil
	}
	text := q.text(q.page.Size + 1)
	rows, err := s.DB().Read().QueryContext(ctx, text, q.args...)
	found, err := sqldb.Collect(rows, err, scanWaiting)
	if err != nil {
		return nil, fmt.Errorf("find what waits: %w", err)
	}
	resp := &waitingv1.ListWaitingResponse{}
	if size := q.page.Size; len(found) > size {
		found = found[:size]
		last := found[size-1]
		resp.NextPageToken = q.page.Token(page.Place{Since: last.since, Name: last.name, Owner: last.owner})
	}
	resp.Waiting, err = s.explainRows(ctx, found)
	return resp, err
}

// waitingRow is one thing that waits, by its columns.
type waitingRow struct {
	kind, name, group, owner string
	since                    int64
}

func scanWaiting(rows *sql.Rows) (r waitingRow, err error) {
	return r, rows.Scan(&r.kind, &r.name, &r.group, &r.owner, &r.since)
}

// waitingQuery is the selection of a request in SQL.
type waitingQuery struct {
	args  []any
	parts []string
	page  *page.Page
}

func (q *waitingQuery) mark(value any) string {
	q.args = append(q.args, value)
	return fmt.Sprintf("$%d", len(q.args))
}

func (s *Store) waitingQuery(req *waitingv1.ListWaitingRequest) (*waitingQuery, error) {
	p, err := page.Parse(req)
	if err != nil {
		return nil, err
	}
	q := &waitingQuery{page: p}
	where := fmt.Sprintf("i.parent = %s AND i.state NOT IN (%d, %d)", q.mark(req.GetParent()),
		implementationv1.Implementation_CLOSED, implementationv1.Implementation_CANCELLED)
	if group := req.GetGroup(); group != "" {
		where += " AND i.name = " + q.mark(group)
	}
	owned := ""
	if req.GetOwner() != "" {
		owned = " WHERE owner = " + q.mark(req.GetOwner())
	}
	now := q.mark(micros(s.Now()))
	for _, k := range waitingKinds() {
		if len(req.GetKinds()) == 0 || slices.Contains(req.GetKinds(), k.kind) {
			q.parts = append(q.parts, "SELECT kind, name, grp, owner, since FROM ("+k.text(where, now)+") AS "+k.table+"_waiting"+owned)
		}
	}
	return q, nil
}

func (q *waitingQuery) text(limit int) string {
	text := "SELECT kind, name, grp, owner, since FROM (" + strings.Join(q.parts, " UNION ALL ") + ") AS waiting"
	if past := q.page.Past(q.mark); past != nil {
		text += " WHERE " + past("since", "owner", "name")
	}
	return text + " ORDER BY " + q.page.Order("since", "owner", "name") + fmt.Sprintf(" LIMIT %d", limit)
}

// waitingKind is how the things of one kind that wait are found.
type waitingKind struct {
	kind, table string
	// states limit what is listed further; t is the table.
	states string
}

func waitingKinds() []waitingKind {
	return []waitingKind{
		{kind: "implementation", table: "implementations"},
		{kind: "stage", table: "stages", states: fmt.Sprintf("t.state <> %d", implementationv1.Stage_ACTIVE)},
		{kind: "task", table: "tasks"},
		{kind: "cohortPlan", table: "cohort_plans"},
		{kind: "decision", table: "decisions"},
		{kind: "challenge", table: "challenges"},
		{kind: "outcome", table: "outcomes"},
	}
}

// text is the statement of one kind. It goes from plans to their parts, which CROSS JOIN has SQLite do.
func (k waitingKind) text(where, now string) string {
	owner := "CASE WHEN t.owner <> '' THEN t.owner WHEN i.owner <> '' THEN i.owner ELSE '" + waiting.Anybody + "' END"
	since, from := "t.waiting_since", "implementations i CROSS JOIN "+k.table+" t"
	where += " AND t.parent = i.name"
	switch k.table {
	case "implementations":
		from, where = "implementations i JOIN implementations t ON t.name = i.name", strings.TrimSuffix(where, " AND t.parent = i.name")
	case "tasks":
		from = "implementations i CROSS JOIN stages s CROSS JOIN tasks t"
		where += fmt.Sprintf(" AND s.parent = i.name AND s.state IN (%d, %d) AND t.stage = s.name", implementationv1.Stage_ACTIVE, implementationv1.Stage_GATE_REVIEW)
		since = "CASE WHEN s.waiting_since > t.waiting_since THEN s.waiting_since ELSE t.waiting_since END"
	}
	if k.states != "" {
		where += " AND " + k.states
	}
	return "SELECT '" + k.kind + "' AS kind, t.name AS name, i.name AS grp, " + owner + " AS owner, " + since + " AS since FROM " + from +
		" WHERE " + where + " AND t.waiting_since > 0 AND t.waiting_since <= " + now
}

// fillWaiting gives what was made before there was waiting_since its value.
func (s *Store) fillWaiting(ctx context.Context) error {
	for _, kind := range []interface {
		Backfill(ctx context.Context, s *resource.Store) (int, error)
	}{Implementations, Stages, Tasks, CohortPlans, Decisions, Challenges, Outcomes} {
		if _, err := kind.Backfill(ctx, s.Store); err != nil {
			return fmt.Errorf("fill since when things wait: %w", err)
		}
	}
	return nil
}
