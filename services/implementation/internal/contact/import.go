package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// changed are the rows that say something new.
func changed(ctx context.Context, tx *sqldb.Tx, rows []sheet.Contact) (fresh []sheet.Contact, err error) {
	const chunk = 500
	for part := range slices.Chunk(rows, chunk) {
		names := make([]any, len(part))
		for i, c := range part {
			names[i] = name(c.Person)
		}
		found, err := tx.QueryContext(ctx, "SELECT person, email, language FROM contacts WHERE name IN ("+sqldb.Marks(1, len(part))+")", names...)
		before := make(map[string]sheet.Contact, len(part))
		_, err = sqldb.Collect(found, err, func(rows *sql.Rows) (none struct{}, err error) {
			var c sheet.Contact
			err = rows.Scan(&c.Person, &c.Email, &c.Language)
			before[c.Person] = c
			return none, err
		})
		if err != nil {
			return nil, fmt.Errorf("read contacts: %w", err)
		}
		for _, c := range part {
			if b, ok := before[c.Person]; !ok || b.Email != c.Email || b.Language != c.Language {
				fresh = append(fresh, c)
			}
		}
	}
	return fresh, nil
}

// result is the answer to an import; nothing was written where the file has problems.
func result(file *sheet.File, written int64) *implementationv1.ImportResult {
	r := &implementationv1.ImportResult{RowCount: number(file.RowCount), Errors: file.Problems.Rows(), ErrorCount: number(file.Problems.Count())}
	if !file.Problems.Any() {
		r.CreatedCount = number(int(written))
		r.UnchangedCount = r.GetRowCount() - r.GetCreatedCount()
	}
	return r
}

// number is a number of rows, which a request of bounded size keeps small.
func number(n int) int32 { return int32(n) } //nolint:gosec // bounded by the size of a request

func scanText(rows *sql.Rows) (text string, err error) { return text, rows.Scan(&text) }

// workspace is the first two segments of a name.
func workspace(name string) string {
	parts := strings.SplitN(name, "/", 3)
	return parts[0] + "/" + parts[1]
}
