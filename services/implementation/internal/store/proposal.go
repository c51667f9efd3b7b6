package store

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/level"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// ReasonPlanChanged says that a plan is no longer what a proposal was computed of.
const ReasonPlanChanged = "PLAN_CHANGED"

// Proposals is the kind of proposals to level a plan.
var Proposals = resource.Define(resource.Spec[*implementationv1.Proposal]{
	Table:    "proposals",
	Columns:  []resource.Column[*implementationv1.Proposal]{{Field: "state"}},
	Parent:   Implementations.RequiredLater,
	Terminal: func(p *implementationv1.Proposal) bool { return p.GetState() == implementationv1.Proposal_APPLIED },
	Hooks: resource.Hooks[*implementationv1.Proposal]{
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Proposal) error {
			return removeComments(ctx, tx, old.GetName())
		},
	},
})

// LevelImplementation reads the plan as of one moment, levels it outside of any transaction, and keeps the proposal.
func (s *Store) LevelImplementation(ctx context.Context, req *implementationv1.LevelImplementationRequest) (*implementationv1.Proposal, error) {
	if _, err := Implementations.Parse(req.GetName()); err != nil {
		return nil, err
	}
	p, err := Proposals.Admit(req.GetName(), req.GetProposalId(), &implementationv1.Proposal{})
	if err != nil {
		return nil, err
	}
	in, digest, err := s.planAsOf(ctx, req.GetName(), req.GetAsOfTime())
	if err != nil {
		return nil, err
	}
	p.State, p.Seed, p.Restarts = implementationv1.Proposal_PROPOSED, req.GetSeed(), req.GetRestarts()
	p.AsOfTime, p.PlanDigest = timestamppb.New(in.Now), digest
	if err := level.Propose(in, p); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.Proposal, error) {
		if err := Implementations.RequiredLater(ctx, tx, req.GetName()); err != nil {
			return nil, err
		}
		return p, Proposals.Insert(ctx, tx, s.Store, p, resource.Meta{Verb: "proposed"})
	})
}

// ApplyProposal writes the starts of a proposal into the tasks, all or none, with an event each. The
// plan must be what the proposal was computed of, to the byte.
func (s *Store) ApplyProposal(ctx context.Context, req *implementationv1.ApplyProposalRequest) (*implementationv1.Proposal, error) {
	return move(ctx, s, Proposals, req, string(lifecycle.ProposalApplied), func(ctx context.Context, tx *sqldb.Tx, p *implementationv1.Proposal) error {
		if err := lifecycle.ProposalApplied.Apply(p); err != nil {
			return err
		}
		if err := s.stillThatPlan(ctx, tx, p); err != nil {
			return err
		}
		for _, m := range p.GetMoves() {
			if !m.GetConstrained() {
				continue
			}
			row, err := Tasks.LockRow(ctx, tx, m.GetTask())
			if err != nil {
				return err
			}
			row.Message.EarliestStartTime = m.GetStartTimeAfter()
			if err := Tasks.Save(ctx, tx, s.Store, row.Message, row.Revision, resource.Meta{Verb: "levelled", Cause: p.GetName()}); err != nil {
				return err
			}
		}
		p.ApplyTime, p.AppliedBy = timestamppb.New(s.Now()), actor(ctx)
		return nil
	})
}

// stillThatPlan refuses with PLAN_CHANGED unless the plan is what the proposal was computed of, and keeps it so until the commit.
func (s *Store) stillThatPlan(ctx context.Context, tx *sqldb.Tx, p *implementationv1.Proposal) error {
	owner := parent(p.GetName())
	if _, err := Implementations.Lock(ctx, tx, owner); err != nil {
		return err
	}
	if tx.Dialect() == sqldb.Postgres {
		if _, err := tx.ExecContext(ctx, "SELECT 1 FROM tasks WHERE parent = $1 ORDER BY name FOR NO KEY UPDATE", owner); err != nil {
			return fmt.Errorf("lock the tasks of %s: %w", owner, err)
		}
	}
	digest, err := planDigest(ctx, tx, owner, p.GetAsOfTime().AsTime())
	if err != nil {
		return err
	}
	if digest != p.GetPlanDigest() {
		return fault.Conflict(ReasonPlanChanged, "%s was computed of another plan than %s is now; level it again", p.GetName(), owner).
			Subject("PLAN", owner, "has changed").Meta("digest", digest)
	}
	return nil
}
