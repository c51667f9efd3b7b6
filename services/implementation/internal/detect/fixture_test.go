package detect_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

const (
	fine     = implementationv1.RuleOutcome_CLEAR
	holds    = implementationv1.RuleOutcome_HOLDS
	tooSmall = implementationv1.RuleOutcome_TOO_SMALL
	unknown  = implementationv1.RuleOutcome_UNKNOWN

	crm   = "workspaces/w/implementations/crm"
	sales = "workspaces/w/cohorts/sales"
	ada   = "workspaces/w/resources/ada"
)

// now is the end of the week that is judged: Monday 2026-11-23 00:00.
var now = week().End()

func week() detect.Week { return detect.WeekOf(time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)) }

func in(days float64) time.Time { return now.Add(time.Duration(days * 24 * float64(time.Hour))) }

func group() detect.Group { return detect.Group{Plan: crm + "/cohortPlans/sales", Cohort: sales} }

// world are facts with nothing in them, then what the case adds.
func world(add func(*detect.Facts)) *detect.Facts {
	f := &detect.Facts{Implementation: crm, Now: now, Week: week()}
	add(f)
	return f
}

// fixture is one rule with one world and what it says.
type fixture struct {
	rule  detect.ID
	name  string
	facts func(*detect.Facts)
	want  implementationv1.RuleOutcome_Status
	text  string // the whole arithmetic; not compared when empty
}

// findings are what one rule says under the defaults.
func findings(f *detect.Facts, rule detect.ID, policies ...*implementationv1.DetectorPolicy) []detect.Finding {
	for _, report := range detect.Judge(f, detect.Merge(policies...)) {
		if report.Rule.ID == rule {
			return report.Findings
		}
	}
	return nil
}

func check(t *testing.T, all []fixture) {
	t.Helper()
	for _, c := range all {
		t.Run(string(c.rule)+" "+c.name, func(t *testing.T) {
			found := findings(world(c.facts), c.rule)
			require.NotEmpty(t, found)
			first := found[0]
			require.Equal(t, c.want, first.Status, first.Text)
			if c.text != "" {
				require.Equal(t, c.text, first.Text)
			}
			require.NotEmpty(t, first.Subject)
			require.NotEmpty(t, first.Remedy)
			require.NotEmpty(t, first.Window.Name)
			if first.Decides() {
				require.NotEmpty(t, first.Numbers, "a finding carries its numbers")
			} else {
				require.Empty(t, first.Numbers, "what is too small says no numbers")
			}
			if first.Status == holds {
				require.Positive(t, first.Measure, "what holds can get worse")
			}
		})
	}
}

// Every rule has a case that holds, one that is clear and one that is too small.
func TestEveryRuleHasItsFixtures(t *testing.T) {
	all := append(append(resistance(), resources()...), priorities()...)
	for _, rule := range detect.Rules() {
		seen := map[implementationv1.RuleOutcome_Status]bool{}
		for _, c := range all {
			if c.rule == rule.ID {
				seen[c.want] = true
			}
		}
		for _, want := range []implementationv1.RuleOutcome_Status{holds, fine, tooSmall} {
			require.True(t, seen[want], "%s has no fixture that is %s", rule.ID, want)
		}
	}
	require.Len(t, detect.Rules(), 9+7+7)
}
