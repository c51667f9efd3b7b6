package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"google.golang.org/protobuf/types/known/durationpb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// receiver is another system of the company, which is told of events. It believes none that is not signed.
type receiver struct {
	server *http.Server
	ended  chan struct{}

	mu     sync.Mutex
	secret *standardwebhooks.Webhook
	heard  map[string]bool // type and subject of those whose signature is right
	wrong  []string        // why others were not believed
}

// event is what is read of a CloudEvent.
type event struct {
	SpecVersion string `json:"specversion"`
	Type        string `json:"golivetype"`
	Subject     string `json:"subject"`
}

// Listen begins to receive the seals of waves and what is decided.
func (d *Demo) Listen(ctx context.Context) error {
	port, err := d.ports.Next(ctx)
	if err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", port)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	r := &receiver{ended: make(chan struct{}), heard: map[string]bool{}}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(r.ended)
		_ = r.server.Serve(listener) // until it is closed
	}()
	d.told = r
	made, err := d.subscriptions.CreateSubscription(ctx, &implementationv1.CreateSubscriptionRequest{Parent: Workspace, SubscriptionId: "crm", Subscription: &implementationv1.Subscription{
		DisplayName: "What the company's other systems hear", Types: []string{"deployment.wave.sealed", "implementation.decision."},
		Destination: &implementationv1.Subscription_Webhook{Webhook: &implementationv1.WebhookDestination{Url: "http://" + address + "/golive"}},
	}})
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	rotated, err := d.subscriptions.RotateSubscription(ctx, &implementationv1.RotateSubscriptionRequest{Name: made.GetName(), Overlap: durationpb.New(0)})
	if err != nil {
		return fmt.Errorf("take the signing secret: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secret, err = standardwebhooks.NewWebhook(rotated.GetSecret())
	return err
}

// ServeHTTP takes an event, if its signature is right.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 1<<20))
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		err = r.secret.Verify(body, req.Header)
	}
	var e event
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	if err == nil && e.SpecVersion != "1.0" {
		err = fmt.Errorf("it is a CloudEvent %q", e.SpecVersion)
	}
	if err != nil {
		r.wrong = append(r.wrong, err.Error())
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.heard[e.Type+" "+e.Subject] = true
	w.WriteHeader(http.StatusNoContent)
}

// close ends the receiver, if there is one.
func (r *receiver) close() {
	if r != nil {
		_ = r.server.Close() // nothing is lost: what was not taken is sent again
		<-r.ended
	}
}

// heard waits until the other system was told of all of it, each time with the right signature.
func (d *Demo) heard(ctx context.Context, events ...string) error {
	var missing, wrong []string
	err := d.until(ctx, "the events at the receiver", func() (bool, error) {
		d.told.mu.Lock()
		defer d.told.mu.Unlock()
		missing, wrong = missing[:0], append([]string(nil), d.told.wrong...)
		for _, e := range events {
			if !d.told.heard[e] {
				missing = append(missing, e)
			}
		}
		return len(missing) == 0, nil
	})
	if len(wrong) > 0 {
		return fmt.Errorf("the receiver could not believe %d events: %s", len(wrong), strings.Join(wrong, "; "))
	}
	if err != nil {
		return fmt.Errorf("%w (%s)", err, strings.Join(missing, ", "))
	}
	return nil
}
