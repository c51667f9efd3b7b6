package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

const (
	redrawEvery = 100 * time.Millisecond
	heartbeat   = 30 * time.Second
	unseen      = 5 * time.Second // how long a picture may be older than the server, should a hint get lost
)

// errEnough ends a watch that has seen what it waited for.
var errEnough = errors.New("enough seen")

// watching is the flags of a watch.
type watching struct{ timeout time.Duration }

func (w *watching) register(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&w.timeout, "timeout", 0, "give up watching after this long, with exit code 8; the deployment goes on")
}

func (a *app) watch() *cobra.Command {
	var w watching
	cmd := &cobra.Command{
		Use: "watch NAME", Short: "Follow a deployment to its end, or the events of anything else",
		Long: "In a terminal the picture is redrawn in its place; elsewhere there is a line for each change and, every 30 s,\n" +
			"one that says what it waits for. With -o ndjson the first line is the deployment as it stands, and each one after\n" +
			"it an event. The exit code is 0 when the deployment succeeded and 6 when it ended otherwise.\n" +
			"An application stands for its newest deployment.",
		Example: "  golive watch crm/deployments/d1\n  golive watch crm\n  golive watch cohorts/sales",
		Args:    cobra.ExactArgs(1),
	}
	w.register(cmd)
	a.completeKind(cmd, "deployment")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		k, name, err := c.subject(ctx, args[0])
		if err != nil {
			return err
		}
		if k.Singular == "deployment" {
			return c.watchDeployment(ctx, name, &w)
		}
		if _, err := c.fetch(ctx, k, name); err != nil {
			return err
		}
		ctx, cancel := w.bound(ctx)
		defer cancel()
		return w.ended(ctx, c.tail(ctx, k, name, nil, "", func(e *eventv1.Event) error {
			return c.printEvents([]*eventv1.Event{e}, time.Now())
		}))
	})
}

func (w *watching) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if w.timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, w.timeout)
}

// ended words the end of a watch by its own clock.
func (w *watching) ended(ctx context.Context, err error) error {
	// The server, which was told the deadline too, may be the first to say so.
	if err != nil && w.timeout > 0 && (errors.Is(ctx.Err(), context.DeadlineExceeded) || fault.Is(err, fault.KindDeadline)) {
		return &complaint{
			code: exitTimeout, what: fmt.Sprintf("not over after %s", w.timeout), why: "watching ended; nothing was stopped", fix: "golive why says what it waits for",
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return &complaint{code: exitInterrupted, what: "interrupted", why: "watching ended; nothing was stopped", fix: "golive watch goes on"}
	}
	return err
}

// picture is a deployment at one moment.
type picture struct {
	deployment *deploymentv1.Deployment
	waves      []*deploymentv1.Wave
}

func (c *client) look(ctx context.Context, name string) (picture, error) {
	var p picture
	d, err := deploymentv1.NewDeploymentServiceClient(c.software).GetDeployment(ctx, &deploymentv1.GetDeploymentRequest{Name: name})
	if err != nil {
		return p, err
	}
	p.deployment = d
	p.waves, err = c.waves(ctx, name)
	return p, err
}

// screen shows pictures, one after the other.
type screen interface {
	draw(ctx context.Context, p picture, now time.Time) error
	idle(now time.Time) error // called from time to time when nothing has changed
}

// watchDeployment follows a deployment to its end. The events are hints: what
// is shown is read again, at most ten times a second.
func (c *client) watchDeployment(ctx context.Context, name string, w *watching) error {
	ctx, cancel := w.bound(ctx)
	defer cancel()
	k := mustFind("deployment")
	if c.format == show.NDJSON {
		return w.ended(ctx, c.streamDeployment(ctx, k, name))
	}
	changed := make(chan struct{}, 1)
	broke := make(chan error, 1)
	go func() {
		broke <- c.tail(ctx, k, name, nil, "", func(*eventv1.Event) error {
			select {
			case changed <- struct{}{}:
			default: // said already
			}
			return nil
		})
	}()
	end := func(err error) error {
		cancel()
		if hint := <-broke; err == nil && ctx.Err() == nil {
			err = hint // it cannot end by itself without a reason
		}
		return err
	}
	s := c.newScreen()
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	last, dirty := time.Time{}, true
	for {
		if now := time.Now(); dirty || now.Sub(last) > unseen {
			p, err := c.look(ctx, name)
			if err != nil {
				return end(w.ended(ctx, err))
			}
			if err := s.draw(ctx, p, now); err != nil {
				return end(err)
			}
			if over(p.deployment.GetState()) {
				return end(verdict(p.deployment))
			}
			last, dirty = now, false
		}
		select {
		case <-ctx.Done():
			return w.ended(ctx, end(ctx.Err()))
		case err := <-broke:
			broke <- err
			return end(w.ended(ctx, err))
		case <-tick.C: // no faster than this
		}
		select {
		case <-changed:
			dirty = true
		default:
		}
		if err := s.idle(time.Now()); err != nil {
			return end(err)
		}
	}
}

// streamDeployment writes a deployment as it stands, and then every event of it until the one with which it ended.
func (c *client) streamDeployment(ctx context.Context, k *kind.Kind, name string) error {
	// The position comes before the look, so that no end falls between them.
	before, err := c.eventClient(k).ListEvents(ctx, &eventv1.ListEventsRequest{Parent: name, PageSize: 1})
	if err != nil {
		return err
	}
	p, err := c.look(ctx, name)
	if err != nil {
		return err
	}
	if err := show.Encode(c.out, show.NDJSON, p.deployment); err != nil || over(p.deployment.GetState()) {
		return cmp.Or(err, verdict(p.deployment))
	}
	token := ""
	for _, e := range before.GetEvents() {
		token = e.GetToken()
	}
	ended := new(deploymentv1.Deployment)
	err = c.tail(ctx, k, name, nil, token, func(e *eventv1.Event) error {
		if err := show.Encode(c.out, show.NDJSON, e); err != nil {
			return err
		}
		if e.GetResource() == name && e.GetAfter().UnmarshalTo(ended) == nil && over(ended.GetState()) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return verdict(ended)
	}
	return err
}

func (c *client) newScreen() screen {
	file, ok := c.terminal(c.out)
	if !ok || !c.format.ForPeople() {
		return &lines{client: c}
	}
	return &drawn{client: c, live: show.Live{Out: c.out, Size: func() (int, int) {
		width, height, err := term.GetSize(int(file.Fd()))
		if err != nil {
			return 80, 24
		}
		return width, height
	}}}
}
