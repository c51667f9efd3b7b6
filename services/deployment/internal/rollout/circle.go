package rollout

import (
	"strings"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// Circle is what a wave waits for that waits for the wave in turn.
type Circle struct {
	// Path are full names, from the wave to the wave.
	Path []string
	// Since is when it was found.
	Since time.Time
}

// GetPath returns the path, of nil too.
func (c *Circle) GetPath() []string {
	if c == nil {
		return nil
	}
	return c.Path
}

// circleReasons says that a wave waits for itself; nothing where it does not.
func circleReasons(w *deploymentv1.Wave, f *Facts) []*gatev1.BlockedBy {
	path := f.Circles[w.GetName()].GetPath()
	if len(path) < 2 {
		return nil
	}
	return []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_CYCLE, Resource: path[1], Current: "they wait for each other: " + strings.Join(path, " → "),
		Required: "one of them that does not wait for the next", Owner: "operators", Since: stamp(f.Circles[w.GetName()].Since), Command: "golive why " + w.GetName(),
	}}
}
