package store

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// LedgerEntries is the kind of ledger entries: append-only, so nothing of it updates or deletes.
var LedgerEntries = resource.Define(resource.Spec[*implementationv1.LedgerEntry]{
	Table: "ledger_entries",
	Columns: []resource.Column[*implementationv1.LedgerEntry]{
		{Field: "direction"},
		{Field: "state"},
		{Field: "date"},
		{Field: "budget_line"},
		{Field: "claimed_by"},
		{Field: "amount_minor"},
		{Field: "currency"},
		{Field: "reverses"},
	},
	Parent: Implementations.RequiredLater,
})

// LedgerHooks are the rules of new entries, by the clock of the store.
func (s *Store) LedgerHooks() resource.Hooks[*implementationv1.LedgerEntry] {
	return resource.Hooks[*implementationv1.LedgerEntry]{
		Default: func(ctx context.Context, tx *sqldb.Tx, e *implementationv1.LedgerEntry) (err error) {
			e.State, e.ClaimedBy = implementationv1.LedgerEntry_CLAIMED, actor(ctx)
			e.Currency, err = ownCurrency(ctx, tx, parent(e.GetName()), "ledger_entry.currency", e.GetCurrency())
			return err
		},
		Validate: func(ctx context.Context, tx *sqldb.Tx, _, e *implementationv1.LedgerEntry) error {
			return s.checkEntry(ctx, tx, e)
		},
	}
}

func (s *Store) checkEntry(ctx context.Context, tx *sqldb.Tx, e *implementationv1.LedgerEntry) error {
	const most = 9_000_000_000_000_000
	if amount := e.GetAmountMinor(); amount <= 0 || amount > most {
		return fault.Invalid(resource.ReasonInvalidField, "the amount is %d; write it above 0 and let direction say which way it goes; what was wrong is reversed", amount).
			Field("ledger_entry.amount_minor", "must be from 1 to 9000000000000000")
	}
	date, err := day("ledger_entry.date", e.GetDate())
	if err != nil {
		return err
	}
	if date.After(s.Now().Add(14 * time.Hour)) { // it is that date somewhere already
		return fault.Invalid(resource.ReasonInvalidField, "the date %s is in the future; the ledger holds what was: plan it in a budget line", e.GetDate()).
			Field("ledger_entry.date", "must not be in the future")
	}
	if e.GetBudgetLine() == "" {
		return nil
	}
	if err := reference(ctx, tx, BudgetLines, e.GetName(), "ledger_entry.budget_line", e.GetBudgetLine()); err != nil {
		return err
	}
	line, err := BudgetLines.Load(ctx, tx, e.GetBudgetLine())
	if err != nil {
		return err
	}
	if parent(line.GetName()) != parent(e.GetName()) || line.GetDirection() != e.GetDirection() {
		return fault.Invalid("BUDGET_LINE_MISMATCH", "%s is a %s of %s; name a %s of %s",
			line.GetName(), line.GetDirection(), parent(line.GetName()), e.GetDirection(), parent(e.GetName())).
			Field("ledger_entry.budget_line", "is of another implementation or direction")
	}
	return nil
}

// VerifyLedgerEntry records that somebody else than the claimant has seen that an entry is true.
func (s *Store) VerifyLedgerEntry(ctx context.Context, req *implementationv1.VerifyLedgerEntryRequest) (*implementationv1.LedgerEntry, error) {
	return move(ctx, s, LedgerEntries, req, "verified", func(ctx context.Context, _ *sqldb.Tx, e *implementationv1.LedgerEntry) error {
		if err := lifecycle.EntryVerified.Apply(e); err != nil {
			return err
		}
		if e.GetClaimedBy() == actor(ctx) {
			return fault.Denied("SELF_VERIFICATION", "%s was claimed by %s; somebody else must verify it", e.GetName(), e.GetClaimedBy())
		}
		e.VerifiedBy, e.VerifyTime, e.Verification = actor(ctx), timestamppb.New(s.Now()), req.GetEvidence()
		return nil
	})
}

// ReverseLedgerEntry takes an entry back by another one, and returns that.
func (s *Store) ReverseLedgerEntry(ctx context.Context, req *implementationv1.ReverseLedgerEntryRequest) (*implementationv1.LedgerEntry, error) {
	if _, err := LedgerEntries.Parse(req.GetName()); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.LedgerEntry, error) {
		row, err := LedgerEntries.LockRow(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		old := row.Message
		if etag := req.GetEtag(); etag != "" && etag != old.GetEtag() {
			return nil, staleEtag(old.GetName(), old.GetEtag())
		}
		reversal := lifecycle.Reversal(old, req.GetReason())
		if err := lifecycle.EntryReversed.Apply(old); err != nil {
			return nil, err
		}
		now := s.Now()
		reversal.Name = old.GetName() + "-reversed"
		reversal.Date = now.UTC().Format(time.DateOnly)
		reversal.ClaimedBy = actor(ctx)
		if reversal.GetState() == implementationv1.LedgerEntry_VERIFIED {
			reversal.VerifiedBy, reversal.VerifyTime = actor(ctx), timestamppb.New(now)
		}
		old.ReversedBy = reversal.GetName()
		if err := LedgerEntries.Insert(ctx, tx, s.Store, reversal, resource.Meta{}); err != nil {
			return nil, err
		}
		return reversal, LedgerEntries.Save(ctx, tx, s.Store, old, row.Revision, resource.Meta{Verb: "reversed", Cause: req.GetReason()})
	})
}
