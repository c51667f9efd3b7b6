package rollout

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Expand returns the rollout with its preset turned into waves; the preset itself stays,
// so that people still see what was asked for. A nil rollout is all at once.
// Expanding what is expanded already changes nothing, so that the rollout of one deployment serves another.
// It refuses presets beside other waves, ids used twice or unfit, and shares that do not rise (INVALID_ROLLOUT).
func Expand(in *deploymentv1.Rollout) (*deploymentv1.Rollout, error) {
	out := &deploymentv1.Rollout{}
	if in != nil {
		out = proto.CloneOf(in)
	}
	if out.GetPreset() == nil && len(out.GetWaves()) > 0 {
		return out, checkWaves(out.GetWaves())
	}
	waves, err := expandPreset(out)
	if err != nil {
		return nil, err
	}
	if len(out.GetWaves()) > 0 && !slices.EqualFunc(waves, out.GetWaves(), func(a, b *deploymentv1.WaveRule) bool { return proto.Equal(a, b) }) {
		return nil, invalid("rollout.waves", "a rollout has either a preset or waves, not both; leave one of them out")
	}
	out.Waves = waves
	return out, checkWaves(waves)
}

func expandPreset(r *deploymentv1.Rollout) ([]*deploymentv1.WaveRule, error) {
	switch p := r.GetPreset().(type) {
	case *deploymentv1.Rollout_Canary:
		return expandCanary(p.Canary)
	case *deploymentv1.Rollout_Rolling:
		return expandRolling(p.Rolling)
	case *deploymentv1.Rollout_ByCohort:
		return expandByCohort(p.ByCohort), nil
	default:
		all := r.GetAllAtOnce()
		return []*deploymentv1.WaveRule{{
			Id: "all", Members: rest(), Bake: all.GetBake(), MaxParallel: all.GetMaxParallel(), Budget: all.GetBudget(),
		}}, nil
	}
}

func expandCanary(c *deploymentv1.Canary) ([]*deploymentv1.WaveRule, error) {
	rule := func(id string, m *deploymentv1.Members) *deploymentv1.WaveRule {
		return &deploymentv1.WaveRule{Id: id, Members: m, Bake: c.GetBake(), MaxParallel: c.GetMaxParallel(), Budget: c.GetBudget()}
	}
	waves := []*deploymentv1.WaveRule{
		rule("canary", &deploymentv1.Members{Rule: &deploymentv1.Members_Count{Count: max(c.GetCount(), 1)}}),
	}
	reached := 0.0
	for _, percent := range c.GetPercents() {
		if !(percent > reached && percent <= 100) { // NaN is neither
			return nil, invalid("rollout.canary.percents", "shares must rise from above 0 to at most 100, but %v follows %v", percent, reached)
		}
		// Shares are of all targets and cumulative; the canary comes on top of them.
		waves = append(waves, rule(fmt.Sprintf("to-%s", trimFloat(percent)), upTo(percent-reached)))
		reached = percent
	}
	last := rule("rest", rest())
	last.Bake = nil
	return append(waves, last), nil
}

func expandRolling(r *deploymentv1.Rolling) ([]*deploymentv1.WaveRule, error) {
	batch := r.GetBatchPercent()
	if batch == 0 {
		batch = 25
	}
	if !(batch >= 1 && batch <= 100) {
		return nil, invalid("rollout.rolling.batch_percent", "a batch is a share from 1 to 100, not %v", batch)
	}
	n := int(math.Ceil(100/batch - 1e-9))
	waves := make([]*deploymentv1.WaveRule, 0, n)
	for i := range n {
		members := upTo(batch)
		if i == n-1 {
			members = rest()
		}
		waves = append(waves, &deploymentv1.WaveRule{
			Id: fmt.Sprintf("batch-%d", i+1), Members: members, Bake: r.GetBake(), MaxParallel: r.GetMaxParallel(), Budget: r.GetBudget(),
		})
	}
	return waves, nil
}

func expandByCohort(b *deploymentv1.ByCohort) []*deploymentv1.WaveRule {
	waves := make([]*deploymentv1.WaveRule, 0, len(b.GetCohorts()))
	for i, cohort := range b.GetCohorts() {
		wave := &deploymentv1.WaveRule{
			Id:      cohort,
			Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Cohort{Cohort: cohort}},
			Bake:    b.GetBake(), MaxParallel: b.GetMaxParallel(), Budget: b.GetBudget(),
		}
		if b.GetImplementation() != "" && (i > 0 || !b.GetPilotWithoutGate()) {
			wave.Gates = []*deploymentv1.GateRule{{
				Id: "ready",
				Type: &deploymentv1.GateRule_Readiness{Readiness: &deploymentv1.ReadinessGate{
					CohortPlan: b.GetImplementation() + "/cohortPlans/" + cohort,
				}},
			}}
		}
		waves = append(waves, wave)
	}
	return waves
}

func rest() *deploymentv1.Members {
	return &deploymentv1.Members{Rule: &deploymentv1.Members_Rest{Rest: true}}
}

func upTo(percent float64) *deploymentv1.Members {
	return &deploymentv1.Members{Rule: &deploymentv1.Members_Percent{Percent: percent}}
}

func trimFloat(f float64) string {
	// Wave ids are made of letters, digits and dashes: 12.5 becomes 12-5.
	b := fmt.Appendf(nil, "%v", f)
	if i := slices.Index(b, '.'); i >= 0 {
		b[i] = '-'
	}
	return string(b)
}

// checkWaves refuses what no annotation of the contract can: ids used twice, or made of
// a cohort that is no id; gates that name no earlier wave.
func checkWaves(waves []*deploymentv1.WaveRule) error {
	seen := map[string]bool{}
	for i, w := range waves {
		if seen[w.GetId()] {
			return invalid(fmt.Sprintf("rollout.waves[%d].id", i), "%q names two waves; ids are unique in a plan", w.GetId())
		}
		if !isID(w.GetId()) {
			return invalid(fmt.Sprintf("rollout.waves[%d].id", i), "%q cannot name a wave: up to 63 letters a-z, digits and dashes, no dash at the ends", w.GetId())
		}
		if w.GetMembers().GetRule() == nil {
			return invalid(fmt.Sprintf("rollout.waves[%d].members", i), "wave %q selects nobody; name a cohort, labels, a percent, a count or the rest", w.GetId())
		}
		gates := map[string]bool{}
		for j, g := range w.GetGates() {
			if gates[g.GetId()] {
				return invalid(fmt.Sprintf("rollout.waves[%d].gates[%d].id", i, j), "%q names two gates of wave %q", g.GetId(), w.GetId())
			}
			gates[g.GetId()] = true
			if prior := g.GetPriorWave().GetWave(); prior != "" && !seen[prior] {
				return invalid(fmt.Sprintf("rollout.waves[%d].gates[%d].prior_wave.wave", i, j), "%q is no wave before %q", prior, w.GetId())
			}
		}
		if err := checkAnalysis(waves, i); err != nil {
			return err
		}
		seen[w.GetId()] = true
	}
	return nil
}

// isID reports whether a text can be the id of a wave, as the contract says of those that are given.
func isID(id string) bool {
	strange := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	return id != "" && len(id) <= 63 && id == strings.Trim(id, "-") && !strings.ContainsFunc(id, strange)
}

func invalid(field, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	return fault.Invalid("INVALID_ROLLOUT", "the rollout cannot be followed: %s; correct it and send the request again", text).Field(field, text)
}

// Reverse returns the rollout of a rollback: the given waves in reverse order, without
// gates and bakes, and with a budget that nothing can spend, because going back must
// reach every target that it can, whatever happens on the others.
func Reverse(in *deploymentv1.Rollout) *deploymentv1.Rollout {
	out := &deploymentv1.Rollout{
		OnFailure:   deploymentv1.Rollout_FREEZE,
		StepTimeout: in.GetStepTimeout(), LostAfter: in.GetLostAfter(), CancelTimeout: in.GetCancelTimeout(),
	}
	for _, w := range slices.Backward(in.GetWaves()) {
		out.Waves = append(out.Waves, &deploymentv1.WaveRule{
			Id: w.GetId(), Members: w.GetMembers(), MaxParallel: w.GetMaxParallel(), Bake: durationpb.New(0),
			Budget: &deploymentv1.FailureBudget{MaxFailedPercent: 100, MaxLostPercent: 100},
		})
	}
	return out
}
