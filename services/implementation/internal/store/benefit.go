package store

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/resource"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/benefit"
)

// defaultRate is the yearly discount rate where none is asked for.
const defaultRate = 0.08

// Benefits computes what an implementation is worth: three queries, however long its books are.
func (s *Store) Benefits(ctx context.Context, req *implementationv1.ComputeBenefitsRequest) (*implementationv1.Benefits, error) {
	q, name := s.DB().Read(), req.GetParent()
	i, err := Implementations.Load(ctx, q, name)
	if err != nil {
		return nil, err
	}
	books := benefit.Books{Currency: i.GetCurrency()}
	lines, err := BudgetLines.SelectRows(ctx, q, "WHERE parent = $1 ORDER BY name", name)
	if err != nil {
		return nil, err
	}
	entries, err := LedgerEntries.SelectRows(ctx, q, "WHERE parent = $1 ORDER BY name", name)
	if err != nil {
		return nil, err
	}
	books.Lines, books.Entries = messages(lines), messages(entries)
	rate := defaultRate
	if req.DiscountRate != nil {
		rate = req.GetDiscountRate()
	}
	return benefit.Compute(name, books, rate, s.Now())
}

func messages[M proto.Message](rows []resource.Row[M]) []M {
	all := make([]M, len(rows))
	for i, row := range rows {
		all[i] = row.Message
	}
	return all
}
