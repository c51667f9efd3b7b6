package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// reason is one thing that is waited for, and what that waits for itself.
type reason struct {
	blocked *gatev1.BlockedBy
	through []string                    // from what was asked about down to the gate that reports it
	people  *implementationv1.Readiness // where the reason is that people are not ready
}

// MarshalJSON is the reason as the contract words it, with the readiness beside it.
func (r reason) MarshalJSON() ([]byte, error) {
	data, err := protojson.Marshal(r.blocked)
	if err != nil || r.people == nil {
		return data, err
	}
	people, err := protojson.Marshal(r.people)
	if err != nil {
		return nil, err
	}
	return slices.Concat(data[:len(data)-1], []byte(`,"readiness":`), people, []byte("}")), nil
}

// explanation is the answer to why.
type explanation struct {
	Name    string   `json:"name"`
	State   string   `json:"state,omitempty"`
	Message string   `json:"message,omitempty"`
	Reasons []reason `json:"blockedBy,omitempty"`
	// Failed are installations of a deployment that ended badly, each with what went wrong.
	Failed []string `json:"failed,omitempty"`
}

func (a *app) why() *cobra.Command {
	cmd := &cobra.Command{
		Use: "why NAME", Short: "Say what something waits for, who can move it, and with which command",
		Long: "Each reason has the value now beside the value required, its owner, since when it holds, when it is expected to\n" +
			"end, and the command that helps. The exit code is 7 while something is waited for and 0 when nothing is.\n" +
			"An application stands for its newest deployment; where there is none of that name, an implementation is asked.",
		Example: "  golive why crm/deployments/d1\n  golive why crm/waves/sales\n  golive why crm-rollout/cohortPlans/sales\n" +
			"  golive why crm-rollout\n  golive why crm-rollout/stages/build\n  golive why crm-rollout/tasks/train",
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
		e, err := c.explain(ctx, k, name)
		if err != nil {
			return err
		}
		if err := c.printWhy(e); err != nil {
			return err
		}
		if len(e.Reasons) > 0 {
			return outcome(exitNotYet)
		}
		return nil
	})
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

func (c *client) explain(ctx context.Context, k *kind.Kind, name string) (*explanation, error) {
	m, err := c.fetch(ctx, k, name)
	if err != nil {
		return nil, err
	}
	e := &explanation{Name: name, State: show.Value(m, "state", show.Style{}, time.Now())}
	if _, word, ok := strings.Cut(e.State, " "); ok { // without its glyph
		e.State = word
	}
	switch m := m.(type) {
	case *deploymentv1.Deployment:
		e.Message = m.GetStateMessage()
		e.add(m.GetBlockedBy())
		waves, err := c.waves(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, w := range waves {
			if w.GetState() == deploymentv1.Wave_GATED {
				e.addWave(w, "wave "+kind.ID(w.GetName()))
			}
		}
		c.askFailed(ctx, e, m)
	case *deploymentv1.Wave:
		e.Message = m.GetStateMessage()
		e.add(m.GetBlockedBy())
		e.addWave(m)
	case *deploymentv1.Installation:
		e.Message = strings.TrimSpace(m.GetCause() + " " + m.GetMessage())
		e.add(m.GetBlockedBy())
	case *deploymentv1.Agent:
		e.addAgent(m)
		e.addUpdate(m)
	case *implementationv1.CohortPlan:
		return e, c.explainPeople(ctx, e)
	case *implementationv1.Implementation:
		err = c.explainImplementation(ctx, e, m)
	case *implementationv1.Stage:
		err = c.explainStage(ctx, e, m)
	case *implementationv1.Task:
		err = c.explainTask(ctx, e, m)
	}
	if err != nil {
		return nil, err
	}
	c.askAgents(ctx, e)
	c.askPeople(ctx, e)
	return e, nil
}

// add takes reasons; what is known already only learns through what it holds.
func (e *explanation) add(blocked []*gatev1.BlockedBy, through ...string) {
	for _, b := range blocked {
		i := slices.IndexFunc(e.Reasons, func(r reason) bool {
			return r.blocked.GetKind() == b.GetKind() && r.blocked.GetResource() == b.GetResource() && r.blocked.GetRequired() == b.GetRequired()
		})
		if i < 0 {
			e.Reasons = append(e.Reasons, reason{blocked: b, through: through})
			continue
		}
		if len(through) > len(e.Reasons[i].through) {
			e.Reasons[i].through = through
		}
	}
}

// addWave takes the reasons of a wave's gates that are closed.
func (e *explanation) addWave(w *deploymentv1.Wave, through ...string) {
	for _, g := range w.GetGates() {
		if s := g.GetVerdict().GetState(); s != gatev1.Verdict_PASS && s != gatev1.Verdict_WAIVED {
			path := append(slices.Clone(through), "gate "+g.GetId())
			if r := g.GetVerdict().GetResource(); r != w.GetName() {
				path = append(path, r)
			}
			e.add(g.GetVerdict().GetReasons(), path...)
		}
	}
}

// askPeople walks one step further, to the criteria of the cohort plans behind the reasons.
func (c *client) askPeople(ctx context.Context, e *explanation) {
	for i, r := range e.Reasons {
		for _, resource := range append(slices.Clone(r.through), r.blocked.GetResource()) {
			k, name, err := kind.Of(c.workspace, resource)
			if err != nil || k.Singular != "cohortPlan" {
				continue
			}
			if e.Reasons[i].people, err = c.readinessOf(ctx, name); err != nil {
				c.note("the people behind it cannot be asked: %s", explain(err).what)
			}
			break
		}
	}
}

// explainPeople gives the criteria of a cohort plan that are not met.
func (c *client) explainPeople(ctx context.Context, e *explanation) error {
	r, err := c.readinessOf(ctx, e.Name)
	if err != nil {
		return err
	}
	e.State = r.GetState().String()
	v, err := gatev1.NewGateServiceClient(c.people).EvaluateGate(ctx, &gatev1.EvaluateGateRequest{Resource: e.Name, Purpose: gatev1.Purpose_PURPOSE_READINESS})
	if err != nil {
		return err
	}
	for _, b := range v.GetReasons() {
		e.Reasons = append(e.Reasons, reason{blocked: b})
	}
	return nil
}

func (c *client) readinessOf(ctx context.Context, plan string) (*implementationv1.Readiness, error) {
	return implementationv1.NewCohortPlanServiceClient(c.people).EvaluateReadiness(ctx, &implementationv1.EvaluateReadinessRequest{Name: plan})
}

func (c *client) printWhy(e *explanation) error {
	if c.format == show.Name {
		for _, r := range e.Reasons {
			if err := c.say("%s", r.blocked.GetResource()); err != nil {
				return err
			}
		}
		return nil
	}
	if !c.format.ForPeople() {
		return show.Encode(c.out, c.format, e)
	}
	head := c.style.Bold(kind.Short(e.Name))
	if e.State != "-" {
		head += "  " + c.style.State(e.State)
	}
	if e.Message != "" {
		head += "  " + e.Message
	}
	if len(e.Reasons) == 0 {
		return c.say("%s", strings.Join(append([]string{head + "  waits for nothing"}, e.Failed...), "\n- "))
	}
	if err := c.say("%s  waits for", head); err != nil {
		return err
	}
	now := time.Now()
	for _, r := range e.Reasons {
		rows := c.reasonRows(r.blocked, now)
		if len(r.through) > 0 {
			short := make([]string, 0, len(r.through))
			for _, step := range r.through {
				short = append(short, kind.Short(step))
			}
			rows = append([][]string{{"    through", strings.Join(short, " → ")}}, rows...)
		}
		for _, cr := range r.people.GetCriteria() {
			rows = append(rows, []string{"    " + cr.GetId(), c.style.State(cr.GetStatus().String()) + "  " + cr.GetMessage()})
		}
		if err := c.say("- %s  %s", c.style.Bold(strings.ToLower(r.blocked.GetKind().String())), kind.Short(r.blocked.GetResource())); err != nil {
			return err
		}
		if err := show.Rows(c.out, rows); err != nil {
			return err
		}
	}
	return nil
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
	row("do", b.GetCommand())
	return rows
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
