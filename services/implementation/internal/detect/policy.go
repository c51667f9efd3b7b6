package detect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// The reasons of faults about policies.
const (
	ReasonRuleUnknown      = "RULE_UNKNOWN"
	ReasonRuleDuplicate    = "RULE_DUPLICATE"
	ReasonThresholdUnknown = "THRESHOLD_UNKNOWN"
	ReasonThresholdInvalid = "THRESHOLD_INVALID"
)

// MinGroup is the fewest people that a group may have to be looked at. A policy may ask for more.
const MinGroup = 10

// Threshold is a number that a rule compares with.
type Threshold struct {
	Name              string
	Default, Min, Max float64
	Meaning           string
}

// Policy is what holds for one implementation. The zero value has every default.
type Policy struct {
	minGroup int64
	rules    map[ID]Settings
}

// Settings are what one rule works with.
type Settings struct {
	Disabled bool
	// MinGroup is how many people a group needs.
	MinGroup   int64
	Thresholds map[string]float64
}

// Merge is the policy that follows from those given; a later one wins, so give
// that of the workspace first. They have passed [Check].
func Merge(policies ...*implementationv1.DetectorPolicy) Policy {
	p := Policy{rules: map[ID]Settings{}}
	for _, policy := range policies {
		p.minGroup = max(p.minGroup, int64(policy.GetMinGroupSize()))
		for _, rule := range policy.GetRules() {
			known := p.rules[ID(rule.GetRule())]
			merged := Settings{Disabled: rule.GetDisabled(), Thresholds: maps.Clone(known.Thresholds)}
			if merged.Thresholds == nil {
				merged.Thresholds = map[string]float64{}
			}
			maps.Copy(merged.Thresholds, rule.GetThresholds())
			p.rules[ID(rule.GetRule())] = merged
		}
	}
	return p
}

// Settings are what a rule works with under the policy.
func (p Policy) Settings(rule Rule) Settings {
	s := Settings{Disabled: p.rules[rule.ID].Disabled, MinGroup: max(p.minGroup, MinGroup), Thresholds: map[string]float64{}}
	for _, t := range rule.Thresholds {
		s.Thresholds[t.Name] = t.Default
	}
	maps.Copy(s.Thresholds, p.rules[rule.ID].Thresholds)
	return s
}

// get is a threshold of the rule; asking for one that it does not declare is a programmer's mistake.
func (s Settings) get(name string) float64 {
	value, ok := s.Thresholds[name]
	if !ok {
		panic("no threshold " + name)
	}
	return value
}

// numbers are those of a finding and, under the name "threshold" and what follows, what they were compared with.
func (s Settings) numbers(of map[string]float64) map[string]float64 {
	for name, value := range s.Thresholds {
		of["threshold_"+name] = value
	}
	return of
}

// Check refuses what a policy cannot say.
func Check(policy *implementationv1.DetectorPolicy) error {
	if n := policy.GetMinGroupSize(); n != 0 && n < MinGroup {
		return fault.Invalid(ReasonThresholdInvalid, "groups of %d people are too small to be looked at; ask for %d or more", n, MinGroup).
			Field("detector_policy.min_group_size", fmt.Sprintf("must be at least %d", MinGroup))
	}
	seen := map[string]bool{}
	for i, setting := range policy.GetRules() {
		field := fmt.Sprintf("detector_policy.rules[%d]", i)
		if seen[setting.GetRule()] {
			return fault.Invalid(ReasonRuleDuplicate, "rule %s is there twice; say all about it in one entry", setting.GetRule()).Field(field+".rule", "is there twice")
		}
		seen[setting.GetRule()] = true
		if err := checkSetting(setting, field); err != nil {
			return err
		}
	}
	return nil
}

func checkSetting(setting *implementationv1.RuleSetting, field string) error {
	rule, ok := Find(ID(setting.GetRule()))
	if !ok {
		return fault.Invalid(ReasonRuleUnknown, "there is no rule %s; there are R1 to R9, L1 to L7 and P1 to P7", setting.GetRule()).
			Field(field+".rule", "does not exist")
	}
	for _, name := range slices.Sorted(maps.Keys(setting.GetThresholds())) {
		i := slices.IndexFunc(rule.Thresholds, func(t Threshold) bool { return t.Name == name })
		if i < 0 {
			names := make([]string, len(rule.Thresholds))
			for j, t := range rule.Thresholds {
				names[j] = t.Name
			}
			return fault.Invalid(ReasonThresholdUnknown, "rule %s has no threshold %q; it has %s", rule.ID, name, strings.Join(names, ", ")).
				Field(field+".thresholds", "has an unknown name")
		}
		t, value := rule.Thresholds[i], setting.GetThresholds()[name]
		if !(value >= t.Min && value <= t.Max) { // a NaN is neither
			return fault.Invalid(ReasonThresholdInvalid, "%s of rule %s is %s; it may be from %s to %s", name, rule.ID,
				number(value, 4), number(t.Min, 4), number(t.Max, 4)).Field(field+".thresholds", "is outside of what it may be")
		}
	}
	return nil
}
