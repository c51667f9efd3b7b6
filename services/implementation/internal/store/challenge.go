package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/waiting"
)

// The reasons of faults about challenges.
const (
	ReasonMitigationMissing = "MITIGATION_MISSING"
	ReasonOwnerMissing      = "OWNER_MISSING"
)

// criticalFrom is the probability × impact from which a challenge is critical without being declared.
const criticalFrom = 15

// challengeRows is the kind without its hooks, which speak of what can be commented on; challenges can.
var challengeRows = resource.Define(resource.Spec[*implementationv1.Challenge]{
	Table: "challenges",
	Columns: []resource.Column[*implementationv1.Challenge]{
		{Field: "display_name"},
		{Field: "class"},
		{Field: "nature"},
		{Field: "severity"},
		{Field: "critical"},
		{Field: "state"},
		{Field: "owner"},
		{Field: "rule"},
		{Field: "subject"},
		{Field: "cohort"},
		{Field: "review_date"},
		{Field: "labels"},
		{Name: "waiting_since", Time: waiting.SinceChallenge, Internal: true},
	},
	Parent:   Implementations.RequiredLater,
	Terminal: func(c *implementationv1.Challenge) bool { return lifecycle.ChallengeEnded(c.GetState()) },
})

// Challenges is the kind of challenges.
var Challenges = challengeRows.With(resource.Hooks[*implementationv1.Challenge]{
	Default: func(ctx context.Context, _ *sqldb.Tx, c *implementationv1.Challenge) error {
		c.State, c.Creator = implementationv1.Challenge_OPEN, actor(ctx)
		return nil
	},
	Validate: validateChallenge,
	BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Challenge) error {
		if err := lifecycle.ChallengeDeletable(old); err != nil {
			return err
		}
		return removeComments(ctx, tx, old.GetName())
	},
})

func validateChallenge(ctx context.Context, tx *sqldb.Tx, old, c *implementationv1.Challenge) error {
	weigh(c)
	if old != nil {
		return nil // what it is about cannot be changed
	}
	if c.GetSubject() != "" {
		if err := challengeSubject(ctx, tx, c); err != nil {
			return err
		}
	}
	if c.GetCohort() == "" {
		return nil
	}
	return reference(ctx, tx, Cohorts, c.GetName(), "challenge.cohort", c.GetCohort())
}

// weigh fills what follows from how probable and how bad it is.
func weigh(c *implementationv1.Challenge) {
	const middle, sure = 3, 5
	if c.GetNature() == implementationv1.Challenge_NATURE_UNSPECIFIED {
		c.Nature = implementationv1.Challenge_RISK
	}
	if c.GetProbability() == 0 {
		c.Probability = middle
		if c.GetNature() == implementationv1.Challenge_ISSUE {
			c.Probability = sure
		}
	}
	if c.GetImpact() == 0 {
		c.Impact = middle
	}
	c.Severity = c.GetProbability() * c.GetImpact()
	c.Critical = c.GetDeclaredCritical() || c.GetSeverity() >= criticalFrom
}

// challengeSubject holds the subject against what there is, and takes the cohort from it.
func challengeSubject(ctx context.Context, tx *sqldb.Tx, c *implementationv1.Challenge) error {
	const field = "challenge.subject"
	if Workspace(c.GetSubject()) != Workspace(c.GetName()) {
		return fault.Invalid(ReasonOtherWorkspace, "%s names %s, which is of another workspace; name one of %s", field, quoted(c.GetSubject()), Workspace(c.GetName())).
			Field(field, "is of another workspace")
	}
	all := commentable()
	i := slices.IndexFunc(all, func(kind item) bool {
		_, err := kind.Parse(c.GetSubject())
		return err == nil
	})
	if i < 0 {
		return fault.Invalid(resource.ReasonInvalidName, "%s is %s, which a challenge cannot be about; name an implementation, a part of its plan, a cohort or a training", field, quoted(c.GetSubject())).
			Field(field, "cannot be the subject of a challenge")
	}
	err := all[i].Required(ctx, tx, c.GetSubject())
	if fault.Is(err, fault.KindNotFound) {
		return dangling(field, c.GetSubject())
	}
	if err != nil || c.GetCohort() != "" {
		return err
	}
	switch {
	case strings.Contains(c.GetSubject(), "/cohortPlans/"):
		plan, err := CohortPlans.Load(ctx, tx, c.GetSubject())
		c.Cohort = plan.GetCohort()
		return err
	case strings.Contains(c.GetSubject(), "/cohorts/"):
		c.Cohort = c.GetSubject()
	}
	return nil
}

// OpenChallenge takes a suggestion for true.
func (s *Store) OpenChallenge(ctx context.Context, req *implementationv1.OpenChallengeRequest) (*implementationv1.Challenge, error) {
	return s.moveChallenge(ctx, req, lifecycle.ChallengeOpened, func(c *implementationv1.Challenge) error {
		own(c, req.GetOwner())
		return nil
	})
}

// DismissChallenge says of a suggestion that it is none.
func (s *Store) DismissChallenge(ctx context.Context, req *implementationv1.DismissChallengeRequest) (*implementationv1.Challenge, error) {
	return s.moveChallenge(ctx, req, lifecycle.ChallengeDismissed, because(req.GetReason()))
}

// MitigateChallenge says that something is being done.
func (s *Store) MitigateChallenge(ctx context.Context, req *implementationv1.MitigateChallengeRequest) (*implementationv1.Challenge, error) {
	return s.moveChallenge(ctx, req, lifecycle.ChallengeMitigated, func(c *implementationv1.Challenge) error {
		own(c, req.GetOwner())
		if req.GetMitigation() != "" {
			c.Mitigation = req.GetMitigation()
		}
		if c.GetMitigation() == "" {
			return fault.Invalid(ReasonMitigationMissing, "nothing says what is being done about %s; say it in mitigation", c.GetName()).Field("mitigation", "is required here")
		}
		return nil
	})
}

// ResolveChallenge says that it worked.
func (s *Store) ResolveChallenge(ctx context.Context, req *implementationv1.ResolveChallengeRequest) (*implementationv1.Challenge, error) {
	return s.moveChallenge(ctx, req, lifecycle.ChallengeResolved, because(req.GetReason()))
}

// AcceptChallenge lives with it until the review date.
func (s *Store) AcceptChallenge(ctx context.Context, req *implementationv1.AcceptChallengeRequest) (*implementationv1.Challenge, error) {
	review, err := day("review_date", req.GetReviewDate())
	if err != nil {
		return nil, err
	}
	if !review.After(s.Now()) {
		return nil, fault.Invalid(resource.ReasonInvalidField, "the review date %s is not in the future; say when it is looked at again", req.GetReviewDate()).
			Field("review_date", "must be after today")
	}
	return s.moveChallenge(ctx, req, lifecycle.ChallengeAccepted, func(c *implementationv1.Challenge) error {
		own(c, req.GetOwner())
		if c.GetOwner() == "" {
			return fault.Invalid(ReasonOwnerMissing, "nobody answers for %s while it is accepted; name an owner", c.GetName()).Field("owner", "is required here")
		}
		c.Reason, c.ReviewDate = req.GetReason(), review.Format(time.DateOnly)
		return nil
	})
}

// CloseChallenge ends it.
func (s *Store) CloseChallenge(ctx context.Context, req *implementationv1.CloseChallengeRequest) (*implementationv1.Challenge, error) {
	return s.moveChallenge(ctx, req, lifecycle.ChallengeClosed, func(c *implementationv1.Challenge) error {
		if req.GetReason() != "" {
			c.Reason = req.GetReason()
		}
		return nil
	})
}

// ReopenChallenge takes it back.
func (s *Store) ReopenChallenge(ctx context.Context, req *implementationv1.ReopenChallengeRequest) (*implementationv1.Challenge, error) {
	return s.moveChallenge(ctx, req, lifecycle.ChallengeReopened, func(c *implementationv1.Challenge) error {
		c.Reason, c.ReviewDate = req.GetReason(), ""
		return nil
	})
}

func (s *Store) moveChallenge(ctx context.Context, req command, event lifecycle.ChallengeEvent, change func(*implementationv1.Challenge) error) (*implementationv1.Challenge, error) {
	return move(ctx, s, Challenges, req, string(event), func(_ context.Context, _ *sqldb.Tx, c *implementationv1.Challenge) error {
		if err := event.Apply(c); err != nil {
			return err
		}
		return change(c)
	})
}

func because(reason string) func(*implementationv1.Challenge) error {
	return func(c *implementationv1.Challenge) error {
		c.Reason = reason
		return nil
	}
}

func own(c *implementationv1.Challenge, owner string) {
	if owner != "" {
		c.Owner = owner
	}
}
