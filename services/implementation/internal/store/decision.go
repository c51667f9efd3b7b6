package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/decision"
	"github.com/golive-dev/golive/services/implementation/internal/waiting"
)

// ReasonDecisionCircle is the reason of faults about a decision that would wait for what waits for it.
const ReasonDecisionCircle = "DECISION_CIRCLE"

// Decisions is the kind of decisions without its hooks, which need the time; see [Store.decisions]. What a decision
// takes as evidence is in a table of its own too, so that it is found when that changes.
var Decisions = resource.Define(resource.Spec[*implementationv1.Decision]{
	Table: "decisions",
	Columns: []resource.Column[*implementationv1.Decision]{
		{Field: "display_name"},
		{Field: "state"},
		{Field: "owner"},
		{Field: "due_time"},
		{Field: "labels"},
		{Name: "next_time", Time: decision.NextTime, Internal: true},
		{Name: "override_time", Time: decision.OverrideTime, Internal: true},
		{Name: "waiting_since", Time: waiting.SinceDecision, Internal: true},
	},
	Parent:   Implementations.RequiredLater,
	Terminal: func(d *implementationv1.Decision) bool { return decision.Ended(d.GetState()) },
})

// decisions is the kind with its hooks.
func (s *Store) decisions() *resource.Kind[*implementationv1.Decision] {
	return Decisions.With(resource.Hooks[*implementationv1.Decision]{
		Default: func(_ context.Context, _ *sqldb.Tx, d *implementationv1.Decision) error {
			d.State, d.StateTime, d.Revision = implementationv1.Decision_PENDING, timestamppb.New(s.Now()), 1
			return nil
		},
		Validate: func(ctx context.Context, tx *sqldb.Tx, old, d *implementationv1.Decision) error {
			return validateDecision(ctx, tx, old, d, s.Now())
		},
		AfterWrite: writeDecisionEvidence,
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Decision) error {
			if err := decision.Deletable(old); err != nil {
				return err
			}
			return removeDecisionEvidence(ctx, tx, old.GetName())
		},
	})
}

// CreateDecision asks the question.
func (s *Store) CreateDecision(ctx context.Context, req *implementationv1.CreateDecisionRequest) (*implementationv1.Decision, error) {
	d, err := s.decisions().Create(ctx, s.Store, req)
	return s.decided(ctx, req, d, err)
}

// UpdateDecision changes the question; what it is about only while nothing was said.
func (s *Store) UpdateDecision(ctx context.Context, req *implementationv1.UpdateDecisionRequest) (*implementationv1.Decision, error) {
	d, err := s.decisions().Update(ctx, s.Store, req)
	return s.decided(ctx, req, d, err)
}

// DeleteDecision forgets a question that was never answered.
func (s *Store) DeleteDecision(ctx context.Context, req *implementationv1.DeleteDecisionRequest) (*emptypb.Empty, error) {
	return s.decisions().Delete(ctx, s.Store, req)
}

func validateDecision(ctx context.Context, tx *sqldb.Tx, old, d *implementationv1.Decision, now time.Time) error {
	same := slices.Equal(old.GetWaves(), d.GetWaves()) && slices.Equal(old.GetCohortPlans(), d.GetCohortPlans()) && slices.Equal(old.GetTechnical(), d.GetTechnical())
	if old != nil {
		d.Revision = old.GetRevision() + 1
		if same {
			return nil
		}
		if err := decision.Bindable(old, now); err != nil {
			return err
		}
	}
	if err := decisionNames(d); err != nil {
		return err
	}
	for i, plan := range d.GetCohortPlans() {
		if err := samePlan(CohortPlans, d.GetName(), fmt.Sprintf("decision.cohort_plans[%d]", i), plan); err != nil {
			return err
		}
	}
	found, err := existing(ctx, tx, "cohort_plans", d.GetCohortPlans())
	if err != nil {
		return err
	}
	for i, plan := range d.GetCohortPlans() {
		if !found[plan] {
			return dangling(fmt.Sprintf("decision.cohort_plans[%d]", i), plan)
		}
	}
	return nil
}

// decisionNames checks names that the other service keeps: their workspace, and that no wave is evidence for itself.
func decisionNames(d *implementationv1.Decision) error {
	for field, names := range map[string][]string{"waves": d.GetWaves(), "technical": d.GetTechnical()} {
		for i, name := range names {
			field := fmt.Sprintf("decision.%s[%d]", field, i)
			if Workspace(name) != Workspace(d.GetName()) {
				return fault.Invalid(ReasonOtherWorkspace, "%s names %s, which is of another workspace; name one of %s", field, quoted(name), Workspace(d.GetName())).
					Field(field, "is of another workspace")
			}
		}
	}
	for i, name := range d.GetTechnical() {
		for _, wave := range d.GetWaves() {
			if name == wave || strings.HasPrefix(wave, name+"/waves/") {
				return fault.Invalid(ReasonDecisionCircle, "%s is evidence of the decision that it would wait for; name an environment, or a wave that comes before %s", name, wave).
					Field(fmt.Sprintf("decision.technical[%d]", i), "waits for this decision")
			}
		}
	}
	return nil
}

// writeDecisionEvidence keeps what the decision takes as evidence, for the way from there to here.
func writeDecisionEvidence(ctx context.Context, tx *sqldb.Tx, _, d *implementationv1.Decision) error {
	if err := removeDecisionEvidence(ctx, tx, d.GetName()); err != nil {
		return err
	}
	for purpose, names := range map[gatev1.Purpose][]string{
		gatev1.Purpose_PURPOSE_READINESS: d.GetCohortPlans(), gatev1.Purpose_PURPOSE_TECHNICAL: d.GetTechnical(),
	} {
		for _, name := range names {
			if _, err := tx.ExecContext(ctx, "INSERT INTO decision_evidence (decision, resource, purpose) VALUES ($1, $2, $3)", d.GetName(), name, int64(purpose)); err != nil {
				return fmt.Errorf("store the evidence of %s: %w", d.GetName(), err)
			}
		}
	}
	return nil
}

func removeDecisionEvidence(ctx context.Context, tx *sqldb.Tx, name string) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM decision_evidence WHERE decision = $1", name); err != nil {
		return fmt.Errorf("remove the evidence of %s: %w", name, err)
	}
	return nil
}
