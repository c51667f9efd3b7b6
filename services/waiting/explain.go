package waiting

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/circle"
	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/owner"
)

const (
	mostAsked = 200 // resources in one search
	atOnce    = 8   // questions at a time
)

// Explain says why a resource waits, and follows each reason through both services to what nothing else is behind.
// It asks about each resource once, at most 200 and for 5 s; what it could not ask about by then ends the search
// there. Where the keeper of the resource itself does not answer, its error is returned.
func Explain(ctx context.Context, peers Peers, resource string) (*waitingv1.Explanation, error) {
	service, err := owner.Of(resource)
	if err != nil {
		return nil, err
	}
	if service == owner.Both {
		return nil, fault.Invalid("WAITING_UNSUPPORTED", "%s is a workspace, which waits for nothing; list what waits in it: golive inbox", resource).
			Field("resource", "is a workspace")
	}
	first, err := peers.ask(ctx, service, resource)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, walkTimeout)
	defer cancel()
	w := &walk{peers: peers, start: resource, known: map[string]*waitingv1.Waiting{}, down: map[owner.Service]bool{}, depends: map[string][]string{}, behind: map[string][]string{}}
	w.take(resource, first)
	for level := w.open(); len(level) > 0; level = w.open() {
		if err := w.askAll(ctx, level); err != nil {
			return nil, err
		}
	}
	return w.explanation(ctx)
}

// walk is a search, breadth first.
type walk struct {
	peers   Peers
	start   string
	order   []string                      // as they were found
	known   map[string]*waitingv1.Waiting // by name; nil for what was asked about in vain
	depends map[string][]string
	behind  map[string][]string    // what a service said is behind a resource, though no reason names it: agents behind a wave
	down    map[owner.Service]bool // services that did not answer: not asked again
}

// take keeps what a service said about a resource, and about what is behind it.
func (w *walk) take(resource string, e *waitingv1.Explanation) {
	w.put(resource, e.GetWaiting())
	w.depends[resource] = e.GetDependsOn()
	for _, behind := range e.GetBehind() {
		if len(w.known) < mostAsked && behind.GetResource() != "" {
			w.put(behind.GetResource(), behind)
			w.behind[resource] = append(w.behind[resource], behind.GetResource())
		}
	}
}

func (w *walk) put(resource string, waits *waitingv1.Waiting) {
	if _, known := w.known[resource]; !known {
		w.order = append(w.order, resource)
	}
	w.known[resource] = waits
}

// open are the resources to ask about next: those that reasons name, and where a reason is one of the other service, what this
// resource depends on there, because it may be the one that repeats the reason.
func (w *walk) open() []string {
	var next []string
	want := func(name string) {
		if _, known := w.known[name]; known || slices.Contains(next, name) || len(w.known)+len(next) >= mostAsked {
			return
		}
		if service, err := owner.Of(name); err == nil && service != owner.Both && !w.down[service] {
			next = append(next, name)
		}
	}
	for _, name := range w.reached() {
		for _, b := range w.known[name].GetBlockedBy() {
			want(b.GetResource())
			if !apart(name, b.GetResource()) {
				continue
			}
			for _, on := range w.depends[name] {
				if apart(name, on) {
					want(on)
				}
			}
		}
	}
	return next
}

// reached is what the reasons lead to from the start, nearest first, and what a service said is behind. What was asked about and does
// not wait for any of that is left out.
func (w *walk) reached() []string {
	found := []string{w.start}
	for i := 0; i < len(found); i++ {
		from := w.known[found[i]]
		for _, name := range w.order {
			if w.waits(name) && !slices.Contains(found, name) && (Leads(from, w.known[name]) || slices.Contains(w.behind[found[i]], name)) {
				found = append(found, name)
			}
		}
	}
	return found
}

// apart says that two resources are of different services.
func apart(a, b string) bool {
	one, err := owner.Of(a)
	other, also := owner.Of(b)
	return err == nil && also == nil && one != other
}

// Leads says that a thing waits for another: a reason names it, or is one that the other, in the other service, has itself.
func Leads(from, to *waitingv1.Waiting) bool {
	return slices.ContainsFunc(from.GetBlockedBy(), func(b *gatev1.BlockedBy) bool {
		if b.GetResource() == to.GetResource() {
			return from.GetResource() != to.GetResource()
		}
		return slices.ContainsFunc(to.GetBlockedBy(), func(own *gatev1.BlockedBy) bool { return Same(b, own) }) &&
			apart(from.GetResource(), to.GetResource())
	})
}

// Same says that two reasons are one, told twice.
func Same(a, b *gatev1.BlockedBy) bool {
	return a.GetResource() == b.GetResource() && a.GetRequired() == b.GetRequired()
}

// askAll asks about a level, and files the answers in the order of the questions.
func (w *walk) askAll(ctx context.Context, level []string) error {
	answers, errs := make([]*waitingv1.Explanation, len(level)), make([]error, len(level))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, name := range level {
		group.Go(func() error {
			service, err := owner.Of(name)
			if err == nil {
				answers[i], err = w.peers.ask(ctx, service, name)
			}
			errs[i] = err
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, name := range level {
		if silent(errs[i]) {
			service, _ := owner.Of(name)
			w.down[service] = true
		}
		if errs[i] != nil {
			w.known[name] = nil // it cannot be asked about, which ends the search here
			continue
		}
		w.take(name, answers[i])
	}
	return nil
}

// waits says that something is known to wait, so that a reason that names it is not the last one.
func (w *walk) waits(resource string) bool { return len(w.known[resource].GetBlockedBy()) > 0 }

func (w *walk) explanation(ctx context.Context) (*waitingv1.Explanation, error) {
	e := &waitingv1.Explanation{Waiting: w.known[w.start], DependsOn: w.depends[w.start]}
	if e.GetWaiting() == nil {
		e.Waiting = &waitingv1.Waiting{Resource: w.start}
	}
	for _, name := range w.reached() {
		if name != w.start {
			e.Behind = append(e.Behind, w.known[name])
		}
		for _, b := range w.known[name].GetBlockedBy() {
			if b.GetResource() == name || !w.waits(b.GetResource()) {
				e.RootCauses = addReason(e.GetRootCauses(), b)
			}
		}
	}
	for _, service := range []owner.Service{owner.Deployment, owner.Implementation} {
		if w.down[service] {
			e.Unreachable = append(e.Unreachable, service.String())
		}
	}
	return e, w.cycle(ctx, e)
}

// cycle finds what waits for itself, among what was walked: by its reasons, and by what its plan says that it will wait for.
func (w *walk) cycle(ctx context.Context, e *waitingv1.Explanation) error {
	next := func(_ context.Context, name string) ([]string, error) {
		var names []string
		for _, b := range w.known[name].GetBlockedBy() {
			if b.GetResource() != name { // a reason in the thing itself is no circle
				names = append(names, b.GetResource())
			}
		}
		return append(names, w.depends[name]...), nil
	}
	for _, name := range w.order {
		path, err := circle.Find(context.WithoutCancel(ctx), name, next, mostAsked)
		if err != nil {
			return fmt.Errorf("find what waits for itself: %w", err)
		}
		if path != nil {
			e.Cycle = path
			break
		}
	}
	if e.GetCycle() == nil || len(e.GetRootCauses()) > 0 {
		return nil
	}
	e.RootCauses = []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_CYCLE, Resource: e.GetCycle()[0], Current: "waits for itself: " + strings.Join(e.GetCycle(), " → "),
		Required: "one of them that does not wait for the next", Owner: e.GetWaiting().GetOwner(), Since: e.GetWaiting().GetSince(),
		Command: "golive describe " + e.GetCycle()[0],
	}}
	return nil
}

// addReason adds a reason unless it is there.
func addReason(all []*gatev1.BlockedBy, b *gatev1.BlockedBy) []*gatev1.BlockedBy {
	if slices.ContainsFunc(all, func(a *gatev1.BlockedBy) bool { return Same(a, b) }) {
		return all
	}
	return append(all, proto.CloneOf(b))
}
