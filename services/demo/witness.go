package demo

import (
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Witness asks every target all the time which version it runs, from outside and
// without golive, and notes each time that it did not answer.
type Witness struct {
	client *http.Client
	stop   context.CancelFunc
	ctx    context.Context //nolint:containedctx // it is the life of the goroutines, which outlive every call
	asking sync.WaitGroup

	mu     sync.Mutex
	seen   map[string]*Sighting
	counts map[string]Count
}

// Count is what a version did with the requests that it took.
type Count struct{ Total, Bad int64 }

// Sighting is what was seen of one target.
type Sighting struct {
	// Version is what answered last; empty when nothing did.
	Version string
	// Gaps are the times in which it did not answer after it had once.
	Gaps []Gap
	// Answers counts.
	Answers int
}

// Gap is a time without an answer.
type Gap struct{ From, To time.Time }

// NewWitness starts with nothing to watch.
func NewWitness() *Witness {
	ctx, stop := context.WithCancel(context.Background())
	return &Witness{client: &http.Client{Timeout: time.Second}, ctx: ctx, stop: stop, seen: map[string]*Sighting{}, counts: map[string]Count{}}
}

// Watch asks a target from now on, fifty times a second.
func (w *Witness) Watch(target, url string) {
	w.mu.Lock()
	w.seen[target] = &Sighting{}
	w.mu.Unlock()
	w.asking.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-w.ctx.Done():
				return
			case <-tick.C:
				began := time.Now()
				version, bad := w.ask(url)
				if w.ctx.Err() == nil {
					w.note(target, version, bad, began)
				}
			}
		}
	})
}

// ask returns the version that took the request, if any did, and whether it failed it.
func (w *Witness) ask(url string) (version string, bad bool) {
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, url+"/version", nil)
	if err != nil {
		return "", false
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return "", false
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	body, err := io.ReadAll(io.LimitReader(resp.Body, 100))
	version = resp.Header.Get("App-Version")
	return version, err != nil || resp.StatusCode != http.StatusOK || strings.TrimSpace(string(body)) != version
}

func (w *Witness) note(target, version string, bad bool, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.seen[target]
	switch {
	case version != "":
		s.Answers++
		count := w.counts[version]
		if count.Total++; bad {
			count.Bad++
		}
		w.counts[version] = count
		if s.Version == "" && len(s.Gaps) > 0 {
			s.Gaps[len(s.Gaps)-1].To = at
		}
	case s.Version != "":
		s.Gaps = append(s.Gaps, Gap{From: at})
	}
	s.Version = version
}

// Versions says what each target answers now.
func (w *Witness) Versions() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[string]string, len(w.seen))
	for target, s := range w.seen {
		out[target] = s.Version
	}
	return out
}

// Counts says what each version did with the requests that it took so far.
func (w *Witness) Counts() map[string]Count {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.counts)
}

// GapsSince returns the gaps of each target that began after a moment.
func (w *Witness) GapsSince(t time.Time) map[string][]Gap {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string][]Gap{}
	for target, s := range maps.All(w.seen) {
		for _, g := range s.Gaps {
			if g.From.After(t) {
				out[target] = append(out[target], g)
			}
		}
	}
	return out
}

// Stop ends the watch.
func (w *Witness) Stop() {
	w.stop()
	w.asking.Wait()
}
