package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
	driversqlite "modernc.org/sqlite"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// counter is a driver that writes down the texts of the statements that SQLite runs.
type counter struct {
	mu    sync.Mutex
	texts []string
}

func (c *counter) note(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.texts = append(c.texts, text)
}

// during are the statements of one call.
func (c *counter) during(call func()) []string {
	c.mu.Lock()
	c.texts = nil
	c.mu.Unlock()
	call()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.texts
}

// Open implements driver.Driver.
func (c *counter) Open(dsn string) (driver.Conn, error) {
	conn, err := (&driversqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &countedConn{connection: conn.(connection), counter: c}, nil
}

type connection interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type countedConn struct {
	connection

	counter *counter
}

// ExecContext implements driver.ExecerContext.
func (c *countedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.counter.note(query)
	return c.connection.ExecContext(ctx, query, args)
}

// QueryContext implements driver.QueryerContext.
func (c *countedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.counter.note(query)
	return c.connection.QueryContext(ctx, query, args)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *countedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.connection.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &countedStmt{statement: s.(statement), counter: c.counter, text: query}, nil
}

type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type countedStmt struct {
	statement

	counter *counter
	text    string
}

// ExecContext implements driver.StmtExecContext.
func (s *countedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.counter.note(s.text)
	return s.statement.ExecContext(ctx, args)
}

// QueryContext implements driver.StmtQueryContext.
func (s *countedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.counter.note(s.text)
	return s.statement.QueryContext(ctx, args)
}

// TestReadsAskNoMoreForMore: what a read asks the database does not grow with the plan, its people, their groups or what is said of them.
func TestReadsAskNoMoreForMore(t *testing.T) {
	small, large := statements(t, 2), statements(t, 30)
	for name, few := range small {
		many := large[name]
		require.Len(t, many, len(few), "%s asks %d times in a large implementation, and %d times in a small one: %q", name, len(many), len(few), many)
		t.Logf("%s: %d statements", name, len(few))
	}
	require.LessOrEqual(t, len(small["PlanInput"]), 5+2, "five reads, and the begin and end of a snapshot")
}

// statements are those of each read, in an implementation with n of everything.
func statements(t *testing.T, n int) map[string][]string {
	t.Helper()
	c := &counter{}
	name := fmt.Sprintf("counted-%s-%d", t.Name(), n)
	sql.Register(name, c)
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "a.db"), Driver: name})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s := counting(t, db, nil)
	plans := seed(t, s, n, 3)
	furnish(t, s, n, plans)
	implementations := siblings(t, s, n)
	week := detect.WeekOf(time.Now()).Add(-1)
	found := map[string][]string{}
	for name, read := range map[string]func(ctx context.Context) error{
		"PlanInput": func(ctx context.Context) error { _, err := s.PlanInput(ctx, crm); return err },
		"GetAgenda": func(ctx context.Context) error {
			agenda, err := s.Agenda(ctx, &implementationv1.GetAgendaRequest{Parent: ws, Principal: "users/ann"})
			require.Len(t, agenda.GetTasks(), n)
			return err
		},
		"ComputeStatusReport": func(ctx context.Context) error {
			_, err := s.StatusReport(ctx, &implementationv1.ComputeStatusReportRequest{Parent: crm})
			return err
		},
		"GetAdoption": func(ctx context.Context) error {
			_, err := s.Adoption(ctx, &implementationv1.GetAdoptionRequest{Parent: crm})
			return err
		},
		"ComputeScorecard": func(ctx context.Context) error {
			all, err := s.ScorecardSubjects(ctx, ws, []string{crm})
			require.NoError(t, err)
			_, err = s.ScorecardFacts(ctx, ws, all, s.Now())
			return err
		},
		"BatchComputeScorecards": func(ctx context.Context) error {
			all, err := s.ScorecardSubjects(ctx, ws, implementations)
			require.NoError(t, err)
			facts, err := s.ScorecardFacts(ctx, ws, all, s.Now())
			require.Len(t, facts, n)
			return err
		},
		"GetComparison": func(ctx context.Context) error { _, err := s.ComparisonFacts(ctx, crm); return err },
		"ComputeBenefits": func(ctx context.Context) error {
			_, err := s.Benefits(ctx, &implementationv1.ComputeBenefitsRequest{Parent: crm})
			return err
		},
		"facts of detectors": func(ctx context.Context) error { _, err := s.DetectorFacts(ctx, crm, week); return err },
		"BatchEvaluateReadiness": func(ctx context.Context) error {
			all, err := s.ReadinessOf(ctx, crm)
			require.Len(t, all, n)
			return err
		},
		"ListWaiting": func(ctx context.Context) error {
			waiting, err := s.ListWaiting(ctx, &waitingv1.ListWaitingRequest{Parent: ws, PageSize: 1000})
			require.Greater(t, len(waiting.GetWaiting()), n)
			return err
		},
		"ListCohorts": func(ctx context.Context) error {
			cohorts, _, err := store.Cohorts.List(ctx, s.Store, &implementationv1.ListCohortsRequest{Parent: ws})
			require.NoError(t, err)
			return s.Sizes(ctx, cohorts...)
		},
	} {
		require.NoError(t, read(t.Context()), name) // what is learned once is learned
		found[name] = c.during(func() { require.NoError(t, read(t.Context()), name) })
		found[name] = slices.DeleteFunc(found[name], func(text string) bool { return strings.HasPrefix(text, "INSERT INTO events ") }) // who read what
	}
	return found
}

// siblings are n implementations.
func siblings(t *testing.T, s *store.Store, n int) []string {
	t.Helper()
	names := make([]string, n)
	for i := range names {
		id := fmt.Sprintf("sibling-%03d", i)
		names[i] = ws + "/implementations/" + id
		_, err := store.Implementations.Create(t.Context(), s.Store, &implementationv1.CreateImplementationRequest{Parent: ws, ImplementationId: id, Implementation: &implementationv1.Implementation{}})
		require.NoError(t, err)
	}
	return names
}

// furnish gives an implementation n tasks, people, features, stakeholders, challenges, messages and outcomes.
func furnish(t *testing.T, s *store.Store, n int, plans []string) {
	t.Helper()
	ctx := t.Context()
	_, err := store.Stages.Create(ctx, s.Store, &implementationv1.CreateStageRequest{Parent: crm, StageId: "build", Stage: &implementationv1.Stage{}})
	require.NoError(t, err)
	for i := range n {
		id := fmt.Sprintf("n%03d", i)
		_, err := store.Resources.Create(ctx, s.Store, &implementationv1.CreateResourceRequest{Parent: ws, ResourceId: id, Resource: &implementationv1.Resource{Kind: implementationv1.Resource_PERSON}})
		require.NoError(t, err)
		_, err = store.Tasks.Create(ctx, s.Store, &implementationv1.CreateTaskRequest{Parent: crm, TaskId: id, Task: &implementationv1.Task{
			Stage: crm + "/stages/build", Owner: "users/ann", Estimate: &implementationv1.Estimate{LikelyMinutes: 480},
			Assignments: []*implementationv1.Assignment{{Resource: ws + "/resources/" + id}},
		}})
		require.NoError(t, err)
		feature(t, s, id)
		_, err = store.Stakeholders.Create(ctx, s.Store, &implementationv1.CreateStakeholderRequest{Parent: crm, Stakeholder: &implementationv1.Stakeholder{Influence: 5, Sponsor: true}})
		require.NoError(t, err)
		_, err = store.Challenges.Create(ctx, s.Store, &implementationv1.CreateChallengeRequest{Parent: crm, Challenge: &implementationv1.Challenge{
			DisplayName: id, Class: implementationv1.Challenge_RESISTANCE, Probability: 3, Impact: 3,
		}})
		require.NoError(t, err)
		_, err = store.CohortPlans.Update(ctx, s.Store, &implementationv1.UpdateCohortPlanRequest{CohortPlan: &implementationv1.CohortPlan{
			Name: plans[i], GoLiveTime: timestamppb.New(s.Now().AddDate(0, 0, 14)), Impacts: []*implementationv1.Impact{{Aspect: implementationv1.Impact_TOOLS, Level: 3}},
			ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{
				{Id: "trained", Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: []string{ws + "/trainings/basics"}}}},
				{Id: "access", Type: &implementationv1.Criterion_Access{Access: &implementationv1.AccessCriterion{Application: ws + "/applications/crm"}}},
				{Id: "sponsor", Type: &implementationv1.Criterion_Sponsor{Sponsor: &implementationv1.SponsorCriterion{}}},
				{Id: "messages", Type: &implementationv1.Criterion_Messages{Messages: &implementationv1.MessagesCriterion{}}},
				{Id: "challenges", Type: &implementationv1.Criterion_Challenges{Challenges: &implementationv1.ChallengesCriterion{}}},
				{Id: "load", Type: &implementationv1.Criterion_ChangeLoad{ChangeLoad: &implementationv1.ChangeLoadCriterion{}}},
				{Id: "technical", Type: &implementationv1.Criterion_Technical{Technical: &implementationv1.TechnicalCriterion{Resource: ws + "/targets/t"}}},
			}},
		}})
		require.NoError(t, err)
	}
	_, err = s.ReportUsage(ctx, &implementationv1.ReportUsageRequest{Parent: ws, Events: []*implementationv1.UsageEvent{
		{Feature: "n000", Subject: keyOf(1), Day: (adoption.DayOf(s.Now()) - 1).String()},
	}})
	require.NoError(t, err)
}
