package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/delivery"
)

// deliveryKind reads names and lists; the rows are written here, without a message and without
// events: the log would tell of what is told of the log.
var deliveryKind = resource.Define(resource.Spec[*implementationv1.EventDelivery]{
	Table:   "event_deliveries",
	Columns: []resource.Column[*implementationv1.EventDelivery]{{Field: "state"}, {Field: "event_type"}},
})

// QueueEvents writes down which subscription gets which of the events; what follows the logs calls it in the transaction that
// moves its position. An event that a subscription has already is not written twice.
func (s *Store) QueueEvents(ctx context.Context, tx *sqldb.Tx, events []*eventv1.Event) error {
	var workspaces []string
	for _, e := range events {
		workspaces = append(workspaces, Workspace(e.GetResource()))
	}
	slices.Sort(workspaces)
	subs, err := subscriptionsOf(ctx, tx, slices.Compact(workspaces))
	if err != nil || len(subs) == 0 {
		return err
	}
	var queued []queuedEvent
	for _, e := range events {
		for _, sub := range subs[Workspace(e.GetResource())] {
			if delivery.Wants(sub, e) {
				queued = append(queued, queuedEvent{sub.GetName(), e})
			}
		}
	}
	if len(queued) > 0 {
		tx.AfterCommit(s.eventsWait)
	}
	return s.insertDeliveries(ctx, tx, queued)
}

type queuedEvent struct {
	subscription string
	event        *eventv1.Event
}

// insertDeliveries stores them in an order that the ids keep.
func (s *Store) insertDeliveries(ctx context.Context, tx *sqldb.Tx, queued []queuedEvent) error {
	const columns = 15
	now, nth := s.Now(), 0
	for _, size := range []int{20, 1} {
		text := `INSERT INTO event_deliveries (name, parent, event_id, event_type, resource, state, attempts, tries, claims, due_time, create_time, update_time, end_time, event, log)
			VALUES ` + sqldb.Tuples(size, columns) + ` ON CONFLICT (parent, event_id) DO NOTHING`
		for ; len(queued) >= size; queued = queued[size:] {
			args := make([]any, 0, size*columns)
			for _, q := range queued[:size] {
				data, err := proto.Marshal(q.event)
				if err != nil {
					return fmt.Errorf("queue the event %s: %w", q.event.GetToken(), err)
				}
				args = append(args, deliveryKind.Name(q.subscription, deliveryID(now.UnixMicro(), nth)), q.subscription, q.event.GetToken(), q.event.GetType(), q.event.GetResource(),
					int64(implementationv1.EventDelivery_PENDING), 0, 0, 0, now.UnixMicro(), now.UnixMicro(), now.UnixMicro(), 0, data, []byte{})
				nth++
			}
			if err := tx.Queue(ctx, func(err error) error { return fmt.Errorf("queue events: %w", err) }, text, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// deliveryID rises with time and with the number in a batch: events are sent in its order, and what goes into an index in order goes in fast.
func deliveryID(micros int64, nth int) string {
	return fmt.Sprintf("e%013x%05x%s", micros, nth, strings.ToLower(rand.Text()[:10]))
}

// eventsWait is a hint for who sends; a sweep stands behind it.
func (s *Store) eventsWait() {
	select {
	case s.eventHint <- struct{}{}:
	default:
	}
}

// EventHint has a value when events were queued, or may be sent again.
func (s *Store) EventHint() <-chan struct{} { return s.eventHint }

const deliveryColumns = "name, event_id, event_type, resource, state, attempts, due_time, create_time, update_time, end_time, log"

func scanDelivery(row interface{ Scan(dest ...any) error }) (*implementationv1.EventDelivery, error) {
	d := &implementationv1.EventDelivery{}
	var due, created, updated, ended int64
	var log []byte
	if err := row.Scan(&d.Name, &d.EventId, &d.EventType, &d.Resource, &d.State, &d.AttemptCount, &due, &created, &updated, &ended, &log); err != nil {
		return nil, err
	}
	if err := (proto.UnmarshalOptions{Merge: true}).Unmarshal(log, d); err != nil {
		return nil, fmt.Errorf("read the attempts of %s: %w", d.GetName(), err)
	}
	d.Uid = d.GetName()[strings.LastIndexByte(d.GetName(), '/')+1:]
	d.CreateTime, d.UpdateTime, d.EndTime = stamp(fromMicros(created)), stamp(fromMicros(updated)), stamp(fromMicros(ended))
	if d.GetState() == implementationv1.EventDelivery_PENDING {
		d.NextAttemptTime = stamp(fromMicros(due))
	}
	return d, nil
}

// EventDelivery reads one, or answers RESOURCE_NOT_FOUND.
func (s *Store) EventDelivery(ctx context.Context, name string) (*implementationv1.EventDelivery, error) {
	if _, err := deliveryKind.Parse(name); err != nil {
		return nil, err
	}
	return loadDelivery(ctx, s.DB().Read(), name)
}

func loadDelivery(ctx context.Context, q sqldb.Queryer, name string) (*implementationv1.EventDelivery, error) {
	d, err := scanDelivery(q.QueryRowContext(ctx, "SELECT "+deliveryColumns+" FROM event_deliveries WHERE name = $1", name))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, deliveryKind.NotFound(name)
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", name, err)
	}
	return d, nil
}

// ListEventDeliveries pages through them.
func (s *Store) ListEventDeliveries(ctx context.Context, req *implementationv1.ListEventDeliveriesRequest) ([]*implementationv1.EventDelivery, string, error) {
	return deliveryKind.ListRows(ctx, s.Store, req, "SELECT "+deliveryColumns+" FROM event_deliveries",
		func(rows *sql.Rows) (*implementationv1.EventDelivery, error) { return scanDelivery(rows) })
}

// RedeliverEvent sends one again, now, with all the attempts that a new one has.
func (s *Store) RedeliverEvent(ctx context.Context, req *implementationv1.RedeliverEventDeliveryRequest) (*implementationv1.EventDelivery, error) {
	ids, err := deliveryKind.Parse(req.GetName())
	if err != nil {
		return nil, err
	}
	subscription := Subscriptions.Name("workspaces/"+ids[0], ids[1])
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.EventDelivery, error) {
		if _, err := enabled(ctx, tx, subscription); err != nil {
			return nil, err
		}
		now := s.Now().UnixMicro()
		_, err := tx.ExecContext(ctx, `UPDATE event_deliveries SET state = $2, tries = 0, claims = claims + 1, due_time = $3, update_time = $3, end_time = 0 WHERE name = $1`,
			req.GetName(), int64(implementationv1.EventDelivery_PENDING), now)
		if err != nil {
			return nil, fmt.Errorf("send %s again: %w", req.GetName(), err)
		}
		tx.AfterCommit(s.eventsWait)
		return loadDelivery(ctx, tx, req.GetName())
	})
}

// enabled locks a subscription, and refuses with STATE_FORBIDS while it is DISABLED.
func enabled(ctx context.Context, tx *sqldb.Tx, name string) (*implementationv1.Subscription, error) {
	sub, err := Subscriptions.Lock(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	if sub.GetState() != implementationv1.Subscription_ENABLED {
		return nil, fault.Precondition("STATE_FORBIDS", "%s is disabled, and nothing is sent; enable it first (golive subscription enable)", name).
			Subject("STATE", name, "is DISABLED")
	}
	return sub, nil
}

// TestEvent queues the event of a test, which is left to the caller for the time of the lease; fresh is false where there is nothing to send: the
// request was only checked, or is one that came before.
func (s *Store) TestEvent(ctx context.Context, req *implementationv1.TestSubscriptionRequest) (d *implementationv1.EventDelivery, fresh bool, err error) {
	if _, err := Subscriptions.Parse(req.GetName()); err != nil {
		return nil, false, err
	}
	d, err = do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.EventDelivery, error) {
		sub, err := enabled(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		if req.GetEtag() != "" && req.GetEtag() != sub.GetEtag() {
			return nil, staleEtag(req.GetName(), sub.GetEtag())
		}
		now := s.Now()
		event := &eventv1.Event{Token: "test-" + strings.ToLower(rand.Text()[:20]), Resource: sub.GetName(), Type: delivery.Tested, Actor: actor(ctx), Time: timestamppb.New(now)}
		data, err := proto.Marshal(event)
		if err != nil {
			return nil, err
		}
		name := deliveryKind.Name(sub.GetName(), deliveryID(now.UnixMicro(), 0))
		_, err = tx.ExecContext(ctx, `INSERT INTO event_deliveries (name, parent, event_id, event_type, resource, state, attempts, tries, claims, due_time, create_time, update_time, end_time, event, log)
			VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, $7, $8, $8, 0, $9, $10)`, name, sub.GetName(), event.GetToken(), event.GetType(), event.GetResource(),
			int64(implementationv1.EventDelivery_PENDING), now.Add(testLease).UnixMicro(), now.UnixMicro(), data, []byte{})
		if err != nil {
			return nil, fmt.Errorf("queue the test of %s: %w", sub.GetName(), err)
		}
		fresh = true
		return loadDelivery(ctx, tx, name)
	})
	return d, fresh && !req.GetValidateOnly(), err
}
