package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/deployment/internal/waits"
	"github.com/golive-dev/golive/services/waiting/page"
)

// What waits is selected over all kinds in one statement, by two columns that each kind derives from its message:
// since when and for whom. Only the rows of the page are then read, one statement a kind.

// waitingColumns are the columns that the list is selected by.
func waitingColumns[M proto.Message](line func(M) *waitingv1.Waiting) []resource.Column[M] {
	return []resource.Column[M]{
		{Name: "waits_since", Internal: true, Time: func(m M) time.Time { return waits.Since(line(m)) }},
		{Name: "waits_owner", Internal: true, Text: func(m M) string { return line(m).GetOwner() }},
	}
}

// listedWave leaves out the waves whose turn has not come: they wait for the one before, which is on the list.
func listedWave(w *deploymentv1.Wave) *waitingv1.Waiting {
	if w.GetState() == deploymentv1.Wave_PENDING {
		return nil
	}
	return waits.Wave(w)
}

// listedAgent leaves out those that were locked out for good: nobody has to do anything about them.
func listedAgent(a *deploymentv1.Agent) *waitingv1.Waiting {
	if a.GetRevokeTime() != nil {
		return nil
	}
	return waits.Agent(a)
}

// listedMigrationRun leaves out those that failed: the wave that stopped for it is on the list, and a new deployment tries again.
func listedMigrationRun(r *deploymentv1.MigrationRun) *waitingv1.Waiting {
	if r.GetState() != deploymentv1.MigrationRun_INTERRUPTED {
		return nil
	}
	return waits.MigrationRun(r)
}

// backfillWaiting fills the columns of rows that are older than them. It goes on where it was stopped, and is cheap where nothing is left.
func (s *Store) backfillWaiting(ctx context.Context) error {
	for table, fill := range map[string]func(context.Context, *resource.Store) (int, error){
		"deployments": Deployments.Backfill, "waves": Waves.Backfill, "agents": Agents.Backfill, "migration_runs": MigrationRuns.Backfill, "policies": Policies.Backfill,
	} {
		var left int
		if err := s.DB.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT name FROM `+table+` WHERE waits_since IS NULL LIMIT 1) AS one`).Scan(&left); err != nil {
			return err
		}
		if left == 0 {
			continue
		}
		if _, err := fill(ctx, s.Resources); err != nil {
			return err
		}
	}
	return nil
}

// waitingSource is where things of a kind are found that wait. Its text may name the row t.
type waitingSource struct {
	kind, from, since, owner, where string
	// application is the column with the application of what is not named below one.
	application string
}

func waitingSources() []waitingSource {
	plain := func(kind, table string) waitingSource {
		return waitingSource{kind: kind, from: table + " t", since: "t.waits_since", owner: "t.waits_owner", where: "t.waits_since > 0"}
	}
	waves := plain(waits.KindWave, "waves")
	waves.from += " JOIN deployments d ON d.name = t.parent" // what a deployment left behind when it ended waits for nobody
	waves.where += " AND d.terminal = 0"
	migrations := plain(waits.KindMigrationRun, "migration_runs")
	migrations.application = "t.application"
	return []waitingSource{
		plain(waits.KindDeployment, "deployments"), waves, plain(waits.KindAgent, "agents"), migrations, plain(waits.KindPolicy, "policies"),
		{
			kind: waits.KindInstallation, from: "installations t", since: "t.update_time", owner: "'" + waits.InstallationOwner + "'",
			where: "t.active = 1 AND " + in("t.state", waits.InstallationListed()...),
		},
	}
}

// waitingRow is one thing on the list, before it is read.
type waitingRow struct {
	name, kind, owner string
	since             int64
}

// ListWaiting answers one page of everything that waits in a workspace.
func (s *Store) ListWaiting(ctx context.Context, req *waitingv1.ListWaitingRequest) (*waitingv1.ListWaitingResponse, error) {
	p, err := page.Parse(req)
	if err != nil {
		return nil, err
	}
	query, args := waitingStatement(p, req)
	if query == "" {
		return &waitingv1.ListWaitingResponse{}, nil
	}
	rows, err := s.DB.Read().QueryContext(ctx, query, args...)
	found, err := sqldb.Collect(rows, err, func(r *sql.Rows) (w waitingRow, err error) {
		return w, r.Scan(&w.name, &w.kind, &w.since, &w.owner)
	})
	if err != nil {
		return nil, fmt.Errorf("list what waits: %w", err)
	}
	resp := &waitingv1.ListWaitingResponse{}
	if len(found) > p.Size {
		found = found[:p.Size]
		last := found[p.Size-1]
		resp.NextPageToken = p.Token(page.Place{Since: last.since, Name: last.name, Owner: last.owner})
	}
	resp.Waiting, err = s.waitingLines(ctx, found)
	return resp, err
}

// waitingStatement selects one row more than the page has, of all kinds that are asked for; empty where this service has none of them.
func waitingStatement(p *page.Page, req *waitingv1.ListWaitingRequest) (query string, args []any) {
	mark := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	parent := req.GetParent()
	conditions := []func(waitingSource) string{below(mark, parent)}
	if owner := req.GetOwner(); owner != "" {
		is := mark(owner)
		conditions = append(conditions, func(src waitingSource) string { return src.owner + " = " + is })
	}
	if group := req.GetGroup(); group != "" {
		is, inside := mark(group), below(mark, group)
		conditions = append(conditions, func(src waitingSource) string {
			either := "t.name = " + is + " OR " + inside(src)
			if src.application != "" {
				either += " OR " + src.application + " = " + is
			}
			return "(" + either + ")"
		})
	}
	if past := p.Past(mark); past != nil {
		conditions = append(conditions, func(src waitingSource) string { return past(src.since, src.owner, "t.name") })
	}
	limit := " LIMIT " + strconv.Itoa(p.Size+1)
	var parts []string
	for _, src := range waitingSources() {
		if len(req.GetKinds()) > 0 && !slices.Contains(req.GetKinds(), src.kind) {
			continue
		}
		where := []string{src.where}
		for _, condition := range conditions {
			where = append(where, condition(src))
		}
		parts = append(parts, "SELECT * FROM (SELECT t.name AS name, '"+src.kind+"' AS kind, "+src.since+" AS since, "+src.owner+" AS owner FROM "+src.from+
			" WHERE "+strings.Join(where, " AND ")+" ORDER BY "+p.Order("since", "owner", "name")+limit+") AS "+src.kind)
	}
	if len(parts) == 0 {
		return "", nil
	}
	return strings.Join(parts, " UNION ALL ") + " ORDER BY " + p.Order("since", "owner", "name") + limit, args
}

// below is true for what is named below a resource. The character after a slash is a zero.
func below(mark func(any) string, name string) func(waitingSource) string {
	from, to := mark(name+"/"), mark(name+"0")
	return func(waitingSource) string { return "t.name >= " + from + " AND t.name < " + to }
}

// waitingLines reads the things of a page, one statement a kind. What ceased to wait meanwhile is left out.
func (s *Store) waitingLines(ctx context.Context, rows []waitingRow) ([]*waitingv1.Waiting, error) {
	names := map[string][]string{}
	for _, r := range rows {
		names[r.kind] = append(names[r.kind], r.name)
	}
	lines := make(map[string]*waitingv1.Waiting, len(rows))
	for kind, some := range names {
		if err := s.loadWaiting(ctx, kind, some, lines); err != nil {
			return nil, fmt.Errorf("read what waits: %w", err)
		}
	}
	out := make([]*waitingv1.Waiting, 0, len(rows))
	for _, r := range rows {
		if w := lines[r.name]; len(w.GetBlockedBy()) > 0 {
			out = append(out, w)
		}
	}
	return out, nil
}

func (s *Store) loadWaiting(ctx context.Context, kind string, names []string, into map[string]*waitingv1.Waiting) error {
	q := s.DB.Read()
	switch kind {
	case waits.KindDeployment:
		return linesOf(ctx, q, Deployments, names, waits.Deployment, into)
	case waits.KindWave:
		return linesOf(ctx, q, Waves, names, waits.Wave, into)
	case waits.KindAgent:
		return linesOf(ctx, q, Agents, names, waits.Agent, into)
	case waits.KindMigrationRun:
		return linesOf(ctx, q, MigrationRuns, names, waits.MigrationRun, into)
	case waits.KindPolicy:
		return linesOf(ctx, q, Policies, names, waits.Policy, into)
	default:
		var all []*deploymentv1.Installation
		err := inChunks(names, func(marks string, args []any) error {
			some, err := SelectInstallations(ctx, q, `name IN (`+marks+`)`, args...)
			for _, i := range some {
				all = append(all, i.Installation)
			}
			return err
		})
		if err == nil {
			err = s.DescribeInstallations(ctx, all...)
		}
		for _, i := range all {
			into[i.GetName()] = waits.Installation(i)
		}
		return err
	}
}

func linesOf[M proto.Message](ctx context.Context, q sqldb.Queryer, kind *resource.Kind[M], names []string, line func(M) *waitingv1.Waiting, into map[string]*waitingv1.Waiting) error {
	found, err := kind.LoadMany(ctx, q, names)
	for name, m := range found {
		into[name] = line(m)
	}
	return err
}
