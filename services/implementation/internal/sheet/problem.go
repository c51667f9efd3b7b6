package sheet

import (
	"cmp"
	"fmt"
	"slices"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// most is how many problems are told one by one.
const most = 1000

// Problems collects what is wrong with a file. Its zero value is empty.
type Problems struct {
	rows  []*implementationv1.RowError
	count int
}

// Add notes one problem. The column is as the file names it, empty where the whole row is wrong.
func (p *Problems) Add(line int, column, reason, format string, args ...any) {
	p.count++
	if len(p.rows) < most {
		p.rows = append(p.rows, &implementationv1.RowError{
			Line: int32(line), Column: column, Reason: reason, //nolint:gosec // a file of 16 MiB has fewer lines
			Message: fmt.Sprintf(format, args...),
		})
	}
}

// Any says that something is wrong.
func (p *Problems) Any() bool { return p.count > 0 }

// Count is how many there are in all.
func (p *Problems) Count() int { return p.count }

// Rows are the first thousand, in the order of the file.
func (p *Problems) Rows() []*implementationv1.RowError {
	slices.SortStableFunc(p.rows, func(a, b *implementationv1.RowError) int { return cmp.Compare(a.GetLine(), b.GetLine()) })
	return p.rows
}
