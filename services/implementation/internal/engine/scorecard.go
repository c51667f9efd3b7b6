package engine

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/scorecard"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	// measurePatience is how long the deployment service may take: a scorecard of people does not wait for machines.
	measurePatience = 2 * time.Second
	// historyDays is how far back the course of a report goes.
	historyDays = 90
)

// Why there is nothing to be told of machines. An implementation that names no application has noMachines too, which nobody
// reads: its scorecard and its comparison say that it names none.
const (
	noMachines     = "there is no deployment service to ask"
	silentMachines = "the deployment service does not answer; the rest of this page is known without it"
)

// Scorecards puts the half of the machines, which the deployment service counts, beside that of the people.
type Scorecards struct {
	store    *store.Store
	measures deploymentv1.MeasureServiceClient
	logger   *zap.Logger
}

// NewScorecards asks through measures; nil where there is no deployment service.
func NewScorecards(s *store.Store, measures deploymentv1.MeasureServiceClient, logger *zap.Logger) *Scorecards {
	return &Scorecards{store: s, measures: measures, logger: logger}
}

// Compute computes the scorecards of implementations of one workspace, in the order of their names: the deployment service is asked once for
// all of them, while the databases are read.
func (s *Scorecards) Compute(ctx context.Context, workspace string, names []string) ([]*implementationv1.Scorecard, error) {
	all, err := s.compute(ctx, workspace, names, s.store.Now())
	cards := make([]*implementationv1.Scorecard, len(all))
	for i, one := range all {
		cards[i] = one.card
	}
	return cards, err
}

// computed is a scorecard and what it says of machines.
type computed struct {
	card     *implementationv1.Scorecard
	machines scorecard.Machines
}

func (s *Scorecards) compute(ctx context.Context, workspace string, names []string, now time.Time) ([]computed, error) {
	all, err := s.store.ScorecardSubjects(ctx, workspace, names)
	if err != nil {
		return nil, err
	}
	var machines []scorecard.Machines
	var asking sync.WaitGroup
	asking.Go(func() { machines = s.ask(ctx, workspace, all, now) })
	facts, err := s.store.ScorecardFacts(ctx, workspace, all, now)
	asking.Wait()
	if err != nil {
		return nil, err
	}
	return s.join(ctx, workspace, facts, machines), nil
}

// computeHeard leaves out those about whose machines the deployment service is silent, before what they did is read: the log tells of each reading.
func (s *Scorecards) computeHeard(ctx context.Context, workspace string, names []string, now time.Time) ([]computed, error) {
	all, err := s.store.ScorecardSubjects(ctx, workspace, names)
	if err != nil {
		return nil, err
	}
	var heard []*implementationv1.Implementation
	var machines []scorecard.Machines
	for i, m := range s.ask(ctx, workspace, all, now) {
		if m.Now != nil || m.Silent != silentMachines {
			heard, machines = append(heard, all[i]), append(machines, m)
		}
	}
	if len(heard) == 0 {
		return nil, nil
	}
	facts, err := s.store.ScorecardFacts(ctx, workspace, heard, now)
	if err != nil {
		return nil, err
	}
	return s.join(ctx, workspace, facts, machines), nil
}

// join computes each scorecard from both halves.
func (s *Scorecards) join(ctx context.Context, workspace string, facts []scorecard.Facts, machines []scorecard.Machines) []computed {
	s.askBefore(ctx, workspace, facts, machines)
	cards := make([]computed, len(facts))
	for i, f := range facts {
		machines[i].Then = f.Machines.Then
		f.Machines = machines[i]
		cards[i] = computed{scorecard.Compute(f), machines[i]}
	}
	return cards
}

// ask measures the machines of all implementations that name an application. Who does not answer says nothing.
func (s *Scorecards) ask(ctx context.Context, workspace string, all []*implementationv1.Implementation, now time.Time) []scorecard.Machines {
	machines := make([]scorecard.Machines, len(all))
	var scopes []*deploymentv1.MeasureScope
	for i, one := range all {
		machines[i].Silent = noMachines
		if len(one.GetApplications()) > 0 {
			scopes = append(scopes, &deploymentv1.MeasureScope{Key: one.GetName(), Applications: one.GetApplications(), Environments: one.GetEnvironments()})
		}
	}
	if s.measures == nil || len(scopes) == 0 {
		return machines
	}
	answered, err := s.measure(ctx, &deploymentv1.ComputeMeasuresRequest{Parent: workspace, Scopes: scopes, Window: durationpb.New(scorecard.Back), EndTime: timestamppb.New(now)})
	if err != nil {
		s.logger.Warn("the deployment service was not heard for a scorecard", zap.String("workspace", workspace), zap.Error(err))
	}
	for i, one := range all {
		if len(one.GetApplications()) > 0 {
			machines[i].Now, machines[i].Silent = answered[one.GetName()], silentMachines
		}
	}
	return machines
}

// askBefore measures once more as of four weeks before, for those of which no snapshot was kept then.
func (s *Scorecards) askBefore(ctx context.Context, workspace string, facts []scorecard.Facts, machines []scorecard.Machines) {
	var scopes []*deploymentv1.MeasureScope
	var then time.Time
	for i, f := range facts {
		if machines[i].Now != nil && f.Machines.Then == nil {
			scopes = append(scopes, &deploymentv1.MeasureScope{Key: f.Implementation, Applications: f.Applications, Environments: f.Environments})
			then = f.Now.Add(-scorecard.Back)
		}
	}
	if len(scopes) == 0 {
		return
	}
	answered, err := s.measure(ctx, &deploymentv1.ComputeMeasuresRequest{
		Parent: workspace, Scopes: scopes, Window: durationpb.New(scorecard.Back), EndTime: timestamppb.New(then), NumbersOnly: true,
	})
	if err != nil {
		s.logger.Warn("the deployment service was not heard for a trend", zap.String("workspace", workspace), zap.Error(err))
	}
	for i, f := range facts {
		machines[i].Before = answered[f.Implementation]
	}
}

// measure asks with patience; the answers are by key.
func (s *Scorecards) measure(ctx context.Context, req *deploymentv1.ComputeMeasuresRequest) (map[string]*deploymentv1.Measures, error) {
	ctx, cancel := context.WithTimeout(ctx, measurePatience)
	defer cancel()
	answer, err := s.measures.ComputeMeasures(ctx, req)
	if err != nil {
		return nil, err
	}
	byKey := make(map[string]*deploymentv1.Measures, len(answer.GetMeasures()))
	for _, m := range answer.GetMeasures() {
		byKey[m.GetKey()] = m
	}
	return byKey, nil
}

// Report writes the scorecard of an implementation for people.
func (s *Scorecards) Report(ctx context.Context, name string) (*implementationv1.ScorecardReport, error) {
	i, err := store.Implementations.Load(ctx, s.store.DB().Read(), name)
	if err != nil {
		return nil, err
	}
	cards, err := s.Compute(ctx, store.Workspace(name), []string{name})
	if err != nil {
		return nil, err
	}
	history, err := s.store.ScorecardHistory(ctx, name, s.store.Now().AddDate(0, 0, -historyDays).Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	r := &implementationv1.ScorecardReport{Implementation: name, AsOf: cards[0].GetAsOf()}
	r.Markdown, r.Html, err = scorecard.Report(i, cards[0], history)
	return r, err
}
