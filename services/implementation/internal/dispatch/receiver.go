package dispatch

import (
	"context"
	"sync"
	"time"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// receiver is where the events of a subscription go, looked at again while they are sent: who disables it, corrects its address
// or takes a secret back at once does not wait for the end of a batch.
type receiver struct {
	store *store.Store
	name  string

	mu   sync.Mutex
	at   time.Time
	read *store.EventReceiver // nil where it is disabled or gone
	sub  *implementationv1.Subscription
}

// receiver reads it for the first time.
func (d *Dispatcher) receiver(ctx context.Context, name string) (*receiver, error) {
	r := &receiver{store: d.store, name: name}
	return r, r.look(ctx)
}

func (r *receiver) look(ctx context.Context) (err error) {
	if r.read, err = r.store.EventReceiver(ctx, r.name); r.read != nil {
		r.sub = r.read.Subscription
	}
	r.at = time.Now()
	return err
}

// now is the receiver; nil where nothing is to be sent any more, or nobody can say.
func (r *receiver) now(ctx context.Context) *store.EventReceiver {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.at) > fresh {
		_ = r.look(ctx) // without an answer nothing is sent, and all of it comes again
	}
	return r.read
}

// last is the subscription as it was when it was last read.
func (r *receiver) last() *implementationv1.Subscription {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sub
}
