package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/decision"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
)

// DecisionVerdict judges a decision now, for itself or for the wave that is about to start. Where the content of its verdict
// changed since it was last asked for, its revision rises and an event tells of it; what ended the decision by now is
// written down.
func (s *Store) DecisionVerdict(ctx context.Context, name, onBehalfOf string) (*gatev1.Verdict, error) {
	if _, err := Decisions.Parse(name); err != nil {
		return nil, err
	}
	d, v, err := s.judgeDecision(ctx, name)
	if err != nil {
		return nil, err
	}
	return decision.Bound(d, v, onBehalfOf, s.Now()), nil
}

// CheckDecisions ends those whose evidence became worse, whose time is over or whose conditions are overdue, and tells of
// verdicts that changed. What is not there is left out, and one that cannot be judged holds up no other.
func (s *Store) CheckDecisions(ctx context.Context, names []string) error {
	var all []error
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return errors.Join(append(all, err)...)
		}
		if _, _, err := s.judgeDecision(ctx, name); err != nil && !fault.Is(err, fault.KindNotFound) {
			all = append(all, fmt.Errorf("judge %s: %w", name, err))
		}
	}
	return errors.Join(all...)
}

// judgeDecision judges, ends what is over and keeps the verdict. The verdict before is read first, as [Store.Verdicts] does.
func (s *Store) judgeDecision(ctx context.Context, name string) (*implementationv1.Decision, *gatev1.Verdict, error) {
	const attempts = 10
	for attempt := 1; ; attempt++ {
		d, v, err := s.judgeDecisionOnce(ctx, name)
		if !errors.Is(err, errOvertaken) || attempt == attempts {
			return d, v, err
		}
	}
}

func (s *Store) judgeDecisionOnce(ctx context.Context, name string) (*implementationv1.Decision, *gatev1.Verdict, error) {
	before, err := s.lastVerdicts(ctx, []string{name})
	if err != nil {
		return nil, nil, err
	}
	d, err := Decisions.Load(ctx, s.DB().Read(), name)
	if err != nil {
		return nil, nil, err
	}
	now, err := s.decisionNow(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	at := s.Now()
	if why, over := decision.Ending(d, now, at); over {
		if d, err = s.expireDecision(ctx, d, why); err != nil {
			return nil, nil, err
		}
	}
	v := decision.Verdict(d, now, at)
	if !readiness.Continue(before[name], v) {
		return d, v, nil
	}
	return d, v, s.replace(ctx, []*gatev1.Verdict{v})
}

// expireDecision writes down that a decision ended, unless somebody changed it since it was judged.
func (s *Store) expireDecision(ctx context.Context, judged *implementationv1.Decision, why string) (d *implementationv1.Decision, err error) {
	err = s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		row, err := Decisions.LockRow(ctx, tx, judged.GetName())
		if err != nil {
			return err
		}
		d = row.Message
		if d.GetRevision() != judged.GetRevision() {
			return errOvertaken
		}
		if err := decision.Expire(d, why, s.Now()); err != nil {
			return err
		}
		return Decisions.Save(ctx, tx, s.Store, d, row.Revision, resource.Meta{Actor: "services/implementation", Verb: string(decision.Expired), Cause: why})
	})
	return d, err
}

// DecisionTechnicalWanted are the resources that open decisions take as evidence of the machines.
func (s *Store) DecisionTechnicalWanted(ctx context.Context) ([]string, error) {
	rows, err := s.DB().Read().QueryContext(ctx, `SELECT DISTINCT e.resource FROM decision_evidence e JOIN decisions d ON d.name = e.decision
		WHERE e.purpose = $1 AND d.state IN (`+openDecisions()+") ORDER BY e.resource", int64(gatev1.Purpose_PURPOSE_TECHNICAL))
	names, err := sqldb.Collect(rows, err, scanText)
	if err != nil {
		return nil, fmt.Errorf("read what decisions ask about: %w", err)
	}
	return names, nil
}

// DecisionsOn are the open decisions whose evidence names one of the resources.
func (s *Store) DecisionsOn(ctx context.Context, resources []string) ([]string, error) {
	var all []string
	for len(resources) > 0 {
		part := resources[:min(chunk, len(resources))]
		resources = resources[len(part):]
		rows, err := s.DB().Read().QueryContext(ctx, `SELECT DISTINCT e.decision FROM decision_evidence e JOIN decisions d ON d.name = e.decision
			WHERE e.resource IN (`+sqldb.Marks(1, len(part))+") AND d.state IN ("+openDecisions()+") ORDER BY e.decision", sqldb.Texts(part)...)
		names, err := sqldb.Collect(rows, err, scanText)
		if err != nil {
			return nil, fmt.Errorf("read which decisions stand on evidence: %w", err)
		}
		all = append(all, names...)
	}
	return all, nil
}

// DecisionsDue are those that time alone has ended.
func (s *Store) DecisionsDue(ctx context.Context) ([]string, error) {
	rows, err := s.DB().Read().QueryContext(ctx, "SELECT name FROM decisions WHERE next_time > 0 AND next_time <= $1 ORDER BY next_time LIMIT 100", micros(s.Now()))
	return sqldb.Collect(rows, err, scanText)
}

// DecisionsAfter are the next decisions whose verdict may change by itself, in the order of their names.
func (s *Store) DecisionsAfter(ctx context.Context, name string, limit int) ([]string, error) {
	const grace = 60 * 1000 * 1000 // an override that ended within the last minute is still told of
	rows, err := s.DB().Read().QueryContext(ctx, "SELECT name FROM decisions WHERE name > $1 AND (state IN ("+openDecisions()+") OR override_time > $2) ORDER BY name LIMIT $3",
		name, micros(s.Now())-grace, limit)
	return sqldb.Collect(rows, err, scanText)
}

// WatchDecisionFacts follows what decisions stand on: the verdicts on cohort plans, and the decisions themselves.
func (s *Store) WatchDecisionFacts(ctx context.Context) (*feed.Watcher, error) {
	return s.log.Watch(ctx, "", func(e *eventv1.Event) bool {
		plan, _ := strings.CutSuffix(e.GetResource(), facet)
		parts := strings.Split(plan, "/")
		return len(parts) == 6 && (parts[4] == "cohortPlans" && plan != e.GetResource() || parts[4] == "decisions" && plan == e.GetResource())
	})
}

// DecisionsAbout are the decisions that an event of [Store.WatchDecisionFacts] is about.
func (s *Store) DecisionsAbout(ctx context.Context, resources []string) ([]string, error) {
	var names, evidence []string
	for _, name := range resources {
		if plan, ok := strings.CutSuffix(name, facet); ok {
			evidence = append(evidence, plan)
		} else {
			names = append(names, name)
		}
	}
	on, err := s.DecisionsOn(ctx, evidence)
	return append(names, on...), err
}

// DecisionBlockedBy fills why each of the decisions waits, by what was last said of its evidence.
func (s *Store) DecisionBlockedBy(ctx context.Context, decisions []*implementationv1.Decision) error {
	plans, technical := decisionEvidence(decisions)
	last, err := s.lastVerdicts(ctx, plans)
	if err != nil {
		return err
	}
	now := decision.Now(last)
	if err := s.heard(ctx, technical, now); err != nil {
		return err
	}
	for _, d := range decisions {
		d.BlockedBy = decision.BlockedBy(d, now, s.Now())
	}
	return nil
}

// openDecisions are the states of decisions whose evidence matters, for a statement.
func openDecisions() string {
	var states []string
	for _, state := range decision.OpenStates() {
		states = append(states, fmt.Sprint(int32(state)))
	}
	return strings.Join(states, ", ")
}
