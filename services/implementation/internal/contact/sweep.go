package contact

import (
	"context"
	"fmt"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// Sweep removes the contacts of people who are gone. The pseudonym may be used again, unless the person was erased.
func (s *Store) Sweep(ctx context.Context) error {
	const page = 1000
	for last := ""; ; {
		rows, err := s.DB().Read().QueryContext(ctx, "SELECT person FROM contacts WHERE erased = 0 AND name > $1 ORDER BY name LIMIT $2", last, page)
		people, err := sqldb.Collect(rows, err, scanText)
		if err != nil || len(people) == 0 {
			return err
		}
		known, err := s.known(ctx, people)
		if err != nil {
			return err
		}
		for _, person := range people {
			if known[person] {
				continue
			}
			err := s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := tx.ExecContext(ctx, "DELETE FROM contacts WHERE name = $1 AND erased = 0", name(person))
				return err
			})
			if err != nil {
				return fmt.Errorf("remove the contact of %s, who is gone: %w", person, err)
			}
		}
		last = name(people[len(people)-1])
	}
}
