package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// ReasonPersonErased is the reason of a refusal to bring somebody back.
const ReasonPersonErased = "PERSON_ERASED"

// Erasures is the kind of receipts. A pseudonym with a receipt is retired for ever.
var Erasures = resource.Define(resource.Spec[*implementationv1.Erasure]{
	Table:   "erasures",
	Columns: []resource.Column[*implementationv1.Erasure]{{Field: "state"}},
	ID: func(id string) error {
		if !sheet.IsPersonID(id) {
			return errors.New("a receipt has the id of a person")
		}
		return nil
	},
})

// BeginErasure removes what this database knows of a person, and retires the pseudonym. The person's row stays until
// FinishErasure, because other stores find what is theirs by its ordinal. Somebody who was erased gets the receipt there is.
func (s *Store) BeginErasure(ctx context.Context, req *implementationv1.ErasePersonRequest) (*implementationv1.Erasure, error) {
	if _, err := People.Parse(req.GetName()); err != nil {
		return nil, err
	}
	name := Erasures.Name(Workspace(req.GetName()), personID(req.GetName()))
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.Erasure, error) {
		earlier, err := Erasures.Lock(ctx, tx, name)
		if err == nil || !fault.Is(err, fault.KindNotFound) {
			return earlier, err
		}
		if _, err := People.LockRow(ctx, tx, req.GetName()); err != nil {
			return nil, err
		}
		items, err := s.wipe(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		receipt := &implementationv1.Erasure{
			Name: name, State: implementationv1.Erasure_ERASING, Items: items, Requester: actor(ctx), Reason: req.GetReason(),
		}
		return receipt, Erasures.Insert(ctx, tx, s.Store, receipt, resource.Meta{})
	})
}

// OpenErasures are those that are not done: somebody is at it, or a process died.
func (s *Store) OpenErasures(ctx context.Context) ([]*implementationv1.Erasure, error) {
	return Erasures.Select(ctx, s.DB().Read(), fmt.Sprintf("WHERE state = %d ORDER BY name LIMIT 100", implementationv1.Erasure_ERASING))
}

// FinishErasure removes the person's row, whatever came up meanwhile, and completes the receipt by what other stores removed.
func (s *Store) FinishErasure(ctx context.Context, name string, elsewhere []*implementationv1.ErasedData) (receipt *implementationv1.Erasure, err error) {
	person := People.Name(Workspace(name), personID(name))
	err = s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		row, err := Erasures.LockRow(ctx, tx, name)
		if err != nil {
			return err
		}
		receipt = row.Message
		if receipt.GetState() == implementationv1.Erasure_DONE {
			return nil // another process was faster
		}
		// Nobody adds anything to the person from here on.
		if _, err := People.LockRow(ctx, tx, person); err != nil && !fault.Is(err, fault.KindNotFound) {
			return err
		}
		late, err := s.wipe(ctx, tx, person)
		if err != nil {
			return err
		}
		receipt.Items = sum(receipt.GetItems(), late)
		receipt.Items = append(append(receipt.GetItems(), elsewhere...), kept()...)
		receipt.State = implementationv1.Erasure_DONE
		err = People.Remove(ctx, tx, s.Store, person, resource.Meta{Verb: "erased"})
		if err != nil && !fault.Is(err, fault.KindNotFound) {
			return err
		}
		return Erasures.Save(ctx, tx, s.Store, receipt, row.Revision, resource.Meta{Verb: "completed"})
	})
	return receipt, err
}

// sum adds what was removed later to what was removed at first.
func sum(items, late []*implementationv1.ErasedData) []*implementationv1.ErasedData {
	for _, more := range late {
		at := slices.IndexFunc(items, func(i *implementationv1.ErasedData) bool {
			return i.GetData() == more.GetData() && i.GetAction() == more.GetAction()
		})
		if at < 0 {
			items = append(items, more)
			continue
		}
		items[at].Count += more.GetCount()
	}
	return items
}

// kept is what an erasure leaves, and why.
func kept() []*implementationv1.ErasedData {
	const action = implementationv1.ErasedData_KEPT
	return []*implementationv1.ErasedData{
		{Data: "events", Action: action, Why: "The log shows who did what and when. It names the pseudonym, which is nobody's any more and is never given again."},
		{Data: "counts", Action: action, Why: "Verdicts, decisions, released results and counts of deliveries say how many, not who."},
		{Data: "ledger", Action: action, Why: "Bookings are kept as accounts must be. They name who booked, and not whom a benefit comes from."},
		{Data: "receipt", Action: action, Why: "This receipt shows that the request was met, and keeps the pseudonym retired."},
	}
}

// erased are those of the people who were erased.
func erased(ctx context.Context, q sqldb.Queryer, people []string) (map[string]bool, error) {
	gone := map[string]bool{}
	for part := range slices.Chunk(people, chunk) {
		names := make([]any, len(part))
		for i, person := range part {
			names[i] = Erasures.Name(Workspace(person), personID(person))
		}
		rows, err := q.QueryContext(ctx, "SELECT name FROM erasures WHERE name IN ("+sqldb.Marks(1, len(part))+")", names...)
		found, err := sqldb.Collect(rows, err, scanText)
		if err != nil {
			return nil, fmt.Errorf("who was erased: %w", err)
		}
		for _, name := range found {
			gone[strings.Replace(name, "/erasures/", "/people/", 1)] = true
		}
	}
	return gone, nil
}

// notErased refuses to give a pseudonym to somebody again.
func notErased(ctx context.Context, q sqldb.Queryer, people ...string) error {
	gone, err := erased(ctx, q, people)
	if err != nil {
		return err
	}
	for _, person := range people {
		if gone[person] {
			return fault.Precondition(ReasonPersonErased, "%s was erased, and the pseudonym is retired for ever; give another one", person).
				Subject("ERASED", person, "was erased")
		}
	}
	return nil
}

// KnownPeople are those of the people who exist and are not being erased.
func (s *Store) KnownPeople(ctx context.Context, people []string) (map[string]bool, error) {
	found := make(map[string]bool, len(people))
	for part := range slices.Chunk(people, chunk) {
		rows, err := s.DB().Read().QueryContext(ctx, "SELECT name FROM people WHERE name IN ("+sqldb.Marks(1, len(part))+")", sqldb.Texts(part)...)
		some, err := sqldb.Collect(rows, err, scanText)
		if err != nil {
			return nil, fmt.Errorf("look up people: %w", err)
		}
		for _, name := range some {
			found[name] = true
		}
	}
	gone, err := erased(ctx, s.DB().Read(), people)
	for person := range gone {
		delete(found, person)
	}
	return found, err
}
