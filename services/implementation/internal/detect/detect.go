// Package detect finds challenges in numbers, by twenty-three rules: R1 to R9
// are about people who do not come along, L1 to L7 about too little of
// something, P1 to P7 about what gets in each other's way.
//
//	Facts + Policy ──Judge──▶ Findings ──Standing.Next──▶ signals, suggestions
//
// A rule is a pure function of facts. What it finds carries the arithmetic, as
// numbers and as a sentence, so that a person can check it. A finding alone does
// nothing: the rule has to hold in two windows running to enter, and not to
// hold in two running to leave ([Standing]). A window is a week of ISO 8601, or for
// rules about surveys a wave, so that the same answers are never counted twice.
//
// Groups of fewer people than a policy says (10, or more) are not looked at.
// Rules about resistance speak of groups and never of a person.
package detect

import (
	"time"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// ID names a rule: R2.
type ID string

// Window is the time that a finding is about, and which one comes before it in its series.
type Window struct {
	Name, Before string
	End          time.Time
}

// Finding is what a rule says about one subject in one window.
type Finding struct {
	Rule    ID
	Subject string // a resource name
	// Aspect tells findings of one rule on one subject apart, where each stands for itself: two surveys, two trainings.
	Aspect string
	Cohort string // where it is about one
	Window Window
	Status implementationv1.RuleOutcome_Status
	// Measure is how bad it is: higher is worse, and 0 is fine. It compares findings of one rule and subject.
	Measure float64
	// Numbers are those of Text, by name.
	Numbers map[string]float64
	// Text is the arithmetic: "51 of 120 trained have 0 active days in 14 = 42.5 % ≥ 25 %".
	Text string
	// Resources are what the numbers were read from.
	Resources []string
	// Remedy is what usually helps; the rule's when empty.
	Remedy string
}

// The words of a finding in short.
const (
	fine     = implementationv1.RuleOutcome_CLEAR
	holds    = implementationv1.RuleOutcome_HOLDS
	tooSmall = implementationv1.RuleOutcome_TOO_SMALL
	unknown  = implementationv1.RuleOutcome_UNKNOWN
)

// Decides says whether the finding says anything: a rule that does not know moves nothing.
func (f Finding) Decides() bool { return f.Status == fine || f.Status == holds }

// Report is what one rule found.
type Report struct {
	Rule     Rule
	Settings Settings
	Findings []Finding
}

// Judge looks at the facts by every rule, in their order.
func Judge(f *Facts, p Policy) []Report {
	rules := Rules()
	reports := make([]Report, len(rules))
	for i, rule := range rules {
		settings := p.Settings(rule)
		reports[i] = Report{Rule: rule, Settings: settings}
		if !settings.Disabled {
			reports[i].Findings = rule.Judge(f, settings)
		}
	}
	return reports
}

// Judge looks at the facts by this rule.
func (rule Rule) Judge(f *Facts, s Settings) []Finding {
	if why, missing := f.Missing[rule.ID]; missing {
		return []Finding{{Rule: rule.ID, Subject: f.Implementation, Window: f.Week.Window(), Status: unknown, Text: why}}
	}
	found := rule.judge(f, s)
	for i := range found {
		found[i].Rule = rule.ID
		if found[i].Window.Name == "" {
			found[i].Window = f.Week.Window()
		}
		if found[i].Remedy == "" {
			found[i].Remedy = rule.Remedy
		}
	}
	return found
}

// status is the word for whether a rule holds.
func status(it bool) implementationv1.RuleOutcome_Status {
	if it {
		return holds
	}
	return fine
}
