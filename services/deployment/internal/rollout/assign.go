package rollout

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strings"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Assignment is who belongs to which wave.
type Assignment struct {
	// Waves holds the targets of each wave, by the wave's position, in the order of their names.
	Waves [][]*deploymentv1.Target
	// Unselected are the targets that no wave took, in the order of their names.
	Unselected []*deploymentv1.Target
	// Digest is the SHA-256 over every target and its wave; what was previewed is what runs.
	Digest string
}

// Assign deals the targets out to the waves: each wave takes what it selects out of
// what is left. The order of the input does not matter. Every target is in one wave at
// most, and every one that is in none is named.
func Assign(waves []*deploymentv1.WaveRule, targets []*deploymentv1.Target) Assignment {
	left := slices.Clone(targets)
	slices.SortFunc(left, func(a, b *deploymentv1.Target) int { return strings.Compare(a.GetName(), b.GetName()) })
	total := len(left)
	out := Assignment{Waves: make([][]*deploymentv1.Target, len(waves))}
	hash := sha256.New()
	for i, w := range waves {
		out.Waves[i], left = take(w.GetMembers(), left, total)
		for _, t := range out.Waves[i] {
			hash.Write([]byte(w.GetId() + "\x00" + t.GetName() + "\n"))
		}
	}
	out.Unselected = left
	out.Digest = hex.EncodeToString(hash.Sum(nil))
	return out
}

// take splits the targets that are left into those that the rule selects and the others.
func take(m *deploymentv1.Members, left []*deploymentv1.Target, total int) (taken, others []*deploymentv1.Target) {
	switch rule := m.GetRule().(type) {
	case *deploymentv1.Members_Cohort:
		return split(left, func(t *deploymentv1.Target) bool { return slices.Contains(t.GetCohorts(), rule.Cohort) })
	case *deploymentv1.Members_Labels:
		return split(left, func(t *deploymentv1.Target) bool { return matches(rule.Labels.GetMatch(), t.GetLabels()) })
	case *deploymentv1.Members_Percent:
		return first(left, int(math.Ceil(rule.Percent/100*float64(total)-1e-9)))
	case *deploymentv1.Members_Count:
		return first(left, int(rule.Count))
	case *deploymentv1.Members_Rest:
		return left, nil
	default:
		return nil, left
	}
}

func split(left []*deploymentv1.Target, selects func(*deploymentv1.Target) bool) (taken, others []*deploymentv1.Target) {
	for _, t := range left {
		if selects(t) {
			taken = append(taken, t)
		} else {
			others = append(others, t)
		}
	}
	return taken, others
}

func first(left []*deploymentv1.Target, n int) (taken, others []*deploymentv1.Target) {
	n = max(0, min(n, len(left)))
	return left[:n:n], left[n:]
}

func matches(want, have map[string]string) bool {
	for k, v := range want {
		if got, ok := have[k]; !ok || got != v {
			return false
		}
	}
	return true
}
