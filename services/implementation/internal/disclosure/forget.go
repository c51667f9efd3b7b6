package disclosure

import (
	"context"
	"fmt"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// Forget takes a person out of the answers given under a name, which are anonymous from then on, and says how many
// there were. Of anonymous surveys nobody can tell what the person answered, and nothing has to be changed.
func Forget(ctx context.Context, tx *sqldb.Tx, person string) (answers int64, err error) {
	for _, table := range []string{"survey_inbox", "survey_responses", "survey_comments"} {
		result, err := tx.ExecContext(ctx, "UPDATE "+table+" SET person = '' WHERE person = $1", person)
		if err != nil {
			return 0, fmt.Errorf("take a person out of %s: %w", table, err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		answers += n
	}
	return answers, nil
}
