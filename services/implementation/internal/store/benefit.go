package store

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
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
	all, err := books(ctx, q, i)
	if err != nil {
		return nil, err
	}
	rate := defaultRate
	if req.DiscountRate != nil {
		rate = req.GetDiscountRate()
	}
	return benefit.Compute(name, all, rate, s.Now())
}

// books are the budget lines and the ledger of an implementation.
func books(ctx context.Context, q sqldb.Queryer, i *implementationv1.Implementation) (benefit.Books, error) {
	lines, err := BudgetLines.SelectRows(ctx, q, "WHERE parent = $1 ORDER BY name", i.GetName())
	if err != nil {
		return benefit.Books{}, err
	}
	entries, err := LedgerEntries.SelectRows(ctx, q, "WHERE parent = $1 ORDER BY name", i.GetName())
	return benefit.Books{Currency: i.GetCurrency(), Lines: messages(lines), Entries: messages(entries)}, err
}

func messages[M proto.Message](rows []resource.Row[M]) []M {
	all := make([]M, len(rows))
	for i, row := range rows {
		all[i] = row.Message
	}
	return all
}
