// Package evidence freezes verdicts, and proves later that they are what was frozen: what a go/no-go stood on.
//
// The bytes are kept with their digest, and nothing is encoded again to verify them. The service freezes, and whoever
// has the record verifies it, without trusting the service's word; so the package belongs to neither.
package evidence

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Freeze keeps a verdict as bytes with their digest, and the digest of its gist.
func Freeze(resource string, purpose gatev1.Purpose, v *gatev1.Verdict) (*implementationv1.DecisionEvidence, error) {
	v = proto.CloneOf(v)
	v.Resource, v.Purpose = resource, purpose
	content, err := proto.MarshalOptions{Deterministic: true}.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("freeze the verdict on %s: %w", resource, err)
	}
	return &implementationv1.DecisionEvidence{
		Resource: resource, Purpose: purpose, Verdict: v, Content: content, Digest: sum(content), GistDigest: sum([]byte(Gist(v))),
	}, nil
}

// Gist is what of a verdict matters to a decision, in an order of its own: state, reasons by kind, resource and
// requirement, and the [Weight] of each piece of evidence. Numbers and times are not in it.
func Gist(v *gatev1.Verdict) string {
	var lines []string
	for _, r := range v.GetReasons() {
		lines = append(lines, fmt.Sprintf("reason %s %q %q", r.GetKind(), r.GetResource(), r.GetRequired()))
	}
	for _, e := range v.GetEvidence() {
		lines = append(lines, fmt.Sprintf("evidence %q %q %s", e.GetCriterion(), e.GetResource(), Weight(e)))
	}
	slices.Sort(lines)
	return "state " + v.GetState().String() + "\n" + strings.Join(slices.Compact(lines), "\n")
}

// Weight is the state of a piece as it matters to a decision. Of a figure that has to reach nothing, that it cannot be told is
// no objection: how much of the last hour was observed comes and goes with every installation.
func Weight(e *gatev1.Evidence) gatev1.Verdict_State {
	switch s := e.GetState(); {
	case e.GetThreshold() == 0 && (s == gatev1.Verdict_UNDECIDED || s == gatev1.Verdict_UNKNOWN):
		return gatev1.Verdict_PASS
	default:
		return s
	}
}

// Digest is over the digests of all evidence and the waves that it opens, whatever order they come in: what a record
// stands on, to the byte, and what it is about.
func Digest(all []*implementationv1.DecisionEvidence, waves []string) string {
	return over(all, waves, (*implementationv1.DecisionEvidence).GetDigest)
}

// GistDigest is over the gists of all evidence and the waves: the same as long as nothing that matters changed.
func GistDigest(all []*implementationv1.DecisionEvidence, waves []string) string {
	return over(all, waves, (*implementationv1.DecisionEvidence).GetGistDigest)
}

func over(all []*implementationv1.DecisionEvidence, waves []string, part func(*implementationv1.DecisionEvidence) string) string {
	var b strings.Builder
	for _, e := range Ordered(all) {
		fmt.Fprintf(&b, "%s %s %s\n", e.GetPurpose(), e.GetResource(), part(e))
	}
	for _, wave := range slices.Sorted(slices.Values(waves)) {
		fmt.Fprintf(&b, "opens %s\n", wave)
	}
	return sum([]byte(b.String()))
}

// Ordered is the evidence by half and name.
func Ordered(all []*implementationv1.DecisionEvidence) []*implementationv1.DecisionEvidence {
	return slices.SortedFunc(slices.Values(all), func(a, b *implementationv1.DecisionEvidence) int {
		return cmp.Or(cmp.Compare(a.GetPurpose(), b.GetPurpose()), cmp.Compare(a.GetResource(), b.GetResource()))
	})
}

func sum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}
