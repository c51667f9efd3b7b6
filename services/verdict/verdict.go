// Package verdict says when two verdicts of golive.gate.v1 are the same. Both services give verdicts revisions and tell
// streams what changed, by one rule.
package verdict

import (
	"google.golang.org/protobuf/proto"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// Content is a copy of a verdict less what time alone changes; nil of nil.
func Content(v *gatev1.Verdict) *gatev1.Verdict {
	if v == nil {
		return nil
	}
	c := proto.CloneOf(v)
	c.Purpose, c.Revision, c.EvaluatedAt, c.ValidUntil, c.Ttl = gatev1.Purpose_PURPOSE_UNSPECIFIED, 0, nil, nil, nil
	for _, reason := range c.GetReasons() {
		reason.Since = nil
	}
	for _, e := range c.GetEvidence() {
		e.AsOf = nil
	}
	return c
}

// Same reports whether two verdicts say the same on the same grounds, whenever they did.
func Same(a, b *gatev1.Verdict) bool {
	return proto.Equal(Content(a), Content(b))
}
