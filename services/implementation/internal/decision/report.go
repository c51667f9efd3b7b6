package decision

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/evidence"
	"github.com/golive-dev/golive/services/implementation/internal/weekly"
)

// paper collects what is written.
type paper struct{ strings.Builder }

func (p *paper) line(format string, args ...any) { fmt.Fprintf(&p.Builder, format+"\n", args...) }

// table writes rows under a head; nothing where there are none.
func (p *paper) table(head []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	p.line("| %s |\n|%s", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, row := range rows {
		p.line("| %s |", strings.Join(row, " | "))
	}
	p.line("")
}

// Report writes the decision for people, in Markdown: what was asked, who decided what, on which evidence, with which
// conditions and overrides, and what became of them. Whatever people wrote stands in it as text.
func Report(d *implementationv1.Decision, now time.Time) string {
	p, r := &paper{}, Record(d)
	p.line("# %s\n", weekly.Text(cmp.Or(d.GetDisplayName(), d.GetName())))
	p.line("**%s**%s\n", word(d), since(d))
	if d.GetDescription() != "" {
		p.line("%s\n", weekly.Text(d.GetDescription()))
	}
	p.table([]string{"", ""}, question(d))
	if r == nil {
		p.line("## Decision\n\nNothing has been decided.\n")
	} else {
		p.decision(r)
		p.half("The people", r, gatev1.Purpose_PURPOSE_READINESS)
		p.half("The machines", r, gatev1.Purpose_PURPOSE_TECHNICAL)
		p.conditions(r, now)
	}
	p.overrides(d, now)
	p.history(d)
	p.digests(d)
	p.line("*Written at %s. Times are UTC.*", clock(now))
	return p.String()
}

// word is the state as a person says it.
func word(d *implementationv1.Decision) string {
	return map[implementationv1.Decision_State]string{
		pending: "To be decided", goes: "Go", conditional: "Conditional go", stays: "No-go", expired: "Expired", withdrawn: "Withdrawn",
	}[d.GetState()]
}

func since(d *implementationv1.Decision) string {
	said := " since " + clock(d.GetStateTime().AsTime())
	if d.GetStateReason() != "" {
		said += ": " + weekly.Text(d.GetStateReason())
	}
	return said
}

func question(d *implementationv1.Decision) (rows [][]string) {
	rows = append(rows, []string{"Name", weekly.Text(d.GetName())}, []string{"To be decided by", weekly.Text(owner(d)) + weekly.Text(due(d.GetDueTime()))},
		[]string{"Opens", weekly.Text(cmp.Or(strings.Join(d.GetWaves(), ", "), "no wave"))}, []string{"Revision", fmt.Sprint(d.GetRevision())})
	return rows
}

func (p *paper) decision(r *implementationv1.DecisionRecord) {
	p.line("## Decision\n")
	rows := [][]string{{"Outcome", outcome(r)}, {"By", weekly.Text(r.GetPerson())}, {"At", clock(r.GetTime().AsTime())}, {"Why", weekly.Text(r.GetReason())}}
	rows = append(rows, []string{"Opens", weekly.Text(cmp.Or(strings.Join(r.GetWaves(), ", "), "no wave"))})
	if r.GetExpireTime() != nil {
		rows = append(rows, []string{"Counts until", clock(r.GetExpireTime().AsTime())})
	}
	if r.GetEndTime() != nil {
		rows = append(rows, []string{"Ended", clock(r.GetEndTime().AsTime()) + ": " + weekly.Text(r.GetEndReason())})
	}
	p.table([]string{"", ""}, rows)
}

func outcome(r *implementationv1.DecisionRecord) string {
	return strings.ReplaceAll(strings.TrimPrefix(r.GetOutcome().String(), "OUTCOME_"), "_", " ")
}

// half writes what one half said, with its numbers.
func (p *paper) half(title string, r *implementationv1.DecisionRecord, purpose gatev1.Purpose) {
	p.line("## %s, as they were\n", title)
	some := false
	for _, e := range r.GetEvidence() {
		if e.GetPurpose() != purpose {
			continue
		}
		some = true
		v := e.GetVerdict()
		head := fmt.Sprintf("**%s**: %s", weekly.Text(short(e.GetResource())), v.GetState())
		if v.GetHeadcount() > 0 {
			head += fmt.Sprintf(", %d people", v.GetHeadcount())
		}
		if v.GetEvaluatedAt() != nil {
			head += ", judged at " + clock(v.GetEvaluatedAt().AsTime())
		}
		p.line("%s\n", head)
		var rows [][]string
		for _, piece := range v.GetEvidence() {
			rows = append(rows, []string{weekly.Text(piece.GetCriterion()), piece.GetState().String(), number(piece), limit(piece), weekly.Text(piece.GetDetail())})
		}
		p.table([]string{"What", "State", "Value", "Required", "Detail"}, rows)
		for _, reason := range v.GetReasons() {
			p.line("- %s; required: %s", weekly.Text(reason.GetCurrent()), weekly.Text(reason.GetRequired()))
		}
		if len(v.GetReasons()) > 0 {
			p.line("")
		}
	}
	if !some {
		p.line("Nothing was asked of them.\n")
	}
}

// number is what was counted, where something was.
func number(e *gatev1.Evidence) string {
	if e.GetDenominator() == 0 {
		return "–"
	}
	return fmt.Sprintf("%d of %d (%.4g %%)", e.GetNumerator(), e.GetDenominator(), 100*float64(e.GetNumerator())/float64(e.GetDenominator()))
}

func limit(e *gatev1.Evidence) string {
	switch t := e.GetThreshold(); {
	case t == 0:
		return "–"
	case t <= 1:
		return fmt.Sprintf("%.4g %%", 100*t)
	default:
		return fmt.Sprintf("%g", t)
	}
}

func (p *paper) conditions(r *implementationv1.DecisionRecord, now time.Time) {
	if len(r.GetConditions()) == 0 {
		return
	}
	p.line("## Conditions\n")
	var rows [][]string
	for _, c := range r.GetConditions() {
		state := "open"
		switch {
		case c.GetMetTime() != nil:
			state = "met at " + clock(c.GetMetTime().AsTime()) + " (" + weekly.Text(c.GetMetBy()) + ")"
		case overdue(c, now):
			state = "**overdue**"
		}
		rows = append(rows, []string{weekly.Text(c.GetId()), weekly.Text(c.GetDisplayName()), weekly.Text(cmp.Or(c.GetOwner(), "–")), clock(c.GetDueTime().AsTime()), state, weekly.Text(c.GetNote())})
	}
	p.table([]string{"Id", "What", "Owner", "Due", "State", "Seen"}, rows)
}

func (p *paper) overrides(d *implementationv1.Decision, now time.Time) {
	if len(d.GetOverrides()) == 0 {
		return
	}
	p.line("## Overrides\n")
	var rows [][]string
	for _, o := range slices.Backward(d.GetOverrides()) {
		state := "ended"
		switch {
		case o.GetRevokeTime() != nil:
			state = "taken back at " + clock(o.GetRevokeTime().AsTime())
		case o.GetExpireTime().AsTime().After(now):
			state = "**holds**"
		}
		rows = append(rows, []string{weekly.Text(o.GetPerson()), weekly.Text(o.GetReason()), clock(o.GetCreateTime().AsTime()), clock(o.GetExpireTime().AsTime()), state})
	}
	p.table([]string{"Who", "Why", "From", "Until", "State"}, rows)
}

func (p *paper) history(d *implementationv1.Decision) {
	type happening struct {
		at   *timestamppb.Timestamp
		what string
	}
	all := []happening{{d.GetCreateTime(), "asked"}}
	for _, r := range d.GetRecords() {
		all = append(all, happening{r.GetTime(), fmt.Sprintf("**%s** by %s: %s", outcome(r), weekly.Text(r.GetPerson()), weekly.Text(r.GetReason()))})
		for _, c := range r.GetConditions() {
			if c.GetMetTime() != nil {
				all = append(all, happening{c.GetMetTime(), fmt.Sprintf("condition %s met, says %s", weekly.Text(c.GetId()), weekly.Text(c.GetMetBy()))})
			}
		}
		if r.GetEndTime() != nil {
			all = append(all, happening{r.GetEndTime(), "ended: " + weekly.Text(r.GetEndReason())})
		}
	}
	for _, o := range d.GetOverrides() {
		all = append(all, happening{o.GetCreateTime(), fmt.Sprintf("overridden by %s: %s", weekly.Text(o.GetPerson()), weekly.Text(o.GetReason()))})
		if o.GetRevokeTime() != nil {
			all = append(all, happening{o.GetRevokeTime(), "override taken back"})
		}
	}
	slices.SortStableFunc(all, func(a, b happening) int { return a.at.AsTime().Compare(b.at.AsTime()) })
	p.line("## History\n")
	for _, h := range all {
		p.line("- %s: %s", clock(h.at.AsTime()), h.what)
	}
	p.line("")
}

// digests writes what the record stands on, and whether the bytes are still what was frozen.
func (p *paper) digests(d *implementationv1.Decision) {
	if len(d.GetRecords()) == 0 {
		return
	}
	p.line("## Digests\n")
	for i, r := range d.GetRecords() {
		said := "the kept bytes match their digests"
		if wrong := evidence.Verify(r); len(wrong) > 0 {
			said = "**the kept bytes do not match**: " + weekly.Text(strings.Join(wrong, "; "))
		}
		p.line("Record %d, %s: `%s`, %s.\n", i+1, clock(r.GetTime().AsTime()), r.GetEvidenceDigest(), said)
		var rows [][]string
		for _, e := range r.GetEvidence() {
			rows = append(rows, []string{half(e.GetPurpose()), weekly.Text(e.GetResource()), "`" + e.GetDigest() + "`"})
		}
		p.table([]string{"Half", "Resource", "SHA-256"}, rows)
	}
}
