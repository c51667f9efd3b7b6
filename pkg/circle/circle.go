// Package circle finds out whether a thing waits, through others, for itself.
// It knows nothing of what the things are: the caller says what each waits for.
package circle

import (
	"context"
	"slices"
)

// Find walks breadth first along what next says each thing waits for, and returns
// a shortest way from start back to start, both ends included: A, B, A. It returns
// nil where none was found among the things that were asked about, of which there are at most
// `most`. Each is asked about once. It stops with the first error of next, and with that of ctx.
func Find(ctx context.Context, start string, next func(ctx context.Context, name string) ([]string, error), most int) ([]string, error) {
	before := map[string]string{start: ""}
	for queue := []string{start}; len(queue) > 0 && most > 0; most-- {
		name := queue[0]
		queue = queue[1:]
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		reached, err := next(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, to := range reached {
			if to == start {
				return way(before, name, start), nil
			}
			if _, seen := before[to]; !seen {
				before[to] = name
				queue = append(queue, to)
			}
		}
	}
	return nil, nil
}

// way is the path from start to last as it was walked, closed by start.
func way(before map[string]string, last, start string) []string {
	path := []string{start, last}
	for name := last; name != start; {
		name = before[name]
		path = append(path, name)
	}
	if last == start {
		path = path[:2]
	}
	slices.Reverse(path)
	return path
}
