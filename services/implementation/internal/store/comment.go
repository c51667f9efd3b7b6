package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// The reasons of faults about comments.
const (
	ReasonNotAuthor      = "NOT_AUTHOR"
	ReasonNotCommentable = "NOT_COMMENTABLE"
)

// Comments is the kind of comments.
var Comments = resource.Define(resource.Spec[*implementationv1.Comment]{
	Table:   "comments",
	Columns: []resource.Column[*implementationv1.Comment]{{Field: "subject"}, {Field: "author"}},
	Hooks: resource.Hooks[*implementationv1.Comment]{
		Default: func(ctx context.Context, _ *sqldb.Tx, c *implementationv1.Comment) error {
			c.Author = actor(ctx)
			return nil
		},
		Validate: validateComment,
		BeforeDelete: func(ctx context.Context, _ *sqldb.Tx, old *implementationv1.Comment) error {
			return ownComment(ctx, old)
		},
	},
})

// item is a kind of what can be commented on.
type item interface {
	Parse(name string) ([]string, error)
	Required(ctx context.Context, q sqldb.Queryer, name string) error
}

// commentable are the kinds that take comments. What is about one person
// takes none: everybody who may read comments would read about that person.
func commentable() []item {
	return []item{
		Implementations, Stages, Tasks, Baselines, Resources, Forecasts, Proposals, Cohorts, CohortPlans, Trainings, Sessions,
		Communications, Surveys, BudgetLines, LedgerEntries, Outcomes, challengeRows,
	}
}

func validateComment(ctx context.Context, tx *sqldb.Tx, _, c *implementationv1.Comment) error {
	const field = "comment.subject"
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
		return fault.Invalid(ReasonNotCommentable, "%s names %s, which takes no comments; name an implementation, a part of its plan, a cohort or a training", field, quoted(c.GetSubject())).
			Field(field, "takes no comments")
	}
	err := all[i].Required(ctx, tx, c.GetSubject())
	if fault.Is(err, fault.KindNotFound) {
		return dangling(field, c.GetSubject())
	}
	return err
}

// ownComment keeps people from deleting what others said. Who governs the workspace may.
func ownComment(ctx context.Context, c *implementationv1.Comment) error {
	asking, ok := auth.FromContext(ctx)
	if !ok || asking.Name == c.GetAuthor() || asking.Holds(personID(Workspace(c.GetName())), auth.Admin) {
		return nil
	}
	return fault.Denied(ReasonNotAuthor, "comment %s is by %s; ask them, or an admin, to delete it", c.GetName(), c.GetAuthor())
}

// takingComments makes a hook that refuses or prepares a deletion as check does, and takes the comments along. Check may be nil.
func takingComments[M interface{ GetName() string }](check func(ctx context.Context, tx *sqldb.Tx, old M) error) func(ctx context.Context, tx *sqldb.Tx, old M) error {
	return func(ctx context.Context, tx *sqldb.Tx, old M) error {
		if check != nil {
			if err := check(ctx, tx, old); err != nil {
				return err
			}
		}
		return removeComments(ctx, tx, old.GetName())
	}
}

// removeComments takes the comments on an item along with it: what is created
// under its name later is something else.
func removeComments(ctx context.Context, tx *sqldb.Tx, subject string) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM comments WHERE subject = $1", subject); err != nil {
		return fmt.Errorf("remove the comments on %s: %w", subject, err)
	}
	return nil
}
