package circle

import "context"

// Next says what a thing waits for.
type Next func(ctx context.Context, name string) ([]string, error)

// Graph is what waits for what where two keep a part of it each: what is kept here can always be asked, and what is kept elsewhere
// may be silent. Each thing is asked about once. It is for one search, by one goroutine.
type Graph struct {
	// Elsewhere tells by its name what is not kept here.
	Elsewhere func(name string) bool
	// Here and There ask; There is nil where nobody else is.
	Here, There Next

	known, more map[string][]string
	deaf        bool
}

// Set says what a thing waits for, whatever whoever keeps it would say: it is about to be changed.
func (g *Graph) Set(name string, to ...string) {
	if g.known == nil {
		g.known = map[string][]string{}
	}
	g.known[name] = append([]string{}, to...)
}

// Add says what a thing waits for beside what whoever keeps it says.
func (g *Graph) Add(name string, to ...string) {
	if g.more == nil {
		g.more = map[string][]string{}
	}
	g.more[name] = append(g.more[name], to...)
}

// Deaf tells whether the other side did not answer, so that what was not found may be there.
func (g *Graph) Deaf() bool { return g.deaf }

// Find is the function of that name over this graph.
func (g *Graph) Find(ctx context.Context, start string, most int) ([]string, error) {
	return Find(ctx, start, g.next, most)
}

func (g *Graph) next(ctx context.Context, name string) ([]string, error) {
	if to, known := g.known[name]; known {
		return to, nil
	}
	ask := g.Here
	elsewhere := g.Elsewhere(name)
	if elsewhere {
		ask = g.There
	}
	var to []string
	if ask != nil && (!elsewhere || !g.deaf) {
		var err error
		to, err = ask(ctx, name)
		switch {
		case err != nil && !elsewhere:
			return nil, err
		case err != nil:
			to, g.deaf = nil, true // it is not asked again: whoever waits for the search has little patience
		}
	}
	g.Set(name, append(to, g.more[name]...)...)
	return g.known[name], nil
}
