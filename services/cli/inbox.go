package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/golive-dev/golive/pkg/fault"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
	"github.com/golive-dev/golive/services/waiting"
)

const (
	inboxSize = 50
	// inboxEvery is how often an inbox is read again at most while it is watched, and inboxAnyway how long it goes without.
	inboxEvery  = time.Second
	inboxAnyway = 10 * time.Second
)

// inboxing is the flags of an inbox.
type inboxing struct {
	mine, newest, byOwner, watch bool
	oldest                       bool
	owner, group                 string
	kinds                        []string
	limit                        int
	watching
}

func (a *app) inbox() *cobra.Command {
	var in inboxing
	cmd := &cobra.Command{
		Use: "inbox", Short: "Show what waits, for whom, since when, and the command that helps",
		Long: "Waves and deployments, stages, tasks, cohorts, decisions, challenges and outcomes, of both services, in one list:\n" +
			"what has waited longest first. golive why NAME follows one of them to its causes.",
		Example: "  golive inbox\n  golive inbox --mine\n  golive inbox --owner users/ada --kind wave --kind decision\n" +
			"  golive inbox --group crm-rollout --newest\n  golive inbox --watch\n  golive inbox -o json",
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.BoolVar(&in.mine, "mine", false, "only what waits for you")
	flags.StringVar(&in.owner, "owner", "", "only what waits for this principal: users/ada")
	flags.StringSliceVar(&in.kinds, "kind", nil, "only these kinds: wave, stage, decision …")
	flags.StringVar(&in.group, "group", "", "only what belongs to this implementation, application or deployment")
	flags.BoolVar(&in.oldest, "oldest", false, "what has waited longest first, as when nothing is said")
	flags.BoolVar(&in.newest, "newest", false, "what began to wait last first")
	flags.BoolVar(&in.byOwner, "by-owner", false, "by whom it waits for")
	flags.IntVar(&in.limit, "limit", inboxSize, "how many at most")
	flags.BoolVar(&in.watch, "watch", false, "go on showing it as it changes")
	flags.DurationVar(&in.timeout, "timeout", 0, "give up watching after this long, with exit code 8")
	cmd.MarkFlagsMutuallyExclusive("mine", "owner")
	cmd.MarkFlagsMutuallyExclusive("oldest", "newest", "by-owner")
	must(cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(
		[]string{"wave", "deployment", "installation", "implementation", "stage", "task", "cohortPlan", "decision", "challenge", "outcome"}, cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.RegisterFlagCompletionFunc("group", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return append(a.names(cmd, "implementation"), a.names(cmd, "application")...), cobra.ShellCompDirectiveNoFileComp
	}))
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		req, err := c.inboxRequest(ctx, &in)
		if err != nil {
			return err
		}
		if in.watch {
			return c.watchInbox(ctx, req, &in)
		}
		found, more, err := c.waiting(ctx, req, in.limit)
		if err != nil {
			return err
		}
		return c.printInbox(found, more)
	})
}

// inboxRequest is what the flags select.
func (c *client) inboxRequest(ctx context.Context, in *inboxing) (*waitingv1.ListWaitingRequest, error) {
	req := &waitingv1.ListWaitingRequest{Parent: "workspaces/" + c.workspace, Owner: in.owner}
	if in.limit < 1 {
		return nil, usage(fmt.Sprintf("--limit %d shows nothing", in.limit), "ask for at least one")
	}
	switch {
	case in.newest:
		req.OrderBy = "since desc"
	case in.byOwner:
		req.OrderBy = "owner"
	}
	for _, word := range in.kinds {
		k, err := kind.Find(word)
		if err != nil {
			return nil, usage(err.Error(), "golive inbox --kind wave --kind stage")
		}
		req.Kinds = append(req.Kinds, k.Singular)
	}
	if in.mine {
		who, err := accessv1.NewAccessServiceClient(c.software).WhoAmI(ctx, &accessv1.WhoAmIRequest{})
		if err != nil {
			return nil, err
		}
		req.Owner = who.GetPrincipal().GetName()
	}
	if in.group != "" {
		var err error
		if req.Group, err = c.inboxGroup(ctx, in.group); err != nil {
			return nil, err
		}
	}
	return req, nil
}

// inboxGroup is what an id alone names: an implementation, or else an application.
func (c *client) inboxGroup(ctx context.Context, given string) (string, error) {
	if strings.Contains(given, "/") {
		_, name, err := c.any(given)
		return name, err
	}
	for _, word := range []string{"implementation", "application"} {
		k := mustFind(word)
		name, err := k.Name(c.workspace, given)
		if err != nil {
			return "", usage(err.Error(), "name an implementation or an application")
		}
		_, err = c.fetch(ctx, k, name)
		if err == nil {
			return name, nil
		}
		if !fault.Is(err, fault.KindNotFound) {
			return "", err
		}
	}
	return "", &complaint{code: exitNotFound, what: "there is no implementation and no application " + given, fix: "golive list implementations and golive list applications show them"}
}

// waiting reads up to so many things that wait, and says whether there are more.
func (c *client) waiting(ctx context.Context, req *waitingv1.ListWaitingRequest, limit int) (found []*waitingv1.Waiting, more bool, err error) {
	req.PageToken = ""
	for {
		req.PageSize = int32(min(page, limit-len(found))) //nolint:gosec // at most a page
		resp, err := waiting.List(ctx, c.peers(), req)
		if err != nil {
			return nil, false, err
		}
		found = append(found, resp.GetWaiting()...)
		req.PageToken = resp.GetNextPageToken()
		if req.GetPageToken() == "" || len(found) >= limit || len(resp.GetUnreachable()) > 0 {
			for _, service := range resp.GetUnreachable() {
				c.note("the %s service does not answer: what it keeps is missing", service)
			}
			return found, req.GetPageToken() != "", nil
		}
	}
}

func (c *client) printInbox(found []*waitingv1.Waiting, more bool) error {
	switch {
	case c.format == show.Name:
		for _, w := range found {
			if err := c.say("%s", w.GetResource()); err != nil {
				return err
			}
		}
		return nil
	case !c.format.ForPeople():
		return show.EncodeList(c.out, c.format, found)
	case len(found) == 0:
		c.note("nothing waits")
		return nil
	}
	if err := show.Rows(c.out, c.inboxRows(found, time.Now())); err != nil {
		return err
	}
	if more {
		c.note("and more; --limit shows them")
	}
	return nil
}

func (c *client) inboxRows(found []*waitingv1.Waiting, now time.Time) [][]string {
	rows := [][]string{c.heads("AGE", "WHAT", "STATE", "OWNER", "WHY", "DO")}
	for _, w := range found {
		why, do := "", ""
		if reasons := w.GetBlockedBy(); len(reasons) > 0 {
			why, do = inboxWhy(reasons), c.shortCommand(reasons[0].GetCommand())
		}
		rows = append(rows, []string{
			show.Span(max(0, now.Sub(w.GetSince().AsTime()))), shortName(w.GetResource()), c.style.State(w.GetState()), w.GetOwner(), why, do,
		})
	}
	return rows
}

// inboxWhy is the first reason in a line, and how many there are more; empty where there is none.
func inboxWhy(reasons []*gatev1.BlockedBy) string {
	if len(reasons) == 0 {
		return ""
	}
	text := reasons[0].GetCurrent()
	if required := reasons[0].GetRequired(); required != "" {
		text += " → " + required
	}
	if n := len(reasons) - 1; n > 0 {
		text += fmt.Sprintf(" (+%d)", n)
	}
	return text
}

// watchInbox shows the inbox again whenever an event of either service may have changed it, and once in a while anyway, as some things
// begin to wait when their time comes.
func (c *client) watchInbox(ctx context.Context, req *waitingv1.ListWaitingRequest, in *inboxing) error {
	ctx, cancel := in.bound(ctx)
	changed := make(chan struct{}, 1)
	var hints sync.WaitGroup
	defer hints.Wait()
	defer cancel()
	for _, of := range []string{"deployment", "implementation"} {
		hints.Go(func() {
			_ = c.tail(ctx, mustFind(of), req.GetParent(), nil, "", func(*eventv1.Event) error {
				select {
				case changed <- struct{}{}:
				default: // said already
				}
				return nil
			}) // one that breaks is missed by nobody: the inbox is read anyway
		})
	}
	tick, anyway := time.NewTicker(inboxEvery), time.NewTicker(inboxAnyway)
	defer tick.Stop()
	defer anyway.Stop()
	shown := c.newInbox()
	for {
		found, more, err := c.waiting(ctx, req, in.limit)
		if err != nil {
			return in.ended(ctx, err)
		}
		if err := shown(found, more); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return in.ended(ctx, ctx.Err())
		case <-changed:
		case <-anyway.C:
		}
		select {
		case <-ctx.Done():
			return in.ended(ctx, ctx.Err())
		case <-tick.C: // no faster than this
		}
	}
}

// newInbox shows one inbox after the other: in a terminal in its place, elsewhere only what differs from the one before.
func (c *client) newInbox() func(found []*waitingv1.Waiting, more bool) error {
	if file, ok := c.terminal(c.out); ok && c.format.ForPeople() {
		live := show.Live{Out: c.out, Size: func() (int, int) {
			width, height, err := term.GetSize(int(file.Fd()))
			if err != nil {
				return 80, 24
			}
			return width, height
		}}
		return func(found []*waitingv1.Waiting, _ bool) error {
			return live.Draw(show.Align(c.inboxRows(found, time.Now())))
		}
	}
	var before []string
	begun := false
	return func(found []*waitingv1.Waiting, more bool) error {
		now := make([]string, len(found))
		for i, w := range found {
			now[i] = w.GetResource() + w.GetState() + inboxWhy(w.GetBlockedBy())
		}
		if begun && slices.Equal(before, now) {
			return nil
		}
		before, begun = now, true
		return c.printInbox(found, more)
	}
}
