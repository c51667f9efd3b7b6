package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
	"github.com/golive-dev/golive/services/waiting"
)

func (a *app) why() *cobra.Command {
	cmd := &cobra.Command{
		Use: "why NAME", Short: "Say what something waits for, down to the causes, and with which command each is helped",
		Long: "Reasons are followed through both services, to those behind which nothing else waits. Each has the value now beside\n" +
			"the value required, its owner, since when it holds, when it is expected to end, and the command that helps. The exit\n" +
			"code is 7 while something is waited for and 0 when nothing is.\n" +
			"An application stands for its newest deployment; where there is none of that name, an implementation is asked.",
		Example: "  golive why crm/deployments/d1\n  golive why crm/waves/sales\n  golive why crm-rollout/cohortPlans/sales\n" +
			"  golive why crm-rollout\n  golive why crm-rollout/stages/build\n  golive why crm-rollout/tasks/train\n  golive why environments/prod -o json",
		Args: cobra.ExactArgs(1),
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return append(a.names(cmd, "deployment"), a.names(cmd, "implementation")...), cobra.ShellCompDirectiveNoFileComp
	}
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		k, name, err := c.asked(ctx, args[0])
		if err != nil {
			return err
		}
		m, err := c.fetch(ctx, k, name)
		if err != nil {
			return err
		}
		e, err := waiting.Explain(ctx, c.peers(), name)
		if err != nil {
			return err
		}
		if err := c.printWhy(ctx, m, e); err != nil {
			return err
		}
		if len(e.GetWaiting().GetBlockedBy()) > 0 {
			return outcome(exitNotYet)
		}
		return nil
	})
}

// peers are the two services, to be asked what waits.
func (c *client) peers() waiting.Peers {
	return waiting.Peers{Deployment: waitingv1.NewWaitingServiceClient(c.software), Implementation: waitingv1.NewWaitingServiceClient(c.people)}
}

// asked is what why is about: what other commands take it for, or an implementation of that name.
func (c *client) asked(ctx context.Context, given string) (*kind.Kind, string, error) {
	k, name, err := c.subject(ctx, given)
	if err == nil || strings.Contains(given, "/") {
		return k, name, err
	}
	implementation := mustFind("implementation")
	if name, bad := implementation.Name(c.workspace, given); bad == nil {
		if _, missing := c.fetch(ctx, implementation, name); missing == nil {
			return implementation, name, nil
		}
	}
	return nil, "", err
}

// printWhy writes the causes; where nothing waits, what went wrong instead.
func (c *client) printWhy(ctx context.Context, m proto.Message, e *waitingv1.Explanation) error {
	if c.format == show.Name {
		for _, b := range e.GetRootCauses() {
			if err := c.say("%s", b.GetResource()); err != nil {
				return err
			}
		}
		return nil
	}
	if !c.format.ForPeople() {
		return show.Encode(c.out, c.format, e)
	}
	for _, service := range e.GetUnreachable() {
		c.note("the %s service does not answer: what it keeps is not followed further", service)
	}
	head := c.headline(m, e.GetWaiting())
	if len(e.GetWaiting().GetBlockedBy()) == 0 {
		return c.say("%s", strings.Join(append([]string{head + "  waits for nothing"}, c.failed(ctx, m)...), "\n- "))
	}
	if err := c.say("%s  waits for", head); err != nil {
		return err
	}
	if len(e.GetCycle()) > 0 {
		if err := c.say("- %s  %s", c.style.Bold("in a circle"), shortPath(e.GetCycle())); err != nil {
			return err
		}
	}
	return c.printCauses(e, time.Now())
}

// headline is what is asked about, its state, and what it says about that itself.
func (c *client) headline(m proto.Message, w *waitingv1.Waiting) string {
	head := c.style.Bold(kind.Short(w.GetResource()))
	if w.GetState() != "" {
		head += "  " + c.style.State(w.GetState())
	}
	for _, field := range []protoreflect.Name{"state_message", "state_reason", "message", "reason"} {
		f := m.ProtoReflect().Descriptor().Fields().ByName(field)
		if f == nil || f.Kind() != protoreflect.StringKind || f.IsList() {
			continue
		}
		text := m.ProtoReflect().Get(f).String()
		if i, ok := m.(*deploymentv1.Installation); ok {
			text = strings.TrimSpace(i.GetCause() + " " + text)
		}
		if text != "" {
			return head + "  " + text
		}
	}
	return head
}

// printCauses writes the causes, each with the way to it.
func (c *client) printCauses(e *waitingv1.Explanation, now time.Time) error {
	for _, b := range e.GetRootCauses() {
		rows := c.reasonRows(b, now)
		if path := through(e, b); len(path) > 1 {
			rows = append([][]string{{"    through", shortPath(path)}}, rows...)
		}
		if err := c.say("- %s  %s", c.style.Bold(strings.ToLower(b.GetKind().String())), kind.Short(b.GetResource())); err != nil {
			return err
		}
		if err := show.Rows(c.out, rows); err != nil {
			return err
		}
	}
	return nil
}

func shortPath(path []string) string {
	short := make([]string, len(path))
	for i, name := range path {
		short[i] = kind.Short(name)
	}
	return strings.Join(short, " → ")
}

// through is the way from what was asked about to the thing whose reason a cause is: the nearest one, but rather one
// that keeps the reason than one that repeats it, as a wave does with those of a cohort plan.
func through(e *waitingv1.Explanation, cause *gatev1.BlockedBy) []string {
	nodes := append([]*waitingv1.Waiting{e.GetWaiting()}, e.GetBehind()...)
	before := map[string]string{e.GetWaiting().GetResource(): ""}
	last := ""
	for _, n := range nodes {
		if _, reached := before[n.GetResource()]; !reached {
			continue
		}
		if slices.ContainsFunc(n.GetBlockedBy(), func(b *gatev1.BlockedBy) bool { return waiting.Same(b, cause) }) {
			last = n.GetResource()
		}
		for _, next := range nodes {
			if _, reached := before[next.GetResource()]; !reached && waiting.Leads(n, next) {
				before[next.GetResource()] = n.GetResource()
			}
		}
	}
	var path []string
	for name := last; name != ""; name = before[name] {
		path = append(path, name)
	}
	slices.Reverse(path)
	return path
}

func (c *client) reasonRows(b *gatev1.BlockedBy, now time.Time) [][]string {
	var rows [][]string
	row := func(head, text string) {
		if text != "" {
			rows = append(rows, []string{"    " + head, text})
		}
	}
	row("now", b.GetCurrent())
	row("required", b.GetRequired())
	row("owner", b.GetOwner())
	if b.GetSince() != nil {
		row("since", fmt.Sprintf("%s (%s)", b.GetSince().AsTime().Local().Format("2006-01-02 15:04:05 MST"), show.Ago(b.GetSince().AsTime(), now)))
	}
	if b.GetEta() != nil {
		row("expected", show.Ago(b.GetEta().AsTime(), now))
	}
	row("do", c.shortCommand(b.GetCommand()))
	return rows
}

// shortCommand is a command with the names in it as short as this workspace lets them be.
func (c *client) shortCommand(command string) string {
	words := strings.Split(command, " ")
	for i, word := range words {
		if strings.HasPrefix(word, "workspaces/"+c.workspace+"/") {
			words[i] = shortName(word)
		}
	}
	return strings.Join(words, " ")
}

// shortName is the shortest name that commands take for the same thing: the id alone says too little but for few kinds.
func shortName(name string) string {
	segments := strings.Split(name, "/")
	if len(segments) > 4 || segments[2] == "implementations" {
		return kind.Short(name)
	}
	return strings.Join(segments[2:], "/")
}

// oneReason is a reason on a line. The name is last: it is long, and a narrow terminal cuts the end.
func oneReason(b *gatev1.BlockedBy) string {
	text := strings.ToLower(b.GetKind().String())
	if b.GetCurrent() != "" {
		text += ": " + b.GetCurrent()
	}
	if b.GetRequired() != "" {
		text += ", required " + b.GetRequired()
	}
	if b.GetResource() != "" {
		text += " (" + kind.Short(b.GetResource()) + ")"
	}
	return text
}
