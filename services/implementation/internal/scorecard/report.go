package scorecard

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/weekly"
)

// page collects what is written.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.Builder, format+"\n", args...) }

// Report writes a scorecard on one page, as Markdown and as HTML to print, with how each measure went through the snapshots, the oldest first.
func Report(i *implementationv1.Implementation, card *implementationv1.Scorecard, history []*implementationv1.ScorecardSnapshot) (markdown, html string, err error) {
	title := cmp.Or(i.GetDisplayName(), path.Base(i.GetName()))
	p, charts := &page{}, []chart{}
	p.line("# %s: scorecard\n", weekly.Text(title))
	p.line("%s, as of %s. Owner: %s. Sponsor: %s.\n", i.GetState(), card.GetAsOf().AsTime().UTC().Format("2006-01-02 15:04 MST"),
		weekly.Text(cmp.Or(i.GetOwner(), "nobody")), weekly.Text(cmp.Or(i.GetSponsor(), "nobody")))
	p.line("| Measure | Stands | Value | Target | Before | Course |\n|---|---|---|---|---|---|")
	for _, m := range card.GetMeasures() {
		c := courseOf(m, history)
		charts = append(charts, c)
		p.line("| **%s** | %s | %s | %s | %s | %s |", name(m), state(m), value(m), share(m.Target), before(m), cmp.Or(c.bars, "–"))
	}
	p.line("\n## What the numbers say\n")
	for _, m := range card.GetMeasures() {
		p.line("- **%s**: %s", name(m), weekly.Text(m.GetMessage()))
	}
	writeOverrides(p, card)
	writeEvidence(p, card)
	if html, err = weekly.HTML(title+": scorecard", p.String()); err != nil {
		return "", "", err
	}
	return p.String(), draw(html, charts), nil
}

func name(m *implementationv1.ScorecardMeasure) string { return strings.ToLower(m.GetKind().String()) }

func state(m *implementationv1.ScorecardMeasure) string {
	said := strings.ReplaceAll(strings.ToLower(m.GetState().String()), "_", " ")
	if m.GetState() == notMet {
		return "**" + said + "**"
	}
	return said
}

// value is what a measure is, with its interval where it has one.
func value(m *implementationv1.ScorecardMeasure) string {
	if m.Lower == nil || m.Upper == nil {
		return share(m.Value)
	}
	return fmt.Sprintf("%s (%s – %s)", share(m.Value), share(m.Lower), share(m.Upper))
}

func share(v *float64) string {
	if v == nil {
		return "–"
	}
	return percent(*v)
}

func before(m *implementationv1.ScorecardMeasure) string {
	t := m.GetTrend()
	if t == nil {
		return "–"
	}
	return fmt.Sprintf("%s on %s (%+.1f points)", percent(t.GetPreviousValue()), t.GetPreviousDay(), 100*t.GetChange())
}

func writeOverrides(p *page, card *implementationv1.Scorecard) {
	p.line("\n## Let pass\n")
	if len(card.GetOverrides()) == 0 {
		p.line("Nothing is overridden.")
	}
	for _, o := range card.GetOverrides() {
		p.line("- **%s**: %s by %s until %s: %s", weekly.Text(short(o.GetResource())), weekly.Text(cmp.Or(o.GetSubject(), "all of it")), weekly.Text(o.GetPerson()),
			o.GetExpireTime().AsTime().UTC().Format("2006-01-02 15:04 MST"), weekly.Text(o.GetReason()))
	}
	p.line("\n## Decision\n")
	if card.GetDecision() == "" {
		p.line("None was asked for.")
		return
	}
	p.line("%s: **%s**", weekly.Text(short(card.GetDecision())), strings.ReplaceAll(card.GetDecisionState().String(), "_", " "))
}

func writeEvidence(p *page, card *implementationv1.Scorecard) {
	p.line("\n## Where it comes from\n")
	for _, m := range card.GetMeasures() {
		names := make([]string, 0, len(m.GetEvidence()))
		for _, e := range m.GetEvidence() {
			names = append(names, weekly.Text(short(e)))
		}
		p.line("- %s: %s", name(m), cmp.Or(strings.Join(names, ", "), "nothing"))
	}
}

// short is a name without its workspace.
func short(name string) string {
	parts := strings.SplitN(name, "/", 3)
	return parts[len(parts)-1]
}
