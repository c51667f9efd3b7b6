package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// listing is the flags of a list.
type listing struct {
	filter, order string
	limit         int
}

func (l *listing) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.filter, "filter", "", `which ones, in AIP-160: 'state="RUNNING"'`)
	cmd.Flags().StringVar(&l.order, "order-by", "", `in which order: "create_time desc"`)
	cmd.Flags().IntVar(&l.limit, "limit", page, "how many at most; 0 for all")
}

func (a *app) get() *cobra.Command {
	var l listing
	cmd := &cobra.Command{
		Use: "get KIND [NAME…]", Short: "Show resources of a kind, or all of them",
		Example: "  golive get deployment crm/deployments/d1\n  golive get targets -o wide",
		Args:    cobra.MinimumNArgs(1),
	}
	l.register(cmd)
	a.completeNames(cmd)
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		if strings.Contains(args[0], "/") {
			k, _, err := c.any(args[0])
			if err != nil {
				return err
			}
			args = append([]string{k.Singular}, args...)
		}
		k, err := find(args[0])
		if err != nil {
			return err
		}
		if len(args) == 1 {
			return c.showList(ctx, k, "", l)
		}
		found := make([]proto.Message, 0, len(args)-1)
		for _, given := range args[1:] {
			name, err := c.name(k, given)
			if err != nil {
				return err
			}
			m, err := c.fetch(ctx, k, name)
			if err != nil {
				return err
			}
			found = append(found, m)
		}
		if len(found) == 1 {
			return c.printOne(k, found[0])
		}
		return c.printAll(k, found)
	})
}

func (a *app) list() *cobra.Command {
	var (
		l      listing
		parent string
	)
	cmd := &cobra.Command{
		Use: "list KIND [PARENT]", Short: "List resources of a kind, everywhere or below a parent",
		Example: "  golive list deployments crm\n  golive list waves crm/deployments/d1\n  golive list releases --filter 'version=\"2.0.0\"'",
		Args:    cobra.RangeArgs(1, 2), Aliases: []string{"ls"},
	}
	l.register(cmd)
	cmd.Flags().StringVar(&parent, "parent", "", "the same as the argument PARENT")
	a.completeKinds(cmd)
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		k, err := find(args[0])
		if err != nil {
			return err
		}
		return c.showList(ctx, k, parent+strings.Join(args[1:], ""), l)
	})
}

func (c *client) showList(ctx context.Context, k *kind.Kind, parent string, l listing) error {
	parent, err := k.Parent(c.workspace, parent)
	if err != nil {
		return usage(err.Error(), "golive list "+k.Plural+" alone lists them everywhere")
	}
	order := l.order
	switch {
	case order != "":
	case k.Singular == "deployment":
		order = "create_time desc" // their ids may be the server's, which say nothing
	case k.Singular == "stage" && !strings.HasSuffix(parent, "/-"):
		order = "position" // as they follow each other
	}
	all, more, err := c.all(ctx, k, query{parent: parent, filter: l.filter, order: order, limit: l.limit})
	if err != nil {
		return err
	}
	if more {
		c.note("only the first %d are shown; --limit 0 shows all", len(all))
	}
	return c.printAll(k, all)
}

func (a *app) describe() *cobra.Command {
	cmd := &cobra.Command{
		Use: "describe [KIND] NAME", Short: "Show everything about one resource, with its latest events",
		Example: "  golive describe crm/d1\n  golive describe prod/targets/shop-1", Args: cobra.RangeArgs(1, 2),
	}
	a.completeNames(cmd)
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		k, name, err := c.described(ctx, args)
		if err != nil {
			return err
		}
		m, err := c.fetch(ctx, k, name)
		if err != nil {
			return err
		}
		if !c.format.ForPeople() {
			return c.printOne(k, m)
		}
		if err := show.Encode(c.out, show.YAML, m); err != nil {
			return err
		}
		events, err := c.eventClient(k).ListEvents(ctx, &eventv1.ListEventsRequest{Parent: name, PageSize: 10})
		if err != nil {
			return err
		}
		if err := c.say("\n%s", c.style.Bold("Latest events")); err != nil {
			return err
		}
		return c.printEvents(events.GetEvents(), time.Now())
	})
}

// described is kindAndName, and beside it what why takes: crm/d1 is a deployment, crm/waves/sales is of the newest.
func (c *client) described(ctx context.Context, args []string) (*kind.Kind, string, error) {
	k, name, err := c.kindAndName(args)
	if err != nil && len(args) == 1 && strings.Contains(args[0], "/") {
		if k, name, err := c.subject(ctx, args[0]); err == nil {
			return k, name, nil
		}
	}
	return k, name, err
}

// kindAndName reads KIND NAME, or a NAME that tells its kind.
func (c *client) kindAndName(args []string) (*kind.Kind, string, error) {
	if len(args) == 1 {
		return c.any(args[0])
	}
	k, err := find(args[0])
	if err != nil {
		return nil, "", err
	}
	name, err := c.name(k, args[1])
	return k, name, err
}

// find is kind.Find as a usage error.
func find(word string) (*kind.Kind, error) {
	k, err := kind.Find(word)
	if err != nil {
		return nil, usage(err.Error(), "write one of them")
	}
	return k, nil
}

// mustFind is for kinds that commands are about.
func mustFind(word string) *kind.Kind {
	k, err := kind.Find(word)
	must(err)
	return k
}

// name completes the name of a resource.
func (c *client) name(k *kind.Kind, given string) (string, error) {
	name, err := k.Name(c.workspace, given)
	if err != nil {
		return "", usage(err.Error(), "golive list "+k.Plural+" shows the names")
	}
	return name, nil
}
